package inject

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Verify asks whether the policy is enforced.
func (f *deny) Verify(ctx context.Context, u Undo) (Reading, error) {
	d, err := readDenyUndo(u)
	if err != nil {
		return Reading{Felt: Unknown, Why: err.Error()}, err
	}
	return f.holder(u, d).ask(ctx), nil
}

// describe tells what is done to the policy.
func (k *denying) describe(u Undo) []Change {
	d, err := readDenyUndo(u)
	if err != nil {
		return []Change{{What: u.Target.ARN, Before: "unknown: " + err.Error()}}
	}
	return append([]Change{{What: d.words() + " of items of table " + d.Table, Before: "as its policies say", After: "as its policies say",
		During: "denied to everybody but firedrill, until " + until(u.Mark)}}, d.Policy.describe(u.Mark, "table "+d.Table)...)
}

// describe tells what becomes of the policy's text and of the tags.
func (p policyUndo) describe(m Mark, what string) []Change {
	before := "none"
	if p.Was != policyNone {
		before = "as somebody wrote it"
	}
	return []Change{
		{What: "resource policy of " + what, Before: before, During: fmt.Sprintf("with %d statements of ours (%s)", len(p.Statements), sidOf(m)), After: before},
		{What: "tags of " + what, Before: "none of ours", During: "firedrill:run, …", After: "none of ours"},
	}
}

// Expires is the mark's Until: IAM stops honouring the statements, whoever is dead.
func (f *deny) Expires(u Undo) (time.Time, string) {
	return u.Mark.Until, fmt.Sprintf("the statements %s in the resource policy of %s: text that denies nothing any more, and our tags", sidOf(u.Mark), lastPart(u.Target.ARN, ":"))
}

// Permissions lists the actions a denial needs.
func (f *deny) Permissions(t Target) []Permission {
	var items []string
	_, probes := denyActions(f.params.Writes, f.params.Reads)
	items = append(items, probes...)
	return slices.Concat(
		grant(looking, t.ARN, "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource", "dynamodb:GetResourcePolicy"),
		grantIf(ourTagsOnly(), undoing, t.ARN, "dynamodb:TagResource", "dynamodb:UntagResource"),
		grant(undoing, t.ARN, "dynamodb:PutResourcePolicy", "dynamodb:DeleteResourcePolicy"),
		grantIf(ourKeysOnly(), undoing, t.ARN, items...))
}

// Place is the table.
func (f *deny) Place(p Place) (Target, []string) {
	return Target{ARN: p.ARN("dynamodb", "table/"+f.params.Table), Account: p.Account, Region: p.Region}, nil
}

// Moves is the region's count of answers with status 400, and what the table is not asked for any more; a denied request is
// throttled by nothing. What else moves is the application's own.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
func (f *deny) Moves(u Undo) []Metric {
	d, err := readDenyUndo(u)
	if err != nil {
		return nil
	}
	moved := []Metric{{Namespace: "AWS/DynamoDB", Name: "UserErrors", Dimensions: map[string]string{}, Delay: f.timing.MetricDelay, By: "a denial"}}
	falls := func(name string) {
		moved = append(moved, Metric{Namespace: "AWS/DynamoDB", Name: name, Dimensions: map[string]string{"TableName": d.Table},
			Delay: f.timing.MetricDelay, By: "a denial", Falls: true})
	}
	if d.Writes {
		falls("ConsumedWriteCapacityUnits")
	}
	if d.Reads {
		falls("ConsumedReadCapacityUnits")
	}
	return moved
}

// Floor is nothing: a policy is enforced within seconds, and how many is not documented.
func (f *deny) Floor(Undo) (time.Duration, bool) { return 0, false }

// Costs says how long the undo may have to wait, and what strangers notice.
func (f *deny) Costs(Undo) Costs {
	return Costs{Undo: f.timing.Lock + 3*f.timing.Again, Money: "a few requests", Notes: []string{
		fmt.Sprintf("a table's policy cannot be changed again for %s after a change: an undo right after the fault waits that long, and so does a responder", f.timing.Lock),
		"a denied request is an error, not a throttle: SDKs do not try it again, and an application that gives up on a write loses it",
	}}
}
