package schedule

import (
	"testing"
	"time"
)

// local writes instants the way people do: "2026-03-29 03:00:00 +0200".
const local = "2006-01-02 15:04:05 -0700"

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func instant(t testing.TB, s string) time.Time {
	t.Helper()
	at, err := time.Parse(local, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func tod(t testing.TB, s string) TimeOfDay {
	t.Helper()
	v, err := ParseTimeOfDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// plan makes a task; an empty end is none.
func plan(t testing.TB, loc string, period int, start, end string) Task {
	t.Helper()
	task := Task{Period: period, Start: tod(t, start), Location: zone(t, loc)}
	if end != "" {
		task.HasEnd, task.End = true, tod(t, end)
	}
	return task
}

func TestFirstIsTheNextStartWhateverThePeriod(t *testing.T) {
	for _, tt := range []struct{ name, zone, start, saved, want string }{
		{"later today", "Asia/Shanghai", "04:00", "2026-11-23 03:59:59 +0800", "2026-11-23 04:00:00 +0800"},
		{"this instant has passed", "Asia/Shanghai", "04:00", "2026-11-23 04:00:00 +0800", "2026-11-24 04:00:00 +0800"},
		{"tomorrow", "Asia/Shanghai", "04:00:00", "2026-11-23 20:00:00 +0800", "2026-11-24 04:00:00 +0800"},
		{"the zone decides on the day", "Asia/Shanghai", "04:00", "2026-11-23 19:59:00 +0000", "2026-11-24 04:00:00 +0800"},
		{"with seconds", "UTC", "23:59:59", "2026-12-31 23:59:58 +0000", "2026-12-31 23:59:59 +0000"},
		{"over the new year", "UTC", "00:00", "2026-12-31 00:00:00 +0000", "2027-01-01 00:00:00 +0000"},
		{"in a gap", "Europe/Berlin", "02:30", "2026-03-29 01:59:00 +0100", "2026-03-29 03:00:00 +0200"},
		{"at the end of the gap", "Europe/Berlin", "02:30", "2026-03-29 03:00:00 +0200", "2026-03-30 02:30:00 +0200"},
		{"doubled, before", "Europe/Berlin", "02:30", "2026-10-25 02:00:00 +0200", "2026-10-25 02:30:00 +0200"},
		{"doubled, between", "Europe/Berlin", "02:30", "2026-10-25 02:30:00 +0200", "2026-10-26 02:30:00 +0100"},
		{"doubled, second time", "Europe/Berlin", "02:30", "2026-10-25 02:29:00 +0100", "2026-10-26 02:30:00 +0100"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, period := range []int{1, 7, 365} {
				got := First(plan(t, tt.zone, period, tt.start, ""), instant(t, tt.saved))
				if !got.Equal(instant(t, tt.want)) {
					t.Errorf("period %d: first = %s, want %s", period, got.Format(local), tt.want)
				}
			}
		})
	}
}

func TestDueMomentsAcrossClockChanges(t *testing.T) {
	for _, tt := range []struct {
		name, zone string
		period     int
		start, due string
		want       []string
	}{
		{"Shanghai has no changes", "Asia/Shanghai", 1, "03:00", "2026-03-28 03:00:00 +0800",
			[]string{"2026-03-29 03:00:00 +0800", "2026-03-30 03:00:00 +0800"}},
		{"Berlin leaves an hour out", "Europe/Berlin", 1, "02:30", "2026-03-28 02:30:00 +0100",
			[]string{"2026-03-29 03:00:00 +0200", "2026-03-30 02:30:00 +0200", "2026-03-31 02:30:00 +0200"}},
		{"Berlin doubles an hour", "Europe/Berlin", 1, "02:30", "2026-10-24 02:30:00 +0200",
			[]string{"2026-10-25 02:30:00 +0200", "2026-10-26 02:30:00 +0100"}},
		{"New York leaves an hour out", "America/New_York", 1, "02:00", "2026-03-07 02:00:00 -0500",
			[]string{"2026-03-08 03:00:00 -0400", "2026-03-09 02:00:00 -0400"}},
		{"New York doubles an hour", "America/New_York", 1, "01:30", "2026-10-31 01:30:00 -0400",
			[]string{"2026-11-01 01:30:00 -0400", "2026-11-02 01:30:00 -0500"}},
		{"Lord Howe leaves half an hour out", "Australia/Lord_Howe", 1, "02:15", "2026-10-03 02:15:00 +1030",
			[]string{"2026-10-04 02:30:00 +1100", "2026-10-05 02:15:00 +1100"}},
		{"Lord Howe doubles half an hour", "Australia/Lord_Howe", 1, "01:45", "2026-04-04 01:45:00 +1100",
			[]string{"2026-04-05 01:45:00 +1100", "2026-04-06 01:45:00 +1030"}},
		{"Sao Paulo leaves midnight out", "America/Sao_Paulo", 1, "00:00", "2018-11-03 00:00:00 -0300",
			[]string{"2018-11-04 01:00:00 -0200", "2018-11-05 00:00:00 -0200"}},
		{"Beirut leaves midnight out", "Asia/Beirut", 1, "00:30", "2026-03-28 00:30:00 +0200",
			[]string{"2026-03-29 01:00:00 +0300", "2026-03-30 00:30:00 +0300"}},
		{"Toronto's gap goes over midnight", "America/Toronto", 1, "23:45", "1919-03-29 23:45:00 -0500",
			[]string{"1919-03-31 00:30:00 -0400", "1919-03-31 23:45:00 -0400", "1919-04-01 23:45:00 -0400"}},
		{"Apia has no 30 December 2011", "Pacific/Apia", 1, "10:00", "2011-12-29 10:00:00 -1000",
			[]string{"2011-12-31 10:00:00 +1400", "2012-01-01 10:00:00 +1400"}},
		{"a week keeps the time of day", "Europe/Berlin", 7, "02:30", "2026-03-22 02:30:00 +0100",
			[]string{"2026-03-29 03:00:00 +0200", "2026-04-05 02:30:00 +0200"}},
		{"a month's end and a leap day", "UTC", 2, "12:00", "2028-02-27 12:00:00 +0000",
			[]string{"2028-02-29 12:00:00 +0000", "2028-03-02 12:00:00 +0000"}},
		{"a period of none counts as one", "UTC", 0, "12:00", "2026-02-28 12:00:00 +0000",
			[]string{"2026-03-01 12:00:00 +0000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			task := plan(t, tt.zone, tt.period, tt.start, "")
			due := instant(t, tt.due)
			for i, want := range tt.want {
				due = Next(task, due)
				if !due.Equal(instant(t, want)) {
					t.Fatalf("moment %d = %s, want %s", i+1, due.Format(local), want)
				}
			}
		})
	}
}

func TestWindow(t *testing.T) {
	for _, tt := range []struct{ name, zone, start, end, due, want string }{
		{"same day", "Asia/Shanghai", "18:10", "20:00", "2026-11-23 18:10:00 +0800", "2026-11-23 20:00:00 +0800"},
		{"next day", "Asia/Shanghai", "23:00", "05:00", "2026-11-23 23:00:00 +0800", "2026-11-24 05:00:00 +0800"},
		{"midnight is the next day", "Asia/Shanghai", "23:00", "00:00", "2026-11-23 23:00:00 +0800", "2026-11-24 00:00:00 +0800"},
		{"equal is no end", "Asia/Shanghai", "23:00", "23:00:00", "2026-11-23 23:00:00 +0800", ""},
		{"none is no end", "Asia/Shanghai", "23:00", "", "2026-11-23 23:00:00 +0800", ""},
		{"an hour shorter in spring", "Europe/Berlin", "01:00", "05:00", "2026-03-29 01:00:00 +0100", "2026-03-29 05:00:00 +0200"},
		{"an hour longer in autumn", "Europe/Berlin", "01:00", "05:00", "2026-10-25 01:00:00 +0200", "2026-10-25 05:00:00 +0100"},
		{"an end in the gap", "Europe/Berlin", "01:00", "02:30", "2026-03-29 01:00:00 +0100", "2026-03-29 03:00:00 +0200"},
		{"a doubled end counts once", "Europe/Berlin", "01:00", "02:30", "2026-10-25 01:00:00 +0200", "2026-10-25 02:30:00 +0200"},
		{"a start in the gap", "Europe/Berlin", "02:30", "05:00", "2026-03-29 03:00:00 +0200", "2026-03-29 05:00:00 +0200"},
		{"all in the gap", "Europe/Berlin", "02:10", "02:40", "2026-03-29 03:00:00 +0200", "2026-03-29 03:30:00 +0200"},
		{"up to the end of the gap", "Europe/Berlin", "02:10", "03:00", "2026-03-29 03:00:00 +0200", "2026-03-29 03:50:00 +0200"},
		{"pushed over midnight", "America/Toronto", "23:45", "02:00", "1919-03-31 00:30:00 -0400", "1919-03-31 02:00:00 -0400"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			end, bounded := Window(plan(t, tt.zone, 1, tt.start, tt.end), instant(t, tt.due))
			if bounded != (tt.want != "") {
				t.Fatalf("bounded = %v, want %v", bounded, tt.want != "")
			}
			if bounded && !end.Equal(instant(t, tt.want)) {
				t.Errorf("end = %s, want %s", end.Format(local), tt.want)
			}
		})
	}
}

func TestDecide(t *testing.T) {
	const due = "2026-11-23 01:00:00 +0800"
	for _, tt := range []struct {
		name             string
		period           int
		end, now         string
		want             Action
		wantDue, wantNxt string
		missed           int
	}{
		{"before", 1, "05:00", "2026-11-23 00:59:59 +0800", Wait, due, due, 0},
		{"on time", 1, "05:00", due, Run, due, "2026-11-24 01:00:00 +0800", 0},
		{"late, window open", 1, "05:00", "2026-11-23 04:59:59 +0800", Run, due, "2026-11-24 01:00:00 +0800", 0},
		{"nothing starts at the end", 1, "05:00", "2026-11-23 05:00:00 +0800", SkipMissed, due, "2026-11-24 01:00:00 +0800", 1},
		{"no end, within 24 hours", 7, "", "2026-11-24 00:59:59 +0800", Run, due, "2026-11-30 01:00:00 +0800", 0},
		{"no end, after 24 hours", 7, "", "2026-11-24 01:00:00 +0800", SkipMissed, due, "2026-11-30 01:00:00 +0800", 1},
		{"an end equal to the start is no end", 7, "01:00", "2026-11-24 00:59:59 +0800", Run, due, "2026-11-30 01:00:00 +0800", 0},
		{"three moments missed, one made up for", 1, "05:00", "2026-11-25 02:00:00 +0800", Run, "2026-11-25 01:00:00 +0800", "2026-11-26 01:00:00 +0800", 2},
		{"three moments missed, all over", 1, "05:00", "2026-11-25 12:00:00 +0800", SkipMissed, "2026-11-25 01:00:00 +0800", "2026-11-26 01:00:00 +0800", 3},
		{"daily without end is always made up for", 1, "", "2026-12-24 00:00:00 +0800", Run, "2026-12-23 01:00:00 +0800", "2026-12-24 01:00:00 +0800", 30},
		{"the cycle goes on as if it had been kept", 7, "05:00", "2026-12-08 12:00:00 +0800", SkipMissed, "2026-12-07 01:00:00 +0800", "2026-12-14 01:00:00 +0800", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			task := plan(t, "Asia/Shanghai", tt.period, "01:00", tt.end)
			d := Decide(task, instant(t, due), instant(t, tt.now))
			if d.Action != tt.want || !d.Due.Equal(instant(t, tt.wantDue)) || !d.Next.Equal(instant(t, tt.wantNxt)) || d.Missed != tt.missed {
				t.Errorf("decision = %s due %s next %s missed %d,\nwant %s due %s next %s missed %d",
					d.Action, d.Due.Format(local), d.Next.Format(local), d.Missed, tt.want, tt.wantDue, tt.wantNxt, tt.missed)
			}
		})
	}
}

