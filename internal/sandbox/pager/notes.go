package pager

import (
	"encoding/json"
	"net/http"
	"slices"
)

const viaAPI = "The PagerDuty website or APIs"

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
		k := slices.IndexFunc(i.notes, func(n *note) bool { return n.id == q.r.PathValue("note") })
		if k < 0 {
			return 0, nil, notFound()
		}
		i.notes = slices.Delete(i.notes, k, k+1)
		return http.StatusNoContent, nil, nil
	})
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
	for _, n := range i.notes {
		if n.id == q.r.PathValue("note") {
			n.content, n.modified = in.Note.Content, q.now
			return noteAnswer{q.view.note(n)}, nil
		}
	}
	return nil, notFound()
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
	return noteShape{ID: n.id, User: v.link(userRef(n.by)), Channel: noteChannel{n.via}, Content: n.content,
		CreatedAt: v.at(n.created), UpdatedAt: v.at(n.modified)}
}
