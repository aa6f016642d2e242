package observe

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// AlarmProbe is the name of a CloudWatch alarm: state OK is ok, ALARM is bad; INSUFFICIENT_DATA and an alarm that is
// not there are unknown.
type AlarmProbe string

func (p *AlarmProbe) label() string { return "alarm " + string(*p) }

func (p *AlarmProbe) problems() []string {
	switch name := string(*p); {
	case strings.TrimSpace(name) == "":
		return []string{"alarm has no name"}
	case strings.HasSuffix(name, "*"):
		return []string{fmt.Sprintf("alarm %q: a probe looks at one alarm. Try: its whole name", name)}
	case len(name) > 255:
		return []string{"alarm: a name has at most 255 characters"}
	}
	return nil
}

func (p *AlarmProbe) probe(c Clients) (Probe, error) {
	if c.CloudWatch == nil {
		return nil, fmt.Errorf("probe %s: no CloudWatch client", p.label())
	}
	alarms, name := NewAlarms(c.CloudWatch), string(*p)
	ask := func(ctx context.Context) (Value, string) {
		found, err := alarms.Describe(ctx, []string{name})
		if err != nil {
			return Unknown, err.Error()
		}
		if len(found) == 0 {
			return Unknown, "there is no such alarm"
		}
		switch state := found[0].State; state {
		case "OK":
			return OK, "state OK"
		case "ALARM":
			return Bad, "state ALARM"
		default:
			return Unknown, "state " + state
		}
	}
	return &look{name: p.label(), timeout: ProbeTimeout, now: c.Now, ask: ask}, nil
}

// SQSProbe compares how many messages of a queue are visible (ApproximateNumberOfMessages). The number is approximate
// and may lag: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
type SQSProbe struct {
	Queue   string `json:"queue" yaml:"queue"`                         // URL, name or ARN
	Visible string `json:"visible" yaml:"visible"`                     // "<= 5"
	Timeout Span   `json:"timeout,omitempty" yaml:"timeout,omitempty"` // 3s when left out
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
	return append(append(found, unreadable("visible", p.Visible)...), tooShort(p.Timeout)...)
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
