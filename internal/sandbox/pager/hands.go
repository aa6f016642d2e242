package pager

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// What people, and machines in their place, do to an incident.

// acknowledge stops notifications until the acknowledgement runs out. A person who does it takes the incident.
func (p *Pager) acknowledge(i *incident, by actor, now time.Time) {
	p.hold(i, by, p.o.AckTimeout, now)
	agent := by.as
	p.log(i, now, entry{kind: "acknowledge", agent: &agent, channel: by.channel,
		ackTimeout: int(p.o.AckTimeout / time.Second)})
	p.runOut(i, false)
}

// hold keeps an incident acknowledged for so long.
func (p *Pager) hold(i *incident, by actor, d time.Duration, now time.Time) {
	acks := i.acks
	p.status(i, now, acknowledged, by.as)
	i.acks = append(acks, ack{at: now, by: by.user, as: by.as})
	if by.user != nil && !slices.Contains(i.assignees, by.user) {
		i.assignees, i.assigned = []*User{by.user}, now
	}
	i.unackAt = now.Add(d)
}

// runOut lets an acknowledgement or a snooze end when its time has come, unless something else happened first.
func (p *Pager) runOut(i *incident, snoozed bool) {
	turn := i.turn
	p.later(i.unackAt, func(now time.Time) {
		if i.turn != turn {
			return
		}
		agent := serviceRef(i.service)
		if snoozed {
			p.log(i, now, entry{kind: "unsnooze", agent: &agent, channel: channel{Type: "timeout"}})
		}
		p.retrigger(i, actor{as: agent, channel: channel{Type: "timeout"}}, now)
	})
}

// snooze acknowledges an incident for as long as somebody says.
func (p *Pager) snooze(i *incident, by actor, d time.Duration, now time.Time) *problem {
	if i.status == resolved {
		return &problem{status: http.StatusBadRequest, code: 1001, message: "Incident Already Resolved"}
	}
	if d < time.Second || d > 7*24*time.Hour {
		return invalid("Duration must be between 1 and 604800 seconds")
	}
	if i.status == triggered {
		p.acknowledge(i, by, now)
	}
	p.hold(i, by, d, now)
	agent, whole := by.as, int(d/time.Second)
	c := by.channel
	c.Duration = &whole
	p.log(i, now, entry{kind: "snooze", agent: &agent, channel: c, changed: []pendingTimer{{"unacknowledge", i.unackAt}}})
	p.runOut(i, true)
	return nil
}

// unsnooze ends a snooze at once.
func (p *Pager) unsnooze(i *incident, by actor, now time.Time) *problem {
	if i.status != acknowledged {
		return invalid("Incident is not snoozed")
	}
	agent := by.as
	p.log(i, now, entry{kind: "unsnooze", agent: &agent, channel: by.channel})
	p.retrigger(i, by, now)
	return nil
}

// retrigger takes an acknowledgement back, or opens a resolved incident again: people are told anew.
func (p *Pager) retrigger(i *incident, by actor, now time.Time) {
	again := i.status == resolved
	p.status(i, now, triggered, by.as)
	agent := by.as
	p.log(i, now, entry{kind: "unacknowledge", agent: &agent, channel: by.channel})
	if again {
		i.resolved, i.mergedInto = time.Time{}, nil
		i.level, i.loops = 0, 0
		p.assign(i, "assign", now)
		p.resolveLater(i, now)
		return
	}
	p.notify(i, now)
}

// reassign gives an incident to somebody by name. Who has it is told; no policy escalates it any more.
func (p *Pager) reassign(i *incident, to []*User, by actor, now time.Time) *problem {
	if i.status == resolved {
		return &problem{status: http.StatusBadRequest, code: 1001, message: "Incident Already Resolved"}
	}
	if len(to) == 0 || slices.Contains(to, nil) {
		return invalid("Assignee cannot be found")
	}
	p.release(i, by, now)
	i.assignees, i.assigned, i.direct = to, now, true
	i.turn++
	i.escalateAt = time.Time{}
	agent := by.as
	e := entry{kind: "assign", agent: &agent, channel: by.channel}
	for _, u := range to {
		e.assignees = append(e.assignees, userRef(u))
	}
	p.log(i, now, e)
	p.notify(i, now)
	return nil
}

