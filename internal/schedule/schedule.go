package schedule

import "time"

// missedGrace is how long a missed moment without a window end may be made up for.
const missedGrace = 24 * time.Hour

// Task is what the functions of this package decide on.
type Task struct {
	Period   int            // days from one run to the next, at least 1
	Start    TimeOfDay      // when a run is due on a due day
	End      TimeOfDay      // end of the window, with HasEnd
	HasEnd   bool           // false: the window has no end
	Location *time.Location // zone of Start and End, nil is UTC
}

// Action is what to do about a due moment.
type Action int

// The actions. Wait means that nothing is due.
const (
	Wait Action = iota
	Run
	SkipMissed
)

// String is the action as a word.
func (a Action) String() string {
	switch a {
	case Run:
		return "run"
	case SkipMissed:
		return "skip-missed"
	}
	return "wait"
}

// Decision says what to do now.
type Decision struct {
	Action Action
	Due    time.Time // moment to run or the last one skipped; with Wait the one waited for
	Next   time.Time // due moment to keep; with Wait it differs from the one given only if that was absurd
	Missed int       // moments passed over without a run
}

// First is the first due moment after a task was saved.
func First(t Task, saved time.Time) time.Time {
	loc := t.location()
	for day := dayOf(saved, loc).add(-1); ; day = day.add(1) {
		if !day.exists(loc) {
			continue
		}
		if due := day.at(t.Start, loc); due.After(saved) {
			return due
		}
	}
}

// Next is the due moment after one.
func Next(t Task, due time.Time) time.Time {
	loc := t.location()
	for day := t.dueDay(due).add(t.period()); ; day = day.add(1) {
		if !day.exists(loc) {
			continue
		}
		if next := day.at(t.Start, loc); next.After(due) {
			return next
		}
	}
}

// Window is the end of the window that opens at a due moment; bounded is false
// if it has none.
func Window(t Task, due time.Time) (end time.Time, bounded bool) {
	if !t.HasEnd || t.End == t.Start {
		return time.Time{}, false
	}
	day, length := t.dueDay(due), t.End.since(t.Start)
	if t.End < t.Start {
		day = day.add(1)
	}
	end = day.at(t.End, t.location())
	if !end.After(due) { // a clock change left the whole window out
		end = due.Add(length)
	}
	return end, true
}

// Decide says what to do at an instant about the due moment that is kept for a
// task.
func Decide(t Task, due, now time.Time) Decision {
	if due.After(now) {
		if limit := now.AddDate(0, 0, t.period()+2); due.After(limit) {
			due = First(t, now)
		}
		return Decision{Action: Wait, Due: due, Next: due}
	}
	d := Decision{Action: Run, Due: due, Next: Next(t, due)}
	for !d.Next.After(now) {
		d.Due, d.Next = d.Next, Next(t, d.Next)
		d.Missed++
	}
	if !open(t, d.Due, now) {
		d.Action = SkipMissed
		d.Missed++
	}
	return d
}

// open tells whether a run for a due moment may still start.
func open(t Task, due, now time.Time) bool {
	end, bounded := Window(t, due)
	if !bounded {
		end = due.Add(missedGrace)
	}
	return now.Before(end)
}

// dueDay is the day whose start is the due moment. It is the local day except
// where a gap around midnight pushed the start into the next one.
func (t Task) dueDay(due time.Time) day {
	loc := t.location()
	today := dayOf(due, loc)
	if today.at(t.Start, loc).Equal(due) {
		return today
	}
	if yesterday := today.add(-1); yesterday.exists(loc) && yesterday.at(t.Start, loc).Equal(due) {
		return yesterday
	}
	return today
}

func (t Task) period() int { return max(t.Period, 1) }

func (t Task) location() *time.Location {
	if t.Location == nil {
		return time.UTC
	}
	return t.Location
}
