package inject

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Calmer is a Fault that can tell whether somebody else is changing its target at the moment: a deploy that rolls, a table
// that is updated. A drill on top of it would teach nothing.
type Calmer interface {
	// Calm looks; it only reads. What it may not look at stands in the answer's Unseen, and is no error.
	Calm(ctx context.Context, t Target) (Unrest, error)
}

// Unrest is what changes around a target.
type Unrest struct {
	Moves  []Motion
	Unseen []string // what could not be looked at, and why, for people
	Around []string // ARNs beside the target's whose changes count as its own, for who reads the account's trail
}

// Motion is one thing that changes, or has changed.
type Motion struct {
	What string    // "target group orders-api: 2 targets are draining"
	At   time.Time // when it changed, by AWS's clock; zero: it is changing now
}

// changed notes a change where it has a time.
func (u *Unrest) changed(at *time.Time, what string, args ...any) {
	if at != nil && !at.IsZero() && at.Unix() > 0 {
		u.Moves = append(u.Moves, Motion{What: fmt.Sprintf(what, args...), At: at.UTC()})
	}
}

// moving notes what changes at the moment.
func (u *Unrest) moving(what string, args ...any) {
	u.Moves = append(u.Moves, Motion{What: fmt.Sprintf(what, args...)})
}

// unseen notes that we may not look; other errors stay errors.
func (u *Unrest) unseen(what string, err error) error {
	if err == nil || !hasCode(err, "AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized") {
		return err
	}
	u.Unseen = append(u.Unseen, fmt.Sprintf("%s: %v", what, err))
	return nil
}

var (
	_ Calmer = (*reply)(nil)
	_ Calmer = (*throttle)(nil)
	_ Calmer = (*deny)(nil)
	_ Calmer = (*poison)(nil)
	_ Calmer = (*stall)(nil)
)

// Calm asks every target group of the load balancer for targets that join or leave: so ECS, CodeDeploy and groups of
// instances all look from here. https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
func (f *reply) Calm(ctx context.Context, t Target) (u Unrest, err error) {
	l, err := f.readListener(ctx, t.ARN)
	if err != nil {
		return u, err
	}
	parent := aws.ToString(l.LoadBalancerArn)
	u.Around = append(u.Around, parent)
	in := &elb.DescribeTargetGroupsInput{LoadBalancerArn: &parent}
	for {
		groups, err := f.balancers.DescribeTargetGroups(ctx, in)
		if hasCode(err, "TargetGroupNotFound") {
			return u, nil
		}
		if err != nil {
			return u, u.unseen("target groups of "+parent, fmt.Errorf("describe target groups of %s: %w", parent, err))
		}
		for _, g := range groups.TargetGroups {
			u.Around = append(u.Around, aws.ToString(g.TargetGroupArn))
			if err := f.calmGroup(ctx, g, &u); err != nil {
				return u, err
			}
		}
		if in.Marker = groups.NextMarker; aws.ToString(in.Marker) == "" {
			return u, nil
		}
	}
}

func (f *reply) calmGroup(ctx context.Context, g elbtypes.TargetGroup, u *Unrest) error {
	name := aws.ToString(g.TargetGroupName)
	out, err := f.balancers.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
	if hasCode(err, "TargetGroupNotFound") {
		u.moving("target group %s was deleted while it was looked at", name)
		return nil
	}
	if err != nil {
		return u.unseen("health of target group "+name, fmt.Errorf("describe health of target group %s: %w", name, err))
	}
	joining, leaving := 0, 0
	for _, d := range out.TargetHealthDescriptions {
		if d.TargetHealth == nil {
			continue
		}
		switch d.TargetHealth.State {
		case elbtypes.TargetHealthStateEnumInitial:
			joining++
		case elbtypes.TargetHealthStateEnumDraining, elbtypes.TargetHealthStateEnumUnhealthyDraining:
			leaving++
		}
	}
	var words []string
	for _, w := range []struct {
		n    int
		what string
	}{{joining, "being registered (initial)"}, {leaving, "draining"}} {
		if w.n > 0 {
			words = append(words, fmt.Sprintf("%d of its targets are %s", w.n, w.what))
		}
	}
	if len(words) > 0 {
		u.moving("target group %s is being deployed to, or scaled: %s", name, strings.Join(words, ", "))
	}
	return nil
}

