package aws

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// tick tells the gauges of every queue; the cloud calls it about each second.
func (s *sqs) tick(now time.Time) {
	s.lock()
	defer s.unlock()
	for _, q := range s.queues {
		n := q.counts(now)
		s.count(q, "ApproximateNumberOfMessagesVisible", float64(n.visible), now)
		s.count(q, "ApproximateNumberOfMessagesNotVisible", float64(n.inFlight), now)
		s.count(q, "ApproximateNumberOfMessagesDelayed", float64(n.delayed), now)
		s.count(q, "ApproximateAgeOfOldestMessage", n.oldest.Seconds(), now)
	}
}

// config is the queues with the attributes people set and their tags.
func (s *sqs) config() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	queues := map[string]any{}
	for name, q := range s.queues {
		attributes := map[string]any{}
		for key, value := range q.set {
			if r, ok := numericAttributes()[key]; ok && value == strconv.Itoa(r.standard) {
				continue // set to its default is as not set
			}
			attributes[key] = value
		}
		if p := q.settings.redrive; p != nil {
			attributes["RedrivePolicy"] = map[string]any{"deadLetterTargetArn": p.Target, "maxReceiveCount": p.MaxReceives}
		}
		if p := q.settings.redriveAllow; p != nil {
			attributes["RedriveAllowPolicy"] = redriveAllowPolicy{Permission: p.Permission, Sources: slices.Sorted(slices.Values(p.Sources))}
		}
		var policy any
		if json.Unmarshal([]byte(q.set["Policy"]), &policy) == nil {
			attributes["Policy"] = policy
		}
		queues[name] = map[string]any{"attributes": attributes, "tags": maps.Clone(q.tags)}
	}
	return queues
}

// Message is a message as the sandbox itself sees it, for tests that account for every one.
type Message struct {
	Queue      string            `json:"queue"`
	ID         string            `json:"id"`
	Body       string            `json:"body"`
	Attributes map[string]string `json:"attributes"`
	Receives   int               `json:"receives"`
	// State is visible, in_flight or delayed.
	State string `json:"state"`
}

// Messages lists every message of every queue; looking changes nothing.
func (c *Cloud) Messages() []Message {
	for _, one := range c.list {
		if s, ok := one.(*sqs); ok {
			return s.all()
		}
	}
	return nil
}

// MessagesPage answers GET /_sandbox/messages with Messages.
func (c *Cloud) MessagesPage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "messages can only be read. Try: GET", http.StatusMethodNotAllowed)
		return
	}
	writeJSON(w, http.StatusOK, c.Messages())
}

// all lists every message of every queue, by queue and in the queue's order. Looking changes nothing.
func (s *sqs) all() []Message {
	now := s.lock()
	defer s.unlock()
	out := []Message{}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		for _, m := range s.queues[name].messages {
			one := Message{Queue: name, ID: m.id, Body: m.body, Attributes: map[string]string{}, Receives: m.receives, State: "visible"}
			if m.inFlight(now) {
				one.State = "in_flight"
			} else if !m.visible(now) {
				one.State = "delayed"
			}
			for key, a := range m.attributes {
				if a.StringValue != nil {
					one.Attributes[key] = *a.StringValue
				} else {
					one.Attributes[key] = string(a.BinaryValue)
				}
			}
			out = append(out, one)
		}
	}
	return out
}
