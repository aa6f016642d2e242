package cmd

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

const runHelp = `Run a drill: check it, inject its faults, page the on-call, time them, put everything back, write the debrief.

DRILL is the name of a drill (your own folders before the built-in library) or a path to its file. With --plan it is the
plan's own: the world is read again, and any difference from what was approved is refused. On a terminal the
plan is shown first and the environment's name is asked for; --yes answers it. The sandbox never asks.

--wait 2h waits where it is not now (75): outside the window, an open incident, a target that another run holds; each try
makes a new plan. --at-random-within 4h begins at a moment that nobody knows, at which people may be woken.

Several drills are on at the same time, each a run of its own, when all of them may start: they share one poller of
PagerDuty, and must share neither a target nor a service (of the library, orders-writes-denied and
web-page-errors-no-alarm share none). A signal puts all of them back. The exit code is that of the
one that went worst: 5, 130, 6, 1, 4, 75, 7, 3, 0 in this order.`

type runOptions struct {
	drills    []string
	yes       bool
	responder string
	plan      string // a file that was approved
	waitOptions
}

func newRunCommand(d *Deps) *cobra.Command {
	var o runOptions
	var p papers
	c := &cobra.Command{
		Use: "run [DRILL…]", Short: "Run a drill, and put everything back",
		Long: runHelp + exits("3 missed, undetected or unanswered", "4 refused", "5 something is left in place",
			"6 aborted", "7 the fault was never felt", "75 not now", "130 interrupted"),
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			names, err := d.approval(o.plan, args)
			o.drills = names
			return d.reported(c.Context(), &p, names, func() error {
				switch {
				case err != nil:
					return err
				case len(names) > 1:
					return runMany(c.Context(), d, o)
				}
				return runRun(c.Context(), d, o)
			})
		},
	}
	c.Flags().BoolVar(&o.yes, "yes", false, "do not ask for the environment's name")
	c.Flags().StringVar(&o.plan, "plan", "", "a file of plan --out that was approved: nothing else is run")
	c.Flags().StringVar(&o.responder, "responder", "auto", "who answers in a sandbox that this command starts: auto, slow or none")
	o.flags(c.Flags())
	p.flags(c.Flags())
	outputFlag(c, d)
	return c
}

// prepared is a drill that is ready to run.
type prepared struct {
	out     *outside
	preview *drills.Preview
	stop    func()
}

// prepare reads the files, reaches the environment and makes the plan. It only reads.
func (d *Deps) prepare(ctx context.Context, name, run string, use sandboxUse) (p prepared, err error) {
	p.stop = func() {}
	f, err := d.file()
	if err != nil {
		return p, err
	}
	spec, err := d.drill(f, name)
	if err != nil {
		return p, err
	}
	env, stop, err := d.environment(ctx, f, use)
	if err != nil {
		return p, err
	}
	told := d.meanwhile("reading " + env.Name)
	p, err = d.prepareIn(ctx, env, spec, run, true)
	told()
	p.stop = stop
	return p, err
}

// prepareIn makes the plan of one drill in an environment that is reached. Where nobody has looked yet, it looks first
// for what an earlier run has left in place.
func (d *Deps) prepareIn(ctx context.Context, env *drills.Environment, spec *drills.Spec, run string, look bool) (p prepared, err error) {
	if spec, err = spec.Resolve(env.Vars); err != nil {
		return p, err
	}
	if err := cmp.Or(strayed(env), d.misplaced(env), d.untokened(env)); err != nil {
		return p, err
	}
	if p.out, err = d.connect(ctx, env, run); err != nil {
		return p, err
	}
	steps := &drills.Steps{World: p.out.world, Env: env, Outcome: outcome, Ahead: d.ahead}
	steps.Lever = func(ctx context.Context) (drills.Lever, error) { return d.lever(ctx, env.Name) }
	first := func(_ *drills.Preview, err error) error { return err }
	if look {
		first = d.looksFirst(ctx, p.out)
	}
	p.preview, err = steps.Make(ctx, spec, run)
	if err = first(p.preview, err); err != nil {
		return p, d.ratherHeld(ctx, spec, err)
	}
	if err = d.asApproved(p.preview); err != nil {
		return p, err
	}
	return p, d.record(ctx, p.preview.Plan)
}

