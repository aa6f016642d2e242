package pager

import (
	"encoding/json"
	"net/http"
)

// addIncident is an incident that somebody makes by hand. It has no alert: nothing of what is done to events is done
// to it. Whoever makes one for himself has acknowledged it, and is not notified.
func (p *Pager) addIncident(q *query) (int, any, *problem) {
	u, bad := p.sender(q)
	if bad != nil {
		return 0, nil, bad
	}
	var in struct {
		Incident struct {
			change
			Service ref    `json:"service"`
			Key     string `json:"incident_key"`
			Body    struct {
				Details string `json:"details"`
			} `json:"body"`
		} `json:"incident"`
	}
	if err := json.NewDecoder(q.r.Body).Decode(&in); err != nil {
		return 0, nil, invalid(err.Error())
	}
	want := in.Incident
	s := p.o.Account.service(want.Service.ID)
	if bad := p.refusesIncident(s, want.change, want.Key); bad != nil {
		return 0, nil, bad
	}
	i := p.create(s, *want.Title, q.now)
	i.key, i.urgency = want.Key, p.urgencyOf(s, "critical", q.now)
	if want.Urgency != "" {
		i.urgency = want.Urgency
	}
	by := actor{user: u, as: userRef(u), channel: channel{Type: "api", Summary: *want.Title}}
	p.log(i, q.now, entry{kind: "trigger", agent: &by.as, channel: by.channel, message: *want.Title})
	by.channel.Summary = ""
	own := len(want.Assignments) == 1 && want.Assignments[0].Assignee.ID == u.ID
	switch {
	case own:
		p.acknowledge(i, by, q.now)
	case len(want.Assignments) == 0 && want.Policy == nil:
		p.assign(i, "assign", q.now)
	default:
		if bad := p.handOver(i, want.change, by, q.now); bad != nil {
			p.assign(i, "assign", q.now)
		}
	}
	if want.IncidentTyp != nil {
		i.typ, _ = p.o.Account.incidentType(want.IncidentTyp.Name, want.IncidentTyp.ID)
	}
	if bad := p.prioritise(i, want.Priority, by, q.now); bad != nil {
		return 0, nil, bad
	}
	p.begin(i, q.now)
	return http.StatusCreated, struct {
		Incident incidentShape `json:"incident"`
	}{p.incidentShape(q.view, i)}, nil
}

// refusesIncident says what is wrong with an incident before it is made.
func (p *Pager) refusesIncident(s *Service, want change, key string) *problem {
	switch {
	case s == nil:
		return invalid("Service cannot be empty or is unknown")
	case want.Title == nil || *want.Title == "":
		return invalid("Title cannot be empty")
	case want.Urgency != "" && want.Urgency != "high" && want.Urgency != "low":
		return invalid("Urgency is invalid")
	}
	if policy := p.o.Account.policy(s.Policy); len(policy.Levels) == 0 || len(policy.Levels[0]) == 0 {
		return &problem{status: http.StatusBadRequest, code: 1015, message: "Escalation policy has no one on call"}
	}
	if want.IncidentTyp != nil {
		if _, ok := p.o.Account.incidentType(want.IncidentTyp.Name, want.IncidentTyp.ID); !ok {
			return invalid("Incident type does not exist or is disabled")
		}
	}
	for _, i := range p.incidents {
		if key != "" && i.key == key && i.service == s && i.status != resolved {
			return invalid("Open incident already exists with matching incident key")
		}
	}
	return nil
}
