package observe

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
)

var _ Notebook = (*PagerDuty)(nil)

// Notes reads the notes that stand on an incident now, oldest first. People edit and delete them, so what is read is a
// snapshot; PagerDuty keeps at most 2000 and documents no pages of them.
// https://developer.pagerduty.com/api-reference/a1ac30885eb7a-list-notes-for-an-incident
func (p *PagerDuty) Notes(ctx context.Context, incident string) ([]IncidentNote, error) {
	const op = "read an incident's notes"
	if err := checkID(op, "incident", incident); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	var got struct {
		Notes []json.RawMessage `json:"notes"`
	}
	if err := p.wire.get(ctx, op, p.api+"/incidents/"+incident+"/notes", &got); err != nil {
		return nil, err
	}
	var notes []IncidentNote
	seen := map[string]bool{}
	for _, raw := range got.Notes {
		if n, ok := p.note(looseOf(raw)); ok && !seen[n.ID] {
			seen[n.ID] = true
			notes = append(notes, n)
		}
	}
	slices.SortStableFunc(notes, func(a, b IncidentNote) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return notes, nil
}

// note decodes one note. What a person wrote stays as it is; rules and workflows write as a bot_user.
func (p *PagerDuty) note(l loose) (IncidentNote, bool) {
	n := IncidentNote{ID: l.id("id"), Text: l.text("content"), CreatedAt: timeOf(l.text("created_at")), UpdatedAt: timeOf(l.text("updated_at"))}
	if who := l.object("user"); isUser(who) {
		n.User, n.Name = who.id("id"), nameOf(who)
		n.Human = n.User != "" && !p.bots[n.User]
	}
	return n, n.ID != "" && !n.CreatedAt.IsZero()
}