// release takes an acknowledged incident out of the hands that hold it.
func (p *Pager) release(i *incident, by actor, now time.Time) {
	if i.status != acknowledged {
		return
	}
	p.status(i, now, triggered, by.as)
	agent := by.as
	p.log(i, now, entry{kind: "unacknowledge", agent: &agent, channel: by.channel})
}

// delegate hands an incident over to another escalation policy.
func (p *Pager) delegate(i *incident, to *Policy, by actor, now time.Time) *problem {
	if i.status == resolved {
		return &problem{status: http.StatusBadRequest, code: 1001, message: "Incident Already Resolved"}
	}
	if to == nil || len(to.Levels) == 0 || len(to.Levels[0]) == 0 {
		return &problem{status: http.StatusBadRequest, code: 1015, message: "Escalation policy has no one on call"}
	}
	p.release(i, by, now)
	i.policy, i.level, i.loops, i.direct = to, 0, 0, false
	i.turn++
	users, refs := p.people(i)
	i.assignees, i.assigned = users, now
	agent := by.as
	p.log(i, now, entry{kind: "delegate", agent: &agent, channel: by.channel, assignees: refs})
	p.notify(i, now)
	return nil
}

// raise escalates to a level because somebody wants it so.
func (p *Pager) raise(i *incident, level int, by actor, now time.Time) *problem {
	if i.status == resolved || level < 1 || level > len(i.policy.Levels) {
		return invalid("Escalation level is invalid")
	}
	p.release(i, by, now)
	i.level, i.direct = level-1, false
	i.turn++
	users, refs := p.people(i)
	i.assignees, i.assigned = users, now
	agent := by.as
	p.log(i, now, entry{kind: "escalate", agent: &agent, channel: by.channel, assignees: refs})
	p.notify(i, now)
	return nil
}

// setUrgency changes how loudly an incident calls: raised, it notifies at once; lowered, it does not escalate.
func (p *Pager) setUrgency(i *incident, to string, by actor, now time.Time) *problem {
	if to != "high" && to != "low" {
		return invalid("Urgency is invalid")
	}
	if to == i.urgency {
		return nil
	}
	c := by.channel
	c.Summary = fmt.Sprintf("Urgency changed from %s to %s", i.urgency, to)
	i.urgency, i.urgentAt = to, time.Time{}
	agent := by.as
	p.log(i, now, entry{kind: "urgency_change", agent: &agent, channel: c})
	if i.status == triggered {
		i.turn++
		i.escalateAt = time.Time{}
		p.notify(i, now)
	}
	return nil
}

// close resolves an incident and all its alerts.
func (p *Pager) close(i *incident, by actor, why string, now time.Time) {
	p.status(i, now, resolved, by.as)
	i.resolved, i.assignees, i.urgentAt, i.resolveAt = now, nil, time.Time{}, time.Time{}
	for _, a := range i.alerts {
		a.status = resolved
	}
	agent := by.as
	p.log(i, now, entry{kind: "resolve", agent: &agent, channel: by.channel, note: why})
}

// merge moves the alerts of one incident to another and resolves the first. Which entries tell of it is documented
// nowhere: the resolve is; the one on each side that names the other is as likely as not.
func (p *Pager) merge(from, into *incident, by actor, now time.Time) {
	into.alerts = append(into.alerts, from.alerts...)
	from.alerts = nil
	from.mergedInto = into
	agent := by.as
	tell := func(i, other *incident, words string) {
		r, c := incidentRef(other), by.channel
		c.Incident, c.Summary = &r, words+" "+r.Summary
		p.log(i, now, entry{kind: "merge", agent: &agent, channel: c})
	}
	tell(into, from, "Merged with")
	tell(from, into, "Merged into")
	by.channel.Summary = "Merged into " + incidentRef(into).Summary
	p.close(from, by, "", now)
}
