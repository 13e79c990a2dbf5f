package schedule

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// zones are the kinds of clock change there are: none, an hour, half an hour,
// at midnight, in the past, over the date line.
var zones = []string{
	"UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
	"America/Sao_Paulo", "Asia/Beirut", "Africa/Cairo", "Pacific/Apia", "America/Toronto", "Asia/Kathmandu",
}

func drawTask(t *rapid.T) Task {
	loc, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	return Task{
		Period:   rapid.IntRange(1, 10).Draw(t, "period"),
		Start:    TimeOfDay(rapid.IntRange(0, daySeconds-1).Draw(t, "start")),
		HasEnd:   rapid.Bool().Draw(t, "has end"),
		End:      TimeOfDay(rapid.IntRange(0, daySeconds-1).Draw(t, "end")),
		Location: loc,
	}
}

func drawInstant(t *rapid.T) time.Time {
	return time.Unix(rapid.Int64Range(0, 4102444800).Draw(t, "instant"), 0)
}

// existsOn tells whether the wall clock ever shows the time of day on a date,
// by looking at every offset the zone had around it.
func existsOn(d day, start TimeOfDay, loc *time.Location) bool {
	wall := d.wall(start)
	for h := -30; h <= 30; h++ {
		at := wall.Add(-offset(wall.Add(time.Duration(h) * time.Hour).In(loc))).In(loc)
		if shows(at).Equal(wall) {
			return true
		}
	}
	return false
}

func TestDueMomentsProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		task := drawTask(t)
		saved := drawInstant(t)
		due := First(task, saved)
		if !due.After(saved) {
			t.Fatalf("first %s is not after %s", due, saved)
		}
		if before := First(task, saved.Add(-time.Second)); before.After(due) {
			t.Fatalf("first after an earlier save is later: %s > %s", before, due)
		}
		for range 40 {
			d := task.dueDay(due)
			shown := shows(due.In(task.Location))
			if existsOn(d, task.Start, task.Location) {
				if !shown.Equal(d.wall(task.Start)) {
					t.Fatalf("due %s shows %s, want %s on %s", due, shown, task.Start, d)
				}
			} else if shown.Before(d.wall(task.Start)) {
				t.Fatalf("due %s in a gap lies before %s on %s", due, task.Start, d)
			}
			next := Next(task, due)
			if !next.After(due) {
				t.Fatalf("next %s is not after %s", next, due)
			}
			if want := d.add(task.Period); want.exists(task.Location) && task.dueDay(next) != want {
				t.Fatalf("after %s comes %s, want %s", d, task.dueDay(next), want)
			}
			due = next
		}
	})
}

func TestFirstComingProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		task := drawTask(t)
		due := First(task, drawInstant(t))
		d := task.dueDay(due)
		for back := time.Minute; back <= 2*time.Hour; back += time.Minute {
			if shows(due.Add(-back).In(task.Location)).Equal(d.wall(task.Start)) {
				t.Fatalf("%s came %s before %s already", task.Start, back, due)
			}
		}
	})
}

func TestWindowProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		task := drawTask(t)
		due := First(task, drawInstant(t))
		end, bounded := Window(task, due)
		if bounded != (task.HasEnd && task.End != task.Start) {
			t.Fatalf("bounded = %v", bounded)
		}
		if !bounded {
			return
		}
		if !end.After(due) {
			t.Fatalf("window of %s ends at %s, before it opened", due, end)
		}
		if length := end.Sub(due); length > 50*time.Hour {
			t.Fatalf("window of %s is %s long", due, length)
		}
	})
}

func TestDecideProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		task := drawTask(t)
		due := First(task, drawInstant(t))
		now := due.Add(time.Duration(rapid.Int64Range(-86400, 100*86400).Draw(t, "late")) * time.Second)
		d := Decide(task, due, now)
		switch {
		case d.Action == Wait && (!now.Before(due) || !d.Next.Equal(due)):
			t.Fatalf("at %s waits for %s although %s is due", now, d.Next, due)
		case d.Action != Wait && now.Before(due):
			t.Fatalf("at %s does not wait for %s", now, due)
		case d.Action != Wait && !d.Next.After(now):
			t.Fatalf("at %s the next moment %s has passed", now, d.Next)
		case d.Action != Wait && !Next(task, d.Due).Equal(d.Next):
			t.Fatalf("%s does not follow %s", d.Next, d.Due)
		case d.Action == Run && !open(task, d.Due, now), d.Action == SkipMissed && open(task, d.Due, now):
			t.Fatalf("%s at %s of %s against its window", d.Action, now, d.Due)
		}
		if d.Action == Wait {
			return
		}
		if again := Decide(task, d.Next, now); again.Action != Wait {
			t.Fatalf("after %s the same instant decides %s again", d.Action, again.Action)
		}
	})
}
