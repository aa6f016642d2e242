package cmd

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

const haltHelp = `Pull the safety lever of an environment: from now on no drill starts there, and every drill that is on, on any machine
that shares the journal, puts everything back at once. It waits until they have ended.

--for lets the lever go by itself; without it, only halt --release does. firedrill status shows it.`

type haltOptions struct {
	why     string
	hold    time.Duration
	release bool
}

func newHaltCommand(d *Deps) *cobra.Command {
	var o haltOptions
	c := &cobra.Command{
		Use: "halt", Short: "Stop every drill of an environment, and let none start",
		Long: haltHelp + exits("5 something is left in place", "130 no longer waited for"), Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runHalt(c.Context(), d, o) },
	}
	c.Flags().StringVar(&o.why, "why", "", "reason, for whoever is stopped by it")
	c.Flags().DurationVar(&o.hold, "for", 0, "let it go by itself after this long")
	c.Flags().BoolVar(&o.release, "release", false, "let the lever go")
	return c
}

func runHalt(ctx context.Context, d *Deps, o haltOptions) error {
	switch {
	case o.release && o.hold != 0:
		return usage("--release and --for exclude each other")
	case !o.release && strings.TrimSpace(o.why) == "":
		return usage("halt needs a reason. Try: --why \"an incident in checkout\"")
	case o.hold < 0:
		return usage("--for %s is in the past", o.hold)
	}
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	f, err := d.file()
	if err != nil {
		return err
	}
	name, err := d.environmentName(f)
	if err != nil {
		return err
	}
	if _, known := f.Environments[name]; !known && name != sandboxName {
		return unknownEnvironment(f, name)
	}
	store, err := d.store(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	l := drills.Lever{Environment: name, By: d.operator(), Why: strings.TrimSpace(o.why), At: d.Now()}
	if o.release {
		return d.release(ctx, store, l)
	}
	if o.hold > 0 {
		l.Until = l.At.Add(o.hold)
	}
	if err := drills.PullLever(ctx, store, l); err != nil {
		return err
	}
	l.Pulled = true
	fmt.Fprintf(d.Out, "%s\n", l)
	_, err = sig.wait(func() (*drills.State, error) { return nil, d.allEnded(ctx, store, name) })
	return err
}

func (d *Deps) release(ctx context.Context, store journal.Store, l drills.Lever) error {
	now, err := drills.ReadLever(ctx, store, l.Environment, l.At)
	if err == nil && now.Pulled {
		err = drills.ReleaseLever(ctx, store, l)
	}
	if err != nil {
		return err
	}
	if !now.Pulled {
		fmt.Fprintf(d.Out, "%s\n", now)
		return nil
	}
	fmt.Fprintf(d.Out, "released: the safety lever of %s, pulled by %s at %s (%s)\n", l.Environment, now.By, now.At.UTC().Format(time.RFC3339), now.Why)
	return nil
}

// allEnded waits until every run of an environment that somebody works on has ended, and says what became of each.
func (d *Deps) allEnded(ctx context.Context, store journal.Store, environment string) error {
	all, err := store.Runs(ctx, journal.Filter{Environment: environment})
	if err != nil {
		return err
	}
	var errs error
	runs := slices.DeleteFunc(all, func(r journal.Summary) bool { return r.Finished && !(mayBeLeft(r) && d.leftOf(ctx, store, r.Run)) })
	for _, run := range runs {
		errs = errors.Join(errs, d.awaitEnd(ctx, store, run.Run, "the safety lever of "+environment+" was pulled"))
	}
	if len(runs) == 0 {
		fmt.Fprintf(d.Out, "no drill is on in %s\n", environment)
	}
	return errs
}

// tellLever says that an environment's lever is pulled, or that nobody can say.
func (d *Deps) tellLever(ctx context.Context, store journal.Store, environment string) {
	l, err := drills.ReadLever(ctx, store, environment, d.Now())
	switch {
	case err != nil:
		fmt.Fprintln(d.Err, "firedrill: "+err.Error())
	case l.Pulled:
		fmt.Fprintf(d.Err, "%s. Try: firedrill halt --release --env %s\n", l, environment)
	}
}

// tellLevers says it of every environment that may be meant.
func (d *Deps) tellLevers(ctx context.Context, store journal.Store) {
	names := []string{d.environmentFilter()}
	if names[0] == "" {
		f, err := d.file()
		if err != nil {
			f = &drills.File{}
		}
		names = append(slices.Sorted(maps.Keys(f.Environments)), sandboxName)
	}
	for _, name := range names {
		d.tellLever(ctx, store, name)
	}
}
