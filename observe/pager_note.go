package observe

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// Note writes a note on an incident as our bot user, whose address must stand in the From header. It is not
// repeated after a broken connection, for it might then stand there twice.
func (p *PagerDuty) Note(ctx context.Context, incident, text string) error {
	const op = "write a note"
	if err := checkID(op, "incident", incident); err != nil {
		return err
	}
	if strings.TrimSpace(text) == "" {
		return &Problem{Op: op, Why: "the note is empty"}
	}
	if p.from == "" {
		return &Problem{Op: op, Why: "nobody to write it as", Try: "set pagerduty.from to the e-mail address of a bot user who is never on call"}
	}
	var body struct {
		Note struct {
			Content string `json:"content"`
		} `json:"note"`
	}
	body.Note.Content = text
	raw, err := json.Marshal(body)
	if err != nil {
		return &Problem{Op: op, Why: err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	_, err = p.wire.do(ctx, call{
		op: op, method: http.MethodPost, url: p.api + "/incidents/" + incident + "/notes", body: raw, from: p.from,
	})
	return err
}
