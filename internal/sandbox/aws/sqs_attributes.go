package aws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// queueSettings is a queue's configuration, parsed.
type queueSettings struct {
	delay        time.Duration
	maxSize      int
	retention    time.Duration
	wait         time.Duration
	visibility   time.Duration
	policy       *policy
	redrive      *redrivePolicy
	redriveAllow *redriveAllowPolicy
}

// redrivePolicy sends messages received too often to a dead-letter queue.
type redrivePolicy struct {
	Target      string
	MaxReceives int
}

// redriveAllowPolicy is a dead-letter queue's word on who may use it.
type redriveAllowPolicy struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns,omitempty"`
}

// attributeRange is the legal range of a numeric attribute, and its default.
type attributeRange struct{ lowest, highest, standard int }

// numericAttributes are the queue attributes that are numbers, with the ranges SetQueueAttributes documents:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func numericAttributes() map[string]attributeRange {
	return map[string]attributeRange{
		"DelaySeconds":                  {0, 900, 0},
		"MaximumMessageSize":            {1024, maxMessageSize, maxMessageSize},
		"MessageRetentionPeriod":        {60, 1209600, 345600},
		"ReceiveMessageWaitTimeSeconds": {0, 20, 0},
		"VisibilityTimeout":             {0, 43200, 30},
		"KmsDataKeyReusePeriodSeconds":  {60, 86400, 300},
	}
}

