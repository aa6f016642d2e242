package aws

import "context"

// snsQueued is how many deliveries may wait for one subscription; more are refused at Publish.
const snsQueued = 1000

type subscribeInput struct {
	TopicArn, Protocol, Endpoint string
	ReturnSubscriptionArn        bool
}

type subscriptionInput struct{ SubscriptionArn string }

type subscribeOutput struct{ SubscriptionArn string }

// subscribe adds an HTTP endpoint to a topic; it counts as confirmed at once. The same endpoint twice is one
// subscription.
func (s *sns) subscribe(ctx context.Context, _ caller, in *subscribeInput) (*subscribeOutput, error) {
	if err := checkEndpoint(in.Protocol, in.Endpoint); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[in.TopicArn] == nil || s.closed {
		return nil, topicNotFound()
	}
	last := 0
	for _, sub := range s.of("") {
		last = sub.n
		if sub.topic == in.TopicArn && sub.protocol == in.Protocol && sub.endpoint == in.Endpoint {
			return &subscribeOutput{sub.arn}, nil
		}
	}
	sub := &snsSubscription{n: last + 1, arn: in.TopicArn + ":" + snsID(), topic: in.TopicArn, protocol: in.Protocol, endpoint: in.Endpoint}
	sub.queue, sub.stop = s.post.open(ctx)
	s.subscriptions[sub.arn] = sub
	return &subscribeOutput{sub.arn}, nil
}

// unsubscribe ends a subscription; one that does not exist is no error.
func (s *sns) unsubscribe(_ context.Context, _ caller, in *subscriptionInput) (*snsEmpty, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sub := s.subscriptions[in.SubscriptionArn]; sub != nil {
		s.drop(sub)
	}
	return &snsEmpty{}, nil
}

// drop ends a subscription and what waits for it; the caller holds the lock.
func (s *sns) drop(sub *snsSubscription) {
	sub.stop()
	delete(s.subscriptions, sub.arn)
}

type listSubscriptionsInput struct{ TopicArn, NextToken string }

type listAllSubscriptionsInput struct{ NextToken string }

type listSubscriptionsOutput struct {
	Subscriptions []snsSubscriptionLine
	NextToken     string
}

type snsSubscriptionLine struct{ SubscriptionArn, Owner, Protocol, Endpoint, TopicArn string }

func (s *sns) listSubscriptions(_ context.Context, _ caller, in *listAllSubscriptionsInput) (*listSubscriptionsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lines("", in.NextToken)
}

func (s *sns) listSubscriptionsByTopic(_ context.Context, _ caller, in *listSubscriptionsInput) (*listSubscriptionsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[in.TopicArn] == nil {
		return nil, topicNotFound()
	}
	return s.lines(in.TopicArn, in.NextToken)
}

func (s *sns) lines(topic, token string) (*listSubscriptionsOutput, error) {
	all := []snsSubscriptionLine{}
	for _, sub := range s.of(topic) {
		all = append(all, snsSubscriptionLine{sub.arn, s.account, sub.protocol, sub.endpoint, sub.topic})
	}
	page, next, err := cloudWatchPage(all, token, snsPageSize)
	if err != nil {
		return nil, invalidParameter("Invalid parameter: NextToken")
	}
	return &listSubscriptionsOutput{Subscriptions: page, NextToken: next}, nil
}

func (s *sns) getSubscriptionAttributes(_ context.Context, _ caller, in *subscriptionInput) (*snsAttributesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.subscriptions[in.SubscriptionArn]
	if sub == nil {
		return nil, &apiError{Code: "NotFound", Status: 404, Message: "Subscription does not exist"}
	}
	return &snsAttributesOutput{map[string]string{
		"SubscriptionArn": sub.arn, "TopicArn": sub.topic, "Owner": s.account, "Protocol": sub.protocol,
		"Endpoint": sub.endpoint, "RawMessageDelivery": "false", "PendingConfirmation": "false",
		"ConfirmationWasAuthenticated": "false",
	}}, nil
}
