package observe

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// SQSProbe compares how many messages of a queue are visible (ApproximateNumberOfMessages), with a number or with how many
// there were when the run began: its baseline, for queues that are never empty. The number is approximate
// and may lag: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
type SQSProbe struct {
	Queue   string `json:"queue" yaml:"queue"`                         // URL, name or ARN
	Visible string `json:"visible" yaml:"visible"`                     // "<= 5", "<= baseline", "<= baseline + 5"
	Timeout Span   `json:"timeout,omitempty" yaml:"timeout,omitempty"` // 3s when left out

	// base is what baseline stands for; nil: the look itself measures it.
	base *float64
}

func (p *SQSProbe) label() string {
	name := p.Queue
	if !open(name) {
		name = name[strings.LastIndexAny(name, "/:")+1:]
	}
	return "sqs " + name + " visible " + p.Visible
}

func (p *SQSProbe) problems() []string {
	var found []string
	if p.Queue == "" {
		found = append(found, "sqs has no queue")
	}
	switch _, _, ok := parseBaseline(p.Visible); {
	case ok:
	case strings.Contains(p.Visible, "baseline") && !open(p.Visible):
		found = append(found, fmt.Sprintf(`visible: %q is no comparison with the baseline. Try: "<= baseline" or "<= baseline + 5"`, p.Visible))
	default:
		found = append(found, unreadable("visible", p.Visible)...)
	}
	return append(found, tooShort(p.Timeout)...)
}

// unreadable names a comparison that cannot be read.
func unreadable(field, s string) []string {
	if s == "" {
		return []string{field + ` is missing. Try: ` + field + `: "<= 5"`}
	}
	if open(s) {
		return nil
	}
	if _, err := parseComparison(s); err != nil {
		return []string{field + `: ` + err.Error() + `. Try: "<= 5"`}
	}
	return nil
}

func (p *SQSProbe) probe(c Clients) (Probe, error) {
	if c.SQS == nil {
		return nil, fmt.Errorf("probe %s: no SQS client", p.label())
	}
	op, plus, relative := parseBaseline(p.Visible)
	if relative {
		return p.relative(c, op, plus), nil
	}
	want, err := parseComparison(p.Visible)
	if err != nil {
		return nil, fmt.Errorf("probe %s: %w", p.label(), err)
	}
	queue := p.Queue
	ask := func(ctx context.Context) (Value, string) {
		depth, err := visible(ctx, c.SQS, queue)
		if err != nil {
			return Unknown, err.Error()
		}
		return judge("visible", depth, want)
	}
	return &look{name: p.label(), timeout: p.Timeout.or(ProbeTimeout), now: c.Now, ask: ask}, nil
}

// relative compares with the baseline, or measures it.
func (p *SQSProbe) relative(c Clients, op string, plus float64) Probe {
	queue, base := p.Queue, p.base
	tell := func(ctx context.Context) (r Reading) {
		if base != nil && math.IsNaN(*base) {
			return Reading{Value: Unknown, Why: "no baseline was read before the fault"}
		}
		depth, err := visible(ctx, c.SQS, queue)
		switch {
		case err != nil:
			return Reading{Value: Unknown, Why: err.Error()}
		case base == nil:
			return Reading{Value: OK, Why: "visible is " + number(depth) + ", which is the baseline", Baseline: &depth}
		}
		r.Value, r.Why = judge("visible", depth, comparison{op: op, value: *base + plus})
		r.Why += " (baseline " + number(*base) + ")"
		return r
	}
	return &look{name: p.label(), timeout: p.Timeout.or(ProbeTimeout), now: c.Now, tell: tell}
}

// Baseline says whether the probe compares with what it read when the run began, and of what.
func (s ProbeSpec) Baseline() (of string, yes bool) {
	if s.SQS == nil {
		return "", false
	}
	_, _, yes = parseBaseline(s.SQS.Visible)
	return s.SQS.Queue[strings.LastIndexAny(s.SQS.Queue, "/:")+1:], yes
}

// From is the probe with its baseline: NaN where there should be one and nobody knows it, and then it reads unknown. Without
// one a probe that compares with it measures it: it is good, and its Reading tells the number.
func (s ProbeSpec) From(baseline float64) ProbeSpec {
	if _, yes := s.Baseline(); yes {
		one := *s.SQS
		one.base, s.SQS = &baseline, &one
	}
	return s
}

// parseBaseline reads "<= baseline" and "<= baseline + 5".
func parseBaseline(s string) (op string, plus float64, ok bool) {
	left, rest, ok := strings.Cut(s, "baseline")
	op = strings.TrimSpace(left)
	if !ok || !slices.Contains([]string{"<=", ">=", "==", "!=", "<", ">"}, op) {
		return "", 0, false
	}
	rest = strings.TrimSpace(rest)
	if rest == "" {
		return op, 0, true
	}
	n, err := strconv.ParseUint(strings.TrimSpace(rest[1:]), 10, 32)
	switch {
	case err != nil || rest[0] != '+' && rest[0] != '-':
		return "", 0, false
	case rest[0] == '-':
		return op, -float64(n), true
	}
	return op, float64(n), true
}

// visible reads the number of visible messages of a queue.
func visible(ctx context.Context, api SQSAPI, queue string) (float64, error) {
	at, err := queueURL(ctx, api, queue)
	if err != nil {
		return 0, err
	}
	const depth = types.QueueAttributeNameApproximateNumberOfMessages
	out, err := api.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &at, AttributeNames: []types.QueueAttributeName{depth},
	})
	if err != nil {
		return 0, fmt.Errorf("get attributes of queue %s: %w", queue, err)
	}
	n, err := strconv.ParseFloat(out.Attributes[string(depth)], 64)
	if err != nil {
		return 0, fmt.Errorf("get attributes of queue %s: no %s in the answer", queue, depth)
	}
	return n, nil
}

// queueURL finds a queue by its name or ARN; a URL is one already.
func queueURL(ctx context.Context, api SQSAPI, queue string) (string, error) {
	if strings.Contains(queue, "://") {
		return queue, nil
	}
	in := &sqs.GetQueueUrlInput{QueueName: &queue}
	if parsed, err := arn.Parse(queue); err == nil {
		in.QueueName, in.QueueOwnerAWSAccountId = aws.String(parsed.Resource), aws.String(parsed.AccountID)
	}
	out, err := api.GetQueueUrl(ctx, in)
	if err != nil {
		return "", fmt.Errorf("get URL of queue %s: %w", queue, err)
	}
	return aws.ToString(out.QueueUrl), nil
}
