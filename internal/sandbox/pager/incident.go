package pager

import (
	"encoding/json"
	"fmt"
	"time"
)

// The states of an incident.
const (
	triggered    = "triggered"
	acknowledged = "acknowledged"
	resolved     = "resolved"
)

// incident is one incident with everything that happened to it, in order and exactly timed.
type incident struct {
	id       string
	number   int
	title    string
	key      string // of one that a person made: it has no alert to have it
	service  *Service
	policy   *Policy
	created  time.Time
	status   string
	urgency  string
	typ      string // name of its incident type
	priority *Priority

	level     int // of the escalation policy, from 0
	loops     int
	direct    bool // somebody gave it to somebody: no policy escalates it
	assignees []*User
	assigned  time.Time
	acks      []ack
	alerts    []*alert
	entries   []*entry
	notes     []*note

	resolved   time.Time
	changed    time.Time
	changedBy  ref
	mergedInto *incident
	muted      bool // assigned, but nobody is notified
	automation []string

	escalateAt, unackAt, urgentAt, resolveAt time.Time // what will happen by itself
	turn                                     int       // counts changes of state: a timer set in an earlier turn does nothing
}

type ack struct {
	at time.Time
	by *User // nil: a machine
	as ref
}

// alert is one problem as a source reported it, told apart by source and key.
type alert struct {
	id          string
	key         string
	integration *Integration
	event       event
	created     time.Time
	status      string
}

// entry is one line of an incident's log.
type entry struct {
	id         string
	kind       string // without _log_entry
	at         time.Time
	agent      *ref
	channel    channel
	user       *ref
	assignees  []ref
	note       string
	message    string
	ackTimeout int            // seconds, of an acknowledgement
	changed    []pendingTimer // what will happen by itself since
	// odd replaces members of what is told, against the schema where it must be.
	odd map[string]json.RawMessage
}

// pendingTimer is what will happen to an incident by itself.
type pendingTimer struct {
	kind string
	at   time.Time
}

// actor is who does something, and by what means.
type actor struct {
	user    *User // nil: a machine
	as      ref
	channel channel
}

func (p *Pager) log(i *incident, now time.Time, e entry) *entry {
	e.id = p.id("R", 26)
	e.at = now
	if p.hasKnob("anonymous", i.service.ID) {
		e.agent = nil
	}
	i.entries = append(i.entries, &e)
	p.announce(i, &e)
	return &e
}

// status moves an incident to a new state; timers of the old one lose their meaning.
func (p *Pager) status(i *incident, now time.Time, to string, by ref) {
	i.status, i.changed, i.changedBy = to, now, by
	i.turn++
	i.escalateAt, i.unackAt = time.Time{}, time.Time{}
	if to != acknowledged {
		i.acks = nil
	}
}

// open makes an incident of an alert and pages the first level.
func (p *Pager) open(s *Service, a *alert, want routed, now time.Time) *incident {
	i := p.create(s, a.event.Payload.Summary, now)
	i.urgency, i.alerts, i.priority, i.automation = p.urgencyOf(s, a.event.Payload.Severity, now), []*alert{a}, want.priority, want.automation
	if want.policy != nil {
		i.policy = want.policy
	}
	p.logTrigger(i, a, now)
	p.assign(i, "assign", now)
	p.begin(i, now)
	if want.annotate != "" {
		p.annotate(i, nil, botName, want.annotate, now)
	}
	return i
}

// create makes an incident of which nobody knows yet.
func (p *Pager) create(s *Service, title string, now time.Time) *incident {
	i := &incident{
		id: p.id("Q", 14), number: len(p.incidents) + 1, title: title, typ: baseType, service: s,
		policy: p.o.Account.policy(s.Policy), created: now, status: triggered, urgency: "high", changed: now, changedBy: serviceRef(s),
	}
	i.muted = p.knobFor("mute", s.ID) != nil
	p.incidents = append(p.incidents, i)
	return i
}

// begin lets everything happen that happens by itself to a new incident.
func (p *Pager) begin(i *incident, now time.Time) {
	p.raiseLater(i, now)
	p.resolveLater(i, now)
	p.startWorkflows(i, now)
	p.machines(i, now)
}

