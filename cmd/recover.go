package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

const recoverHelp = `Put back what a dead run left changed. It works from any process that can read the journal, needs no drill file,
and may be run again and again.

RUN is a run id or any unique prefix; left out, it is the newest run that has not ended. A run whose process lives is
left alone: abort it instead.

--expired is for cron: it takes over every run of the environment whose lease has ended, several at once, and says
little. It may run every minute, on several machines at once: the lease decides who does it.

--sweep needs no journal. It looks through the environment's account and region for what carries our marks (tags of
tables, queues and listener rules, statements of policies, the dead-man's schedules), puts back what the marks suffice for,
and prints the commands for the rest. What a living run holds is left alone, and so is what a run may hold that this
journal does not know, until its limit has passed. What somebody changed since stays as they made it.`

func newRecoverCommand(d *Deps) *cobra.Command {
	var all, expired, sweep bool
	var o sweepOptions
	c := &cobra.Command{
		Use: "recover [RUN]", Short: "Put back what a dead run left changed",
		Long: recoverHelp + exits("5 something is left in place", "75 the run named lives, or all that is left is a living run's"),
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			switch chosen := count(all, expired, sweep, len(args) > 0); {
			case chosen > 1:
				return usage("a run, --all, --expired and --sweep exclude each other")
			case !sweep && o != sweepOptions{}:
				return usage("--dry-run, --force and --yes belong to --sweep")
			case sweep:
				return runSweep(c.Context(), d, o)
			case expired:
				return runExpired(c.Context(), d)
			}
			return runRecover(c.Context(), d, argument(args), all)
		},
	}
	c.Flags().BoolVar(&all, "all", false, "every run that has not ended")
	c.Flags().BoolVar(&expired, "expired", false, "every run whose lease has ended, quietly: for cron")
	c.Flags().BoolVar(&sweep, "sweep", false, "look through the account for what carries our marks, without a journal")
	c.Flags().BoolVar(&o.dry, "dry-run", false, "with --sweep: only list it")
	c.Flags().BoolVar(&o.force, "force", false, "with --sweep: also what an unknown run may hold whose limit has not passed")
	c.Flags().BoolVar(&o.yes, "yes", false, "with --sweep: do not ask for the environment's name")
	return c
}

// count is how many are chosen.
func count(chosen ...bool) (n int) {
	for _, yes := range chosen {
		if yes {
			n++
		}
	}
	return n
}

