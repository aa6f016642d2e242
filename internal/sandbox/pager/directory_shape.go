package pager

import (
	"net/http"
	"time"
)

type serviceShape struct {
	ID                     string             `json:"id"`
	Type                   string             `json:"type"`
	Summary                string             `json:"summary"`
	Self                   string             `json:"self"`
	HTMLURL                string             `json:"html_url"`
	Name                   string             `json:"name"`
	Description            string             `json:"description"`
	CreatedAt              string             `json:"created_at"`
	Status                 string             `json:"status"`
	AcknowledgementTimeout *int               `json:"acknowledgement_timeout"`
	AutoResolveTimeout     *int               `json:"auto_resolve_timeout"`
	AlertCreation          string             `json:"alert_creation"`
	IncidentUrgencyRule    urgencyShape       `json:"incident_urgency_rule"`
	SupportHours           *hoursShape        `json:"support_hours"`
	ScheduledActions       []scheduledAction  `json:"scheduled_actions"`
	EscalationPolicy       policyShape        `json:"escalation_policy"`
	Integrations           []integrationShape `json:"integrations"`
	Teams                  []ref              `json:"teams"`
	AutoPause              *autoPause         `json:"auto_pause_notifications_parameters,omitempty"`
}

type autoPause struct {
	Enabled bool `json:"enabled"`
	Timeout *int `json:"timeout"`
}

// status is the worst of a service's incidents, unless it takes none at all.
func (p *Pager) serviceStatus(s *Service, now time.Time) string {
	if p.disabled(s) {
		return "disabled"
	}
	if p.inMaintenance(s, now) {
		return "maintenance"
	}
	status := "active"
	for _, i := range p.incidents {
		switch {
		case i.service == s && i.status == triggered:
			return "critical"
		case i.service == s && i.status == acknowledged:
			status = "warning"
		}
	}
	return status
}

func (p *Pager) serviceShape(v view, s *Service, now time.Time) serviceShape {
	ackTimeout := int(p.o.AckTimeout / time.Second)
	var autoResolve *int
	if after := int(p.o.AutoResolve / time.Second); after > 0 {
		autoResolve = &after
	}
	r := v.link(serviceRef(s))
	policy := p.o.Account.policy(s.Policy)
	out := serviceShape{
		ID: s.ID, Type: "service", Summary: s.Name, Self: r.Self, HTMLURL: r.Self, Name: s.Name, Description: s.Description,
		CreatedAt: v.at(now.AddDate(-1, 0, 0)), // nobody remembers
		Status:    p.serviceStatus(s, now), AcknowledgementTimeout: &ackTimeout, AutoResolveTimeout: autoResolve, AlertCreation: "create_alerts_and_incidents",
		Teams:            v.teams(s),
		EscalationPolicy: policyShape{ref: v.link(policyRef(policy))}, Integrations: []integrationShape{},
	}
	out.IncidentUrgencyRule, out.SupportHours, out.ScheduledActions = s.Urgency.shape(p.hasKnob("low", s.ID))
	if v.includes("escalation_policies") {
		out.EscalationPolicy = p.policyShape(v, policy)
	}
	if v.includes("auto_pause_notifications_parameters") {
		out.AutoPause = &autoPause{Enabled: s.Pause.Enabled}
		if after := int(s.Pause.After.Duration() / time.Second); s.Pause.Enabled {
			out.AutoPause.Timeout = &after
		}
	}
	for i := range s.Integrations {
		in := v.integration(s, &s.Integrations[i])
		if !v.includes("integrations") {
			in = integrationShape{ref: ref{ID: in.ID, Type: in.Type + "_reference", Summary: in.Summary, Self: in.Self}}
		}
		out.Integrations = append(out.Integrations, in)
	}
	return out
}

type integrationShape struct {
	ref
	Name           string `json:"name,omitempty"`
	IntegrationKey string `json:"integration_key,omitempty"`
	Service        *ref   `json:"service,omitempty"`
}

func (v view) integration(s *Service, i *Integration) integrationShape {
	sr := v.link(serviceRef(s))
	return integrationShape{
		ref:  ref{ID: i.ID, Type: i.Type, Summary: i.Name, Self: sr.Self + "/integrations/" + i.ID},
		Name: i.Name, IntegrationKey: i.Key, Service: &sr,
	}
}

type policyShape struct {
	ref
	Name     string      `json:"name,omitempty"`
	Rules    []ruleShape `json:"escalation_rules,omitempty"`
	NumLoops *int        `json:"num_loops,omitempty"`
}

type ruleShape struct {
	ID      string `json:"id"`
	Delay   int    `json:"escalation_delay_in_minutes"`
	Targets []ref  `json:"targets"`
}

