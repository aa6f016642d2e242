package pager

import (
	"encoding/json"
	"net/http"
)

// touch is what somebody does in the phone app.
type touch struct {
	Incident string  `json:"incident"`
	Content  string  `json:"content"` // of a note, or why it is resolved
	Note     string  `json:"note"`    // id, of edit-note and delete-note
	To       string  `json:"to"`      // user of reassign, policy of delegate
	Into     string  `json:"into"`    // incident of merge
	For      float64 `json:"for_s"`   // of snooze
	Level    int     `json:"level"`   // of escalate
	Urgency  string  `json:"urgency"`
	Priority string  `json:"priority"` // id
	Channel  string  `json:"channel"`  // mobile unless said otherwise: website, sms, phone, slack …
}

// phoneRoutes serve the phone app: POST /app/USER/ACTION {incident, …}, where the action is acknowledge, resolve,
// note, edit-note, delete-note, reassign, delegate, escalate, snooze, unsnooze, reopen, unacknowledge, merge, urgency
// or priority. What is done there is done by a person, by the channel mobile.
func (p *Pager) phoneRoutes() {
	p.mux.HandleFunc("POST /app/{user}/{action}", func(w http.ResponseWriter, r *http.Request) {
		var in touch
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			invalid(err.Error()).write(w)
			return
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		u, i := p.o.Account.user(r.PathValue("user")), p.incident(in.Incident)
		if u == nil || i == nil {
			notFound().write(w)
			return
		}
		if bad := p.tap(u, i, r.PathValue("action"), in); bad != nil {
			bad.write(w)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
}

// tap is one touch of the phone. Its acknowledgements name their agent without a type, as recorded ones do.
func (p *Pager) tap(u *User, i *incident, action string, in touch) *problem {
	now := p.o.Now()
	by := actor{user: u, as: userRef(u), channel: channel{Type: "mobile"}}
	if in.Channel != "" {
		by.channel.Type = in.Channel
	}
	switch action {
	case "acknowledge":
		if i.status == resolved {
			return &problem{status: http.StatusBadRequest, code: 1001, message: "Incident Already Resolved"}
		}
		by.as.Type = ""
		return p.change(i, change{Status: acknowledged}, by, now)
	case "unacknowledge":
		if i.status != acknowledged {
			return invalid("Incident is not acknowledged")
		}
		return p.change(i, change{Status: triggered}, by, now)
	case "resolve":
		return p.change(i, change{Status: resolved, Resolution: in.Content}, by, now)
	case "reopen":
		if i.status != resolved {
			return invalid("Incident is not resolved")
		}
		return p.change(i, change{Status: triggered}, by, now)
	case "note", "edit-note", "delete-note":
		return p.write(u, i, action, in)
	case "merge":
		into := p.incident(in.Into)
		if into == nil || into == i || i.status == resolved || into.status == resolved {
			return invalid("Source incident cannot be merged")
		}
		p.merge(i, into, by, now)
		return nil
	}
	return p.give(i, action, by, in)
}

// give is what the phone does to whose an incident is, how long, and how loud.
func (p *Pager) give(i *incident, action string, by actor, in touch) *problem {
	now := p.o.Now()
	switch action {
	case "reassign":
		return p.reassign(i, []*User{p.o.Account.user(in.To)}, by, now)
	case "delegate":
		return p.delegate(i, p.o.Account.policy(in.To), by, now)
	case "escalate":
		return p.raise(i, in.Level, by, now)
	case "snooze":
		return p.snooze(i, by, seconds(in.For), now)
	case "unsnooze":
		return p.unsnooze(i, by, now)
	case "urgency":
		return p.setUrgency(i, in.Urgency, by, now)
	case "priority":
		to := p.o.Account.priority(in.Priority)
		if to == nil {
			return invalid("Priority is invalid")
		}
		p.setPriority(i, to, by, now)
		return nil
	default:
		return notFound()
	}
}

// write adds, edits or deletes a note.
func (p *Pager) write(u *User, i *incident, action string, in touch) *problem {
	if action != "delete-note" && in.Content == "" {
		return invalid("Content cannot be empty")
	}
	if action == "note" {
		if len(i.notes) >= maxNotes {
			return invalid("Incident has too many notes")
		}
		p.annotate(i, u, "mobile", in.Content, p.o.Now())
		return nil
	}
	n := i.note(in.Note)
	switch {
	case n == nil:
		return notFound()
	case action == "delete-note":
		i.forget(in.Note)
	default:
		n.content, n.modified = in.Content, p.o.Now()
	}
	return nil
}
