package pager

import (
	"net/http"
	"time"
)

// The truth is what really happened and exactly when, for tests to hold a timeline against. The real pager tells
// whole seconds, skewed by its own clock; this does not.
type truth struct {
	Incidents []trueIncident `json:"incidents"`
	Events    []trueEvent    `json:"events"`
}

type trueIncident struct {
	ID        string      `json:"id"`
	Title     string      `json:"title"`
	Service   string      `json:"service"`
	Status    string      `json:"status"`
	Urgency   string      `json:"urgency"`
	CreatedAt time.Time   `json:"created_at"`
	AlertKeys []string    `json:"alert_keys"`
	Type      string      `json:"incident_type"`
	Into      string      `json:"merged_into,omitempty"`
	Fired     []string    `json:"automation,omitempty"` // what started by itself: automation actions and workflows
	Entries   []trueEntry `json:"entries"`
}

type trueEntry struct {
	ID      string    `json:"id"`
	Type    string    `json:"type"`
	At      time.Time `json:"at"`
	Agent   string    `json:"agent,omitempty"`
	Channel string    `json:"channel"`
	User    string    `json:"user,omitempty"`
	Text    string    `json:"text,omitempty"`
	To      []string  `json:"to,omitempty"`    // who it was assigned to
	For     int       `json:"for_s,omitempty"` // of a snooze
}

type trueEvent struct {
	At       time.Time `json:"at"`
	Key      string    `json:"routing_key"`
	Action   string    `json:"event_action"`
	DedupKey string    `json:"dedup_key"`
	Due      time.Time `json:"due"`
	Outcome  string    `json:"outcome"`
}

func (p *Pager) truth(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := truth{Incidents: []trueIncident{}, Events: []trueEvent{}}
	for _, i := range p.incidents {
		ti := trueIncident{ID: i.id, Title: i.title, Service: i.service.ID, Status: i.status, Urgency: i.urgency,
			CreatedAt: i.created, AlertKeys: []string{}}
		ti.Type, ti.Fired = i.typ, i.automation
		if i.mergedInto != nil {
			ti.Into = i.mergedInto.id
		}
		for _, a := range i.alerts {
			ti.AlertKeys = append(ti.AlertKeys, a.key)
		}
		for _, e := range i.entries {
			te := trueEntry{ID: e.id, Type: e.kind + "_log_entry", At: e.at, Channel: e.channel.Type, Text: e.note + e.channel.Summary}
			if e.agent != nil {
				te.Agent = e.agent.ID
			}
			if e.user != nil {
				te.User = e.user.ID
			}
			for _, to := range e.assignees {
				te.To = append(te.To, to.ID)
			}
			if e.channel.Duration != nil {
				te.For = *e.channel.Duration
			}
			ti.Entries = append(ti.Entries, te)
		}
		t.Incidents = append(t.Incidents, ti)
	}
	for _, r := range p.received {
		t.Events = append(t.Events, trueEvent{At: r.at, Key: r.key, Action: r.action, DedupKey: r.dedup, Due: r.due, Outcome: r.outcome})
	}
	answer(w, http.StatusOK, t)
}
