// Package timeline tells what happened in a run: instants on one clock, the intervals between them, and how it ended.
// It is a pure fold over the run's events; the engine and every reader use this one, so that no two outputs disagree.
package timeline

import (
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Name is one of the seven instants.
type Name string

// The instants, in their usual order.
const (
	Effective    Name = "effective"    // first response that showed our fault: t0
	Detected     Name = "detected"     // a watched alarm's transition, or an incident of theirs that matches watch
	Paged        Name = "paged"        // first successful notify to a person
	Acknowledged Name = "acknowledged" // first human acknowledge
	Mitigated    Name = "mitigated"    // first of three good steady readings after a bad one, before any revert
	Resolved     Name = "resolved"     // last resolve by a human
	Restored     Name = "restored"     // everything read back as before
)

// Names lists the instants in their usual order.
func Names() []Name {
	return []Name{Effective, Detected, Paged, Acknowledged, Mitigated, Resolved, Restored}
}

// Reason says why an instant or an interval has no value.
type Reason string

// The reasons.
const (
	NotYet     Reason = "not_yet"     // the run goes on
	Censored   Reason = "censored_at" // it had not happened when the run stopped looking
	NotFelt    Reason = "not_felt"    // the steady state never got bad: it does not watch what breaks
	NotWatched Reason = "not_watched" // nothing looks at it
	Reported   Reason = "reported"    // people were told; no alarm was expected
	Unknown    Reason = "unknown"     // a source could not be read, or the event cannot be attributed
)

// Instant is when something happened, corrected to the runner's clock.
type Instant struct {
	Name      Name
	At        time.Time     // zero: it did not happen, see Reason
	Early     time.Duration // At may be earlier by this much
	Late      time.Duration // or later by this much
	Source    time.Time     // the source's own, uncorrected; zero when it is ours
	By        string        // who or what: an alarm, a user, a probe
	Corrected bool          // a person corrected it
	Original  time.Time     // with Corrected: what was read before the correction; zero: it had not happened
	// With Corrected: who corrected it, and why.
	CorrectedBy, CorrectedWhy string
	Reason                    Reason
	Censored                  time.Time // with Censored: when the run stopped looking
}

// Interval is the time between two instants: the middle of what their bars allow, so that its own bar is no wider than
// what is known. It may differ from the difference of the two instants by as much as their bars are lopsided.
type Interval struct {
	Name    string // effective, detect, page, acknowledge, mitigate, resolve, restore
	Known   bool
	Seconds float64
	ErrorS  float64 // the truth is within Seconds ± ErrorS
	Reason  Reason
	// With Censored, and where it began: it took longer than this, which is when the run stopped looking. Else 0.
	CensoredS float64
}

// Verdict is one expectation, decided.
type Verdict struct {
	Name    string
	LimitS  float64
	Known   bool
	ActualS float64
	ErrorS  float64
	Verdict string // met, missed, unknown
	Reason  Reason // why it is unknown, or why there is no actual value
}

// Outcome is how a run ended; the first that applies.
type Outcome string

// The outcomes.
const (
	Dirty       Outcome = "dirty"
	Interrupted Outcome = "interrupted"
	Aborted     Outcome = "aborted"
	Failed      Outcome = "failed"
	Refused     Outcome = "refused"
	Invalid     Outcome = "invalid"
	Undetected  Outcome = "undetected"
	Unanswered  Outcome = "unanswered"
	Missed      Outcome = "missed"
	Met         Outcome = "met"
)

// Fault is how one fault stands.
type Fault struct {
	ID, Kind, Target string
	State            string // idle, prepared, staged, applied, reverted, settled, stuck
	How              string // restored, already_restored, never_applied, diverged
	Left             string // what is still in place, for people
	Why              string
	Changes          []journal.Change
	Items            []Item // what became of each thing that was put in, by name
	Effective        time.Time
}

// Item is one of many things that an undo answers for, such as a message: what became of it.
type Item struct{ Name, End string }

// Timeline is a run as one reads it.
type Timeline struct {
	Run      string
	Brief    journal.Brief
	Planned  time.Time
	Prepared time.Time // first fault prepared: the limit runs from here
	Ended    time.Time // zero while it goes on
	// What a run that ended dirty said was left, and the commands with which a person puts it back.
	LeftAtEnd, ByHand []string
	Now               time.Time // when this was told
	Instants          []Instant // all seven, in the order of Names
	Intervals         []Interval
	Expect            []Verdict
	Faults            []Fault
	Outcome           Outcome // empty while it goes on
	Later             bool    // refused, but only for now (75)
	Reason            string  // code of why it unwound early, if it did
	Why               string  // the same for people
	Events            []journal.Event
}
