package pager

import (
	"encoding/json"
	"maps"
)

type entryShape struct {
	ID           string            `json:"id"`
	Type         string            `json:"type"`
	Summary      string            `json:"summary"`
	Self         string            `json:"self"`
	HTMLURL      *string           `json:"html_url"`
	CreatedAt    string            `json:"created_at"`
	Agent        *ref              `json:"agent,omitempty"`
	Channel      channel           `json:"channel"`
	Service      any               `json:"service"`  // a reference, or the whole of it where asked for
	Incident     any               `json:"incident"` // likewise
	Teams        []ref             `json:"teams"`
	Contexts     []ref             `json:"contexts"`
	User         *ref              `json:"user,omitempty"`
	Assignees    []ref             `json:"assignees,omitempty"`
	Note         string            `json:"note,omitempty"`
	AckTimeout   *int              `json:"acknowledgement_timeout,omitempty"`
	Changed      []pendingShape    `json:"changed_actions,omitempty"`
	EventDetails map[string]string `json:"event_details,omitempty"`
}

// entryTold is an entry as it is told, odd members and all.
func (p *Pager) entryTold(q *query, i *incident, e *entry) any {
	told := p.entryShape(q, i, e)
	null := p.hasKnob("null_channel", i.service.ID)
	if len(e.odd) == 0 && !null {
		return told
	}
	var out map[string]json.RawMessage
	b, err := json.Marshal(told)
	if err != nil || json.Unmarshal(b, &out) != nil {
		return told
	}
	if null {
		out["channel"] = json.RawMessage("null")
	}
	maps.Copy(out, e.odd)
	return out
}

func (p *Pager) entryShape(q *query, i *incident, e *entry) entryShape {
	v := q.view
	out := entryShape{
		ID: e.id, Type: e.kind + "_log_entry", Summary: e.summary(), Self: v.base + "/log_entries/" + e.id,
		CreatedAt: v.at(e.at), Agent: v.linkPtr(e.agent), Channel: channel{Type: e.channel.Type},
		Service: v.link(serviceRef(i.service)), Incident: v.link(incidentRef(i)), Teams: v.teams(i.service), Contexts: []ref{},
		User: v.linkPtr(e.user), Note: e.note,
	}
	if v.includes("services") {
		out.Service = p.serviceShape(v, i.service, q.now)
	}
	if v.includes("incidents") {
		out.Incident = p.incidentShape(v, i)
	}
	if len(e.assignees) > 0 {
		out.Assignees = v.links(e.assignees)
	}
	if v.includes("channels") {
		out.Channel = e.channel
	}
	for _, t := range e.changed {
		out.Changed = append(out.Changed, pendingShape{Type: t.kind, At: v.at(t.at)})
	}
	if e.kind == "acknowledge" {
		out.AckTimeout = &e.ackTimeout
	}
	if e.kind == "trigger" {
		out.EventDetails = map[string]string{"description": e.message}
	}
	return out
}

// summary is the line people read.
func (e *entry) summary() string {
	switch {
	case e.user != nil:
		return "Notified " + e.user.Summary
	case e.agent == nil:
		return e.kind
	case e.kind == "trigger":
		return "Triggered through " + e.agent.Summary
	default:
		return e.kind + " by " + e.agent.Summary
	}
}
