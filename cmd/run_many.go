package cmd

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// planAtOnce is how many plans are made side by side: each asks the account some thirty times.
const planAtOnce = 4

// gcOfMany trades a little processor time for memory: what hundreds of runs hold is alive, and what they let go of is
// not worth keeping as much again for.
const gcOfMany = 40

// runMany runs several drills in one process, all of them or none: each is a run of its own.
func runMany(ctx context.Context, d *Deps, o runOptions) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcOfMany)
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	if err := d.answerable(o.yes); err != nil {
		return err
	}
	return d.patiently(ctx, &o, func() error { return runManyOnce(ctx, d, sig, o, asJSON) })
}

// runManyOnce plans several drills and runs them.
func runManyOnce(ctx context.Context, d *Deps, sig *signals, o runOptions, asJSON bool) error {
	all, stop, err := d.prepareMany(ctx, o)
	defer stop()
	for i := 0; err == nil && o.wait > 0 && i < len(all); i++ {
		err = d.heldTargets(ctx, all[i].preview)
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	if err := d.confirmMany(ctx, all, o.yes); err != nil {
		return interrupted(ctx, err)
	}
	store, err := d.storeOf(ctx, all[0].out.env, all[0].preview.Plan.Run)
	if err != nil {
		return err
	}
	defer store.Close()
	side := &sideBySide{d: d, store: store, asJSON: asJSON, cancel: sig.cancel}
	_, err = sig.wait(func() (*drills.State, error) {
		side.run(ctx, all)
		return nil, nil
	})
	if err != nil { // given up: what still goes on is not waited for
		return err
	}
	return side.worst(ctx)
}

// prepareMany plans every drill before any is run: one that may not run keeps all of them from it. stop ends what was
// started for them.
func (d *Deps) prepareMany(ctx context.Context, o runOptions) (all []prepared, stop func(), err error) {
	stop = func() {}
	f, err := d.file()
	if err != nil {
		return nil, stop, err
	}
	specs := make([]*drills.Spec, len(o.drills))
	for i, name := range o.drills {
		if specs[i], err = d.drill(f, name); err != nil {
			return nil, stop, err
		}
	}
	env, stop, err := d.environment(ctx, f, sandboxUse{start: true, responder: o.responder})
	if err != nil {
		return nil, stop, err
	}
	defer d.meanwhile("reading " + env.Name)()
	all = make([]prepared, len(specs))
	wrong := make([]error, len(specs))
	plan := func(i int) {
		all[i], wrong[i] = d.prepareIn(ctx, env, specs[i], d.newRun(), i == 0)
		if wrong[i] != nil {
			wrong[i] = inDrill(specs[i].Drill, wrong[i])
		}
	}
	plan(0) // what an earlier run has left in place is found once
	if wrong[0] != nil {
		return nil, stop, wrong[0]
	}
	var wg sync.WaitGroup
	turn := make(chan struct{}, planAtOnce)
	for i := 1; i < len(specs); i++ {
		wg.Add(1)
		turn <- struct{}{}
		go func() {
			defer wg.Done()
			defer func() { <-turn }()
			plan(i)
		}()
	}
	wg.Wait()
	for _, err := range wrong {
		if err != nil {
			return nil, stop, err
		}
	}
	previews := make([]*drills.Preview, len(all))
	for i := range all {
		previews[i] = all[i].preview
	}
	if r := drills.Together(plansOf(all)); r != nil {
		return nil, stop, r
	}
	drills.Introduce(previews)
	return all, stop, nil
}

// plansOf are the plans of drills that are ready to run.
func plansOf(all []prepared) (plans []*drills.Plan) {
	for _, p := range all {
		plans = append(plans, p.preview.Plan)
	}
	return plans
}

// inDrill says which of several drills an error is about; a refusal begins as all of them do.
func inDrill(name string, err error) error {
	var r *drills.Refusal
	if errors.As(err, &r) {
		told := *r
		told.Why = name + ": " + r.Why
		return &told
	}
	return fmt.Errorf("%s: %w", name, err)
}

// confirmMany shows every plan, and asks once.
func (d *Deps) confirmMany(ctx context.Context, all []prepared, yes bool) error {
	if env := all[0].out.env; env.Sandbox == nil && !yes && d.Terminal() {
		for _, p := range all[:len(all)-1] {
			d.printPreview(p.preview)
		}
	}
	return d.confirm(ctx, all[len(all)-1], yes)
}

// sideBySide are the runs of one process.
type sideBySide struct {
	d      *Deps
	store  journal.Store
	asJSON bool
	cancel context.CancelCauseFunc
	margin int // what the longest name takes

	mu    sync.Mutex
	wrong []error // what the runs ended with; nil is met
}

// run runs all of them, and returns when each has put back what it changed.
func (s *sideBySide) run(ctx context.Context, all []prepared) {
	var wg sync.WaitGroup
	s.d.papers.began(plansOf(all)...)
	for i := range all {
		s.margin = max(s.margin, len(all[i].preview.Plan.Drill))
	}
	for i := range all {
		p := all[i]
		all[i] = prepared{} // a plan is in its run from here on
		wg.Add(1)
		go func() {
			defer wg.Done()
			err := s.one(ctx, p)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.wrong = append(s.wrong, err)
		}()
	}
	wg.Wait()
}

// one runs one drill. Its error, if any, has been told.
func (s *sideBySide) one(ctx context.Context, p prepared) error {
	plan, brief := p.preview.Plan, p.preview.Brief
	show := newLive(&Deps{Out: s.d.Out, Err: s.d.Err, Now: s.d.Now, Color: func() bool { return false }, Width: s.d.Width}, s.asJSON, s.cancel)
	show.name, show.narrow = fmt.Sprintf("%-*s", s.margin, plan.Drill), s.d.Color()
	e, err := s.d.engine(s.store, p.out, show.add)
	if err != nil {
		return s.told(plan.Drill, err)
	}
	p.preview = nil
	state, err := e.Start(ctx, plan, brief)
	show.close()
	if state == nil {
		return s.told(plan.Drill, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told(plan.Drill, s.d.ended(state, err, s.asJSON))
}

// told prints what went wrong in one of the runs.
func (s *sideBySide) told(drill string, err error) error {
	if err != nil {
		var b strings.Builder
		tell(&b, inDrill(drill, err))
		var exit *exitError
		if !errors.As(err, &exit) || exit.err != nil {
			fmt.Fprint(s.d.Err, b.String())
		}
	}
	return err
}

// worst is the exit of the run that went worst: something left in place before all else.
func (s *sideBySide) worst(ctx context.Context) error {
	order := []int{exitDirty, exitInterrupted, exitAborted, exitFailed, exitRefused, exitLater, exitInvalid, exitMissed, exitMet}
	code := exitMet
	for _, err := range s.wrong {
		c := codeOf(interrupted(ctx, err))
		if slices.Index(order, c) < slices.Index(order, code) {
			code = c
		}
	}
	if code == exitMet {
		return nil
	}
	return &exitError{code, nil}
}
