package schedule

import "time"

// The nightly synchronisation takes place between 0:00 and 3:00 local time, at
// a minute drawn for each account, so that a registry used by many is not asked
// by all at once.
const (
	NightlyMinutes = 180 // minutes to draw from, 0 to 179
	NightlyOff     = -1  // minute of an account that wants none
)

// Nightly tells whether the synchronisation of an account is due, and of which
// local day it is ("2006-01-02", to be kept as lastDay once it was started).
//
// A night missed is made up for on the same day. An account that never had one
// (lastDay "") waits for the hours of the night, because its first
// synchronisation is started by hand. A lastDay in the future is what a clock
// set back leaves behind: by one day it is believed, beyond that it is not.
func Nightly(minute int, now time.Time, lastDay string, loc *time.Location) (due bool, today string) {
	if loc == nil {
		loc = time.UTC
	}
	d := dayOf(now, loc)
	today = d.String()
	if minute < 0 || minute >= NightlyMinutes || lastDay == today || lastDay == d.add(1).String() {
		return false, today
	}
	if now.Before(d.at(TimeOfDay(minute*60), loc)) {
		return false, today
	}
	if lastDay == "" {
		return now.Before(d.at(TimeOfDay(NightlyMinutes*60), loc)), today
	}
	return true, today
}
