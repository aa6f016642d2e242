package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	snssdk "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// testPager takes what SNS posts and answers the statuses it is given, then 202.
type testPager struct {
	url string

	mu       sync.Mutex
	statuses []int
	posts    []*http.Request
	bodies   []string
}

func newTestPager(t *testing.T, statuses ...int) *testPager {
	t.Helper()
	p := &testPager{statuses: statuses}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	p.url = srv.URL + "/integration/key/enqueue"
	return p
}

func (p *testPager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.posts, p.bodies = append(p.posts, r), append(p.bodies, string(body))
	status := http.StatusAccepted
	if len(p.statuses) > 0 {
		status, p.statuses = p.statuses[0], p.statuses[1:]
	}
	w.WriteHeader(status)
}

// wait polls until n posts came, and answers their messages.
func (p *testPager) wait(t *testing.T, n int) []string {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(2 * time.Millisecond) {
		p.mu.Lock()
		bodies := append([]string{}, p.bodies...)
		p.mu.Unlock()
		if len(bodies) >= n {
			var messages []string
			for _, b := range bodies {
				var m struct{ Message string }
				if err := json.Unmarshal([]byte(b), &m); err != nil {
					t.Fatal(err)
				}
				messages = append(messages, m.Message)
			}
			return messages
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d posts came, want %d", len(bodies), n)
		}
	}
}

// testSNS is the service alone with a topic and the pager subscribed to it; it retries at once.
func testSNS(t *testing.T, endpoints ...string) (s *sns, topic string) {
	t.Helper()
	s = newSNS(deps{now: newTestClock().now, account: "111122223333", region: "eu-west-1"})
	s.post.retryDelay = time.Millisecond
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	out, err := s.createTopic(t.Context(), caller{}, &createTopicInput{Name: "oncall"})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range endpoints {
		if _, err := s.subscribe(t.Context(), caller{}, &subscribeInput{TopicArn: out.TopicArn, Protocol: "http", Endpoint: e}); err != nil {
			t.Fatal(err)
		}
	}
	return s, out.TopicArn
}

func TestSNSPostsTheEnvelope(t *testing.T) {
	p := newTestPager(t)
	s, topic := testSNS(t, p.url)
	id, err := s.publish(topic, `ALARM: "a"`, `{"NewStateValue":"ALARM"}`)
	if err != nil {
		t.Fatal(err)
	}
	p.wait(t, 1)
	var m map[string]string
	if err := json.Unmarshal([]byte(p.bodies[0]), &m); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"Type": "Notification", "MessageId": id, "TopicArn": topic, "Subject": `ALARM: "a"`,
		"Message": `{"NewStateValue":"ALARM"}`, "Timestamp": "2026-03-04T05:00:00.000Z"} {
		if m[key] != want {
			t.Errorf("%s is %q, want %q", key, m[key], want)
		}
	}
	h := p.posts[0].Header
	if h.Get("x-amz-sns-message-type") != "Notification" || h.Get("x-amz-sns-topic-arn") != topic || h.Get("x-amz-sns-message-id") != id {
		t.Errorf("headers %v", h)
	}
}

func TestSNSRetriesThreeTimes(t *testing.T) {
	p := newTestPager(t, 500, 429, 503) // the fourth attempt is taken
	s, topic := testSNS(t, p.url)
	s.publish(topic, "", "first")
	p.wait(t, 4)

	p.mu.Lock()
	p.statuses = []int{500, 500, 500, 500} // after the fourth it is lost
	p.mu.Unlock()
	s.publish(topic, "", "lost")
	s.publish(topic, "", "next")
	if got := fmt.Sprint(p.wait(t, 9)); got != "[first first first first lost lost lost lost next]" {
		t.Errorf("posts %s", got)
	}
}

func TestSNSTakesARefusalForAnAnswer(t *testing.T) {
	p := newTestPager(t, 400)
	s, topic := testSNS(t, p.url)
	s.publish(topic, "", "refused")
	s.publish(topic, "", "next")
	if got := fmt.Sprint(p.wait(t, 2)); got != "[refused next]" {
		t.Errorf("posts %s", got)
	}
}

func TestSNSRetriesAnEndpointThatIsNotThere(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	p := newTestPager(t)
	s, topic := testSNS(t, gone.URL, p.url)
	s.publish(topic, "", "hello")
	if got := fmt.Sprint(p.wait(t, 1)); got != "[hello]" {
		t.Errorf("the other subscription got %s", got)
	}
}

func TestSNSCloseEndsADeliveryUnderWay(t *testing.T) {
	reached, hung := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(reached)
		<-hung
	}))
	defer srv.Close()
	defer close(hung)
	s, topic := testSNS(t, srv.URL)
	s.publish(topic, "", "hello")
	<-reached
	closed := make(chan error, 1)
	go func() { closed <- s.close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(3 * time.Second):
		t.Fatal("close waits for the endpoint")
	}
	if _, err := s.subscribe(t.Context(), caller{}, &subscribeInput{TopicArn: topic, Protocol: "http", Endpoint: srv.URL + "/2"}); err == nil {
		t.Error("a closed service takes a subscription")
	}
}

func TestSNSKeepsItsQueueBounded(t *testing.T) {
	hung := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hung }))
	defer srv.Close()
	defer close(hung)
	s, topic := testSNS(t, srv.URL)
	var err error
	for range snsQueued + 2 {
		_, err = s.publish(topic, "", "hello")
	}
	wantCode(t, err, "Throttled")
}

