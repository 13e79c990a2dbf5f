package schedule

import "testing"

func TestParseTimeOfDay(t *testing.T) {
	for in, want := range map[string]TimeOfDay{
		"00:00": 0, "00:00:00": 0, "04:00": 4 * 3600, "04:00:00": 4 * 3600,
		"18:10": 18*3600 + 600, "23:59": 23*3600 + 59*60, "23:59:59": 24*3600 - 1,
	} {
		if got, err := ParseTimeOfDay(in); err != nil || got != want {
			t.Errorf("ParseTimeOfDay(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "4", "4:00", "04:0", "0400", "24:00", "24:00:00", "23:60", "23:59:60", "-1:00", "04:00 ", " 4:00",
		"04:00:0", "04:00:00.5", "04:00:00Z", "4:00:00", "aa:bb", "04.00", "٠٤:٠٠",
	} {
		if got, err := ParseTimeOfDay(in); err == nil {
			t.Errorf("ParseTimeOfDay(%q) = %d, want an error", in, got)
		}
	}
}

func FuzzParseTimeOfDay(f *testing.F) {
	for _, s := range []string{"04:00", "23:59:59", "24:00", "4:00", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseTimeOfDay(s)
		if err != nil {
			return
		}
		if v < 0 || v >= daySeconds {
			t.Fatalf("ParseTimeOfDay(%q) = %d, outside of a day", s, v)
		}
		if out := v.String(); out != s && out != s+":00" {
			t.Fatalf("ParseTimeOfDay(%q) reads as %s", s, out)
		}
	})
}
