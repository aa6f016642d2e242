package hands

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// Incident is one of the pager's, as the phone shows it.
type Incident struct {
	ID      string `json:"id"`
	Number  int    `json:"incident_number"`
	Title   string `json:"title"`
	Status  string `json:"status"` // triggered, acknowledged, resolved
	Urgency string `json:"urgency"`
	Service struct {
		Summary string `json:"summary"`
	} `json:"service"`
	Assignments []struct {
		Assignee struct {
			ID      string `json:"id"`
			Summary string `json:"summary"`
		} `json:"assignee"`
	} `json:"assignments"`
}

// Mine says whether the incident is this person's, and whose it is.
func (h *Hands) Mine(i Incident) (mine bool, whose string) {
	for _, a := range i.Assignments {
		mine = mine || a.Assignee.ID == h.o.User
		whose = a.Assignee.Summary
	}
	return mine, whose
}

// Calling lists the triggered incidents of this person's that the phone has told of.
func (h *Hands) Calling(ctx context.Context) ([]Incident, error) {
	var out struct {
		Incidents []Incident `json:"incidents"`
	}
	q := url.Values{"statuses[]": {"triggered"}, "user_ids[]": {h.o.User}, "limit": {"100"}}
	if err := h.get(ctx, "/incidents?"+q.Encode(), &out); err != nil {
		return nil, err
	}
	var told []Incident
	for _, i := range out.Incidents {
		buzzed, err := h.buzzed(ctx, i.ID)
		if err != nil {
			return told, err
		}
		if buzzed {
			told = append(told, i)
		}
	}
	return told, nil
}

// Incident reads one again.
func (h *Hands) Incident(ctx context.Context, id string) (Incident, error) {
	var out struct {
		Incident Incident `json:"incident"`
	}
	err := h.get(ctx, "/incidents/"+id, &out)
	return out.Incident, err
}

// Note is what somebody wrote on an incident.
type Note struct {
	ID      string `json:"id"`
	Content string `json:"content"`
	User    struct {
		ID      string `json:"id"`
		Summary string `json:"summary"`
	} `json:"user"`
}

// Notes are those that others wrote on an incident.
func (h *Hands) Notes(ctx context.Context, id string) ([]Note, error) {
	var out struct {
		Notes []Note `json:"notes"`
	}
	if err := h.get(ctx, "/incidents/"+id+"/notes", &out); err != nil {
		return nil, err
	}
	var others []Note
	for _, n := range out.Notes {
		if n.User.ID != h.o.User {
			others = append(others, n)
		}
	}
	return others, nil
}

// buzzed says whether the phone has told of an incident.
func (h *Hands) buzzed(ctx context.Context, id string) (bool, error) {
	var out struct {
		Entries []struct {
			Type string `json:"type"`
			User struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"log_entries"`
	}
	if err := h.get(ctx, "/incidents/"+id+"/log_entries?limit=100&is_overview=false", &out); err != nil {
		return false, err
	}
	for _, e := range out.Entries {
		if e.Type == "notify_log_entry" && e.User.ID == h.o.User {
			return true, nil
		}
	}
	return false, nil
}

// Tap touches the phone's app: acknowledge, note or resolve, with words for the last two.
func (h *Hands) Tap(ctx context.Context, action, id, words string) error {
	body, err := json.Marshal(struct {
		Incident string `json:"incident"`
		Content  string `json:"content"`
	}{id, words})
	if err != nil {
		return fmt.Errorf("%s %s: %w", action, id, err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.o.Phone+"/"+action, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s %s: %w", action, id, err)
	}
	return h.do(req, nil)
}

func (h *Hands) get(ctx context.Context, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.o.Pager+path, nil)
	if err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Token token="+h.o.Token)
	req.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	return h.do(req, out)
}
