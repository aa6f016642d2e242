package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/drills"
)

const policyHelp = `Write the IAM policy that drills need: one role for each of plan, run, recover, deadman, report and sweep, and no
right more than it calls. Those of report and sweep are the same for every drill.

It reaches no account. What only the account could tell is a * in it, narrowed by tags or region, and a note says why.
--trust says who may be the role: the ARN of a role or user, an account, or a CI system's OIDC-PROVIDER-ARN=SUBJECT. The
role of the dead-man's switch is trusted by EventBridge Scheduler alone. With several roles, run:WHO is for that one alone: jobs that
nobody approves plan and recover under roles of their own (FIREDRILL_ROLE), and only the one that somebody approves may drill.

-o json has the documents as IAM takes them, -o terraform the roles with their policies:

  firedrill policy orders-write-throttle --for run --trust 123456789012 -o terraform > firedrill.tf
  firedrill policy orders-write-throttle --for plan -o json | jq '.roles[0].policies[0]'`

type policyOptions struct {
	drills []string
	roles  []string
	trust  []string
}

func newPolicyCommand(d *Deps) *cobra.Command {
	var o policyOptions
	c := &cobra.Command{
		Use: "policy [DRILL...]", Short: "Write the IAM policy that drills need", Long: policyHelp + exits(), Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			o.drills = args
			return runPolicy(c.Context(), d, o)
		},
	}
	c.Flags().StringSliceVar(&o.roles, "for", nil, "the role: "+strings.Join(drills.Roles(), ", ")+"; several are parted by commas")
	c.Flags().StringSliceVar(&o.trust, "trust", nil, "who may be the role; ROLE:WHO for one of several")
	c.Flags().StringVarP(&d.output, "output", "o", "text", "text, json or terraform")
	return c
}

// policies are the roles of an environment, for a machine.
type policies struct {
	Environment string           `json:"environment"`
	Drills      []string         `json:"drills"`
	Roles       []*drills.Policy `json:"roles"`
}

func runPolicy(ctx context.Context, d *Deps, o policyOptions) error {
	write, err := d.policyWriter()
	if err != nil {
		return err
	}
	all, err := d.policies(ctx, o)
	if err != nil {
		return err
	}
	return write(all)
}

// policyWriter is how the answer is written.
func (d *Deps) policyWriter() (func(policies) error, error) {
	switch d.output {
	case "text", "":
		return d.printPolicies, nil
	case "json":
		return func(p policies) error { return writeJSON(d.Out, p) }, nil
	case "terraform":
		return d.printTerraform, nil
	}
	return nil, usage("format %q. Try: -o text, -o json or -o terraform", d.output)
}

// policies makes them of the files alone.
func (d *Deps) policies(ctx context.Context, o policyOptions) (policies, error) {
	all := policies{Drills: o.drills, Roles: []*drills.Policy{}}
	if all.Drills == nil {
		all.Drills = []string{}
	}
	if len(o.roles) == 0 {
		return all, usage("whose policy? Try: --for %s", strings.Join(drills.Roles(), " or --for "))
	}
	drawn := func(role string) bool { return role != "report" && role != "sweep" }
	if len(o.drills) == 0 && slices.ContainsFunc(o.roles, drawn) {
		return all, usage("a policy of which drills? Try: firedrill list")
	}
	f, err := d.file()
	if err != nil {
		return all, err
	}
	env, stop, err := d.environment(ctx, f, sandboxUse{start: true, responder: "none"})
	if err != nil {
		return all, err
	}
	defer stop()
	all.Environment = env.Name
	var specs []*drills.Spec
	for _, name := range o.drills {
		spec, err := d.drill(f, name)
		if err != nil {
			return all, err
		}
		if spec, err = spec.Resolve(env.Vars); err != nil {
			return all, badInput(err)
		}
		specs = append(specs, spec)
	}
	for _, role := range o.roles {
		trust := trustOf(o.trust, role)
		if role == "deadman" && len(o.roles) > 1 {
			trust = nil // it has a trust of its own
		}
		p, err := drills.MakePolicy(env, specs, d.catalog(), drills.PolicyOptions{For: role, Trust: trust})
		if err != nil {
			return all, badInput(err)
		}
		all.Roles = append(all.Roles, p)
	}
	return all, nil
}

// trustOf are those who may be one role: whoever is named for it (plan:WHO), and whoever is named for none.
func trustOf(list []string, role string) (who []string) {
	for _, one := range list {
		of, rest, ok := strings.Cut(one, ":")
		switch {
		case !ok || !slices.Contains(drills.Roles(), of):
			who = append(who, one)
		case of == role:
			who = append(who, rest)
		}
	}
	return who
}

// printPolicies tells people what each role may do.
func (d *Deps) printPolicies(all policies) error {
	for i, p := range all.Roles {
		if i > 0 {
			fmt.Fprintln(d.Out)
		}
		fmt.Fprintf(d.Out, "Role %s, to %s in %s\n", p.Role, p.For, all.Environment)
		if p.Trust != nil {
			fmt.Fprint(d.Out, policyText("may be assumed by", *p.Trust))
		}
		for n, doc := range p.Documents {
			fmt.Fprint(d.Out, policyText(fmt.Sprintf("policy %d of %d (%d of %d characters)", n+1, len(p.Documents), doc.Size(), drills.PolicySize), doc))
		}
		if p.Caller != nil {
			fmt.Fprint(d.Out, policyText("who assumes it needs", *p.Caller))
		}
		for _, n := range p.Notes {
			fmt.Fprintf(d.Out, "  note: %s\n", n)
		}
	}
	return nil
}

// policyText is a document as people read it: a statement a line, then its conditions.
func policyText(title string, doc drills.Document) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s\n", title)
	for _, s := range doc.Statement {
		on := ""
		if len(s.Resource) > 0 {
			on = " on " + strings.Join(s.Resource, ", ")
		}
		for _, kind := range sortedKeys(s.Principal) {
			on += " to " + strings.Join(s.Principal[kind], ", ")
		}
		fmt.Fprintf(&b, "    %s %s%s\n", strings.ToLower(s.Effect), strings.Join(s.Action, ", "), on)
		for _, op := range sortedKeys(s.Condition) {
			for _, key := range sortedKeys(s.Condition[op]) {
				fmt.Fprintf(&b, "      if %s %s %s\n", key, op, strings.Join(s.Condition[op][key], ", "))
			}
		}
	}
	return b.String()
}
