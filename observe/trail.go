package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"
)

// ErrTrailUnread means that CloudTrail may not be asked, or is not there: who changed what is unknown, and nothing else
// is wrong. https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
var ErrTrailUnread = errors.New("CloudTrail may not be read")

// TrailOptions say who we are in a trail, and how fast it is asked.
type TrailOptions struct {
	Roles []string                                   // ARNs of roles that are ours alone: the dead-man's switch acts under one
	Apart time.Duration                              // between two questions; 0: 550 ms, for AWS answers two a second
	Wait  func(context.Context, time.Duration) error // nil: in real time
}

const (
	trailApart = 550 * time.Millisecond
	trailPages = 6  // of one name: three hundred events
	trailNames = 40 // of all targets
	trailSlack = 2 * time.Second
)

// trail asks CloudTrail's event history, which holds ninety days of management events of the region. Calls that carry
// data (an item, a message) are not in it.
type trail struct {
	lookup func(context.Context, *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error)
	roles  []string
	apart  time.Duration
	wait   func(context.Context, time.Duration) error
	turn   chan struct{}
}

// NewTrail makes a Trail of an account's event history. It needs cloudtrail:LookupEvents, which AWS gives for no single
// resource.
func NewTrail(cfg aws.Config, o TrailOptions) Trail {
	client := cloudtrail.NewFromConfig(cfg)
	return newTrail(func(ctx context.Context, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
		return client.LookupEvents(ctx, in)
	}, o)
}

func newTrail(lookup func(context.Context, *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error), o TrailOptions) *trail {
	t := &trail{lookup: lookup, roles: o.Roles, apart: cmp.Or(o.Apart, trailApart), wait: o.Wait, turn: make(chan struct{}, 1)}
	if t.wait == nil {
		t.wait = waitFor
	}
	return t
}

// Changes asks for each target by every name that its service has for it, slowly: AWS answers two questions a second for
// an account and region. What it has found when ctx ends comes with the error. An event is minutes late as a rule, and
// five on average: an empty answer soon after proves nothing.
func (t *trail) Changes(ctx context.Context, targets []string, from, to time.Time) ([]Change, error) {
	if !from.Before(to) {
		return nil, fmt.Errorf("ask CloudTrail: %s is not before %s", stamp(from), stamp(to))
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil, fmt.Errorf("ask CloudTrail: %w", ctx.Err())
	}
	var changes []Change
	seen := map[string]bool{}
	asked := 0
	for _, target := range targets {
		for _, name := range trailNamesOf(target) {
			if asked++; asked > trailNames {
				return oldestFirst(changes), errors.New("ask CloudTrail: there are more targets than it is asked about")
			}
			events, err := t.of(ctx, name, from, to, asked > 1)
			for _, e := range events {
				if id := aws.ToString(e.EventId); !seen[id] && !namesake(e, target) {
					seen[id] = true
					if c, ok := t.change(e, target, from, to); ok {
						changes = append(changes, c)
					}
				}
			}
			if err != nil {
				return oldestFirst(changes), err
			}
		}
	}
	return oldestFirst(changes), nil
}

// namesake says that an event is of another service's resource that only bears the target's name: the queue orders, where
// the table orders was asked about. What another kind of service does to a target, as auto scaling, is told under that
// service's own name.
func namesake(e types.Event, target string) bool {
	source, _ := strings.CutSuffix(aws.ToString(e.EventSource), ".amazonaws.com")
	parts := strings.SplitN(target, ":", 4)
	return len(parts) == 4 && source != parts[2] && slices.Contains([]string{"dynamodb", "sqs", "elasticloadbalancing"}, source)
}

func oldestFirst(changes []Change) []Change {
	slices.SortStableFunc(changes, func(a, b Change) int { return a.At.Compare(b.At) })
	return changes
}

// of lists the events that name a resource so.
func (t *trail) of(ctx context.Context, name string, from, to time.Time, later bool) (events []types.Event, err error) {
	in := &cloudtrail.LookupEventsInput{StartTime: aws.Time(from.Truncate(time.Second)), EndTime: aws.Time(to.Add(trailSlack)), MaxResults: aws.Int32(50),
		LookupAttributes: []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyResourceName, AttributeValue: aws.String(name)}}}
	for page := 0; page < trailPages; page++ {
		if later || page > 0 {
			if err := t.wait(ctx, t.apart); err != nil {
				return events, fmt.Errorf("ask CloudTrail about %s: %w", name, err)
			}
		}
		out, err := t.lookup(ctx, in)
		if err != nil {
			return events, fmt.Errorf("ask CloudTrail about %s: %w", name, trailError(ctx, err))
		}
		events = append(events, out.Events...)
		if in.NextToken = out.NextToken; aws.ToString(out.NextToken) == "" {
			return events, nil
		}
	}
	return events, fmt.Errorf("ask CloudTrail about %s: it tells of more events than are read (%d)", name, len(events))
}

// trailError marks the answers that say no.
func trailError(ctx context.Context, err error) error {
	var api smithy.APIError
	if ctx.Err() == nil && errors.As(err, &api) && answerless(api.ErrorCode()) {
		return fmt.Errorf("%w: %w", ErrTrailUnread, err)
	}
	return err
}

// trailNamesOf are the names under which a service's events tell of a resource: the ARN, and what its API calls it by.
func trailNamesOf(arn string) []string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return []string{arn}
	}
	partition, service, region, account, resource := parts[1], parts[2], parts[3], parts[4], parts[5]
	switch service {
	case "sqs":
		domain := "amazonaws.com"
		if partition == "aws-cn" {
			domain = "amazonaws.com.cn"
		}
		return []string{arn, resource, "https://sqs." + region + "." + domain + "/" + account + "/" + resource}
	case "elasticloadbalancing": // a listener or a rule: its API knows it by its ARN alone
		return []string{arn}
	}
	if i := strings.IndexAny(resource, "/:"); i >= 0 {
		return []string{arn, resource[i+1:]}
	}
	return []string{arn, resource}
}
