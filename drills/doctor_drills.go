package drills

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// Examined are the drills that an environment can run, resolved: a team's own, and those that come with firedrill where
// every variable of theirs is set and their team is there. What keeps one of the team's own from running is told.
func (l *Library) Examined(env *Environment) (specs []*Spec, found []Finding) {
	own, err := l.own()
	if err != nil {
		for _, line := range strings.Split(err.Error(), "\n") {
			what, try, _ := strings.Cut(line, ". Try: ")
			found = append(found, ownDrill(wrong("", try, "%s", what)))
		}
	}
	names := map[string]string{}
	for _, c := range own {
		if first, twice := names[c.name]; twice {
			found = append(found, ownDrill(wrong(c.file, "mv "+c.file+" elsewhere, or rename the drill", "drill %s stands in %s too", c.name, first)))
			continue
		}
		names[c.name] = c.file
		spec, fault := l.examine(c, env)
		if fault != nil {
			found = append(found, ownDrill(*fault))
			continue
		}
		specs = append(specs, spec)
	}
	for _, c := range l.builtin() {
		if _, hidden := names[c.name]; hidden {
			continue
		}
		if spec, fault := l.examine(c, env); fault == nil {
			specs = append(specs, spec)
		}
	}
	return specs, found
}

func ownDrill(f Finding) Finding {
	f.Check = "drill"
	return f
}

// examine reads one drill for an environment.
func (l *Library) examine(c card, env *Environment) (*Spec, *Finding) {
	fault := func(f Finding) (*Spec, *Finding) {
		f.Drills = []string{c.name}
		return nil, &f
	}
	spec, err := l.read(c)
	if err != nil {
		return fault(wrong(c.file, "firedrill validate "+c.file, "%s", firstLine(err)))
	}
	var missing []string
	for _, v := range spec.Variables() {
		if _, set := env.Vars[v]; !set {
			missing = append(missing, v)
		}
	}
	if len(missing) > 0 {
		return fault(ailing(c.file, "vars: {"+missing[0]+": …} in environment "+env.Name, "it cannot run here: environment %s does not set %s", env.Name, strings.Join(missing, ", ")))
	}
	if _, here := env.Teams[spec.Team]; !here {
		return fault(ailing(c.file, "teams: {"+spec.Team+": {service: …, key: …}} in environment "+env.Name, "it cannot run here: environment %s has no team %s", env.Name, spec.Team))
	}
	if spec, err = spec.Resolve(env.Vars); err != nil {
		return fault(wrong(c.file, "firedrill validate "+c.file+" --env "+env.Name, "%s", firstLine(err)))
	}
	return spec, nil
}

// firstLine is the first of what is wrong with a file; validate tells the rest.
func firstLine(err error) string {
	first, rest, more := strings.Cut(err.Error(), "\n")
	first, _, _ = strings.Cut(first, " Try: ")
	if more {
		first += fmt.Sprintf(" (and %d more)", 1+strings.Count(rest, "\n"))
	}
	return first
}

// reading is one drill, read as far as the account lets it be.
type reading struct {
	spec   *Spec
	v      *Preview // with every fault that can be prepared
	faults []faultReading
	// switchless is why a fault may not go without a dead-man's switch.
	switchless *Refusal
}

// faultReading is one fault of a drill: what it would change, or why it cannot.
type faultReading struct {
	planned PlannedFault
	fault   *PreviewFault // nil: it cannot be prepared
	err     *Refusal
}

// whole says that every fault of the drill could be prepared.
func (r *reading) whole() bool {
	return !slices.ContainsFunc(r.faults, func(f faultReading) bool { return f.fault == nil })
}

// seenOnce is what several checks need, asked once.
type seenOnce struct {
	mu       sync.Mutex
	readings []*reading
	alarms   []observe.Alarm
	err      error
	read     bool
	listed   bool
}

// readings reads every drill as a plan would, by the same functions.
func (e *exam) readings(ctx context.Context) []*reading {
	e.seen.mu.Lock()
	defer e.seen.mu.Unlock()
	if e.seen.read {
		return e.seen.readings
	}
	list := make([]*reading, len(e.x.Drills))
	sideBySide(len(list), func(i int) []Finding {
		list[i] = e.st.beside().reading(ctx, e.x.Drills[i], e.x.Run)
		return nil
	})
	e.seen.readings, e.seen.read = list, ctx.Err() == nil
	return list
}

func (st *Steps) reading(ctx context.Context, spec *Spec, run string) *reading {
	p := newPlan(st.Env, spec, st.caller, run)
	r := &reading{spec: spec, v: &Preview{Plan: p, Facts: map[string]string{}, env: st.Env, spec: spec}}
	if st.planPage(spec, p) == nil { // what the environment says against it is told under drill
		_ = st.planWords(spec, p)
	}
	for _, f := range spec.Faults {
		one := faultReading{planned: PlannedFault{ID: f.ID, Kind: f.Kind, After: f.After, Params: f.Params}}
		pf, err := st.planFault(ctx, f, p)
		if err == nil {
			one.planned.Target, one.planned.Staged, one.planned.Undo, one.fault = pf.Undo.Target, pf.staged, pf.Costs.Undo, &pf.PreviewFault
			r.v.Faults = append(r.v.Faults, pf.PreviewFault)
			p.Faults = append(p.Faults, one.planned)
		} else {
			if !errors.As(err, &one.err) {
				one.err = asRefusal(err)
			}
			one.planned.Target = st.placed(f)
		}
		r.faults = append(r.faults, one)
	}
	r.switchless = st.planSwitches(r.v)
	return r
}

// placed is a fault's target as far as its drill names it; empty where it does not.
func (st *Steps) placed(f FaultSpec) (t inject.Target) {
	fault, err := st.fault(PlannedFault{ID: f.ID, Kind: f.Kind, Params: f.Params})
	if p, ok := fault.(inject.Placed); ok && err == nil {
		target, open := p.Place(newNeeds(st.Env).place)
		if len(open) == 0 && !strings.ContainsAny(target.ARN, "*?") {
			t = target
		}
	}
	return t
}

// drills says which can run here, and what the environment says against one.
func (e *exam) drills(context.Context, *Steps) (list []Finding) {
	var names []string
	for _, s := range e.x.Drills {
		names = append(names, s.Drill)
	}
	if len(names) > 0 {
		list = append(list, well("", "%d can run here: %s", len(names), strings.Join(names, ", ")))
	} else {
		list = append(list, ailing("", "firedrill new", "none can run here: of the team's own none is fine, and of the library's none has all of its variables set"))
	}
	for _, s := range e.x.Drills {
		p := newPlan(e.st.Env, s, e.st.caller, e.x.Run)
		no := e.st.planPage(s, p)
		if no == nil {
			no = e.st.planWords(s, p)
		}
		if no != nil {
			list = append(list, of(s.Drill, []Finding{no.finding(s.Drill, "")})...)
		}
	}
	return list
}
