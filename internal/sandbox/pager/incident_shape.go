package pager

import (
	"encoding/json"
	"fmt"
	"time"
)

// The shapes of the REST API, each rendered for one view.

type incidentShape struct {
	ID                   string            `json:"id"`
	Type                 string            `json:"type"`
	Summary              string            `json:"summary"`
	Self                 string            `json:"self"`
	HTMLURL              string            `json:"html_url"`
	IncidentNumber       int               `json:"incident_number"`
	Title                string            `json:"title"`
	Description          string            `json:"description"`
	CreatedAt            string            `json:"created_at"`
	UpdatedAt            string            `json:"updated_at"`
	Status               string            `json:"status"`
	IncidentKey          *string           `json:"incident_key"` // null: its alerts have the keys
	Service              ref               `json:"service"`
	Assignments          []assignmentShape `json:"assignments"`
	AssignedVia          string            `json:"assigned_via"`
	LastStatusChangeAt   string            `json:"last_status_change_at"`
	LastStatusChangeBy   ref               `json:"last_status_change_by"`
	ResolvedAt           *string           `json:"resolved_at"`
	FirstTriggerLogEntry ref               `json:"first_trigger_log_entry"`
	AlertCounts          alertCounts       `json:"alert_counts"`
	IsMergeable          bool              `json:"is_mergeable"`
	EscalationPolicy     ref               `json:"escalation_policy"`
	Teams                []ref             `json:"teams"`
	PendingActions       []pendingShape    `json:"pending_actions"`
	Acknowledgements     []ackShape        `json:"acknowledgements"`
	AlertGrouping        *string           `json:"alert_grouping"`
	Priority             *ref              `json:"priority"`
	IncidentType         typeName          `json:"incident_type"`
	ResolveReason        *reasonShape      `json:"resolve_reason"`
	IncidentsResponders  []ref             `json:"incidents_responders"`
	ResponderRequests    []ref             `json:"responder_requests"`
	Urgency              string            `json:"urgency"`
}

type assignmentShape struct {
	At       string `json:"at"`
	Assignee ref    `json:"assignee"`
}

type ackShape struct {
	At           string `json:"at"`
	Acknowledger ref    `json:"acknowledger"`
}

type pendingShape struct {
	Type string `json:"type"`
	At   string `json:"at"`
	To   string `json:"to,omitempty"` // of an urgency_change
}

type alertCounts struct {
	All       int `json:"all"`
	Triggered int `json:"triggered"`
	Resolved  int `json:"resolved"`
}

type reasonShape struct {
	Type     string `json:"type"`
	Incident ref    `json:"incident"`
}

func incidentRef(i *incident) ref {
	return ref{ID: i.id, Type: "incident_reference", Summary: fmt.Sprintf("[#%d] %s", i.number, i.title)}
}

func (p *Pager) incidentShape(v view, i *incident) incidentShape {
	self := v.link(incidentRef(i))
	out := incidentShape{
		ID: i.id, Type: "incident", Summary: self.Summary, Self: self.Self, HTMLURL: self.Self,
		IncidentNumber: i.number, Title: i.title, Description: i.title,
		CreatedAt: v.at(i.created), UpdatedAt: v.at(i.touched()), Status: i.status,
		Service: v.link(serviceRef(i.service)), AssignedVia: "escalation_policy",
		LastStatusChangeAt: v.at(i.changed), LastStatusChangeBy: v.link(typed(i.changedBy)), ResolvedAt: v.maybe(i.resolved),
		IsMergeable: true, EscalationPolicy: v.link(policyRef(i.policy)),
		Assignments: []assignmentShape{}, Teams: v.teams(i.service), PendingActions: []pendingShape{}, Acknowledgements: []ackShape{},
		IncidentsResponders: []ref{}, ResponderRequests: []ref{}, Urgency: i.urgency,
		Priority: v.linkPtr(priorityRef(i.priority)), IncidentType: typeName{Name: i.typ},
	}
	if i.key != "" {
		out.IncidentKey = &i.key
	}
	if i.direct {
		out.AssignedVia = "direct_assignment"
	}
	for _, e := range i.entries {
		if e.kind == "trigger" {
			out.FirstTriggerLogEntry = v.link(ref{ID: e.id, Type: "trigger_log_entry_reference", Summary: "Triggered"})
			out.FirstTriggerLogEntry.Self = v.base + "/log_entries/" + e.id
			break
		}
	}
	for _, u := range i.assignees {
		out.Assignments = append(out.Assignments, assignmentShape{v.at(i.assigned), v.link(userRef(u))})
	}
	for _, a := range i.acks {
		out.Acknowledgements = append(out.Acknowledgements, ackShape{v.at(a.at), v.link(a.holder(i))})
	}
	for _, a := range i.alerts {
		out.AlertCounts.All++
		if a.status == resolved {
			out.AlertCounts.Resolved++
		} else {
			out.AlertCounts.Triggered++
		}
	}
	if !i.escalateAt.IsZero() {
		out.PendingActions = append(out.PendingActions, pendingShape{Type: "escalate", At: v.at(i.escalateAt)})
	}
	if !i.unackAt.IsZero() {
		out.PendingActions = append(out.PendingActions, pendingShape{Type: "unacknowledge", At: v.at(i.unackAt)})
	}
	if !i.resolveAt.IsZero() {
		out.PendingActions = append(out.PendingActions, pendingShape{Type: "resolve", At: v.at(i.resolveAt)})
	}
	if !i.urgentAt.IsZero() {
		out.PendingActions = append(out.PendingActions, pendingShape{Type: "urgency_change", At: v.at(i.urgentAt), To: "high"})
	}
	if i.mergedInto != nil {
		out.ResolveReason = &reasonShape{"merge_resolve_reason", v.link(incidentRef(i.mergedInto))}
	}
	return out
}

