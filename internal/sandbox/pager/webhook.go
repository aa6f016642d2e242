package pager

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
)

// hookMax is how long a note may be in a webhook before it is cut, in characters; PagerDuty keeps payloads below 55 KB.
const hookMax = 50 << 10

// envelope of a V3 webhook, as PagerDuty's documentation of webhooks tells it.
type hookEnvelope struct {
	Event hookEvent `json:"event"`
}

type hookEvent struct {
	ID         string      `json:"id"`
	Type       string      `json:"event_type"`
	Resource   string      `json:"resource_type"`
	OccurredAt string      `json:"occurred_at"` // milliseconds
	Agent      *ref        `json:"agent"`
	Client     *hookClient `json:"client"`
	Data       any         `json:"data"`
}

type hookClient struct {
	Name string `json:"name"`
}

type hookIncident struct {
	ID         string       `json:"id"`
	Type       string       `json:"type"`
	Self       string       `json:"self"`
	HTMLURL    string       `json:"html_url"`
	Number     int          `json:"number"`
	Status     string       `json:"status"`
	Key        *string      `json:"incident_key"`
	CreatedAt  string       `json:"created_at"`
	Title      string       `json:"title"`
	Kind       typeName     `json:"incident_type"`
	Service    ref          `json:"service"`
	Assignees  []ref        `json:"assignees"`
	Policy     ref          `json:"escalation_policy"`
	Teams      []ref        `json:"teams"`
	Priority   *ref         `json:"priority"`
	Urgency    string       `json:"urgency"`
	Conference *string      `json:"conference_bridge"`
	Reason     *reasonShape `json:"resolve_reason"`
}

type hookNote struct {
	Incident ref    `json:"incident"`
	ID       string `json:"id"`
	Content  string `json:"content"`
	Trimmed  bool   `json:"trimmed"`
	Type     string `json:"type"`
}

type hookWorkflow struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Summary  string `json:"summary"`
	Workflow ref    `json:"incident_workflow"`
	Trigger  ref    `json:"workflow_trigger"`
	Incident ref    `json:"incident"`
	Service  ref    `json:"service"`
}

// eventOf is the webhook event that an entry makes; empty: none. Nobody is told of notifications.
func eventOf(i *incident, e *entry) string {
	switch e.kind {
	case "trigger":
		if len(i.entries) > 1 {
			return ""
		}
		return "incident.triggered"
	case "unacknowledge":
		if i.wasResolved() {
			return "incident.reopened"
		}
		return "incident.unacknowledged"
	case "assign":
		if e.channel.Type == "auto" {
			return ""
		}
		return "incident.reassigned"
	case "field_value_change":
		return "incident.incident_type.changed"
	case "priority_change":
		return "incident.priority_updated"
	}
	return map[string]string{"acknowledge": "incident.acknowledged", "annotate": "incident.annotated", "delegate": "incident.delegated",
		"escalate": "incident.escalated", "resolve": "incident.resolved"}[e.kind]
}

// wasResolved says whether the last thing that had happened before the newest entry was a resolve.
func (i *incident) wasResolved() bool {
	for n := len(i.entries) - 2; n >= 0; n-- {
		switch i.entries[n].kind {
		case "resolve":
			return true
		case "trigger", "acknowledge", "unacknowledge":
			return false
		}
	}
	return false
}

// announce plans the webhooks of an entry: they tell the incident as it is when the change is complete.
func (p *Pager) announce(i *incident, e *entry) {
	name := eventOf(i, e)
	if name == "" || len(p.subscriptions) == 0 {
		return
	}
	var written *note
	if e.kind == "annotate" {
		written = i.notes[len(i.notes)-1]
	}
	p.later(e.at, func(now time.Time) {
		v := p.hookView()
		told := hookEvent{ID: p.id("01", 26), Type: name, Resource: "incident", OccurredAt: v.precisely(e.at), Agent: v.hookAgent(e.agent),
			Client: hookClientOf(i, e), Data: p.hookIncident(v, i)}
		if written != nil {
			told.Data = p.hookNote(v, i, written)
		}
		p.publish(i, told, now)
	})
}

