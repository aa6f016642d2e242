package pager

import (
	"encoding/json"
	"net/http"
	"time"
)

// change is what a PUT wants of one incident.
type change struct {
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	Status      string          `json:"status"`
	Title       *string         `json:"title"`
	Urgency     string          `json:"urgency"`
	Resolution  string          `json:"resolution"`
	Level       int             `json:"escalation_level"`
	Policy      *ref            `json:"escalation_policy"`
	Priority    json.RawMessage `json:"priority"` // an object, or a name
	IncidentTyp *typeName       `json:"incident_type"`
	Assignments []struct {
		Assignee ref `json:"assignee"`
	} `json:"assignments"`
}

// wish reads what somebody wants done to the incident of the path: which, who they are, and the body.
func (p *Pager) wish(q *query, in any) (*incident, *User, *problem) {
	i := p.incident(q.r.PathValue("id"))
	if i == nil {
		return nil, nil, notFound()
	}
	u, bad := p.sender(q)
	if bad != nil {
		return nil, nil, bad
	}
	if err := json.NewDecoder(q.r.Body).Decode(in); err != nil {
		return nil, nil, invalid(err.Error())
	}
	return i, u, nil
}

func (p *Pager) manageIncident(q *query) (int, any, *problem) {
	var in struct {
		Incident change `json:"incident"`
	}
	i, u, bad := p.wish(q, &in)
	if bad != nil {
		return 0, nil, bad
	}
	if bad := p.change(i, in.Incident, apiActor(u), q.now); bad != nil {
		return 0, nil, bad
	}
	return http.StatusOK, struct {
		Incident incidentShape `json:"incident"`
	}{p.incidentShape(q.view, i)}, nil
}

func (p *Pager) manageIncidents(q *query) (int, any, *problem) {
	var in struct {
		Incidents []change `json:"incidents"`
	}
	u, bad := p.sender(q)
	if bad != nil {
		return 0, nil, bad
	}
	if err := json.NewDecoder(q.r.Body).Decode(&in); err != nil {
		return 0, nil, invalid(err.Error())
	}
	if len(in.Incidents) > maxManage {
		return 0, nil, &problem{status: http.StatusRequestEntityTooLarge, code: 2001, message: "Too many incidents"}
	}
	out := struct {
		Incidents []incidentShape `json:"incidents"`
		page
	}{[]incidentShape{}, page{Limit: 100}}
	for _, c := range in.Incidents {
		i := p.incident(c.ID)
		if i == nil {
			return 0, nil, notFound()
		}
		if bad := p.change(i, c, apiActor(u), q.now); bad != nil {
			return 0, nil, bad
		}
		out.Incidents = append(out.Incidents, p.incidentShape(q.view, i))
	}
	return http.StatusOK, out, nil
}

func apiActor(u *User) actor {
	return actor{user: u, as: userRef(u), channel: channel{Type: "api"}}
}

// change does what a PUT or a phone asks. Acknowledging or triggering a resolved incident opens it again.
func (p *Pager) change(i *incident, c change, by actor, now time.Time) *problem {
	switch c.Status {
	case "":
	case acknowledged:
		if i.status == resolved {
			p.retrigger(i, by, now)
		}
		p.acknowledge(i, by, now)
	case resolved:
		if i.status == resolved {
			return &problem{status: http.StatusBadRequest, code: 1001, message: "Incident Already Resolved"}
		}
		p.close(i, by, c.Resolution, now)
	case triggered:
		if i.status != triggered {
			p.retrigger(i, by, now)
		}
	default:
		return invalid("Status is invalid")
	}
	if c.Title != nil {
		i.title = *c.Title
	}
	if bad := p.handOver(i, c, by, now); bad != nil {
		return bad
	}
	if c.Urgency != "" {
		if bad := p.setUrgency(i, c.Urgency, by, now); bad != nil {
			return bad
		}
	}
	if c.IncidentTyp != nil {
		if bad := p.setType(i, *c.IncidentTyp, by, now); bad != nil {
			return bad
		}
	}
	return p.prioritise(i, c.Priority, by, now)
}

// handOver gives the incident to whom a PUT names: people, a policy, or a level of its policy.
func (p *Pager) handOver(i *incident, c change, by actor, now time.Time) *problem {
	switch {
	case len(c.Assignments) > 0:
		var to []*User
		for _, a := range c.Assignments {
			to = append(to, p.o.Account.user(a.Assignee.ID))
		}
		return p.reassign(i, to, by, now)
	case c.Policy != nil:
		return p.delegate(i, p.o.Account.policy(c.Policy.ID), by, now)
	case c.Level != 0:
		return p.raise(i, c.Level, by, now)
	}
	return nil
}

// prioritise reads a priority, an object or a name, and gives it to the incident; null takes it away.
func (p *Pager) prioritise(i *incident, raw json.RawMessage, by actor, now time.Time) *problem {
	if len(raw) == 0 {
		return nil
	}
	var r *ref
	var name string
	if json.Unmarshal(raw, &name) != nil && json.Unmarshal(raw, &r) != nil {
		return invalid("Priority is invalid")
	}
	if string(raw) == "null" {
		p.setPriority(i, nil, by, now)
		return nil
	}
	for k := range p.o.Account.Priorities {
		o := &p.o.Account.Priorities[k]
		if r != nil && r.ID == o.ID || r == nil && name == o.Name {
			p.setPriority(i, o, by, now)
			return nil
		}
	}
	return invalid("Priority is invalid")
}

// snoozeIncident keeps an incident acknowledged for duration seconds. It answers 201, as PagerDuty does.
func (p *Pager) snoozeIncident(q *query) (int, any, *problem) {
	var in struct {
		Duration int `json:"duration"`
	}
	i, u, bad := p.wish(q, &in)
	if bad != nil {
		return 0, nil, bad
	}
	if bad := p.snooze(i, apiActor(u), time.Duration(in.Duration)*time.Second, q.now); bad != nil {
		return 0, nil, bad
	}
	return http.StatusCreated, struct {
		Incident incidentShape `json:"incident"`
	}{p.incidentShape(q.view, i)}, nil
}

func (p *Pager) mergeIncidents(q *query) (int, any, *problem) {
	var in struct {
		Sources []ref `json:"source_incidents"`
	}
	into, u, bad := p.wish(q, &in)
	if bad != nil {
		return 0, nil, bad
	}
	for _, s := range in.Sources {
		from := p.incident(s.ID)
		if from == nil || from == into || from.status == resolved {
			return 0, nil, invalid("Source incident cannot be merged")
		}
		p.merge(from, into, apiActor(u), q.now)
	}
	return http.StatusOK, struct {
		Incident ref `json:"incident"` // no more than a reference
	}{q.view.link(incidentRef(into))}, nil
}
