package inject

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// SwitchOptions say where the dead-man's switch of an environment stands.
type SwitchOptions struct {
	Role string // ARN that EventBridge Scheduler assumes to make the calls; required
	DLQ  string // ARN of a standard queue for calls that failed for good; empty: nobody hears of them
	// Apart is the time between two looks at what Scheduler tells; 0 is a second. The sandbox's time is short.
	Apart time.Duration
}

// Schedule is one call of a dead-man's switch, and when it is made.
type Schedule struct {
	Name string    `json:"name"` // firedrill-<run>-<fault>-<n>, from 1
	At   time.Time `json:"at"`   // a whole minute, UTC; the call is made within it
	Call Call      `json:"call"`
}

// SwitchMargin is how long after limit and undo time a dead-man's switch fires: an undo that goes as planned is over by
// then. One that is still being tried does not mind: both put back the same.
const SwitchMargin = 2 * time.Minute

// Schedules lays the calls out: the first at the first whole minute not before due, each later one not before its
// least delay after the one before it has surely been made. Scheduler keeps to the minute, not to the second.
// https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
func Schedules(m Mark, due time.Time, calls []Call) []Schedule {
	at := wholeMinute(due)
	list := make([]Schedule, 0, len(calls))
	for i, c := range calls {
		if i > 0 {
			at = wholeMinute(at.Add(time.Minute + c.After)) // the one before may be made at its minute's very end
		}
		list = append(list, Schedule{Name: ScheduleName(m, i+1), At: at, Call: c})
	}
	return list
}

// ScheduleName is the name of the nth call of a fault's switch: derived, so that whoever unwinds the run can delete it.
// A fault's name that would not fit into the 64 characters is shortened, and told from others by a checksum.
func ScheduleName(m Mark, n int) string { return fmt.Sprintf("%s%d", schedulePrefix(m), n) }

// schedulePrefix is what the names of a mark's schedules begin with; a number follows.
func schedulePrefix(m Mark) string {
	fault := m.Fault
	if room := maxScheduleName - len("firedrill---99") - len(m.Run); len(fault) > room {
		sum := sha256.Sum256([]byte(fault))
		fault = fault[:max(0, room-9)] + "_" + hex.EncodeToString(sum[:4])
	}
	return fmt.Sprintf("firedrill-%s-%s-", m.Run, fault)
}

// maxScheduleName is how long a schedule's name may be.
// https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
const maxScheduleName = 64

func wholeMinute(t time.Time) time.Time {
	whole := t.UTC().Truncate(time.Minute)
	if whole.Before(t) {
		whole = whole.Add(time.Minute)
	}
	return whole
}

// Switch is the dead-man's switch of an environment: calls that EventBridge Scheduler makes when nobody is left to.
type Switch interface {
	// Arm makes the schedules and reads them back. It is idempotent by name: one that stands already with another
	// time or call is an error. A *Definite error says that none stands.
	Arm(ctx context.Context, list []Schedule) error
	// Disarm deletes the schedules by name, and every other that carries the mark's name, and reads that they are
	// gone. One that is not there is no error.
	Disarm(ctx context.Context, m Mark, names []string) error
}
