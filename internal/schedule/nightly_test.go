package schedule

import "testing"

func TestNightly(t *testing.T) {
	for _, tt := range []struct {
		name, zone string
		minute     int
		now, last  string
		due        bool
		day        string
	}{
		{"before the minute", "Asia/Shanghai", 90, "2026-11-23 01:29:59 +0800", "2026-11-22", false, "2026-11-23"},
		{"at the minute", "Asia/Shanghai", 90, "2026-11-23 01:30:00 +0800", "2026-11-22", true, "2026-11-23"},
		{"once a day", "Asia/Shanghai", 90, "2026-11-23 01:31:00 +0800", "2026-11-23", false, "2026-11-23"},
		{"the local day counts", "Asia/Shanghai", 0, "2026-11-22 16:00:00 +0000", "2026-11-22", true, "2026-11-23"},
		{"a missed night is made up for", "Asia/Shanghai", 90, "2026-11-23 09:00:00 +0800", "2026-11-21", true, "2026-11-23"},
		{"the first one waits for the night", "Asia/Shanghai", 90, "2026-11-23 09:00:00 +0800", "", false, "2026-11-23"},
		{"the first night", "Asia/Shanghai", 90, "2026-11-23 02:00:00 +0800", "", true, "2026-11-23"},
		{"off", "Asia/Shanghai", NightlyOff, "2026-11-23 02:00:00 +0800", "2026-11-22", false, "2026-11-23"},
		{"not a minute of the night", "Asia/Shanghai", 180, "2026-11-23 12:00:00 +0800", "2026-11-22", false, "2026-11-23"},
		{"clock set back over midnight", "Asia/Shanghai", 0, "2026-11-22 23:59:00 +0800", "2026-11-23", false, "2026-11-22"},
		{"clock was years ahead", "Asia/Shanghai", 0, "2026-11-22 23:59:00 +0800", "2031-01-01", true, "2026-11-22"},
		{"the minute is left out", "Europe/Berlin", 150, "2026-03-29 03:00:00 +0200", "2026-03-28", true, "2026-03-29"},
		{"midnight is left out", "Asia/Beirut", 10, "2026-03-29 01:00:00 +0300", "2026-03-28", true, "2026-03-29"},
		{"the minute comes twice", "Europe/Berlin", 150, "2026-10-25 02:30:00 +0100", "2026-10-25", false, "2026-10-25"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			due, day := Nightly(tt.minute, instant(t, tt.now), tt.last, zone(t, tt.zone))
			if due != tt.due || day != tt.day {
				t.Errorf("Nightly = %v, %s; want %v, %s", due, day, tt.due, tt.day)
			}
		})
	}
}
