package pager

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// timeout is how long an acknowledgement holds here.
const timeout = 20 * time.Second

// TestLogAndStateAgree lets sources, phones and time do anything in any order: the log only ever grows, in order of
// time; the state is what the log says last; and nobody is notified of what is in hand.
func TestLogAndStateAgree(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := &clock{now: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
		o := newDesk(t).p.o
		o.Now, o.Seed = c.Now, rapid.Uint64().Draw(rt, "seed")
		o.EventsPerMinute, o.AckTimeout = 1_000_000, timeout
		p := New(o)
		seen := map[string][]string{}
		pick := func() *incident {
			if len(p.incidents) == 0 {
				return nil
			}
			return p.incidents[rapid.IntRange(0, len(p.incidents)-1).Draw(rt, "incident")]
		}
		user := func() *User { return &p.o.Account.Users[rapid.IntRange(0, 1).Draw(rt, "user")] }
		rt.Repeat(map[string]func(*rapid.T){
			"event": func(rt *rapid.T) {
				p.accept(httptest.NewRecorder(), event{
					RoutingKey: rapid.SampledFrom([]string{ourKey, otherKey, cwKey}).Draw(rt, "source"),
					Action:     rapid.SampledFrom([]string{"trigger", "acknowledge", "resolve"}).Draw(rt, "action"),
					DedupKey:   rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "key"),
					Payload:    payload{Summary: "s", Source: "x", Severity: "error"},
				})
			},
			"phone": func(rt *rapid.T) {
				if i := pick(); i != nil {
					action := rapid.SampledFrom([]string{"acknowledge", "resolve", "note", "reassign", "delegate", "escalate", "snooze",
						"unsnooze", "reopen", "unacknowledge", "urgency"}).Draw(rt, "tap")
					in := touch{Content: "x", To: "PRESP02", Level: 1, For: timeout.Seconds(), Urgency: rapid.SampledFrom([]string{"high", "low"}).Draw(rt, "urgency")}
					if action == "delegate" {
						in.To = "PEPORD"
					}
					_ = p.tap(user(), i, action, in)
				}
			},
			"rest": func(rt *rapid.T) {
				if i := pick(); i != nil {
					status := rapid.SampledFrom([]string{triggered, acknowledged, resolved}).Draw(rt, "status")
					_ = p.change(i, change{Status: status}, apiActor(user()), c.Now())
				}
			},
			"merge": func(*rapid.T) {
				if from, into := pick(), pick(); from != nil && from != into && from.status != resolved && into.status != resolved {
					p.merge(from, into, apiActor(user()), c.Now())
				}
			},
			"time": func(rt *rapid.T) {
				for range rapid.IntRange(1, 200).Draw(rt, "steps") {
					c.add(200 * time.Millisecond)
					p.work()
				}
			},
			"": func(rt *rapid.T) {
				for _, i := range p.incidents {
					if err := agree(i, seen); err != nil {
						rt.Fatalf("incident %d: %v\n%s", i.number, err, story(i))
					}
				}
				if err := apart(p); err != nil {
					rt.Fatal(err)
				}
			},
		})
	})
}

// agree holds one incident against its log, and its log against what was seen of it before.
func agree(i *incident, seen map[string][]string) error {
	state, acked := "", time.Time{}
	for n, e := range i.entries {
		if n < len(seen[i.id]) && seen[i.id][n] != e.id {
			return fmt.Errorf("entry %d was %s, is %s", n, seen[i.id][n], e.id)
		}
		if n > 0 && e.at.Before(i.entries[n-1].at) {
			return fmt.Errorf("entry %d is before the one before it", n)
		}
		switch e.kind {
		case "trigger":
			if state == "" {
				state = triggered
			}
		case "unacknowledge":
			if e.channel.Type == "timeout" && (state != acknowledged || e.at.Before(acked.Add(timeout))) {
				return fmt.Errorf("the acknowledgement of %v ran out at %v, while %s", acked, e.at, state)
			}
			state = triggered
		case "acknowledge", "snooze":
			state, acked = acknowledged, e.at
		case "resolve":
			state = resolved
		case "notify", "escalate", "exhaust_escalation_path":
			if state != triggered {
				return fmt.Errorf("%s while %s", e.kind, state)
			}
		}
	}
	seen[i.id] = nil
	for _, e := range i.entries {
		seen[i.id] = append(seen[i.id], e.id)
	}
	switch {
	case state != i.status:
		return fmt.Errorf("it is %s, its log says %s", i.status, state)
	case i.status == resolved && (len(i.assignees) > 0 || len(i.acks) > 0 || i.resolved.IsZero()):
		return fmt.Errorf("resolved, but still somebody's")
	case i.status != resolved && (len(i.assignees) == 0 || !i.resolved.IsZero()):
		return fmt.Errorf("%s, but nobody's", i.status)
	case i.status == acknowledged && (len(i.acks) == 0 || i.unackAt.IsZero()):
		return fmt.Errorf("acknowledged by nobody or for ever")
	}
	return nil
}

// apart says that no key of a source is open twice.
func apart(p *Pager) error {
	open := map[string]string{}
	for _, i := range p.incidents {
		for _, a := range i.alerts {
			k := a.integration.ID + "/" + a.key
			if a.status == resolved {
				continue
			}
			if i.status == resolved {
				return fmt.Errorf("an open alert %s in a resolved incident", k)
			}
			if open[k] != "" {
				return fmt.Errorf("%s is open in %s and %s", k, open[k], i.id)
			}
			open[k] = i.id
		}
	}
	return nil
}

func story(i *incident) (s string) {
	for _, e := range i.entries {
		s += fmt.Sprintln(e.at.Format("15:04:05.0"), e.kind, e.channel.Type)
	}
	return s
}