func TestWindowLeftOutByAClockChangeStillRuns(t *testing.T) {
	task := plan(t, "Europe/Berlin", 1, "02:10", "02:40")
	due := instant(t, "2026-03-29 03:00:00 +0200")
	if d := Decide(task, due, due); d.Action != Run {
		t.Errorf("at the end of the gap: %s, want run", d.Action)
	}
	if d := Decide(task, due, due.Add(30*time.Minute)); d.Action != SkipMissed {
		t.Errorf("after its length: %s, want skip-missed", d.Action)
	}
}

func TestClockSetBackRunsNothingTwice(t *testing.T) {
	task := plan(t, "Asia/Shanghai", 1, "01:00", "05:00")
	due := instant(t, "2026-11-23 01:00:00 +0800")
	ran := Decide(task, due, due)
	back := due.Add(-time.Hour)
	for now := back; now.Before(ran.Next); now = now.Add(10 * time.Minute) {
		if d := Decide(task, ran.Next, now); d.Action != Wait || !d.Next.Equal(ran.Next) {
			t.Fatalf("at %s: %s, next %s; want wait for %s", now, d.Action, d.Next, ran.Next)
		}
	}
	if d := Decide(task, ran.Next, ran.Next); d.Action != Run {
		t.Errorf("the next moment: %s, want run", d.Action)
	}
}

func TestClockThatWasYearsAheadDoesNotStopTheWatch(t *testing.T) {
	task := plan(t, "Asia/Shanghai", 7, "01:00", "05:00")
	kept := instant(t, "2031-01-01 01:00:00 +0800")
	now := instant(t, "2026-11-23 12:00:00 +0800")
	d := Decide(task, kept, now)
	if want := instant(t, "2026-11-24 01:00:00 +0800"); d.Action != Wait || !d.Next.Equal(want) {
		t.Errorf("decision = %s, next %s; want wait for %s", d.Action, d.Next, want)
	}
}

func TestTaskWithoutLocationIsReadInUTC(t *testing.T) {
	got := First(Task{Period: 1, Start: tod(t, "04:00")}, instant(t, "2026-11-23 03:00:00 +0000"))
	if want := instant(t, "2026-11-23 04:00:00 +0000"); !got.Equal(want) {
		t.Errorf("first = %s, want %s", got, want)
	}
}
