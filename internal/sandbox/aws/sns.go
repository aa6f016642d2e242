package aws

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
)

// sns keeps topics and posts what is published to their HTTP subscriptions.
type sns struct {
	deps
	post *snsPost

	mu            sync.Mutex
	closed        bool
	topics        map[string]*snsTopic // by ARN
	subscriptions map[string]*snsSubscription
}

type snsTopic struct {
	arn        string
	attributes map[string]string
	tags       map[string]string
}

type snsSubscription struct {
	n                              int // in order of subscription
	arn, topic, protocol, endpoint string
	queue                          chan snsDelivery
	stop                           context.CancelFunc
}

var (
	_ service   = (*sns)(nil)
	_ publisher = (*sns)(nil)

	snsTopicName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
)

func newSNS(d deps) *sns {
	return &sns{deps: d, post: newSNSPost(), topics: map[string]*snsTopic{}, subscriptions: map[string]*snsSubscription{}}
}

func (s *sns) id() string { return "sns" }

// close stops every delivery and waits for it.
func (s *sns) close() error {
	s.mu.Lock()
	s.closed = true
	for _, sub := range s.subscriptions {
		sub.stop()
	}
	s.mu.Unlock()
	s.post.wait()
	return nil
}

func (s *sns) operations() map[string]operation {
	return map[string]operation{
		"CreateTopic":               on(true, func(in *createTopicInput) string { return in.Name }, s.createTopic),
		"DeleteTopic":               on(true, func(in *topicInput) string { return in.TopicArn }, s.deleteTopic),
		"ListTopics":                on(false, nil, s.listTopics),
		"GetTopicAttributes":        on(false, func(in *topicInput) string { return in.TopicArn }, s.getTopicAttributes),
		"Subscribe":                 on(true, func(in *subscribeInput) string { return in.TopicArn }, s.subscribe),
		"Unsubscribe":               on(true, func(in *subscriptionInput) string { return in.SubscriptionArn }, s.unsubscribe),
		"ListSubscriptions":         on(false, nil, s.listSubscriptions),
		"ListSubscriptionsByTopic":  on(false, func(in *listSubscriptionsInput) string { return in.TopicArn }, s.listSubscriptionsByTopic),
		"GetSubscriptionAttributes": on(false, func(in *subscriptionInput) string { return in.SubscriptionArn }, s.getSubscriptionAttributes),
		"Publish":                   on(true, func(in *publishInput) string { return in.TopicArn + in.TargetArn }, s.publishMessage),
		"TagResource":               on(true, func(in *snsTagResourceInput) string { return in.ResourceArn }, s.tagTopic),
		"UntagResource":             on(true, func(in *snsUntagResourceInput) string { return in.ResourceArn }, s.untagTopic),
		"ListTagsForResource":       on(false, func(in *snsListTagsInput) string { return in.ResourceArn }, s.listTopicTags),
	}
}

// topicConfig is a topic as people configured it.
type topicConfig struct {
	ARN           string               `json:"arn"`
	DisplayName   string               `json:"display_name,omitempty"`
	Subscriptions []subscriptionConfig `json:"subscriptions,omitempty"`
	Tags          map[string]string    `json:"tags,omitempty"`
}

type subscriptionConfig struct {
	Protocol string `json:"protocol"`
	Endpoint string `json:"endpoint"`
}

func (s *sns) config() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []topicConfig{}
	for _, arn := range s.topicARNs() {
		t := topicConfig{ARN: arn, DisplayName: s.topics[arn].attributes["DisplayName"], Tags: map[string]string{}}
		for k, v := range s.topics[arn].tags {
			t.Tags[k] = v
		}
		for _, sub := range s.of(arn) {
			t.Subscriptions = append(t.Subscriptions, subscriptionConfig{sub.protocol, sub.endpoint})
		}
		sort.Slice(t.Subscriptions, func(i, j int) bool { return t.Subscriptions[i].Endpoint < t.Subscriptions[j].Endpoint })
		out = append(out, t)
	}
	return map[string]any{"topics": out}
}

func (s *sns) topicARNs() []string {
	out := make([]string, 0, len(s.topics))
	for arn := range s.topics {
		out = append(out, arn)
	}
	slices.Sort(out)
	return out
}

// of lists the subscriptions of a topic, or of all when topic is empty, in the order they were made.
func (s *sns) of(topic string) []*snsSubscription {
	out := []*snsSubscription{}
	for _, sub := range s.subscriptions {
		if topic == "" || sub.topic == topic {
			out = append(out, sub)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].n < out[j].n })
	return out
}

// publish queues message for every subscription of topic; it does not wait for deliveries.
func (s *sns) publish(topic, subject, message string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.topics[topic] == nil {
		return "", topicNotFound()
	}
	id, now := snsID(), s.now()
	for _, sub := range s.of(topic) {
		d := snsDelivery{subscription: sub.arn, topic: topic, id: id, endpoint: sub.endpoint}
		d.body = d.envelope(subject, message, now)
		select {
		case sub.queue <- d:
		default:
			return "", &apiError{Code: "Throttled", Status: 429, Message: "Too many deliveries are waiting for " + sub.endpoint}
		}
	}
	return id, nil
}

// checkEndpoint refuses whatever is not on this machine: a sandbox wakes nobody for real.
func checkEndpoint(protocol, endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case protocol != "http" && protocol != "https":
		return invalidParameter("Invalid parameter: the sandbox delivers to http and https, not %s", protocol)
	case err != nil || u.Host == "" || !strings.EqualFold(u.Scheme, protocol):
		return invalidParameter("Invalid parameter: Endpoint must be a URL that begins with %s://", protocol)
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return invalidParameter("Invalid parameter: the sandbox delivers on loopback only, not to %s", u.Hostname())
	}
	return nil
}

func topicNotFound() error {
	return &apiError{Code: "NotFound", Status: 404, Message: "Topic does not exist"}
}

func invalidParameter(format string, args ...any) error {
	return &apiError{Code: "InvalidParameter", Message: fmt.Sprintf(format, args...)}
}

// snsID is a random id in the shape of a UUID.
func snsID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails since Go 1.24
	h := hex.EncodeToString(b[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}