func runRecover(ctx context.Context, d *Deps, named string, all bool) error {
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	runs, unread := d.unfinished(ctx, named)
	if len(runs) == 0 {
		return unread
	}
	store, err := d.store(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	errs := unread // a journal out of reach keeps nobody from putting back what stands in another
	for len(runs) > 0 {
		some := runs
		if !all {
			some = runs[:1]
		}
		runs = runs[len(some):]
		var ends []error
		if _, err := sig.wait(func() (*drills.State, error) {
			ends = d.recoverMany(ctx, store, some, recovery{reason: drills.ReasonRecover, why: "recovered by " + d.operator()})
			return nil, nil
		}); err != nil {
			return errors.Join(errs, err)
		}
		for i, err := range ends {
			var by *journal.HeldError
			if errors.As(err, &by) && named == "" {
				fmt.Fprintf(d.Out, "run %s is left alone: its process lives (%s). Try: firedrill abort %[1]s\n", some[i], by.Lease.Holder)
				continue
			}
			errs, runs = errors.Join(errs, err), nil // without --all one is enough
		}
	}
	return errs
}

// unfinished lists the runs to recover: the one named, else all that have not ended or have ended dirty, newest first.
// Where there are none it says so.
func (d *Deps) unfinished(ctx context.Context, named string) (ids []string, err error) {
	store, err := d.reading(ctx)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	if named != "" {
		run, err := d.runNamed(ctx, store, named)
		if err == nil && !mayBeLeft(run) {
			_, err = fmt.Fprintf(d.Out, "nothing to recover: run %s has ended (%s) with nothing in place\n", run.Run, run.Outcome)
			return nil, err
		}
		if err != nil {
			return nil, err
		}
		return []string{run.Run}, nil
	}
	runs, err := store.Runs(ctx, journal.Filter{Environment: d.environmentFilter()})
	for _, r := range runs {
		if mayBeLeft(r) {
			ids = append(ids, r.Run)
		}
	}
	if err == nil && len(ids) == 0 {
		where := ""
		if env := d.environmentFilter(); env != "" {
			where = " of " + env
		}
		_, err = fmt.Fprintf(d.Out, "nothing to recover: every run%s has ended with nothing in place\n", where)
	}
	return ids, err
}

// recoverOne puts one run back, and says how that went. Whatever goes wrong, something in place is the worse news.
func (d *Deps) recoverOne(ctx context.Context, store journal.Store, run string, how recovery) error {
	state, err := d.takeBack(ctx, store, run, how)
	var by *journal.HeldError
	switch {
	case errors.As(err, &by), errors.Is(err, journal.ErrNoRun):
		return err
	case errors.Is(err, drills.ErrUnrecorded) && state != nil && len(state.InPlace()) == 0:
		return err // put back, but the journal does not say so
	case err != nil && d.leftOf(context.WithoutCancel(ctx), store, run):
		return &exitError{exitDirty, &hinted{fmt.Errorf("run %s: left in place: %w", run, err), next(tryOf(err), "firedrill status "+run)}}
	case err != nil:
		return err
	}
	if _, err := d.writeDebrief(run, state.Events); err != nil {
		fmt.Fprintln(d.Err, "firedrill: "+err.Error())
	}
	d.pushes.changed(state.Plan.Environment, state.Plan.Drill)
	if len(state.InPlace()) == 0 && state.Dirty() {
		return notWell(run, state.Unwell)
	}
	if left := state.InPlace(); len(left) > 0 {
		return &exitError{exitDirty, &hinted{fmt.Errorf("run %s: left in place: %s", run, strings.Join(left, ", ")), "firedrill status " + run}}
	}
	outcome := state.Outcome
	if state.Stop != nil && state.Stop.Reason == drills.ReasonWorldGone {
		outcome += ": " + drills.ReasonWorldGone
	}
	_, err = fmt.Fprintf(d.Out, "run %s: everything is put back (%s)\n", run, outcome)
	return err
}

// notWell says that everything reads as before, and that all is not well.
func notWell(run string, why []string) error {
	return &exitError{exitDirty, &hinted{fmt.Errorf("run %s: everything is put back, and %s", run, strings.Join(why, "; ")),
		"firedrill recover " + run + " to look again, or firedrill note --run " + run + " --acknowledge \"what you found\""}}
}

func next(tries ...string) string {
	for _, try := range tries {
		if try != "" {
			return try
		}
	}
	return ""
}

func held(l journal.Lease) error {
	if l.Run == "" {
		return nil
	}
	return &journal.HeldError{Lease: l}
}

// takeBack runs the engine that takes a run over and unwinds it.
func (d *Deps) takeBack(ctx context.Context, store journal.Store, run string, how recovery) (*drills.State, error) {
	events, err := eventsOf(ctx, store, run)
	if err != nil {
		return nil, err
	}
	if l, alive, err := d.holder(ctx, store, run); err != nil || alive == journal.Living {
		return nil, errors.Join(err, held(l)) // before anything is reached: there is nothing to do
	}
	out, reason, err := d.reach(ctx, drills.Fold(run, events), how.reason)
	if err != nil {
		return nil, err
	}
	if reason == drills.ReasonWorldGone {
		how.why = "the sandbox it ran on is gone, and with it all that was changed"
	}
	show := d.shown(run, how)
	defer show.close()
	if _, err := show.prime(ctx, store, run); err != nil {
		return nil, err
	}
	e, err := d.engine(store, out, show.add)
	if err != nil {
		return nil, err
	}
	e.Waiting = func(l journal.Lease) {
		fmt.Fprintf(d.Err, "waiting for the lease of %s: %s left\n", l.Holder, l.Expires.Sub(d.Now()).Round(time.Second))
	}
	return e.Recover(ctx, run, reason, how.why)
}

// reach connects to the world of a recorded run. What is needed comes from the run's own plan; the environment file
// adds the pager and the role, if it is there.
func (d *Deps) reach(ctx context.Context, s *drills.State, reason string) (*outside, string, error) {
	if at := s.Plan.Sandbox; at != nil {
		w, err := askInstance(ctx, at.URL, at.Instance)
		switch {
		case err == nil:
			out, err := d.connect(ctx, sandboxOf(w), s.Run)
			return out, reason, err
		case !errors.Is(err, errGone):
			return nil, reason, &hinted{fmt.Errorf("reach the sandbox of run %s: %w", s.Run, err), "again; or end that sandbox, and the run ends with it"}
		}
		env := &drills.Environment{Name: sandboxName, Sandbox: at, AWS: drills.AWSSpec{Account: s.Plan.Account, Regions: []string{s.Plan.Region}, Endpoint: at.URL + "/aws"}}
		out, err := d.connect(ctx, env, s.Run)
		if err == nil {
			out.world.Catalog = drills.Gone(out.world.Catalog)
			out.world.Alarms, out.world.Dates, out.world.Switch = nil, nil, drills.GoneSwitch{}
			out.world.Caller = func(context.Context) (drills.Caller, error) { return drills.Caller{Account: s.Plan.Account}, nil }
		}
		return out, drills.ReasonWorldGone, err
	}
	f, err := d.file()
	if err != nil { // what is needed stands in the run's own plan
		fmt.Fprintf(d.Err, "%v\nfiredrill: going on without the environment file\n", err)
		f = &drills.File{}
	}
	env, ok := f.Environments[s.Plan.Environment]
	role, oidc := s.Plan.Role, s.Plan.OIDC
	if !ok {
		env = drills.Environment{Name: s.Plan.Environment}
	} else if env.AWS.Role != "" {
		role, oidc = env.AWS.Role, env.AWS.OIDC // it may have been renamed since
	}
	// Where it is comes from the run, whatever the file says today: elsewhere nothing of it would be found.
	env.AWS = drills.AWSSpec{Account: s.Plan.Account, Regions: []string{s.Plan.Region}, Role: role, OIDC: oidc, Endpoint: s.Plan.Endpoint}
	out, secrets, err := d.open(ctx, &env, s.Run)
	if err != nil {
		return nil, reason, err
	}
	soon, cancel := context.WithTimeout(ctx, pagerBy)
	defer cancel()
	if err := d.connectPager(soon, out, secrets); err != nil { // putting back needs no pager
		fmt.Fprintln(d.Err, "firedrill: going on without the pager: "+err.Error())
	}
	return out, reason, nil
}

// pagerBy is how long putting back waits for the pager's token.
const pagerBy = 3 * time.Second