// machines are knobs that let a machine acknowledge or resolve what has just been opened, after a while.
func (p *Pager) machines(i *incident, now time.Time) {
	by := actor{as: serviceRef(i.service), channel: channel{Type: "api"}}
	if len(i.alerts) > 0 {
		by.as = integrationRef(i.alerts[0].integration)
	}
	if k := p.knobFor("autoack", i.service.ID); k != nil {
		p.later(now.Add(seconds(k.Delay)), func(now time.Time) {
			if i.status == triggered {
				p.acknowledge(i, by, now)
			}
		})
	}
	if k := p.knobFor("autoresolve", i.service.ID); k != nil {
		p.later(now.Add(seconds(k.Delay)), func(now time.Time) {
			if i.status != resolved {
				p.close(i, by, "", now)
			}
		})
	}
}

func integrationRef(d *Integration) ref {
	return ref{ID: d.ID, Type: "integration_reference", Summary: d.Name}
}

func (p *Pager) logTrigger(i *incident, a *alert, now time.Time) {
	agent := integrationRef(a.integration)
	p.log(i, now, entry{
		kind: "trigger", agent: &agent, message: a.event.Payload.Summary,
		channel: channel{Type: "api", Summary: a.event.Payload.Summary, IncidentKey: a.key,
			Client: a.event.Client, Details: a.event.Payload.Details},
	})
}

// people are the users of the incident's level.
func (p *Pager) people(i *incident) (users []*User, refs []ref) {
	if i.level >= len(i.policy.Levels) { // somebody has changed the policy since
		return nil, nil
	}
	for _, id := range i.policy.Levels[i.level] {
		if u := p.o.Account.user(id); u != nil {
			users = append(users, u)
			refs = append(refs, userRef(u))
		}
	}
	return users, refs
}

// assign gives the incident to the people of its level and starts their clock. kind is assign or escalate.
func (p *Pager) assign(i *incident, kind string, now time.Time) {
	users, refs := p.people(i)
	i.assignees, i.assigned, i.direct = users, now, false
	agent := serviceRef(i.service)
	e := entry{kind: kind, agent: &agent, channel: channel{Type: "auto"}, assignees: refs}
	if kind == "escalate" && len(refs) > 0 {
		e.channel.Summary = fmt.Sprintf("Escalated to %s by timeout", refs[0].Summary)
	}
	p.log(i, now, e)
	p.notify(i, now)
}

// notify tells every assignee, rule by rule, and plans the next level. Low urgency goes by the slow rules, and never
// escalates.
func (p *Pager) notify(i *incident, now time.Time) {
	turn, level := i.turn, i.level
	same := func() bool { return i.turn == turn && i.level == level && i.status == triggered }
	for _, u := range i.assignees {
		n := 0
		for _, c := range u.Contacts {
			if c.urgency() != i.urgency {
				continue
			}
			at := now.Add(p.o.NotifyAfter + c.After.Duration() + time.Duration(n)*300*time.Millisecond)
			n++
			p.later(at, func(now time.Time) {
				if !same() || i.muted {
					return
				}
				to := userRef(u)
				p.log(i, now, entry{kind: "notify", user: &to,
					channel: channel{Type: "auto", Notification: newNotification(c)}})
			})
		}
	}
	if i.urgency != "high" || i.direct {
		return
	}
	i.escalateAt = now.Add(p.o.EscalateAfter)
	p.later(i.escalateAt, func(now time.Time) {
		if same() {
			p.escalate(i, now)
		}
	})
}

func (p *Pager) escalate(i *incident, now time.Time) {
	agent := serviceRef(i.service)
	i.escalateAt = time.Time{}
	switch {
	case i.level+1 < len(i.policy.Levels):
		i.level++
		p.assign(i, "escalate", now)
	case i.loops < i.policy.Loops:
		i.loops++
		i.level = 0
		i.turn++
		p.log(i, now, entry{kind: "repeat_escalation_path", agent: &agent, channel: channel{Type: "auto"}})
		p.assign(i, "escalate", now)
	default:
		p.log(i, now, entry{kind: "exhaust_escalation_path", agent: &agent, channel: channel{Type: "auto"}})
	}
}

func (p *Pager) incident(id string) *incident {
	for _, i := range p.incidents {
		if i.id == id {
			return i
		}
	}
	return nil
}
