package cmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

const recoverHelp = `Put back what a dead run left changed. It works from any process that can read the journal, needs no drill file,
and may be run again and again.

RUN is a run id or any unique prefix; left out, it is the newest run that has not ended. A run whose process lives is
left alone: abort it instead.`

func newRecoverCommand(d *Deps) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "recover [RUN]", Short: "Put back what a dead run left changed",
		Long: recoverHelp + exits("5 something is left in place", "75 the run named lives"),
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return usage("--all and a run exclude each other")
			}
			return runRecover(c.Context(), d, args, all)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "every run that has not ended")
	return c
}

func runRecover(ctx context.Context, d *Deps, args []string, all bool) error {
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	store, err := d.store(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	named := ""
	if len(args) > 0 {
		named = args[0]
	}
	runs, err := d.unfinished(ctx, store, named)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		fmt.Fprintln(d.Out, "nothing to recover: every run has ended with nothing in place")
		return nil
	}
	if !all {
		runs = runs[:1]
	}
	var errs error
	for _, run := range runs {
		_, err := sig.wait(func() (*drills.State, error) {
			return nil, d.recoverOne(ctx, store, run, drills.ReasonRecover, "recovered by "+d.operator())
		})
		var held *journal.HeldError
		if errors.As(err, &held) && named == "" {
			fmt.Fprintf(d.Out, "%s is left alone: %s\n", run, held)
			continue
		}
		errs = errors.Join(errs, err)
	}
	return errs
}

// unfinished lists the runs to recover: the one named, else all that have not ended or have ended dirty, newest first.
func (d *Deps) unfinished(ctx context.Context, store journal.Store, named string) (ids []string, err error) {
	f := journal.Filter{Prefix: named}
	if named == "" {
		f.Environment = d.environmentFilter()
	}
	runs, err := store.Runs(ctx, f)
	if err != nil {
		return nil, err
	}
	if named != "" && len(runs) != 1 {
		return nil, usage("%q names %d runs. Try: firedrill status", named, len(runs))
	}
	for _, r := range runs {
		if !r.Finished || r.Outcome == "dirty" {
			ids = append(ids, r.Run)
		}
	}
	return ids, nil
}

// environmentFilter is the environment whose runs are meant; empty means all.
func (d *Deps) environmentFilter() string {
	if d.env != "" {
		return d.env
	}
	return d.Getenv("FIREDRILL_ENV")
}

// recoverOne puts one run back, and says how that went.
func (d *Deps) recoverOne(ctx context.Context, store journal.Store, run, reason, why string) error {
	events, err := store.Load(ctx, run, journal.Start)
	if err != nil {
		return err
	}
	if len(events) == 0 {
		return fmt.Errorf("recover run %s: %w", run, journal.ErrNoRun)
	}
	out, reason, err := d.reach(ctx, drills.Fold(run, events), reason)
	if err != nil {
		return err
	}
	show := newLive(d, false, nil)
	e, err := d.engine(store, out, show.add)
	if err != nil {
		return err
	}
	e.Waiting = func(l journal.Lease) {
		fmt.Fprintf(d.Err, "waiting for the lease of %s: %s left\n", l.Holder, l.Expires.Sub(d.Now()).Round(time.Second))
	}
	state, err := e.Recover(ctx, run, reason, why)
	show.close()
	if err != nil {
		return err
	}
	if _, err := d.writeDebrief(run, state.Events); err != nil {
		fmt.Fprintln(d.Err, "firedrill: "+err.Error())
	}
	if left := state.InPlace(); len(left) > 0 {
		return &exitError{exitDirty, &hinted{fmt.Errorf("run %s: left in place: %v", run, left), "firedrill status " + run}}
	}
	fmt.Fprintf(d.Out, "run %s: everything is put back (%s)\n", run, state.Outcome)
	return nil
}

// reach connects to the world of a recorded run. What is needed comes from the run's own plan; the environment file
// adds the pager and the role, if it is there.
func (d *Deps) reach(ctx context.Context, s *drills.State, reason string) (*outside, string, error) {
	if at := s.Plan.Sandbox; at != nil {
		w, err := askInstance(ctx, at.URL, at.Instance)
		if err == nil {
			out, err := d.connect(ctx, sandboxOf(w), s.Run)
			return out, reason, err
		}
		env := &drills.Environment{Name: sandboxName, Sandbox: at, AWS: drills.AWSSpec{Account: s.Plan.Account, Regions: []string{s.Plan.Region}, Endpoint: at.URL + "/aws"}}
		out, err := d.connect(ctx, env, s.Run)
		if err == nil {
			out.world.Catalog = drills.Gone(out.world.Catalog)
			out.world.Alarms, out.world.Dates = nil, nil
			out.world.Caller = func(context.Context) (drills.Caller, error) { return drills.Caller{Account: s.Plan.Account}, nil }
		}
		return out, drills.ReasonWorldGone, err
	}
	f, err := d.file()
	if err != nil {
		return nil, reason, err
	}
	env, ok := f.Environments[s.Plan.Environment]
	if !ok {
		env = drills.Environment{Name: s.Plan.Environment, AWS: drills.AWSSpec{Account: s.Plan.Account, Regions: []string{s.Plan.Region}}}
	}
	out, err := d.connect(ctx, &env, s.Run)
	if err != nil && env.PagerDuty.Token != "" { // putting back needs no pager
		fmt.Fprintln(d.Err, "firedrill: going on without the pager: "+err.Error())
		env.PagerDuty.Token = ""
		out, err = d.connect(ctx, &env, s.Run)
	}
	return out, reason, err
}