// newRun is the id of a new run.
func (d *Deps) newRun() string { return strings.ToLower(ulid.MustNewDefault(d.Now()).String()) }

func runRun(ctx context.Context, d *Deps, o runOptions) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	if err := d.answerable(o.yes); err != nil {
		return err
	}
	return d.patiently(ctx, &o, func() error { return runOnce(ctx, d, sig, o, asJSON) })
}

// runOnce plans a drill and runs it.
func runOnce(ctx context.Context, d *Deps, sig *signals, o runOptions, asJSON bool) error {
	run := d.newRun()
	p, err := d.prepare(ctx, o.drills[0], run, sandboxUse{start: true, responder: o.responder})
	defer func() { p.stop() }()
	if err == nil && o.wait > 0 {
		err = d.heldTargets(ctx, p.preview) // a run that would only be refused is not begun while it can be waited for
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	if err := d.confirm(ctx, p, o.yes); err != nil {
		return interrupted(ctx, err)
	}
	if d.approved != nil && p.out.env.Sandbox == nil && !o.yes { // the question may have stood there for hours
		o.yes = true
		return runOnce(ctx, d, sig, o, asJSON)
	}
	store, err := d.storeOf(ctx, p.out.env, run)
	if err != nil {
		return err
	}
	defer store.Close()
	show := newLive(d, asJSON, sig.cancel)
	e, err := d.engine(store, p.out, show.add)
	if err != nil {
		return err
	}
	d.papers.began(p.preview.Plan)
	state, err := sig.wait(func() (*drills.State, error) { return e.Start(ctx, p.preview.Plan, p.preview.Brief) })
	show.close()
	if state == nil {
		return interrupted(ctx, err)
	}
	return d.ended(state, err, asJSON)
}

// confirm: a real environment is named by the person who breaks it.
func (d *Deps) confirm(ctx context.Context, p prepared, yes bool) error {
	env := p.out.env
	if env.Sandbox != nil || yes {
		return nil
	}
	if !d.Terminal() {
		return usage("%s is a real environment, and nobody is here to confirm. Try: --yes", env.Name)
	}
	d.printPreview(p.preview)
	fmt.Fprintf(d.Err, "\nThis changes %s for real. Type its name to go on: ", env.Name)
	return d.askName(ctx, env.Name)
}

// askName waits for a person to type a name.
func (d *Deps) askName(ctx context.Context, want string) error {
	answer := make(chan string, 1)
	go func() { // ends with the process, or with the line
		line, _ := bufio.NewReader(d.In).ReadString('\n')
		answer <- strings.TrimSpace(line)
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case name := <-answer:
		if name != want {
			return usage("not confirmed: nothing was changed")
		}
		return nil
	}
}

// ended tells how a run ended, writes its debrief, and turns the outcome into the exit code.
func (d *Deps) ended(s *drills.State, lost error, asJSON bool) error {
	path, err := d.writeDebrief(s.Run, s.Events)
	if err != nil {
		fmt.Fprintln(d.Err, "firedrill: "+err.Error())
	}
	d.papers.ended(s.Run, s.Events)
	d.pushes.changed(s.Plan.Environment, s.Plan.Drill)
	if !asJSON {
		d.farewell(s, path)
	}
	if left := s.InPlace(); lost != nil && len(left) > 0 {
		return &exitError{exitDirty, lost}
	}
	if lost != nil {
		return lost
	}
	if code := exitOf(s.Events, d.Now()); code != exitMet {
		return &exitError{code, nil}
	}
	return nil
}

// debriefPath is where a run's debrief is kept.
func (d *Deps) debriefPath(run string) (string, error) {
	dir, err := d.stateDir()
	return filepath.Join(dir, "runs", run, "debrief.md"), err
}

// writeDebrief writes the run's debrief and returns its absolute path.
func (d *Deps) writeDebrief(run string, events []journal.Event) (string, error) {
	path, err := d.debriefPath(run)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("write debrief: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("write debrief: %w", err)
	}
	clear := d.known.writer(f)
	if err := errors.Join(renderDebrief(clear, events, d.Now()), clear.flush(), f.Close()); err != nil {
		return "", fmt.Errorf("write debrief %s: %w", path, err)
	}
	return path, nil
}
