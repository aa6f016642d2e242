package drills

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// PlannedSwitch is the dead-man's switch of a run: what puts its faults back when nobody is left to do it.
type PlannedSwitch struct {
	Role string        `json:"role"`          // ARN that makes the calls
	DLQ  string        `json:"dlq,omitempty"` // ARN of the queue for calls that failed for good
	Wait time.Duration `json:"wait"`          // from a mark's end to the first call: undo time and margin
}

// schedules are the calls of a fault's switch, derived from its undo alone, so that every engine finds the same.
func (st *Steps) schedules(s *State, i int) ([]inject.Schedule, error) {
	u := s.Faults[i].Undo
	if s.Plan.Deadman == nil {
		return nil, nil
	}
	fault, err := st.fault(s.Plan.Faults[i])
	if err != nil {
		return nil, err
	}
	last, ok := fault.(inject.LastResorter)
	if !ok {
		return nil, nil
	}
	return inject.Schedules(u.Mark, u.Mark.Until.Add(s.Plan.Deadman.Wait), last.LastResort(u)), nil
}

// arm makes the switch of a fault, between its undo and its change. No switch, no fault.
func (st *Steps) arm(ctx context.Context, s *State, a Action) journal.Event {
	p := s.Plan.Faults[a.Fault]
	e := journal.Event{Kind: journal.DeadmanArmed, Fact: journal.Fact{Fault: p.ID}}
	fail := func(err error, definite bool) journal.Event {
		return applyFailed(p.ID, fmt.Errorf("arm the dead-man's switch of %s: %w", p.ID, err), definite)
	}
	list, err := st.schedules(s, a.Fault)
	switch {
	case err != nil:
		return fail(err, true)
	case len(list) == 0:
		return fail(errors.New("it has no calls"), true)
	case st.World.Switch == nil:
		return fail(errors.New("this process has none"), true)
	case s.limitPassed(st.World.Clock.Now()):
		return fail(errors.New("the limit has passed"), true)
	}
	ctx, cancel, err := st.issuing(ctx)
	if err != nil {
		return fail(err, true)
	}
	defer cancel()
	defer st.unlessEnded(ctx, cancel)()
	if err := st.World.Switch.Arm(ctx, list); err != nil {
		var no *inject.Definite
		return fail(err, errors.As(err, &no))
	}
	e.Fact.Schedules, e.Fact.Value = scheduleTexts(list), &list[0].At
	return e
}

// unlessEnded ends what takes its time on the way in as soon as somebody wants the run to end.
func (st *Steps) unlessEnded(ctx context.Context, cancel context.CancelFunc) (done func()) {
	watching, stop := context.WithCancel(ctx)
	ticks, stopped := st.World.Clock.Every(watching, time.Second/2), make(chan struct{})
	go func() {
		defer close(stopped)
		defer func() {
			if recover() != nil {
				cancel() // a journal that panics is no reason to go on, and none to die with something in place
			}
		}()
		for {
			select {
			case <-watching.Done():
				return
			case <-ticks:
				if st.ended(watching) {
					cancel()
				}
			}
		}
	}()
	return func() {
		stop()
		<-stopped
	}
}

