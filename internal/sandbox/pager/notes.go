package pager

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

const (
	viaAPI  = "The PagerDuty website or APIs"
	botName = "Event Orchestration"
)

type note struct {
	id       string
	by       *User // nil: a bot
	via      string
	content  string
	created  time.Time
	modified time.Time
}

type noteInput struct {
	Note struct {
		Content string `json:"content"`
	} `json:"note"`
}

type noteAnswer struct {
	Note noteShape `json:"note"`
}

func (p *Pager) noteRoutes() {
	p.rest("GET /incidents/{id}/notes", p.one(func(q *query, i *incident) (any, *problem) {
		out := struct {
			Notes []noteShape `json:"notes"`
		}{[]noteShape{}}
		for _, n := range i.notes {
			out.Notes = append(out.Notes, q.view.note(n))
		}
		return out, nil
	}))
	p.rest("POST /incidents/{id}/notes", p.one(p.addNote))
	p.rest("PUT /incidents/{id}/notes/{note}", p.one(p.editNote))
	p.rest("DELETE /incidents/{id}/notes/{note}", func(q *query) (int, any, *problem) {
		i := p.incident(q.r.PathValue("id"))
		if i == nil {
			return 0, nil, notFound()
		}
		if !i.forget(q.r.PathValue("note")) {
			return 0, nil, notFound()
		}
		return http.StatusNoContent, nil, nil
	})
}

// annotate adds a note and its log entry; without a user, a bot's.
func (p *Pager) annotate(i *incident, by *User, via, content string, now time.Time) *note {
	n := &note{id: p.id("P", 14), by: by, via: via, content: content, created: now, modified: now}
	i.notes = append(i.notes, n)
	agent := n.author()
	p.log(i, now, entry{kind: "annotate", agent: &agent, channel: channel{Type: "note", Summary: content}})
	return n
}

func (n *note) author() ref {
	if n.by == nil {
		return ref{ID: "PBOTEO", Type: "bot_user_reference", Summary: botName}
	}
	return userRef(n.by)
}

// note finds a note by its id.
func (i *incident) note(id string) *note {
	for _, n := range i.notes {
		if n.id == id {
			return n
		}
	}
	return nil
}

// forget deletes a note. Its log entry stays.
func (i *incident) forget(id string) bool {
	had := len(i.notes)
	i.notes = slices.DeleteFunc(i.notes, func(n *note) bool { return n.id == id })
	return len(i.notes) < had
}

// addNote answers 200, not 201, as PagerDuty does.
func (p *Pager) addNote(q *query, i *incident) (any, *problem) {
	u, bad := p.sender(q)
	if bad != nil {
		return nil, bad
	}
	var in noteInput
	if err := json.NewDecoder(q.r.Body).Decode(&in); err != nil {
		return nil, invalid(err.Error())
	}
	if in.Note.Content == "" {
		return nil, invalid("Content cannot be empty")
	}
	if len(i.notes) >= maxNotes {
		return nil, invalid("Incident has too many notes")
	}
	return noteAnswer{q.view.note(p.annotate(i, u, viaAPI, in.Note.Content, q.now))}, nil
}

func (p *Pager) editNote(q *query, i *incident) (any, *problem) {
	if _, bad := p.sender(q); bad != nil {
		return nil, bad
	}
	var in noteInput
	if err := json.NewDecoder(q.r.Body).Decode(&in); err != nil || in.Note.Content == "" {
		return nil, invalid("Content cannot be empty")
	}
	n := i.note(q.r.PathValue("note"))
	if n == nil {
		return nil, notFound()
	}
	n.content, n.modified = in.Note.Content, q.now
	return noteAnswer{q.view.note(n)}, nil
}

type noteShape struct {
	ID        string      `json:"id"`
	User      ref         `json:"user"`
	Channel   noteChannel `json:"channel"`
	Content   string      `json:"content"`
	CreatedAt string      `json:"created_at"`
	UpdatedAt string      `json:"updated_at"`
}

type noteChannel struct {
	Summary string `json:"summary"`
}

func (v view) note(n *note) noteShape {
	return noteShape{ID: n.id, User: v.link(n.author()), Channel: noteChannel{n.via}, Content: n.content,
		CreatedAt: v.at(n.created), UpdatedAt: v.at(n.modified)}
}
