package drills

import (
	"fmt"
	"math"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// Floor is a duration that the drill gives and that cannot be met below Least.
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

// checkFloors refuses what no alarm can meet, with the number to write.
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
	floors = append(floors, limit)
	for _, f := range floors {
		if f.Name == "expect.effective" && f.Given == 0 {
			f.Given = effectiveBy // what the hold takes for it
		}
		if f.Given == 0 || f.Given >= f.Least {
			continue
		}
		if f.Sure {
			s.v.Floors = floors
			return refuse("floor", "write "+f.write(), "%s of %s is below what is possible: %s needs %s", f.Name, short(f.Given), f.Why, short(f.Least))
		}
		s.warn("%s of %s may be too short: %s may need %s", f.Name, short(f.Given), f.Why, short(f.Least))
	}
	for _, f := range s.v.Faults {
		if !f.FloorSure {
			s.warn("how soon %s is felt is not documented by AWS: it may take minutes", f.ID)
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

// feltFloor is the soonest that any fault is felt, counted from the first one applied.
func (s *sight) feltFloor() (soonest least) {
	first := time.Duration(math.MaxInt64)
	for _, f := range s.p.Faults {
		first = min(first, f.After)
	}
	for i, f := range s.v.Faults {
		one := least{d: s.p.Faults[i].After - first + f.Floor, sure: f.FloorSure, why: fmt.Sprintf("%s, felt after %s at the soonest", f.ID, short(f.Floor))}
		if !one.sure {
			one.why = f.ID + ", whose delay is not documented,"
		}
		if i == 0 || one.d < soonest.d || one.d == soonest.d && !one.sure {
			soonest = one
		}
	}
	return soonest
}

// rungFloor is the soonest that anything under watch can fire, counted from the effect; watched is false where nothing
// is watched.
func (s *sight) rungFloor() (soonest least, watched bool) {
	sure := true
	for i, w := range s.watch {
		one := least{d: w.soon, why: fmt.Sprintf("%s, which fires after %s at the soonest (%s)", w.alarm.Name, short(w.soon), made(w))}
		if i == 0 || one.d < soonest.d {
			soonest = one
		}
		sure = sure && w.sees // what cannot be judged may be sooner than it looks
	}
	soonest.sure = sure
	return soonest, len(s.watch) > 0
}

// made says what a detection floor is made of.
func made(w seen) string {
	if w.probed && w.soon == 0 {
		return "it is looked at all the time"
	}
	if w.probed || w.alarm.Composite {
		return fmt.Sprintf("its datapoint may come %s late", short(w.moved.Delay))
	}
	n := max(1, w.alarm.Datapoints)
	period := w.alarm.Period
	if period <= 0 {
		period = time.Minute
	}
	evaluation := observe.SoonestFire(w.alarm, 0) - period*time.Duration(n)
	return fmt.Sprintf("%d × %s period, %s evaluation, %s delay", n, short(period), short(evaluation), short(w.moved.Delay))
}
