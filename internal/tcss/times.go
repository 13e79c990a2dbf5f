package tcss

import (
	"time"

	"dogwatch/internal/store"
)

// unknownCreation is how an image of unknown age shows (reference E10).
const unknownCreation = "1900-01-01T00:00:00+00:00"

// plain writes a moment without zone, "" for never.
func (a *actions) plain(m store.Moment) string { return a.plainTime(m.Time()) }

func (a *actions) plainTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(a.Location).Format(time.DateTime)
}

// iso writes a moment with its offset, "" for never.
func (a *actions) iso(m store.Moment) string {
	if m.IsZero() {
		return ""
	}
	return m.Time().In(a.Location).Format("2006-01-02T15:04:05-07:00")
}
