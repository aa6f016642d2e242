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

It only looks: nothing is written, anywhere. It ends as run would: 0 it may run, 4 something must be mended, 75 not now.

--check-permissions asks IAM whether these credentials may make the calls of a run and of a recover, without making them
(iam:SimulatePrincipalPolicy): what is missing is named and refused. Where IAM may not be asked, the plan says so.

--out FILE keeps the plan for somebody else to approve, in a pull request or before a job; what only passes with time (75)
does not keep it from being written. "run --plan FILE" then runs that and nothing else: the two-person rule.`

type planOptions struct {
	check bool
	out   string
}

func newPlanCommand(d *Deps) *cobra.Command {
	var o planOptions
	c := &cobra.Command{
		Use: "plan DRILL", Short: "Show what a run would do, and whether it may",
		Long: planHelp + exits("4 refused", "75 not now", "130 interrupted"), Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return runPlan(c.Context(), d, args[0], o) },
	}
	c.Flags().BoolVar(&o.check, "check-permissions", false, "ask IAM whether these credentials may do it")
	c.Flags().StringVar(&o.out, "out", "", "write the plan into this file, for run --plan")
	outputFlag(c, d)
	return c
}

func runPlan(ctx context.Context, d *Deps, name string, o planOptions) error {
	asJSON, err := d.json()
	if err != nil {
		return err
	}
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	run := strings.ToLower(ulid.MustNewDefault(d.Now()).String())
	d.ahead = true
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
	if o.check {
		if no, err = d.checkPermissions(ctx, p, name, no); err != nil {
			return interrupted(ctx, err)
		}
	}
	if asJSON {
		err = writeJSON(d.Out, planView(p.preview, no))
	} else {
		err = d.printPlan(p.preview, no)
	}
	if err == nil && o.out != "" {
		err = d.writeApproval(o.out, p.preview, no)
	}
	if err == nil && no != nil {
		err = no
	}
	return err
}

// checkPermissions asks IAM about the credentials. What is missing is told first: it may be why the plan got no further.
func (d *Deps) checkPermissions(ctx context.Context, p prepared, name string, no *drills.Refusal) (*drills.Refusal, error) {
	f, err := d.file()
	if err != nil {
		return no, err
	}
	spec, err := d.drill(f, name)
	if err != nil {
		return no, err
	}
	if spec, err = spec.Resolve(p.out.env.Vars); err != nil {
		return no, err
	}
	steps := &drills.Steps{World: p.out.world, Env: p.out.env, Outcome: outcome}
	if p.preview.Rights, err = steps.CheckPermissions(ctx, spec, p.preview); err != nil {
		return no, err
	}
	if missing := p.preview.Rights.Refusal(); missing != nil {
		return missing, nil
	}
	return no, nil
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
