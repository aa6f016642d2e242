package aws

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestEverySubscriptionGetsTheMessage(t *testing.T) {
	one, two := newTestPager(t), newTestPager(t)
	s, topic := testSNS(t, one.url, two.url)
	for i := range 20 {
		if _, err := s.publish(topic, "", fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []*testPager{one, two} {
		got := p.wait(t, 20)
		if len(got) != 20 || !slices.IsSortedFunc(got, func(a, b string) int { return len(a) - len(b) }) || got[19] != "19" {
			t.Errorf("out of order: %v", got)
		}
	}
}

func TestUnsubscribedGetsNothing(t *testing.T) {
	left, stays := newTestPager(t), newTestPager(t)
	s, topic := testSNS(t, left.url, stays.url)
	list, err := s.listSubscriptionsByTopic(t.Context(), caller{}, &listSubscriptionsInput{TopicArn: topic})
	if err != nil {
		t.Fatal(err)
	}
	arn := list.Subscriptions[0].SubscriptionArn
	for range 2 { // the second time there is nothing to end, and that is no error
		if _, err := s.unsubscribe(t.Context(), caller{}, &subscriptionInput{arn}); err != nil {
			t.Fatal(err)
		}
	}
	s.publish(topic, "", "hello")
	stays.wait(t, 1)
	s.close() // after this nothing is under way any more
	if got := left.wait(t, 0); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	_, err = s.getSubscriptionAttributes(t.Context(), caller{}, &subscriptionInput{arn})
	wantCode(t, err, "NotFound")
}

func TestDeletedTopicTakesItsSubscriptionsAlong(t *testing.T) {
	p := newTestPager(t)
	s, topic := testSNS(t, p.url)
	if _, err := s.deleteTopic(t.Context(), caller{}, &topicInput{topic}); err != nil {
		t.Fatal(err)
	}
	all, err := s.listSubscriptions(t.Context(), caller{}, &listAllSubscriptionsInput{})
	if err != nil || len(all.Subscriptions) != 0 {
		t.Errorf("subscriptions %+v, %v", all, err)
	}
	_, err = s.publish(topic, "", "hello")
	wantCode(t, err, "NotFound")
	_, err = s.listSubscriptionsByTopic(t.Context(), caller{}, &listSubscriptionsInput{TopicArn: topic})
	wantCode(t, err, "NotFound")
	_, err = s.getTopicAttributes(t.Context(), caller{}, &topicInput{topic})
	wantCode(t, err, "NotFound")
	_, err = s.listTopicTags(t.Context(), caller{}, &snsListTagsInput{topic})
	wantCode(t, err, "ResourceNotFound")
}

func TestTopicTags(t *testing.T) {
	s, topic := testSNS(t)
	if _, err := s.tagTopic(t.Context(), caller{}, &snsTagResourceInput{topic, []snsTag{{"b", "1"}, {"a", "2"}, {"b", "3"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.untagTopic(t.Context(), caller{}, &snsUntagResourceInput{topic, []string{"a", "gone"}}); err != nil {
		t.Fatal(err)
	}
	out, err := s.listTopicTags(t.Context(), caller{}, &snsListTagsInput{topic})
	if err != nil || fmt.Sprint(out.Tags) != "[{b 3}]" {
		t.Errorf("tags %+v, %v", out, err)
	}
}

func TestListTopicsIsPaged(t *testing.T) {
	s, _ := testSNS(t)
	for i := range 150 {
		if _, err := s.createTopic(t.Context(), caller{}, &createTopicInput{Name: fmt.Sprintf("t%03d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	seen, token := 0, ""
	for range 5 {
		out, err := s.listTopics(t.Context(), caller{}, &listTopicsInput{token})
		if err != nil {
			t.Fatal(err)
		}
		seen += len(out.Topics)
		if token = out.NextToken; token == "" {
			break
		}
	}
	if seen != 151 {
		t.Errorf("listed %d topics", seen)
	}
	_, err := s.listTopics(t.Context(), caller{}, &listTopicsInput{"x"})
	wantCode(t, err, "InvalidParameter")
}

func TestSameTopicWithOtherAttributesIsRefused(t *testing.T) {
	s, _ := testSNS(t)
	_, err := s.createTopic(t.Context(), caller{}, &createTopicInput{Name: "oncall", Attributes: map[string]string{"DisplayName": "other"}})
	wantCode(t, err, "InvalidParameter")
	_, err = s.createTopic(t.Context(), caller{}, &createTopicInput{Name: "fifo", Attributes: map[string]string{"FifoTopic": "true"}})
	wantCode(t, err, "InvalidParameter")
}

func TestTopicConfigHasNoTrafficInIt(t *testing.T) {
	p := newTestPager(t)
	s, topic := testSNS(t, p.url)
	before, _ := json.Marshal(s.config())
	if !strings.Contains(string(before), p.url) || !strings.Contains(string(before), topic) {
		t.Errorf("config %s", before)
	}
	s.publish(topic, "", "hello")
	p.wait(t, 1)
	if after, _ := json.Marshal(s.config()); string(after) != string(before) {
		t.Errorf("config changed:\n%s\n%s", before, after)
	}
}

func TestSNSFromManySides(t *testing.T) {
	p := newTestPager(t)
	s, topic := testSNS(t, p.url)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				if _, err := s.publish(topic, "", "hello"); err != nil {
					t.Error(err)
				}
				s.config()
			}
		})
	}
	wg.Wait()
	p.wait(t, 80)
}
