// Package schedule says when things are due. Everything in it is a pure function
// of (task, clock): nothing here sleeps, stores or starts anything.
//
// Words:
//
//   - task: a cycle of days, a start and perhaps an end as times of day, and the
//     zone in which they are read.
//   - due day: a day of the cycle. due moment: the instant at which the start is
//     reached on a due day.
//   - window: the time from a due moment in which a run may begin work.
//   - missed moment: a due moment that passed while nobody was looking.
//
// # What is authoritative
//
// The next due moment is state, kept by whoever owns the task, because a cycle
// of several days cannot be derived from the task alone. It is written in two
// places only: after a save that changed cycle, start or switch it is First, and
// after a decision other than Wait it is Decision.Next. The local calendar
// decides, not elapsed time: "every day at 02:00" is at 02:00 on the wall, with
// 23 or 25 hours between two runs when clocks change.
//
// The first due moment after a save is the next start that lies in the future,
// whatever the cycle. A start that is this very instant has passed.
//
// # Clock changes
//
// A start that a clock change leaves out (02:30 when clocks jump from 02:00 to
// 03:00) is due at the first instant that exists again, 03:00. A start that
// comes twice is due the first time only. A window's end follows the same rules,
// so it never lies later than its first coming. Where the whole window is left
// out, it keeps its length and opens when the gap ends: the day is not lost.
// A calendar day that a zone skips altogether hands its run to the next day.
//
// The library function time.Date promises neither of this: in a gap and in a
// doubled hour it answers for "one of the two zones involved".
//
// # The window
//
// An end later in the day than the start closes the window on the same day, an
// earlier one on the next day, one that equals the start means no end. The
// window is half open: at its end nothing starts any more.
//
// # Missed moments
//
// However many moments passed, at most one run makes up for them: the last one,
// if its window is still open. Without an end the window of a missed moment
// counts as 24 hours. Otherwise the moments are skipped and the cycle goes on as
// if they had been kept.
//
// # Clocks that move
//
// A clock set back after a run finds the next due moment further in the future
// and waits for it: no moment is run twice. A due moment so far ahead that the
// cycle cannot have produced it (the clock was wrong by more than a cycle when
// it was written) is replaced by First. A clock set forward finds missed moments.
package schedule