// holder is who holds an acknowledgement: a user, or the service for a machine.
func (a ack) holder(i *incident) ref {
	if a.by == nil {
		return serviceRef(i.service)
	}
	return userRef(a.by)
}

// typed gives a reference the type that the phone app leaves out of the log.
func typed(r ref) ref {
	if r.Type == "" {
		r.Type = "user_reference"
	}
	return r
}

func (i *incident) touched() time.Time {
	return i.entries[len(i.entries)-1].at
}

type alertShape struct {
	ID          string    `json:"id"`
	Type        string    `json:"type"`
	Summary     string    `json:"summary"`
	Self        string    `json:"self"`
	HTMLURL     string    `json:"html_url"`
	CreatedAt   string    `json:"created_at"`
	Status      string    `json:"status"`
	AlertKey    string    `json:"alert_key"`
	Service     ref       `json:"service"`
	Incident    ref       `json:"incident"`
	Integration ref       `json:"integration"`
	Severity    string    `json:"severity"`
	Suppressed  bool      `json:"suppressed"`
	Body        alertBody `json:"body"`
}

type alertBody struct {
	Type     string          `json:"type"`
	Contexts []alertLink     `json:"contexts"`
	CEF      cefDetails      `json:"cef_details"`
	Details  json.RawMessage `json:"details,omitempty"`
}

// alertLink is a link of an event, as its alert tells it.
type alertLink struct {
	Type string `json:"type"`
	Href string `json:"href"`
	Text string `json:"text,omitempty"`
}

// cefDetails is the common event format, in which PagerDuty keeps what the source said.
type cefDetails struct {
	Client      string          `json:"client,omitempty"`
	ClientURL   string          `json:"client_url,omitempty"`
	DedupKey    string          `json:"dedup_key"`
	Description string          `json:"description"`
	Message     string          `json:"message"`
	Severity    string          `json:"severity"`
	Source      string          `json:"source_origin"`
	Class       string          `json:"event_class,omitempty"`
	Details     json.RawMessage `json:"details,omitempty"`
}

func (v view) alert(i *incident, a *alert) alertShape {
	l := a.event.Payload
	self := v.base + "/incidents/" + i.id + "/alerts/" + a.id
	integration := ref{ID: a.integration.ID, Type: a.integration.Type + "_reference", Summary: a.integration.Name,
		Self: v.base + "/services/" + i.service.ID + "/integrations/" + a.integration.ID}
	out := alertShape{
		ID: a.id, Type: "alert", Summary: l.Summary, Self: self, HTMLURL: self, CreatedAt: v.at(a.created), Status: a.status,
		AlertKey: a.key, Service: v.link(serviceRef(i.service)), Incident: v.link(incidentRef(i)), Integration: integration,
		Severity: l.Severity, Body: alertBody{Type: "alert_body", Contexts: []alertLink{}},
	}
	for _, c := range a.event.Links {
		out.Body.Contexts = append(out.Body.Contexts, alertLink{Type: "link", Href: c.Href, Text: c.Text})
	}
	out.Body.CEF = cefDetails{Client: a.event.Client, ClientURL: a.event.ClientURL, DedupKey: a.key, Description: l.Summary,
		Message: l.Summary, Severity: l.Severity, Source: l.Source, Class: l.Class, Details: l.Details}
	if len(l.Details) > 0 {
		out.Body.Details = json.RawMessage(`{"custom_details":` + string(l.Details) + `}`)
	}
	return out
}