// announceWorkflow tells that a workflow started.
func (p *Pager) announceWorkflow(i *incident, w Workflow, at time.Time) {
	p.later(at, func(now time.Time) {
		v := p.hookView()
		t := v.trigger(i.service, w)
		p.publish(i, hookEvent{ID: p.id("01", 26), Type: "incident.workflow.started", Resource: "incident", OccurredAt: v.precisely(at),
			Data: hookWorkflow{ID: p.id("P", 14), Type: "incident_workflow_instance", Summary: w.Name,
				Workflow: ref{ID: w.ID, Type: "incident_workflow_reference", Summary: w.Name, Self: t.Workflow.Self},
				Trigger:  ref{ID: t.ID, Type: "workflow_trigger_reference", Summary: t.Name, Self: t.Self},
				Incident: v.link(incidentRef(i)), Service: v.link(serviceRef(i.service))}}, now)
	})
}

func (p *Pager) hookView() view {
	v := view{base: p.o.URL + "/pagerduty", zone: time.UTC}
	for _, k := range p.knobs {
		if k.Effect == "skew" && (strings.HasPrefix("/pagerduty", k.Path) || strings.HasPrefix("/webhooks", k.Path)) {
			v.skew += seconds(k.Skew)
		}
	}
	return v
}

// precisely tells a time to the millisecond, as webhooks do.
func (v view) precisely(t time.Time) string {
	return t.Add(v.skew).UTC().Format("2006-01-02T15:04:05.000Z")
}

func (v view) hookAgent(r *ref) *ref {
	out := v.linkPtr(r)
	if out != nil && out.Type == "" {
		out.Type = "user_reference" // webhooks name it where the log may not
	}
	return out
}

func hookClientOf(i *incident, e *entry) *hookClient {
	switch e.channel.Type {
	case "mobile", "website", "note":
		return &hookClient{"PagerDuty"}
	case "api":
		if e.kind == "trigger" && len(i.alerts) > 0 && i.alerts[0].event.Client != "" {
			return &hookClient{i.alerts[0].event.Client}
		}
	}
	return nil
}

func (p *Pager) hookIncident(v view, i *incident) hookIncident {
	self := v.link(incidentRef(i))
	out := hookIncident{ID: i.id, Type: "incident", Self: self.Self, HTMLURL: self.Self, Number: i.number, Status: i.status,
		CreatedAt: v.at(i.created), Title: i.title, Kind: typeName{Name: i.typ}, Service: v.link(serviceRef(i.service)),
		Assignees: []ref{}, Policy: v.link(policyRef(i.policy)), Teams: v.teams(i.service), Priority: v.linkPtr(priorityRef(i.priority)),
		Urgency: i.urgency}
	for _, u := range i.assignees {
		out.Assignees = append(out.Assignees, v.link(userRef(u)))
	}
	if i.mergedInto != nil {
		out.Reason = &reasonShape{"merge_resolve_reason", v.link(incidentRef(i.mergedInto))}
	}
	return out
}

func (p *Pager) hookNote(v view, i *incident, n *note) hookNote {
	out := hookNote{Incident: v.link(incidentRef(i)), ID: n.id, Content: n.content, Type: "incident_note"}
	most := hookMax
	if p.knobFor("trim", i.service.ID) != nil {
		most = 10
	}
	if text := []rune(n.content); len(text) > most {
		out.Content, out.Trimmed = string(text[:most]), true
	}
	return out
}

// hookBody is what is sent, and signed, byte for byte.
func hookBody(e hookEvent) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(hookEnvelope{e}) // of plain fields: it cannot fail
	return bytes.TrimSpace(b.Bytes())
}
