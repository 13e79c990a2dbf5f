package schedule

import (
	"time"
	_ "time/tzdata" // zones on machines that have no zone files
)

// day is a date of the calendar, without zone.
type day struct {
	year  int
	month time.Month
	dom   int
}

// dayOf is the local date of an instant.
func dayOf(t time.Time, loc *time.Location) day {
	y, m, d := t.In(loc).Date()
	return day{y, m, d}
}

// add is the date n days later.
func (d day) add(n int) day { return dayOf(d.wall(0).AddDate(0, 0, n), time.UTC) }

// String is the date as "2006-01-02".
func (d day) String() string { return d.wall(0).Format(time.DateOnly) }

// wall is what a clock on the wall shows on the date, as if it hung in UTC.
func (d day) wall(tod TimeOfDay) time.Time {
	return time.Date(d.year, d.month, d.dom, 0, 0, int(tod), 0, time.UTC)
}

// exists tells whether the zone has the date at all: a move over the date line
// leaves one out.
func (d day) exists(loc *time.Location) bool { return dayOf(d.at(0, loc), loc) == d }

// at is the first instant at which the wall clock of the zone shows the time of
// day on the date; where a clock change leaves it out, the instant of the change.
func (d day) at(tod TimeOfDay, loc *time.Location) time.Time {
	wall := d.wall(tod)
	guess := time.Date(d.year, d.month, d.dom, 0, 0, int(tod), 0, loc)
	start, end := guess.ZoneBounds()
	switch shown := shows(guess); {
	case shown.Equal(wall):
		if start.IsZero() {
			return guess
		}
		earlier := wall.Add(-offset(start.Add(-time.Second))).In(loc)
		if earlier.Before(start) {
			return earlier
		}
		return guess
	case shown.After(wall):
		return start
	default:
		return end
	}
}

// shows is what the wall clock shows at an instant, as if it hung in UTC.
func shows(t time.Time) time.Time { return t.Add(offset(t)).UTC() }

// offset is how far the wall clock is ahead of UTC at an instant.
func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}
