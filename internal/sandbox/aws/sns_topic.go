package aws

import (
	"context"
	"maps"
	"sort"
	"strconv"
)

// snsPageSize is how many topics or subscriptions one answer lists, as in AWS.
const snsPageSize = 100

// snsTag is a tag as SNS spells it.
type snsTag struct{ Key, Value string }

// snsEmpty is the answer of operations that answer nothing.
type snsEmpty struct{}

type createTopicInput struct {
	Name       string
	Attributes map[string]string
	Tags       []snsTag
}

type topicInput struct{ TopicArn string }

type topicOutput struct{ TopicArn string }

// createTopic makes a topic, or answers the one that has this name already.
func (s *sns) createTopic(_ context.Context, _ caller, in *createTopicInput) (*topicOutput, error) {
	if !snsTopicName.MatchString(in.Name) || len(in.Name) > 256 {
		return nil, invalidParameter("Invalid parameter: Topic Name")
	}
	for name := range in.Attributes {
		if name != "DisplayName" {
			return nil, invalidParameter("Invalid parameter: Attributes: the sandbox does not know %s", name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := s.arn("sns", in.Name)
	if t := s.topics[arn]; t != nil {
		for name, value := range in.Attributes {
			if t.attributes[name] != value {
				return nil, invalidParameter("Invalid parameter: Attributes Reason: Topic already exists with different attributes")
			}
		}
		return &topicOutput{arn}, nil
	}
	t := &snsTopic{arn: arn, attributes: map[string]string{}, tags: map[string]string{}}
	maps.Copy(t.attributes, in.Attributes)
	for _, tag := range in.Tags {
		t.tags[tag.Key] = tag.Value
	}
	s.topics[arn] = t
	return &topicOutput{arn}, nil
}

// deleteTopic deletes a topic and its subscriptions; one that does not exist is no error.
func (s *sns) deleteTopic(_ context.Context, _ caller, in *topicInput) (*snsEmpty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sub := range s.of(in.TopicArn) {
		s.drop(sub)
	}
	delete(s.topics, in.TopicArn)
	return &snsEmpty{}, nil
}

type listTopicsInput struct{ NextToken string }

type listTopicsOutput struct {
	Topics    []topicOutput
	NextToken string
}

func (s *sns) listTopics(_ context.Context, _ caller, in *listTopicsInput) (*listTopicsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []topicOutput{}
	for _, arn := range s.topicARNs() {
		all = append(all, topicOutput{arn})
	}
	page, next, err := cloudWatchPage(all, in.NextToken, snsPageSize)
	if err != nil {
		return nil, invalidParameter("Invalid parameter: NextToken")
	}
	return &listTopicsOutput{Topics: page, NextToken: next}, nil
}

type snsAttributesOutput struct{ Attributes map[string]string }

func (s *sns) getTopicAttributes(_ context.Context, _ caller, in *topicInput) (*snsAttributesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.topics[in.TopicArn]
	if t == nil {
		return nil, topicNotFound()
	}
	return &snsAttributesOutput{map[string]string{
		"TopicArn": t.arn, "Owner": s.account, "DisplayName": t.attributes["DisplayName"],
		"SubscriptionsConfirmed": strconv.Itoa(len(s.of(t.arn))), "SubscriptionsPending": "0", "SubscriptionsDeleted": "0",
	}}, nil
}

type publishInput struct{ TopicArn, TargetArn, Subject, Message string }

type publishOutput struct{ MessageId string }

func (s *sns) publishMessage(_ context.Context, _ caller, in *publishInput) (*publishOutput, error) {
	topic := in.TopicArn
	if topic == "" {
		topic = in.TargetArn
	}
	switch {
	case topic == "":
		return nil, invalidParameter("Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter")
	case in.Message == "":
		return nil, invalidParameter("Invalid parameter: Empty message")
	case len(in.Message) > 256<<10:
		return nil, invalidParameter("Invalid parameter: Message too long")
	case len(in.Subject) > 100:
		return nil, invalidParameter("Invalid parameter: Subject")
	}
	id, err := s.publish(topic, in.Subject, in.Message)
	if err != nil {
		return nil, err
	}
	return &publishOutput{id}, nil
}

type snsTagResourceInput struct {
	ResourceArn string
	Tags        []snsTag
}

func (s *sns) tagTopic(_ context.Context, _ caller, in *snsTagResourceInput) (*snsEmpty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, tag := range in.Tags {
		t.tags[tag.Key] = tag.Value
	}
	return &snsEmpty{}, nil
}

type snsUntagResourceInput struct {
	ResourceArn string
	TagKeys     []string
}

func (s *sns) untagTopic(_ context.Context, _ caller, in *snsUntagResourceInput) (*snsEmpty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	for _, key := range in.TagKeys {
		delete(t.tags, key)
	}
	return &snsEmpty{}, nil
}

type snsListTagsInput struct{ ResourceArn string }

type snsListTagsOutput struct{ Tags []snsTag }

func (s *sns) listTopicTags(_ context.Context, _ caller, in *snsListTagsInput) (*snsListTagsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.tagged(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	out := &snsListTagsOutput{Tags: []snsTag{}}
	for k, v := range t.tags {
		out.Tags = append(out.Tags, snsTag{k, v})
	}
	sort.Slice(out.Tags, func(i, j int) bool { return out.Tags[i].Key < out.Tags[j].Key })
	return out, nil
}

func (s *sns) tagged(arn string) (*snsTopic, error) {
	if t := s.topics[arn]; t != nil {
		return t, nil
	}
	return nil, &apiError{Code: "ResourceNotFound", Status: 404, Message: "Resource does not exist"}
}
