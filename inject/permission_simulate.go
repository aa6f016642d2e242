package inject

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// ErrUnchecked says that nobody can tell from here what a principal may do.
var ErrUnchecked = errors.New("what these credentials may do could not be checked")

// Simulate asks IAM which of these lines a principal is not allowed, without making the calls. facts are condition keys
// and values that hold for every call of ours. Where IAM may not be asked, or does not know the principal, the error
// wraps ErrUnchecked. IAM judges policies of the principal and of its organisation, not those of a resource.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
func (c *Clients) Simulate(ctx context.Context, principal string, list []Permission, facts map[string]string) (missing []Permission, err error) {
	type group struct{ resource, condition string }
	lines, order := map[group][]Permission{}, []group{}
	for _, p := range list {
		g := group{p.Resource, fmt.Sprint(p.Condition)} // maps are printed in order
		if lines[g] == nil {
			order = append(order, g)
		}
		lines[g] = append(lines[g], p)
	}
	for _, g := range order {
		denied, err := c.simulate(ctx, principal, lines[g], facts)
		if err != nil {
			return missing, err
		}
		missing = append(missing, denied...)
	}
	return missing, nil
}

// simulate asks about lines with one resource and one condition.
func (c *Clients) simulate(ctx context.Context, principal string, lines []Permission, facts map[string]string) (missing []Permission, err error) {
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: &principal, ContextEntries: contextOf(lines[0].Condition, facts)}
	if lines[0].Resource != "*" {
		in.ResourceArns = []string{lines[0].Resource}
	}
	for _, p := range lines {
		if !slices.Contains(in.ActionNames, p.Action) {
			in.ActionNames = append(in.ActionNames, p.Action)
		}
	}
	may := map[string]bool{}
	for more := true; more; { // not the SDK's paginator: it would carry every operation of IAM into the program
		out, err := c.judge(ctx, in)
		switch {
		case hasCode(err, "AccessDenied", "AccessDeniedException"):
			return nil, fmt.Errorf("%w: iam:SimulatePrincipalPolicy on %s is not allowed", ErrUnchecked, principal)
		case hasCode(err, "NoSuchEntity", "InvalidInput", "ValidationError"):
			return nil, fmt.Errorf("%w: IAM does not know %s: %w", ErrUnchecked, principal, err)
		case err != nil:
			return nil, fmt.Errorf("simulate policies of %s: %w", principal, err)
		}
		for _, r := range out.EvaluationResults {
			may[strings.ToLower(aws.ToString(r.EvalActionName))] = r.EvalDecision == types.PolicyEvaluationDecisionTypeAllowed
		}
		in.Marker, more = out.Marker, out.IsTruncated
	}
	for _, p := range lines {
		if !may[strings.ToLower(p.Action)] {
			missing = append(missing, p)
		}
	}
	return missing, nil
}

// contextOf is what our own call would tell IAM: a value that a condition asks for, where it asks for any.
func contextOf(condition, facts map[string]string) (entries []types.ContextEntry) {
	all := maps.Clone(facts)
	if all == nil {
		all = map[string]string{}
	}
	for k, v := range condition {
		one, _, _ := strings.Cut(v, "|")
		if _, known := all[k]; !known {
			all[k] = strings.ReplaceAll(one, "*", "1")
		}
	}
	for _, k := range slices.Sorted(maps.Keys(all)) {
		kind := types.ContextKeyTypeEnumString
		if k == "aws:TagKeys" || k == "dynamodb:LeadingKeys" {
			kind = types.ContextKeyTypeEnumStringList
		}
		entries = append(entries, types.ContextEntry{ContextKeyName: aws.String(k), ContextKeyType: kind, ContextKeyValues: []string{all[k]}})
	}
	return entries
}