// disarm is one try at deleting the switch of a fault that reads back as before. It asks for nothing but the account:
// the names are derived, and whatever else carries the run's name is deleted too.
func (st *Steps) disarm(ctx context.Context, s *State, a Action) journal.Event {
	p, u := s.Plan.Faults[a.Fault], s.Faults[a.Fault].Undo
	fail := func(err error) journal.Event {
		e := st.revertFailed(s, a, fmt.Errorf("disarm the dead-man's switch of %s: %w", p.ID, err))
		e.Kind = journal.DeadmanDisarmFailed
		return e
	}
	if st.World.Switch == nil {
		return fail(errors.New("this process has none"))
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	c, err := st.whoami(ctx)
	switch { // elsewhere none would be found, and that would be taken for gone
	case err != nil:
		return fail(fmt.Errorf("whether this is its account is unknown: %w", err))
	case u.Target.Account != "" && c.Account != u.Target.Account:
		return fail(fmt.Errorf("these credentials stand in account %s, it is in %s", c.Account, u.Target.Account))
	case u.Target.Region != "" && c.Region != "" && c.Region != u.Target.Region:
		return fail(fmt.Errorf("this process looks at region %s, it is in %s", c.Region, u.Target.Region))
	}
	names := st.derived(s, a.Fault)
	if err := st.World.Switch.Disarm(ctx, u.Mark, names); err != nil {
		return fail(err)
	}
	return journal.Event{Kind: journal.DeadmanDisarmed, Fact: journal.Fact{Fault: p.ID, Schedules: names}}
}

// derived are the names of a fault's schedules. What cannot be derived is found by the run's name, so nothing that goes
// wrong here, not even a panic in the fault, keeps the switch.
func (st *Steps) derived(s *State, i int) (names []string) {
	defer func() {
		if recover() != nil {
			names = nil
		}
	}()
	list, _ := st.schedules(s, i)
	for _, x := range list {
		names = append(names, x.Name)
	}
	return names
}

func scheduleTexts(list []inject.Schedule) (texts []string) {
	for _, x := range list {
		texts = append(texts, fmt.Sprintf("%s at %s: %s %s", x.Name, x.At.Format(time.RFC3339), x.Call.Service, x.Call.Action))
	}
	return texts
}

// PreviewSwitch is the dead-man's switch of one fault, for people.
type PreviewSwitch struct {
	Schedules  []inject.Schedule // what would be made; empty where it is known only once the fault is staged
	Staged     bool              // its calls name objects that are made when the drill runs
	Overwrites []string          // what it cannot compare with, and would overwrite
	Leaves     []string          // what it leaves behind
	Expires    time.Time         // the fault ends by itself: it needs no switch
	Why        string            // why there is none
}

// planSwitches decides which faults have a dead-man's switch, and refuses where one is required and cannot be had.
func (st *Steps) planSwitches(v *Preview) *Refusal {
	d := st.Env.Deadman
	if d.Role != "" {
		v.Plan.Deadman = &PlannedSwitch{Role: d.Role, DLQ: d.DLQ, Wait: v.Undo() + st.switchMargin()}
		if d.DLQ == "" {
			v.Warn = append(v.Warn, "the dead-man's switch has no dead-letter queue: a call of it that fails is noticed by nobody (deadman: {dlq: …})")
		}
	}
	for i := range v.Faults {
		f := &v.Faults[i]
		sw := st.planSwitch(v.Plan, f)
		f.Switch = sw
		v.Plan.Faults[i].Switch, v.Plan.Faults[i].Expires = sw.Why == "" && sw.Expires.IsZero(), !sw.Expires.IsZero()
		if d.Required && sw.Why != "" {
			return switchless(st.Env.Name, f.ID, sw.Why)
		}
	}
	return nil
}

// checkDeadman: an environment that requires a dead-man's switch gets none of its faults without one.
func (st *Steps) checkDeadman(_ context.Context, p *Plan, f *found) *Refusal {
	required := st.Env.Deadman.Required
	if required && st.Env.Deadman.Role == "" {
		return refuse("deadman", `deadman: {role: "arn:aws:iam::…:role/firedrill-deadman", required: true}`,
			"environment %s requires a dead-man's switch, and names no role that could make its calls", st.Env.Name)
	}
	for _, x := range p.Faults {
		switch {
		case required && !x.Switch && !x.Expires:
			return switchless(st.Env.Name, x.ID, "it was planned without one")
		case x.Switch && st.World.Switch == nil:
			return refuse("deadman", "plan again", "environment %s has a dead-man's switch, and this process cannot make it", st.Env.Name)
		case x.Switch:
			f.facts["deadman"] = "ready"
		}
	}
	return nil
}

func switchless(environment, fault, why string) *Refusal {
	return refuse("deadman", "drill with a fault that has one, or set deadman: {required: false} for this environment",
		"environment %s requires a dead-man's switch, and %s has none: %s", environment, fault, why)
}

func (st *Steps) planSwitch(p *Plan, f *PreviewFault) (sw PreviewSwitch) {
	fault, err := st.fault(PlannedFault{ID: f.ID, Kind: f.Kind, Params: f.params})
	if err != nil {
		return PreviewSwitch{Why: err.Error()}
	}
	if x, ok := fault.(inject.Expirer); ok {
		at, residue := x.Expires(f.Undo)
		return PreviewSwitch{Expires: at, Leaves: []string{residue}}
	}
	last, ok := fault.(inject.LastResorter)
	switch {
	case !ok:
		return PreviewSwitch{Why: f.Kind + " cannot be put back by calls that cannot look"}
	case p.Deadman == nil:
		return PreviewSwitch{Why: "the environment names no role for it (deadman: {role: …})"}
	}
	_, sw.Staged = fault.(inject.Staged)
	calls := last.LastResort(f.Undo)
	if len(calls) == 0 && !sw.Staged {
		return PreviewSwitch{Why: "it has no calls"}
	}
	sw.Schedules = inject.Schedules(f.Undo.Mark, f.Undo.Mark.Until.Add(p.Deadman.Wait), calls)
	if x, ok := fault.(inject.Residuer); ok {
		sw.Overwrites, sw.Leaves = x.Residue(f.Undo)
	}
	return sw
}

// switchMargin is how long after limit and undo the switch fires. The sandbox's time is short.
func (st *Steps) switchMargin() time.Duration {
	if st.Env.Sandbox != nil {
		return 10 * time.Second
	}
	return inject.SwitchMargin
}
