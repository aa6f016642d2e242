package pager

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// postman answers webhooks in the place of a server: with trouble, as the test draws it, and with a 200 in the end.
type postman struct {
	mu      sync.Mutex
	trouble []int
	came    map[string][]string // incident: event types, each once, in the order of their first arrival
	seen    map[string]bool
}

func (m *postman) RoundTrip(r *http.Request) (*http.Response, error) {
	var e struct {
		Event struct {
			ID   string
			Type string `json:"event_type"`
			Data struct {
				ID       string
				Incident ref
			}
		}
	}
	if err := json.NewDecoder(r.Body).Decode(&e); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	status := http.StatusOK
	if len(m.trouble) > 0 {
		status, m.trouble = m.trouble[0], m.trouble[1:]
	}
	if status == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	if status == http.StatusOK && !m.seen[e.Event.ID] {
		m.seen[e.Event.ID] = true
		of := e.Event.Data.ID
		if e.Event.Data.Incident.ID != "" {
			of = e.Event.Data.Incident.ID
		}
		m.came[of] = append(m.came[of], e.Event.Type)
	}
	return &http.Response{StatusCode: status, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
}

// TestWebhooksAgreeWithTheLog lets phones, sources and time do anything, and a server fail now and then: every incident's
// webhooks come in the order of its log, none is lost, and none is of something that did not happen.
func TestWebhooksAgreeWithTheLog(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := &clock{now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
		o := newDesk(t).p.o
		o.Now, o.Seed, o.EventsPerMinute, o.AckTimeout = c.Now, rapid.Uint64().Draw(rt, "seed"), 1_000_000, timeout
		p := New(o)
		post := &postman{came: map[string][]string{}, seen: map[string]bool{}}
		p.hooks.Transport = post
		p.subscriptions = []*subscription{{id: "PSUB", url: "http://inbox.invalid", secret: "s", active: true, lanes: map[string]*lane{},
			events: everyEventName(), filter: hookFilter{Type: "account_reference"}}}
		pass := func(steps int) {
			for range steps {
				c.add(500 * time.Millisecond)
				for p.work(); p.deliver(t.Context()); p.work() {
					p.sending.Wait()
				}
			}
		}
		for range rapid.IntRange(1, 25).Draw(rt, "steps") {
			what := rapid.SampledFrom([]string{"trigger", "resolve", "acknowledge", "phone", "phone", "trouble"}).Draw(rt, "what")
			switch {
			case what == "trouble":
				post.mu.Lock()
				post.trouble = append(post.trouble, rapid.SampledFrom([]int{500, 503, 429, 0}).Draw(rt, "status"))
				post.mu.Unlock()
			case what == "phone" && len(p.incidents) > 0:
				i := p.incidents[rapid.IntRange(0, len(p.incidents)-1).Draw(rt, "incident")]
				action := rapid.SampledFrom([]string{"acknowledge", "resolve", "note", "reassign", "escalate", "snooze", "reopen", "unacknowledge"}).Draw(rt, "tap")
				_ = p.tap(&p.o.Account.Users[0], i, action, touch{Content: "x", To: "PRESP02", Level: 2, For: 5})
			case what != "phone":
				p.accept(discard{http.Header{}}, event{RoutingKey: ourKey, Action: what, DedupKey: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "key"),
					Payload: payload{Summary: "s", Source: "x", Severity: "error"}})
			}
			pass(rapid.IntRange(0, 10).Draw(rt, "passing"))
		}
		pass(2 * 70) // the longest pause before another try is a minute
		for _, i := range p.incidents {
			var want []string
			for n := range i.entries {
				so := &incident{entries: i.entries[:n+1]} // as it was when the entry was written
				if name := eventOf(so, i.entries[n]); name != "" {
					want = append(want, name)
				}
			}
			if got := post.came[i.id]; !slices.Equal(got, want[:min(len(got), len(want))]) || len(want)-len(got) > pending(p, i) {
				rt.Fatalf("incident %d\nwebhooks %v\nlog      %v", i.number, got, want)
			}
		}
	})
}

// pending is how many webhooks of an incident still wait for their turn.
func pending(p *Pager, i *incident) int {
	if l := p.subscriptions[0].lanes[i.id]; l != nil {
		return len(l.queue)
	}
	return 0
}

func everyEventName() []string {
	var names []string
	for _, n := range strings.Split(everyEvent, ",") {
		names = append(names, strings.Trim(strings.TrimSpace(n), `"`))
	}
	return names
}
