package sandbox

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestSlackIsPartOfIt: what a client is told of it is what answers, and every team has its channel.
func TestSlackIsPartOfIt(t *testing.T) {
	t.Parallel()
	s := start(t, "none")
	w := s.World()
	form := url.Values{"channel": {w.Teams["web"].Slack}, "text": {"a drill is on"}}.Encode()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Slack.API+"/chat.postMessage", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+w.Slack.Token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	hook, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Slack.Webhook, strings.NewReader(`{"text": "and over"}`))
	if err != nil {
		t.Fatal(err)
	}
	page, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/_sandbox/slack", nil)
	if err != nil {
		t.Fatal(err)
	}
	var body []byte
	for _, r := range []*http.Request{req, hook, page} {
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if body, err = io.ReadAll(res.Body); err != nil || res.StatusCode != http.StatusOK || strings.Contains(string(body), `"ok":false`) {
			t.Errorf("%s: %s, %s, %v", r.URL, res.Status, body, err)
		}
		_ = res.Body.Close()
	}
	var said []struct{ Name, Text string }
	if err := json.Unmarshal(body, &said); err != nil || len(said) != 2 || said[0].Name != "#web-alerts" || said[1].Name != w.Teams["orders"].Slack {
		t.Errorf("said %s, %v", body, err)
	}
}