func TestSNSRefuses(t *testing.T) {
	s, topic := testSNS(t)
	subscribe := func(protocol, endpoint string) error {
		_, err := s.subscribe(t.Context(), caller{}, &subscribeInput{TopicArn: topic, Protocol: protocol, Endpoint: endpoint})
		return err
	}
	wantCode(t, subscribe("email", "a@example.com"), "InvalidParameter")
	wantCode(t, subscribe("https", "http://127.0.0.1/"), "InvalidParameter")
	wantCode(t, subscribe("https", "https://events.pagerduty.com/integration/key/enqueue"), "InvalidParameter")
	_, err := s.subscribe(t.Context(), caller{}, &subscribeInput{TopicArn: topic + "-gone", Protocol: "http", Endpoint: "http://127.0.0.1/"})
	wantCode(t, err, "NotFound")
	_, err = s.createTopic(t.Context(), caller{}, &createTopicInput{Name: "on call"})
	wantCode(t, err, "InvalidParameter")
	_, err = s.publishMessage(t.Context(), caller{}, &publishInput{TopicArn: topic})
	wantCode(t, err, "InvalidParameter")
	_, err = s.publishMessage(t.Context(), caller{}, &publishInput{TopicArn: topic, Message: "m", Subject: strings.Repeat("s", 101)})
	wantCode(t, err, "InvalidParameter")
	_, err = s.publishMessage(t.Context(), caller{}, &publishInput{TopicArn: topic + "-gone", Message: "m"})
	wantCode(t, err, "NotFound")
}

func TestSNSOverTheWire(t *testing.T) {
	p := newTestPager(t)
	cloud, url := testCloud(t, Options{})
	c, ctx := snssdk.NewFromConfig(testConfig(url, "other")), t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	topic, err := c.CreateTopic(ctx, &snssdk.CreateTopicInput{Name: awssdk.String("oncall"), Attributes: map[string]string{"DisplayName": "On call"},
		Tags: []types.Tag{{Key: awssdk.String("environment"), Value: awssdk.String("sandbox")}}})
	must(err)
	again, err := c.CreateTopic(ctx, &snssdk.CreateTopicInput{Name: awssdk.String("oncall")})
	must(err)
	if *again.TopicArn != *topic.TopicArn {
		t.Errorf("the same name twice: %s and %s", *topic.TopicArn, *again.TopicArn)
	}
	in := &snssdk.SubscribeInput{TopicArn: topic.TopicArn, Protocol: awssdk.String("http"), Endpoint: &p.url, ReturnSubscriptionArn: true}
	first, err := c.Subscribe(ctx, in)
	must(err)
	second, err := c.Subscribe(ctx, in)
	must(err)
	if *first.SubscriptionArn != *second.SubscriptionArn {
		t.Error("the same endpoint twice is two subscriptions")
	}
	list, err := c.ListSubscriptionsByTopic(ctx, &snssdk.ListSubscriptionsByTopicInput{TopicArn: topic.TopicArn})
	must(err)
	if len(list.Subscriptions) != 1 || *list.Subscriptions[0].Endpoint != p.url || *list.Subscriptions[0].Protocol != "http" {
		t.Errorf("subscriptions %+v", list.Subscriptions)
	}
	attributes, err := c.GetTopicAttributes(ctx, &snssdk.GetTopicAttributesInput{TopicArn: topic.TopicArn})
	must(err)
	if attributes.Attributes["SubscriptionsConfirmed"] != "1" || attributes.Attributes["DisplayName"] != "On call" {
		t.Errorf("topic attributes %v", attributes.Attributes)
	}
	of, err := c.GetSubscriptionAttributes(ctx, &snssdk.GetSubscriptionAttributesInput{SubscriptionArn: first.SubscriptionArn})
	must(err)
	if of.Attributes["PendingConfirmation"] != "false" || of.Attributes["RawMessageDelivery"] != "false" {
		t.Errorf("subscription attributes %v", of.Attributes)
	}
	_, err = c.TagResource(ctx, &snssdk.TagResourceInput{ResourceArn: topic.TopicArn, Tags: []types.Tag{{Key: awssdk.String("firedrill"), Value: awssdk.String("allowed")}}})
	must(err)
	tags, err := c.ListTagsForResource(ctx, &snssdk.ListTagsForResourceInput{ResourceArn: topic.TopicArn})
	must(err)
	if len(tags.Tags) != 2 || *tags.Tags[1].Key != "firedrill" {
		t.Errorf("tags %+v", tags.Tags)
	}
	config, err := cloud.ConfigJSON()
	must(err)
	if !strings.Contains(string(config), p.url) {
		t.Errorf("config %s", config)
	}

	_, err = c.Publish(ctx, &snssdk.PublishInput{TopicArn: topic.TopicArn, Subject: awssdk.String("s"), Message: awssdk.String("a <b> & c")})
	must(err)
	if got := p.wait(t, 1); got[0] != "a <b> & c" {
		t.Errorf("posted %q", got)
	}
	_, err = c.Unsubscribe(ctx, &snssdk.UnsubscribeInput{SubscriptionArn: first.SubscriptionArn})
	must(err)
	topics, err := c.ListTopics(ctx, &snssdk.ListTopicsInput{})
	must(err)
	if len(topics.Topics) != 1 {
		t.Errorf("topics %+v", topics.Topics)
	}
	_, err = c.DeleteTopic(ctx, &snssdk.DeleteTopicInput{TopicArn: topic.TopicArn})
	must(err)
	_, err = c.Publish(ctx, &snssdk.PublishInput{TopicArn: topic.TopicArn, Message: awssdk.String("m")})
	if gone := (*types.NotFoundException)(nil); !errors.As(err, &gone) {
		t.Errorf("publish to a deleted topic: %v", err)
	}
}
