package schedule

import (
	"fmt"
	"time"
)

// TimeOfDay is what a clock on the wall shows, in seconds after 00:00:00.
type TimeOfDay int

// daySeconds is the number of values a TimeOfDay has.
const daySeconds = 24 * 60 * 60

// ParseTimeOfDay reads HH:MM or HH:MM:SS, from 00:00 to 23:59:59.
func ParseTimeOfDay(s string) (TimeOfDay, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		if len(s) != len(layout) {
			continue
		}
		if t, err := time.Parse(layout, s); err == nil {
			return TimeOfDay(t.Hour()*3600 + t.Minute()*60 + t.Second()), nil
		}
	}
	return 0, fmt.Errorf("schedule: %q is not a time of day, write HH:MM or HH:MM:SS", s)
}

// String is the time of day as HH:MM:SS.
func (t TimeOfDay) String() string {
	return fmt.Sprintf("%02d:%02d:%02d", int(t)/3600, int(t)/60%60, int(t)%60)
}

// since is the time from an earlier reading of the clock to this one, over
// midnight if need be.
func (t TimeOfDay) since(earlier TimeOfDay) time.Duration {
	return time.Duration((int(t)-int(earlier)+daySeconds)%daySeconds) * time.Second
}
