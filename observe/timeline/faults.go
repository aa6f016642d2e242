package timeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// faultFold is one fault with what the instants need of it.
type faultFold struct {
	Fault
	ceased  time.Time // it was felt and is not any more, before any revert
	lastYes time.Time // when the last look that felt it began
	settled time.Time
	err     string

	switched bool     // it has a dead-man's switch
	armed    []string // the schedules of it, as far as they are on record
}

func (f *Fold) one(id string) *faultFold {
	for _, x := range f.faults {
		if x.ID == id {
			return x
		}
	}
	x := &faultFold{Fault: Fault{ID: id, State: "idle"}}
	f.faults = append(f.faults, x)
	return x
}

func (f *Fold) fault(e journal.Event) {
	x := f.one(e.Fact.Fault)
	switch e.Kind {
	case journal.FaultPrepared:
		x.State, x.settled = "prepared", time.Time{}
		first(&f.prepared, e.At)
	case journal.FaultStaged:
		x.State = "staged"
		first(&f.prepared, e.At)
	case journal.FaultApplied:
		x.State = "applied"
		first(&f.prepared, e.At)
		first(&f.applied, e.At)
		f.appliedLast = e.At
	case journal.FaultApplyFailed:
		x.Why = e.Fact.Err
	case journal.EffectRead:
		if e.Fact.Reading == "yes" {
			x.lastYes = begun(e)
		}
	case journal.FaultEffective:
		f.felt(x, e)
	case journal.FaultCeased:
		if f.revert.IsZero() {
			x.ceased = e.At
		}
	case journal.DeadmanArmed:
		x.armed = e.Fact.Schedules
	case journal.DeadmanDisarmed, journal.DeadmanDisarmFailed:
		x.disarm(e)
	case journal.FaultReverted, journal.FaultRevertFailed, journal.FaultSettled:
		f.undo(x, e)
	}
}

// disarm: a fault that reads back as before is done with when its dead-man's switch is deleted too.
func (x *faultFold) disarm(e journal.Event) {
	switch {
	case e.Kind == journal.DeadmanDisarmed:
		x.State, x.armed, x.err = "settled", nil, ""
	case e.Fact.Reason == "patience":
		x.State, x.err = "stuck", e.Fact.Err
	default:
		x.err = e.Fact.Err
	}
}

func first(t *time.Time, at time.Time) {
	if t.IsZero() {
		*t = at
	}
}

// felt: the first response that showed it, reaching back to the last look that did not.
func (f *Fold) felt(x *faultFold, e journal.Event) {
	x.ceased = time.Time{}
	first(&x.lastYes, e.At) // else the look that felt it has told
	first(&x.Effective, e.At)
	if f.effective != nil && !e.At.Before(f.effective.at) {
		return
	}
	s := exactly(e.At)
	switch {
	case e.Seen != nil && !e.Seen.At.IsZero(): // a metric told, later, in which of its periods
		s = place(e, f.clocks)
	case e.Fact.LookedAt != nil && e.Fact.LookedAt.Before(e.At):
		s.lo = *e.Fact.LookedAt
	}
	if !f.applied.IsZero() && s.lo.Before(f.applied) && !e.At.Before(f.applied) {
		s.lo = f.applied
		s.at, s.hi = later(s.at, s.lo), later(s.hi, s.lo)
	}
	if f.effective == nil {
		f.steady.again()
	}
	f.effective, f.effectiveBy = &s, e.Fact.Why
}

func (f *Fold) undo(x *faultFold, e journal.Event) {
	switch e.Kind {
	case journal.FaultReverted:
		x.State, x.err, x.settled = "reverted", "", time.Time{}
		x.account(e)
		if rank(e.Fact.How) > rank(x.How) {
			x.How = e.Fact.How
		}
	case journal.FaultRevertFailed:
		x.State, x.err, x.settled = "applied", e.Fact.Err, time.Time{}
		x.account(e)
		if e.Fact.Reason == "patience" {
			x.State = "stuck"
		}
	case journal.FaultSettled:
		x.State, x.settled, x.Why, x.err = "settled", e.At, e.Fact.Why, ""
		if x.switched || len(x.armed) > 0 {
			x.State = "restored" // and its switch still stands
		}
		return
	}
	if f.revert.IsZero() {
		f.revert, f.reverted = e.At, e.At
		if e.Fact.LookedAt != nil && e.Fact.LookedAt.Before(e.At) {
			f.revert = *e.Fact.LookedAt
		}
	}
}

// account keeps what the undo says of each thing it answers for; a later try knows more.
func (x *faultFold) account(e journal.Event) {
	for _, name := range slices.Sorted(maps.Keys(e.Fact.Facts)) {
		item := Item{name, e.Fact.Facts[name]}
		if i := slices.IndexFunc(x.Items, func(k Item) bool { return k.Name == name }); i >= 0 {
			x.Items[i] = item
			continue
		}
		x.Items = append(x.Items, item)
	}
}

// rank orders what an undo found by how much it tells: a second try finds restored what the first restored.
func rank(how string) int {
	for i, h := range []string{"", "never_applied", "already_restored", "restored", "diverged"} {
		if h == how {
			return i
		}
	}
	return 0
}

// InPlace says that the fault may be in place: everything prepared is, until it reads back as before.
func (x Fault) InPlace() bool { return x.State != "idle" && x.State != "settled" }

// table is the faults as they stand, with what is left of those in place.
func (f *Fold) table() []Fault {
	out := make([]Fault, 0, len(f.faults))
	for _, x := range f.faults {
		y := x.Fault
		y.Items = slices.Clone(x.Items)
		if y.InPlace() {
			y.Left = left(y)
			if !x.settled.IsZero() {
				y.Left = strings.TrimSuffix("its dead-man's switch may stand: "+strings.Join(x.armed, "; "), ": ")
			}
			if x.err != "" {
				y.Why = x.err
			}
		}
		out = append(out, y)
	}
	return out
}

func left(x Fault) string {
	parts := make([]string, 0, len(x.Changes))
	for _, c := range x.Changes {
		parts = append(parts, fmt.Sprintf("%s was %s, we made it %s", c.What, c.Before, c.During))
	}
	if len(parts) == 0 {
		return x.Kind + " on " + x.Target + " may be in place"
	}
	return strings.Join(parts, "; ")
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
