package pager

import (
	"fmt"
	"slices"
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
	id      string
	number  int
	title   string
	service *Service
	created time.Time
	status  string
	urgency string

	level     int // of the escalation policy, from 0
	loops     int
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

	escalateAt, unackAt time.Time // what will happen by itself
	turn                int       // counts changes of state: a timer set in an earlier turn does nothing
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
	ackTimeout int // seconds, of an acknowledgement
}

type note struct {
	id       string
	by       *User
	via      string
	content  string
	created  time.Time
	modified time.Time
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
	i.entries = append(i.entries, &e)
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
func (p *Pager) open(s *Service, a *alert, now time.Time) *incident {
	i := &incident{
		id: p.id("Q", 14), number: len(p.incidents) + 1, title: a.event.Payload.Summary,
		service: s, created: now, status: triggered, urgency: "high", alerts: []*alert{a},
	}
	if p.knobFor("low", s.ID) != nil {
		i.urgency = "low"
	}
	i.muted = p.knobFor("mute", s.ID) != nil
	p.incidents = append(p.incidents, i)
	p.logTrigger(i, a, now)
	i.changed, i.changedBy = now, serviceRef(s)
	p.assign(i, "assign", now)
	return i
}

func (p *Pager) logTrigger(i *incident, a *alert, now time.Time) {
	agent := ref{ID: a.integration.ID, Type: "integration_reference", Summary: a.integration.Name}
	p.log(i, now, entry{
		kind: "trigger", agent: &agent, message: a.event.Payload.Summary,
		channel: channel{Type: "api", Summary: a.event.Payload.Summary, IncidentKey: a.key,
			Client: a.event.Client, Details: a.event.Payload.Details},
	})
}

// assign gives the incident to the people of its level and starts their clock. kind is assign or escalate.
func (p *Pager) assign(i *incident, kind string, now time.Time) {
	policy := p.o.Account.policy(i.service.Policy)
	i.assignees = nil
	var refs []ref
	for _, id := range policy.Levels[i.level] {
		if u := p.o.Account.user(id); u != nil {
			i.assignees = append(i.assignees, u)
			refs = append(refs, userRef(u))
		}
	}
	i.assigned = now
	agent := serviceRef(i.service)
	e := entry{kind: kind, agent: &agent, channel: channel{Type: "auto"}, assignees: refs}
	if kind == "escalate" && len(refs) > 0 {
		e.channel.Summary = fmt.Sprintf("Escalated to %s by timeout", refs[0].Summary)
	}
	p.log(i, now, e)
	p.notify(i, now)
}

// notify tells every assignee, contact by contact, and plans the next level. Low urgency wakes nobody and never
// escalates.
func (p *Pager) notify(i *incident, now time.Time) {
	if i.urgency != "high" {
		return
	}
	turn, level := i.turn, i.level
	same := func() bool { return i.turn == turn && i.level == level && i.status == triggered }
	for _, u := range i.assignees {
		for n, c := range u.Contacts {
			at := now.Add(p.o.NotifyAfter + time.Duration(n)*300*time.Millisecond)
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
	i.escalateAt = now.Add(p.o.EscalateAfter)
	p.later(i.escalateAt, func(now time.Time) {
		if same() {
			p.escalate(i, now)
		}
	})
}

func (p *Pager) escalate(i *incident, now time.Time) {
	policy := p.o.Account.policy(i.service.Policy)
	agent := serviceRef(i.service)
	i.escalateAt = time.Time{}
	switch {
	case i.level+1 < len(policy.Levels):
		i.level++
		p.assign(i, "escalate", now)
	case i.loops < policy.Loops:
		i.loops++
		i.level = 0
		i.turn++
		p.log(i, now, entry{kind: "repeat_escalation_path", agent: &agent, channel: channel{Type: "auto"}})
		p.assign(i, "escalate", now)
	default:
		p.log(i, now, entry{kind: "exhaust_escalation_path", agent: &agent, channel: channel{Type: "auto"}})
	}
}

// acknowledge stops notifications until the acknowledgement runs out. A person who does it takes the incident.
func (p *Pager) acknowledge(i *incident, by actor, now time.Time) {
	acks := i.acks
	p.status(i, now, acknowledged, by.as)
	i.acks = append(acks, ack{at: now, by: by.user, as: by.as})
	if by.user != nil && !slices.Contains(i.assignees, by.user) {
		i.assignees, i.assigned = []*User{by.user}, now
	}
	agent := by.as
	p.log(i, now, entry{kind: "acknowledge", agent: &agent, channel: by.channel,
		ackTimeout: int(p.o.AckTimeout / time.Second)})
	i.unackAt = now.Add(p.o.AckTimeout)
	turn := i.turn
	p.later(i.unackAt, func(now time.Time) {
		if i.turn == turn {
			p.retrigger(i, actor{as: serviceRef(i.service), channel: channel{Type: "timeout"}}, now)
		}
	})
}

// retrigger takes an acknowledgement back, or opens a resolved incident again: people are told anew.
func (p *Pager) retrigger(i *incident, by actor, now time.Time) {
	i.resolved = time.Time{}
	if len(i.assignees) == 0 {
		i.level = 0
		for _, id := range p.o.Account.policy(i.service.Policy).Levels[0] {
			i.assignees = append(i.assignees, p.o.Account.user(id))
		}
		i.assigned = now
	}
	p.status(i, now, triggered, by.as)
	agent := by.as
	p.log(i, now, entry{kind: "unacknowledge", agent: &agent, channel: by.channel})
	p.notify(i, now)
}

// close resolves an incident and all its alerts.
func (p *Pager) close(i *incident, by actor, why string, now time.Time) {
	p.status(i, now, resolved, by.as)
	i.resolved, i.assignees = now, nil
	for _, a := range i.alerts {
		a.status = resolved
	}
	agent := by.as
	p.log(i, now, entry{kind: "resolve", agent: &agent, channel: by.channel, note: why})
}

// annotate adds a note and its log entry.
func (p *Pager) annotate(i *incident, by *User, via, content string, now time.Time) *note {
	n := &note{id: p.id("P", 14), by: by, via: via, content: content, created: now, modified: now}
	i.notes = append(i.notes, n)
	agent := userRef(by)
	p.log(i, now, entry{kind: "annotate", agent: &agent, channel: channel{Type: "note", Summary: content}})
	return n
}

// merge moves the alerts of one incident to another and resolves the first.
func (p *Pager) merge(from, into *incident, by actor, now time.Time) {
	into.alerts = append(into.alerts, from.alerts...)
	from.alerts = nil
	from.mergedInto = into
	p.close(from, by, "", now)
}

func (p *Pager) incident(id string) *incident {
	for _, i := range p.incidents {
		if i.id == id {
			return i
		}
	}
	return nil
}