// policyShape rounds the delay up to whole minutes, the unit the API has.
func (p *Pager) policyShape(v view, e *Policy) policyShape {
	r := v.link(policyRef(e))
	r.Type = "escalation_policy"
	out := policyShape{ref: r, Name: e.Name, NumLoops: &e.Loops}
	for n, users := range e.Levels {
		rule := ruleShape{ID: e.ID + "R" + string(rune('1'+n)), Delay: int((p.o.EscalateAfter + time.Minute - 1) / time.Minute)}
		for _, id := range users {
			rule.Targets = append(rule.Targets, v.link(userRef(p.o.Account.user(id))))
		}
		if len(users) == 0 { // a rule has a target, if only a schedule that nobody is on
			rule.Targets = []ref{v.link(ref{ID: "PEMPTY" + string(rune('1'+n)), Type: "schedule_reference", Summary: "Empty schedule"})}
		}
		out.Rules = append(out.Rules, rule)
	}
	return out
}

type onCallShape struct {
	User             userShape `json:"user"`
	Schedule         *ref      `json:"schedule"`
	EscalationPolicy ref       `json:"escalation_policy"`
	EscalationLevel  int       `json:"escalation_level"`
	Start            *string   `json:"start"`
	End              *string   `json:"end"`
}

func (p *Pager) onCallShape(v view, e *Policy, level int, u *User) onCallShape {
	out := onCallShape{User: userShape{ref: v.link(userRef(u))}, EscalationPolicy: v.link(policyRef(e)), EscalationLevel: level}
	if v.includes("users") {
		out.User = v.user(u)
	}
	return out
}

type userShape struct {
	ref
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
	Role  string `json:"role,omitempty"`
	Zone  string `json:"time_zone,omitempty"`
}

func (v view) user(u *User) userShape {
	r := v.link(userRef(u))
	r.Type = "user"
	return userShape{ref: r, Name: u.Name, Email: u.Email, Role: "user", Zone: "Etc/UTC"}
}

type notificationRuleShape struct {
	ID            string       `json:"id"`
	Type          string       `json:"type"`
	Summary       string       `json:"summary"`
	StartDelay    int          `json:"start_delay_in_minutes"`
	Urgency       string       `json:"urgency"`
	ContactMethod contactShape `json:"contact_method"`
}

type contactShape struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// contactType is how PagerDuty refers to a way to reach a user: a push is a push notification there.
func contactType(t string) string {
	if t == "push" {
		t = "push_notification"
	}
	return t + "_contact_method_reference"
}

func (p *Pager) userRoutes() {
	p.rest("GET /users", p.listUsers)
	p.rest("GET /users/me", func(q *query) (int, any, *problem) {
		if q.token.User == "" {
			return 0, nil, &problem{status: http.StatusBadRequest, code: 2001,
				message: "Invalid request for current user with account-level access token"}
		}
		return http.StatusOK, struct {
			User userShape `json:"user"`
		}{q.view.user(p.o.Account.user(q.token.User))}, nil
	})
	p.rest("GET /users/{id}", func(q *query) (int, any, *problem) {
		u := p.o.Account.user(q.r.PathValue("id"))
		if u == nil {
			return 0, nil, notFound()
		}
		return http.StatusOK, struct {
			User userShape `json:"user"`
		}{q.view.user(u)}, nil
	})
	p.rest("GET /users/{id}/notification_rules", func(q *query) (int, any, *problem) {
		u := p.o.Account.user(q.r.PathValue("id"))
		if u == nil {
			return 0, nil, notFound()
		}
		out := struct {
			Rules []notificationRuleShape `json:"notification_rules"`
		}{[]notificationRuleShape{}}
		for n, c := range u.Contacts {
			id := u.ID + "N" + string(rune('1'+n))
			out.Rules = append(out.Rules, notificationRuleShape{ID: id, Type: "assignment_notification_rule",
				Summary: c.Type, Urgency: c.urgency(), StartDelay: c.After.Minutes(),
				ContactMethod: contactShape{ID: id + "C", Type: contactType(c.Type)}})
		}
		return http.StatusOK, out, nil
	})
}

type windowShape struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	Summary     string `json:"summary"`
	Start       string `json:"start_time"`
	End         string `json:"end_time"`
	Description string `json:"description"`
	Services    []ref  `json:"services"`
	CreatedBy   ref    `json:"created_by"`
	Teams       []ref  `json:"teams"`
}

type windowAnswer struct {
	Window windowShape `json:"maintenance_window"`
}

func (v view) window(w *window) windowShape {
	out := windowShape{ID: w.id, Type: "maintenance_window", Summary: w.why, Description: w.why, Start: v.at(w.from), End: v.at(w.to),
		CreatedBy: v.link(userRef(w.by)), Teams: []ref{}, Services: []ref{}}
	for _, s := range w.services {
		out.Services = append(out.Services, v.link(serviceRef(s)))
	}
	return out
}
