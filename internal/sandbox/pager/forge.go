package pager

import (
	"encoding/json"
	"net/http"
	"time"
)

// forged is a log entry that a test writes: POST /incidents/ID/log. What Odd names replaces what would be told.
type forged struct {
	Type    string                     `json:"type"` // without _log_entry
	At      time.Time                  `json:"at"`   // zero: now
	User    string                     `json:"user"` // who did it, or was notified
	Service bool                       `json:"by_service"`
	Channel string                     `json:"channel"`
	Text    string                     `json:"text"`
	Count   int                        `json:"count"` // so many of it
	Odd     map[string]json.RawMessage `json:"odd"`
}

const maxForged = 20000

// forge writes entries into a log that nothing caused: to have more of them than a page holds, of types that nobody
// documents, with members that are null or of another type.
func (p *Pager) forge(w http.ResponseWriter, r *http.Request) {
	var in forged
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil || in.Type == "" || in.Count > maxForged {
		http.Error(w, "an entry needs a type; at most 20000 of it", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	i, u := p.incident(r.PathValue("id")), p.o.Account.user(in.User)
	if i == nil || u == nil && in.User != "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	e := entry{kind: in.Type, channel: channel{Type: in.Channel, Summary: in.Text}, odd: in.Odd, at: in.At}
	if in.At.IsZero() {
		e.at = p.o.Now()
	}
	switch {
	case u != nil && in.Type == "notify":
		to := userRef(u)
		e.user = &to
	case u != nil:
		by := userRef(u)
		e.agent = &by
	case in.Service:
		by := serviceRef(i.service)
		e.agent = &by
	}
	for range max(in.Count, 1) {
		one := e
		one.id = p.id("R", 26)
		i.entries = append(i.entries, &one)
	}
	w.WriteHeader(http.StatusNoContent)
}

// botNote is a note that no person wrote: POST /incidents/ID/bot-notes {content, count}.
func (p *Pager) botNote(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Content string `json:"content"`
		User    string `json:"user"` // a person's instead
		Count   int    `json:"count"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Content == "" {
		http.Error(w, "a note needs content", http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	i, u := p.incident(r.PathValue("id")), p.o.Account.user(in.User)
	if i == nil || u == nil && in.User != "" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	for range min(max(in.Count, 1), maxNotes-len(i.notes)) {
		p.annotate(i, u, botName, in.Content, p.o.Now())
	}
	w.WriteHeader(http.StatusNoContent)
}
