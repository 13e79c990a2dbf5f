package store

import "time"

// Moment is a point in time as both databases keep it: Unix milliseconds, 0 for "never".
type Moment int64

// At is t as a Moment; the zero time is "never".
func At(t time.Time) Moment {
	if t.IsZero() {
		return 0
	}
	return Moment(t.UnixMilli())
}

// IsZero tells whether the moment is "never".
func (m Moment) IsZero() bool { return m == 0 }

// Time is the moment in UTC, the zero time for "never".
func (m Moment) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(m)).UTC()
}