// plainAttributes are the settable attributes whose values are kept as they are.
func plainAttributes() []string {
	return []string{"KmsMasterKeyId", "SqsManagedSseEnabled", "FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}
}

// withAttributes merges attributes into what is set, and answers the new set, parsed, or the refusal.
// An empty Policy, RedrivePolicy or RedriveAllowPolicy removes it.
func (s *sqs) withAttributes(q *queue, change map[string]string) (map[string]string, queueSettings, error) {
	set := map[string]string{}
	for k, v := range q.set {
		set[k] = v
	}
	for name, value := range change {
		if err := s.checkAttribute(q, name, value); err != nil {
			return nil, queueSettings{}, err
		}
		if value == "" {
			delete(set, name)
			continue
		}
		set[name] = value
	}
	return set, parseSettings(set), nil
}

func (s *sqs) checkAttribute(q *queue, name, value string) error {
	if r, ok := numericAttributes()[name]; ok {
		n, err := strconv.Atoi(value)
		if err != nil || n < r.lowest || n > r.highest {
			return sqsError("InvalidAttributeValue", "Invalid value for the parameter %s.", name)
		}
		return nil
	}
	switch name {
	case "Policy":
		if value == "" {
			return nil
		}
		p, err := parsePolicy(value)
		if err == nil {
			err = p.fitsQueue(value)
		}
		if err != nil {
			return sqsError("InvalidAttributeValue", "Invalid value for the parameter Policy. Reason: %s", err)
		}
		return nil
	case "RedrivePolicy":
		return s.checkRedrive(q, value)
	case "RedriveAllowPolicy":
		return checkRedriveAllow(value)
	}
	if slices.Contains(plainAttributes(), name) {
		return nil
	}
	return sqsError("InvalidAttributeName", "Unknown Attribute %s.", name)
}

// checkRedrive wants a dead-letter queue that exists, is of the same type and lets this queue use it.
func (s *sqs) checkRedrive(q *queue, value string) error {
	if value == "" {
		return nil
	}
	refuse := func(reason string) error {
		return sqsInvalid("Value %s for parameter RedrivePolicy is invalid. Reason: %s", value, reason)
	}
	p, why := parseRedrive(value)
	if why != "" {
		return refuse(why)
	}
	dlq := s.findARN(p.Target)
	if dlq == nil {
		return refuse("Dead letter target does not exist.")
	}
	if dlq.fifo() != q.fifo() {
		return refuse("Dead-letter queue must be same type of queue as the source.")
	}
	allow := dlq.settings.redriveAllow
	if allow == nil || allow.Permission == "allowAll" || allow.Permission == "byQueue" && slices.Contains(allow.Sources, s.queueARN(q.name)) {
		return nil
	}
	return refuse("Dead letter target's RedriveAllowPolicy does not let this queue use it.")
}

// parseRedrive reads {"deadLetterTargetArn":…,"maxReceiveCount":5}; AWS takes the count as a number or in quotes.
// What is wrong with it is told in SQS's own words.
func parseRedrive(value string) (p redrivePolicy, why string) {
	var doc struct {
		Target string          `json:"deadLetterTargetArn"`
		Max    json.RawMessage `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal([]byte(value), &doc); err != nil {
		return p, "Redrive policy is not a valid JSON map."
	}
	if doc.Target == "" {
		return p, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
	}
	if doc.Max == nil {
		return p, "Redrive policy does not contain mandatory attribute: maxReceiveCount."
	}
	n, err := strconv.Atoi(strings.Trim(string(doc.Max), `"`))
	if err != nil || n < 1 || n > 1000 {
		return p, fmt.Sprintf("Invalid value for maxReceiveCount: %s, valid values are from 1 to 1000 both inclusive.", doc.Max)
	}
	return redrivePolicy{Target: doc.Target, MaxReceives: n}, ""
}

func checkRedriveAllow(value string) error {
	if value == "" {
		return nil
	}
	refuse := func(reason string) error {
		return sqsInvalid("Value %s for parameter RedriveAllowPolicy is invalid. Reason: %s", value, reason)
	}
	var p redriveAllowPolicy
	if err := json.Unmarshal([]byte(value), &p); err != nil {
		return refuse("Amazon SQS can't create the redrive allow policy, as it's not a valid JSON map.")
	}
	switch p.Permission {
	case "allowAll", "denyAll":
		if len(p.Sources) > 0 {
			return refuse("Source queue ARNs belong to byQueue only.")
		}
	case "byQueue":
		if len(p.Sources) == 0 || len(p.Sources) > 10 {
			return refuse("byQueue takes 1 to 10 source queue ARNs.")
		}
	default:
		return refuse("redrivePermission is allowAll, denyAll or byQueue.")
	}
	return nil
}

// parseSettings reads attributes that were checked before.
func parseSettings(set map[string]string) queueSettings {
	number := func(name string) int {
		if n, err := strconv.Atoi(set[name]); err == nil {
			return n
		}
		return numericAttributes()[name].standard
	}
	seconds := func(name string) time.Duration { return time.Duration(number(name)) * time.Second }
	out := queueSettings{
		delay: seconds("DelaySeconds"), maxSize: number("MaximumMessageSize"), retention: seconds("MessageRetentionPeriod"),
		wait: seconds("ReceiveMessageWaitTimeSeconds"), visibility: seconds("VisibilityTimeout"),
	}
	if p, err := parsePolicy(set["Policy"]); err == nil {
		out.policy = p
	}
	if p, why := parseRedrive(set["RedrivePolicy"]); why == "" {
		out.redrive = &p
	}
	var allow redriveAllowPolicy
	if json.Unmarshal([]byte(set["RedriveAllowPolicy"]), &allow) == nil && allow.Permission != "" {
		out.redriveAllow = &allow
	}
	return out
}

// attributes is what GetQueueAttributes tells: settings with their defaults, counts and stamps.
func (s *sqs) attributes(q *queue, now time.Time, skew time.Duration) map[string]string {
	out := map[string]string{}
	for name, r := range numericAttributes() {
		if name != "KmsDataKeyReusePeriodSeconds" {
			out[name] = strconv.Itoa(r.standard)
		}
	}
	out["SqsManagedSseEnabled"] = "true"
	for name, value := range q.set {
		out[name] = value
	}
	n := q.counts(now)
	out["QueueArn"] = s.queueARN(q.name)
	out["ApproximateNumberOfMessages"] = strconv.Itoa(n.visible)
	out["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(n.inFlight)
	out["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(n.delayed)
	out["CreatedTimestamp"] = strconv.FormatInt(q.created.Add(skew).Unix(), 10)
	out["LastModifiedTimestamp"] = strconv.FormatInt(q.modified.Add(skew).Unix(), 10)
	return out
}

// isAttribute says whether GetQueueAttributes knows a name.
func isAttribute(name string) bool {
	if _, ok := numericAttributes()[name]; ok || slices.Contains(plainAttributes(), name) {
		return true
	}
	return slices.Contains([]string{
		"All", "Policy", "RedrivePolicy", "RedriveAllowPolicy", "QueueArn", "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
		"ApproximateNumberOfMessagesDelayed", "CreatedTimestamp", "LastModifiedTimestamp",
	}, name)
}

// fitsQueue refuses a policy beyond the quotas of a queue's.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html
func (p *policy) fitsQueue(text string) error {
	if len(text) > 8192 {
		return fmt.Errorf("it has %d bytes, a queue's policy at most 8192", len(text))
	}
	if len(p.Statement) > 20 {
		return fmt.Errorf("it has %d statements, a queue's policy at most 20", len(p.Statement))
	}
	for _, s := range p.Statement {
		if len(s.Action) > 7 {
			return fmt.Errorf("statement %q has %d actions, a queue's policy allows 7", s.Sid, len(s.Action))
		}
	}
	return nil
}
