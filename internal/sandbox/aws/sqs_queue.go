package aws

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

type (
	createQueueInput struct {
		QueueName  string
		Attributes map[string]string
		Tags       map[string]string `json:"tags"`
	}
	queueURLOutput   struct{ QueueUrl string }
	queueInput       struct{ QueueUrl string }
	getQueueURLInput struct {
		QueueName              string
		QueueOwnerAWSAccountId string
	}
	listQueuesInput struct {
		QueueNamePrefix string
		MaxResults      int
		NextToken       string
	}
	listQueuesOutput   struct{ QueueUrls []string }
	getAttributesInput struct {
		QueueUrl       string
		AttributeNames []string
	}
	queueAttributesOutput struct{ Attributes map[string]string }
	setAttributesInput    struct {
		QueueUrl   string
		Attributes map[string]string
	}
	tagQueueInput struct {
		QueueUrl string
		Tags     map[string]string
	}
	untagQueueInput struct {
		QueueUrl string
		TagKeys  []string
	}
	queueTagsOutput   struct{ Tags map[string]string }
	sourceQueueOutput struct {
		QueueUrls []string `json:"queueUrls"`
	}
)

// queueName is the legal form of a queue name.
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// reuseAfter is how long the name of a deleted queue stays blocked:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_DeleteQueue.html
const reuseAfter = 60 * time.Second

func (in *queueInput) nameOf() string { return lastSegment(in.QueueUrl) }

func (q *queue) fifo() bool { return strings.HasSuffix(q.name, ".fifo") }

func (s *sqs) createQueue(_ context.Context, _ caller, in *createQueueInput) (*queueURLOutput, error) {
	now := s.lock()
	defer s.unlock()
	fifo := in.Attributes["FifoQueue"] == "true"
	base, suffixed := strings.CutSuffix(in.QueueName, ".fifo")
	if !queueName.MatchString(base) || len(in.QueueName) > 80 || suffixed != fifo {
		return nil, sqsInvalid("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length; a FIFO queue's name ends in .fifo.")
	}
	if old := s.queues[in.QueueName]; old != nil {
		for name, value := range in.Attributes {
			if s.attributes(old, now, 0)[name] != value {
				return nil, sqsError("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", name)
			}
		}
		return &queueURLOutput{QueueUrl: s.url(in.QueueName)}, nil
	}
	if at, ok := s.deleted[in.QueueName]; ok && now.Sub(at) < reuseAfter {
		return nil, sqsError("QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
	}
	q := &queue{name: in.QueueName, created: now, modified: now, tags: map[string]string{}}
	set, settings, err := s.withAttributes(q, in.Attributes)
	if err != nil {
		return nil, err
	}
	if err := checkQueueTags(q.tags, in.Tags); err != nil {
		return nil, err
	}
	q.set, q.settings = set, settings
	q.policy.now = settings.policy
	maps.Copy(q.tags, in.Tags)
	delete(s.deleted, q.name)
	s.queues[q.name] = q
	return &queueURLOutput{QueueUrl: s.url(q.name)}, nil
}

func (s *sqs) deleteQueue(_ context.Context, c caller, in *queueInput) (*sqsEmpty, error) {
	q, now, err := s.enter(c, in.QueueUrl, "DeleteQueue")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	delete(s.queues, q.name)
	s.deleted[q.name] = now
	s.wake() // long polls on it end
	return &sqsEmpty{}, nil
}

func (s *sqs) getQueueURL(_ context.Context, c caller, in *getQueueURLInput) (*queueURLOutput, error) {
	account := in.QueueOwnerAWSAccountId
	if account == "" {
		account = s.account
	}
	q, _, err := s.enter(c, account+"/"+in.QueueName, "GetQueueUrl")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	return &queueURLOutput{QueueUrl: s.url(q.name)}, nil
}

func (s *sqs) listQueues(_ context.Context, _ caller, in *listQueuesInput) (*listQueuesOutput, error) {
	s.lock()
	defer s.unlock()
	if in.NextToken != "" {
		return nil, sqsInvalid("Invalid or expired next token.")
	}
	out := &listQueuesOutput{}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if strings.HasPrefix(name, in.QueueNamePrefix) && len(out.QueueUrls) < 1000 {
			out.QueueUrls = append(out.QueueUrls, s.url(name))
		}
	}
	return out, nil
}