// Calm reads the table.
func (f *throttle) Calm(ctx context.Context, t Target) (Unrest, error) {
	now, err := f.readTable(ctx, lastPart(t.ARN, "/"))
	if err != nil {
		return Unrest{}, err
	}
	return now.unrest(), nil
}

// Calm reads the table.
func (f *deny) Calm(ctx context.Context, t Target) (Unrest, error) {
	now, err := f.tables.readTable(ctx, lastPart(t.ARN, "/"))
	if err != nil {
		return Unrest{}, err
	}
	return now.unrest(), nil
}

// unrest is what a table tells of its own changes, ours included: it does not say by whom. Of an on-demand maximum it tells no
// time: that is in the account's trail. That a table is new is no unrest: nothing was changed.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
func (t table) unrest() (u Unrest) {
	name := aws.ToString(t.TableName)
	if !t.active() {
		u.moving("table %s is %s", name, t.TableStatus)
	}
	if p := t.ProvisionedThroughput; p != nil {
		u.changed(p.LastIncreaseDateTime, "capacity of table %s was raised", name)
		u.changed(p.LastDecreaseDateTime, "capacity of table %s was lowered", name)
	}
	if b := t.BillingModeSummary; b != nil && !justMade(t, b.LastUpdateToPayPerRequestDateTime) {
		u.changed(b.LastUpdateToPayPerRequestDateTime, "table %s was switched to on-demand", name)
	}
	if c := t.TableClassSummary; c != nil && !justMade(t, c.LastUpdateDateTime) {
		u.changed(c.LastUpdateDateTime, "the class of table %s was changed", name)
	}
	for _, i := range t.GlobalSecondaryIndexes {
		index := aws.ToString(i.IndexName)
		if i.IndexStatus != types.IndexStatusActive {
			u.moving("index %s of table %s is %s", index, name, i.IndexStatus)
		}
		if p := i.ProvisionedThroughput; p != nil {
			u.changed(p.LastIncreaseDateTime, "capacity of index %s of table %s was raised", index, name)
			u.changed(p.LastDecreaseDateTime, "capacity of index %s of table %s was lowered", index, name)
		}
	}
	return u
}

// justMade says that a time is only that of the table's making.
func justMade(t table, at *time.Time) bool {
	return at != nil && t.CreationDateTime != nil && at.Sub(*t.CreationDateTime).Abs() < time.Minute
}

// Calm looks at the consumer.
func (f *poison) Calm(ctx context.Context, t Target) (Unrest, error) {
	return f.restless(ctx, append([]string{t.ARN}, t.Also...))
}

// Calm looks at the consumer.
func (f *stall) Calm(ctx context.Context, t Target) (Unrest, error) {
	return f.queues.restless(ctx, []string{t.ARN})
}

// restless tells of event source mappings that are being changed, or were. A consumer that polls by itself shows nothing.
// https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html
func (k *poisoning) restless(ctx context.Context, queues []string) (u Unrest, err error) {
	for _, arn := range queues {
		if arn == "" {
			continue
		}
		in := &lambda.ListEventSourceMappingsInput{EventSourceArn: aws.String(arn)}
		for {
			out, err := k.mappings(ctx, in)
			if err != nil {
				return u, u.unseen("consumers of queue "+lastPart(arn, ":"), fmt.Errorf("list event source mappings of queue %s: %w", arn, err))
			}
			for _, m := range out.EventSourceMappings {
				u.mapping(m, lastPart(arn, ":"))
			}
			if in.Marker = out.NextMarker; aws.ToString(in.Marker) == "" {
				break
			}
		}
	}
	return u, nil
}

// mapping is one event source mapping, as it is told.
func (u *Unrest) mapping(m lambdatypes.EventSourceMappingConfiguration, queue string) {
	what := fmt.Sprintf("function %s as the consumer of queue %s", lastPart(aws.ToString(m.FunctionArn), ":"), queue)
	switch state := aws.ToString(m.State); state {
	case "Creating", "Enabling", "Disabling", "Updating", "Deleting":
		u.moving("%s is %s", what, strings.ToLower(state))
	default:
		u.changed(m.LastModified, "%s was changed", what)
	}
}
