package drills

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/firedrill/firedrill/inject"
)

// PermissionCheck is what IAM says of the credentials that would run a drill.
type PermissionCheck struct {
	Principal string              // the user or role that was asked about
	Checked   int                 // lines
	Missing   []inject.Permission // what is not allowed, by the role that needs it
	Unchecked string              // why nobody can tell; empty: it was checked
}

// CheckPermissions asks IAM whether these credentials may do what running and recovering a drill takes, and makes none
// of the calls. The targets are the preview's, as far as it got.
func (st *Steps) CheckPermissions(ctx context.Context, spec *Spec, v *Preview) (*PermissionCheck, error) {
	c, err := st.whoami(ctx)
	if err != nil {
		return nil, fmt.Errorf("check permissions: %w", err)
	}
	list, err := st.lines(spec, v)
	if err != nil {
		return nil, err
	}
	out := &PermissionCheck{Principal: principalOf(c.ARN, st.Env.AWS.Role), Checked: len(list)}
	switch {
	case out.Principal == "":
		out.Unchecked = "IAM simulates users and roles; these credentials are " + c.ARN
		return out, nil
	case st.World.Simulate == nil:
		out.Unchecked = "this process cannot ask IAM"
		return out, nil
	}
	facts := map[string]string{"aws:RequestedRegion": c.Region, "aws:ResourceTag/" + inject.TagRun: "run"}
	for k, tag := range st.Env.Tags {
		facts["aws:ResourceTag/"+k] = tag
	}
	out.Missing, err = st.World.Simulate(ctx, out.Principal, list, facts)
	if errors.Is(err, inject.ErrUnchecked) {
		out.Unchecked, out.Missing, err = err.Error(), nil, nil
	}
	return out, err
}

// lines are what running and recovering takes, each once. Where the plan knows a target, its line names it.
func (st *Steps) lines(spec *Spec, v *Preview) ([]inject.Permission, error) {
	n := newNeeds(st.Env)
	known := v != nil && len(v.Faults) == len(spec.Faults)
	whole := *spec
	if known {
		whole.Faults = nil
	}
	if _, err := n.everything([]*Spec{&whole}, st.World.Catalog); err != nil {
		return nil, err
	}
	if known {
		for _, f := range v.Faults {
			n.all = append(n.all, f.Permissions...)
		}
		n.deadman(v.armed())
	}
	list := n.of(inject.ForRun)
	for _, p := range n.of(inject.ForRecover) {
		same := func(x inject.Permission) bool {
			return x.Action == p.Action && x.Resource == p.Resource && conditionText(x) == conditionText(p)
		}
		if !slices.ContainsFunc(list, same) {
			list = append(list, p)
		}
	}
	return list, nil
}

// Refusal says what is missing; nil where nothing is, or nobody can tell.
func (c *PermissionCheck) Refusal() *Refusal {
	if len(c.Missing) == 0 {
		return nil
	}
	var names []string
	for _, p := range c.Missing {
		if name := p.Action + " on " + p.Resource; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return refuse("permissions", "firedrill policy DRILL --for run writes what it takes", "%s may not %s", c.Principal, strings.Join(names, ", "))
}

// principalOf is the user or role behind an ARN of STS. An assumed role's ARN has lost the role's path; the environment's
// own role has it. Others (root, federated users) IAM does not simulate.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func principalOf(arn, role string) string {
	part := strings.SplitN(arn, ":", 6)
	if len(part) < 6 {
		return ""
	}
	kind, rest, _ := strings.Cut(part[5], "/")
	switch {
	case part[2] == "iam" && kind == "user":
		return arn
	case part[2] == "sts" && kind == "assumed-role":
		name, _, _ := strings.Cut(rest, "/")
		if strings.HasSuffix(role, "/"+name) && strings.Contains(role, ":"+part[4]+":") {
			return role
		}
		return fmt.Sprintf("arn:%s:iam::%s:role/%s", part[1], part[4], name)
	}
	return ""
}
