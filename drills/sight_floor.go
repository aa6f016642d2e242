package drills

import (
	"fmt"
	"math"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// Floor is a duration that the drill gives. Below Least it may be met by luck, and never counted on.
type Floor struct {
	Name  string        // as the drill file spells it: expect.detect
	Given time.Duration // zero where the drill leaves it out
	Least time.Duration
	Sure  bool   // else Least is a guess: told, never refused
	Why   string // what it is made of
}

// least is a floor under construction.
type least struct {
	d    time.Duration
	sure bool
	why  string
}

// checkFloors refuses what nobody can count on, with the number to write.
func (s *sight) checkFloors() *Refusal {
	felt := s.feltFloor()
	floors := []Floor{{Name: "expect.effective", Given: s.p.Expect.Effective, Least: felt.d, Sure: felt.sure, Why: felt.why}}
	limit := Floor{Name: "limit", Given: s.p.Limit, Sure: true}
	limit.certain(felt)
	if rung, watched := s.rungFloor(); watched {
		floors = append(floors, Floor{Name: "expect.detect", Given: s.p.Expect.Detect, Least: rung.d, Sure: rung.sure, Why: rung.why})
		if s.p.Page.When == PageAlarm {
			floors = append(floors, Floor{Name: "page.fallback", Given: s.p.Page.Fallback, Least: rung.d, Sure: rung.sure, Why: rung.why})
		}
		limit.certain(rung)
	}
	if limit.Why != "" {
		floors = append(floors, limit)
	}
	for _, f := range floors {
		if f.Name == "expect.effective" && f.Given == 0 {
			f.Given = effectiveBy // what the hold takes for it
		}
		if f.Given == 0 || f.Given >= f.Least {
			continue
		}
		if f.Sure {
			s.v.Floors = floors
			return refuse("floor", "write "+f.write(), "%s of %s is too short: %s", f.Name, short(f.Given), f.Why)
		}
		s.warn("%s of %s may be too short: %s", f.Name, short(f.Given), f.Why)
	}
	for _, f := range s.v.Faults {
		if !f.FloorSure {
			s.warn("%s: it may take minutes", undocumented(f))
		}
	}
	s.v.Floors = floors
	return nil
}

// certain adds what is sure of another floor.
func (f *Floor) certain(l least) {
	if !l.sure || l.d == 0 {
		return
	}
	if f.Why != "" {
		f.Why += ", then "
	}
	f.Least += l.d
	f.Why += l.why
}

// write is the line of a drill file that has the least number: a round one, not below it.
func (f Floor) write() string {
	d := short(roundUp(f.Least))
	switch f.Name {
	case "expect.effective":
		return "expect: {effective: " + d + "} or more"
	case "expect.detect":
		return "expect: {detect: " + d + "} or more"
	case "page.fallback":
		return "page: {fallback: " + d + "} or more"
	}
	return f.Name + ": " + d + " or more"
}

// roundUp makes a duration one that people write: whole seconds below two minutes, whole minutes above.
func roundUp(d time.Duration) time.Duration {
	unit := time.Second
	if d > 2*time.Minute {
		unit = time.Minute
	}
	return time.Duration(math.Ceil(float64(d)/float64(unit))) * unit
}

// feltFloor is when the first fault is felt for certain, counted from the first one applied.
func (s *sight) feltFloor() (quickest least) {
	first := time.Duration(math.MaxInt64)
	for _, f := range s.p.Faults {
		first = min(first, f.After)
	}
	for i, f := range s.v.Faults {
		one := least{d: s.p.Faults[i].After - first + f.Floor, sure: f.FloorSure}
		switch {
		case !one.sure:
			one.why = undocumented(f)
		case one.d == 0:
			one.why = f.ID + " is felt at once"
		default:
			one.why = fmt.Sprintf("%s cannot be counted on to be felt before %s", f.ID, short(one.d))
		}
		if i == 0 || one.d < quickest.d || one.d == quickest.d && !one.sure {
			quickest = one
		}
	}
	return quickest
}

// rungFloor is when the quickest thing under watch fires for certain, counted from the effect; watched is false where nothing
// is watched.
func (s *sight) rungFloor() (quickest least, watched bool) {
	sure := true
	for i, w := range s.watch {
		one := least{d: w.soon, why: fmt.Sprintf("%s cannot be counted on to fire before %s (%s)", w.alarm.Name, short(w.soon), made(w))}
		if i == 0 || one.d < quickest.d {
			quickest = one
		}
		sure = sure && w.sees // what cannot be judged may be sooner than it looks
	}
	quickest.sure = sure
	return quickest, len(s.watch) > 0
}

// undocumented: AWS says how long a provisioned table bursts, and nothing of an on-demand one.
func undocumented(f PreviewFault) string {
	return "how soon " + f.ID + " is felt is not documented by AWS"
}

// made says what a detection floor is made of.
func made(w seen) string {
	if w.probed && w.soon == 0 {
		return "it is looked at all the time"
	}
	if w.probed {
		return "the period of its metric, and until the datapoint is there"
	}
	if w.alarm.Composite && w.sees {
		return "when its children ring"
	}
	if w.alarm.Composite {
		return "its children's times are not known"
	}
	n := max(1, w.alarm.Datapoints)
	period := w.alarm.Period
	if period <= 0 {
		period = time.Minute
	}
	evaluation := observe.SoonestFire(w.alarm, 0) - period*time.Duration(n)
	text := fmt.Sprintf("%d × %s period, %s evaluation", n, short(period), short(evaluation))
	if w.moved.Delay > 0 {
		text += ", " + short(w.moved.Delay) + " until its datapoint is there"
	}
	return text
}
