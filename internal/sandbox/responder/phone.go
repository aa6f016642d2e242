package responder

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// mine lists the triggered incidents that are assigned to this user.
func (r *Responder) mine(ctx context.Context) ([]string, error) {
	var out struct {
		Incidents []struct {
			ID string `json:"id"`
		} `json:"incidents"`
	}
	q := url.Values{"statuses[]": {"triggered"}, "user_ids[]": {r.o.User}, "limit": {"100"}}
	if err := r.get(ctx, "/incidents?"+q.Encode(), &out); err != nil {
		return nil, err
	}
	var ids []string
	for _, i := range out.Incidents {
		ids = append(ids, i.ID)
	}
	return ids, nil
}

// notified says whether an incident's log has a notification of this user, and whether it is still triggered.
func (r *Responder) notified(ctx context.Context, id string) (told, open bool, err error) {
	var in struct {
		Incident struct {
			Status string `json:"status"`
		} `json:"incident"`
	}
	if err := r.get(ctx, "/incidents/"+id, &in); err != nil {
		return false, false, err
	}
	var out struct {
		Entries []struct {
			Type string `json:"type"`
			User struct {
				ID string `json:"id"`
			} `json:"user"`
		} `json:"log_entries"`
	}
	if err := r.get(ctx, "/incidents/"+id+"/log_entries?limit=100&is_overview=false", &out); err != nil {
		return false, false, err
	}
	for _, e := range out.Entries {
		told = told || e.Type == "notify_log_entry" && e.User.ID == r.o.User
	}
	return told, in.Incident.Status == "triggered", nil
}

// tap touches the phone app: acknowledge, resolve or note.
func (r *Responder) tap(ctx context.Context, action, id, content string) error {
	body, err := json.Marshal(struct {
		Incident string `json:"incident"`
		Content  string `json:"content"`
	}{id, content})
	if err != nil {
		return fmt.Errorf("%s %s: %w", action, id, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.o.Phone+"/"+r.o.User+"/"+action, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s %s: %w", action, id, err)
	}
	return r.do(req, nil)
}

func (r *Responder) get(ctx context.Context, path string, out any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.o.Pager+path, nil)
	if err != nil {
		return fmt.Errorf("get %s: %w", path, err)
	}
	req.Header.Set("Authorization", "Token token="+r.o.Token)
	req.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	return r.do(req, out)
}

func (r *Responder) do(req *http.Request, out any) error {
	res, err := r.web.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= 300 {
		_, _ = io.Copy(io.Discard, res.Body)
		return fmt.Errorf("%s %s: %s", req.Method, req.URL.Path, res.Status)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	return nil
}
