package cmd

import (
	"context"
	"errors"
	"strings"

	"github.com/oklog/ulid/v2"
	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
)

const planHelp = `Show what a run would do, and whether it would be allowed: targets, what is there before, during and after, quotas,
permissions, what each alarm means to this drill, who would be paged, how soon anything can fire, and how it is undone.

It only looks: nothing is written, anywhere. It ends as run would: 0 it may run, 4 something must be mended, 75 not now.`

func newPlanCommand(d *Deps) *cobra.Command {
	c := &cobra.Command{
		Use: "plan DRILL", Short: "Show what a run would do, and whether it may",
		Long: planHelp + exits("4 refused", "75 not now", "130 interrupted"), Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runPlan(c.Context(), d, args[0]) },
	}
	outputFlag(c, d)
	return c
}

func runPlan(ctx context.Context, d *Deps, name string) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	run := strings.ToLower(ulid.MustNewDefault(d.Now()).String())
	p, err := d.prepare(ctx, name, run, sandboxUse{start: true, responder: "none"})
	defer func() { p.stop() }()
	if err == nil {
		err = d.heldTargets(ctx, p.preview)
	}
	if p.preview == nil {
		return interrupted(ctx, err)
	}
	var no *drills.Refusal
	if err != nil && (ctx.Err() != nil || !errors.As(err, &no)) {
		return interrupted(ctx, err)
	}
	if asJSON {
		if err := writeJSON(d.Out, planView(p.preview, no)); err != nil {
			return err
		}
	} else if err := d.printPlan(p.preview, no); err != nil {
		return err
	}
	return err
}

// heldTargets asks the journal, where there is one, whether a target belongs to a run that has not ended.
func (d *Deps) heldTargets(ctx context.Context, v *drills.Preview) error {
	store, err := d.reading(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	leases, err := store.Held(ctx, "")
	if err != nil {
		return err
	}
	if no := v.Plan.Held(leases); no != nil {
		return no
	}
	return nil
}