func (s *sqs) getAttributes(_ context.Context, c caller, in *getAttributesInput) (*queueAttributesOutput, error) {
	q, now, err := s.enter(c, in.QueueUrl, "GetQueueAttributes")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	all, out := s.attributes(q, now, c.Skew), map[string]string{}
	for _, name := range in.AttributeNames {
		if !isAttribute(name) {
			return nil, sqsError("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		if name == "All" {
			return &queueAttributesOutput{Attributes: all}, nil
		}
		if value, ok := all[name]; ok {
			out[name] = value
		}
	}
	return &queueAttributesOutput{Attributes: out}, nil
}

func (s *sqs) setAttributes(_ context.Context, c caller, in *setAttributesInput) (*sqsEmpty, error) {
	q, now, err := s.enter(c, in.QueueUrl, "SetQueueAttributes")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	if len(in.Attributes) == 0 {
		return nil, sqsMissing("Attributes")
	}
	if value, ok := in.Attributes["FifoQueue"]; ok && value != q.set["FifoQueue"] {
		return nil, sqsError("InvalidAttributeName", "Unknown Attribute FifoQueue.")
	}
	set, settings, err := s.withAttributes(q, in.Attributes)
	if err != nil {
		return nil, err
	}
	if set["Policy"] != q.set["Policy"] {
		q.policy.change(settings.policy, now)
	}
	q.set, q.settings, q.modified = set, settings, now
	q.expire(now) // a shorter retention deletes what is too old for it
	s.wake()
	return &sqsEmpty{}, nil
}

func (s *sqs) purgeQueue(_ context.Context, c caller, in *queueInput) (*sqsEmpty, error) {
	q, now, err := s.enter(c, in.QueueUrl, "PurgeQueue")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	if !q.purged.IsZero() && now.Sub(q.purged) < 60*time.Second {
		return nil, sqsError("PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.name)
	}
	q.purged, q.messages = now, nil
	return &sqsEmpty{}, nil
}

func (s *sqs) tagQueue(_ context.Context, c caller, in *tagQueueInput) (*sqsEmpty, error) {
	q, _, err := s.enter(c, in.QueueUrl, "TagQueue")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	if err := checkQueueTags(q.tags, in.Tags); err != nil {
		return nil, err
	}
	maps.Copy(q.tags, in.Tags)
	return &sqsEmpty{}, nil
}

func (s *sqs) untagQueue(_ context.Context, c caller, in *untagQueueInput) (*sqsEmpty, error) {
	q, _, err := s.enter(c, in.QueueUrl, "UntagQueue")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	for _, key := range in.TagKeys {
		delete(q.tags, key)
	}
	return &sqsEmpty{}, nil
}

func (s *sqs) listQueueTags(_ context.Context, c caller, in *queueInput) (*queueTagsOutput, error) {
	q, _, err := s.enter(c, in.QueueUrl, "ListQueueTags")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	return &queueTagsOutput{Tags: maps.Clone(q.tags)}, nil
}

func (s *sqs) listDeadLetterSourceQueues(_ context.Context, c caller, in *queueInput) (*sourceQueueOutput, error) {
	dlq, _, err := s.enter(c, in.QueueUrl, "ListDeadLetterSourceQueues")
	if err != nil {
		return nil, err
	}
	defer s.unlock()
	out := &sourceQueueOutput{QueueUrls: []string{}}
	for _, source := range s.sourcesOf(dlq) {
		out.QueueUrls = append(out.QueueUrls, s.url(source.name))
	}
	return out, nil
}

// sourcesOf lists the queues whose dead letters go to dlq, by name.
func (s *sqs) sourcesOf(dlq *queue) []*queue {
	var out []*queue
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		if p := s.queues[name].settings.redrive; p != nil && p.Target == s.queueARN(dlq.name) {
			out = append(out, s.queues[name])
		}
	}
	return out
}

// checkQueueTags refuses what AWS refuses of tags: its own prefix, lengths, and more than 50 in all.
func checkQueueTags(have, more map[string]string) error {
	all := maps.Clone(have)
	for key, value := range more {
		if key == "" || len(key) > 128 || len(value) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return sqsInvalid("Tag key %q is not legal: 1 to 128 characters, not beginning with aws:, with a value of at most 256.", key)
		}
		all[key] = value
	}
	if len(all) > 50 {
		return sqsInvalid("Too many tags added for queue.")
	}
	return nil
}
