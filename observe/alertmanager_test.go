package observe

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAlertmanagerReads(t *testing.T) {
	alert := func(state, starts, labels string) string {
		return `{"labels":{"alertname":"OrdersFail","team":"orders"` + labels + `},"startsAt":"` + starts + `","status":{"state":"` + state + `","silencedBy":["s1"],"inhibitedBy":[]}}`
	}
	at := time.Date(2026, 11, 22, 10, 0, 5, 123e6, time.UTC)
	for name, c := range map[string]struct {
		status int
		body   string
		want   Value
		since  time.Time
		half   float64
		why    string
	}{
		"none":             {200, `[]`, OK, time.Time{}, 0, "no such alert"},
		"active":           {200, `[` + alert("active", "2026-11-22T11:00:05.123+01:00", "") + `]`, Bad, at, 0.0005, "active since"},
		"whole seconds":    {200, `[` + alert("active", "2026-11-22T10:00:05Z", "") + `]`, Bad, at.Truncate(time.Second), 0.5, "active since"},
		"no start":         {200, `[` + alert("active", "soon", "") + `]`, Bad, time.Time{}, 0, "active since soon"},
		"silenced":         {200, `[` + alert("suppressed", "2026-11-22T10:00:05.123Z", "") + `]`, OK, time.Time{}, 0, "pages nobody: silenced by s1"},
		"not judged yet":   {200, `[` + alert("unprocessed", "2026-11-22T10:00:05.123Z", "") + `]`, Unknown, time.Time{}, 0, "unprocessed"},
		"the first of two": {200, `[` + alert("active", "2026-11-22T10:00:09.5Z", `,"i":"1"`) + `,` + alert("active", "2026-11-22T10:00:05.123Z", `,"i":"2"`) + `]`, Bad, at, 0.0005, "2 such alerts"},
		"one of two":       {200, `[` + alert("suppressed", "2026-11-22T10:00:01Z", `,"i":"1"`) + `,` + alert("active", "2026-11-22T10:00:05.123Z", `,"i":"2"`) + `]`, Bad, at, 0.0005, "active since"},
		"another":          {200, `[{"labels":{"alertname":"OrdersFail","team":"stock"},"startsAt":"2026-11-22T10:00:05Z","status":{"state":"active"}}]`, OK, time.Time{}, 0, "no such alert"},
		"refused":          {401, `no`, Unknown, time.Time{}, 0, "status 401: no"},
		"somebody else":    {200, `<html>`, Unknown, time.Time{}, 0, "no answer of Alertmanager"},
	} {
		url := monitoring(t, func(w http.ResponseWriter, r *http.Request) {
			if got := strings.Join(r.URL.Query()["filter"], " "); r.URL.Path != "/api/v2/alerts" || got != `alertname="OrdersFail" team="orders"` {
				t.Errorf("%s: asked %s with %s", name, r.URL.Path, got)
			}
			reply(w, c.status, c.body)
		})
		got := readVia(t, `alertmanager: {url: "`+url+`", alert: OrdersFail, labels: {team: orders}}`, nil)
		if got.Value != c.want || !got.Since.Equal(c.since) || got.ErrorS != c.half || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %+v, want %+v", name, got, c)
		}
		if by := "alertmanager " + strings.TrimPrefix(url, "http://"); !c.since.IsZero() && got.By != by {
			t.Errorf("%s: by %q, want %q", name, got.By, by)
		}
	}
}

func TestClockOfAProbe(t *testing.T) {
	source, address := specOf(t, `alertmanager: {url: "https://am.example.com/x", alert: X}`).Clock()
	if source != "alertmanager am.example.com" || address != "https://am.example.com/x" {
		t.Errorf("%q %q", source, address)
	}
	if source, _ := specOf(t, `promql: {url: "https://x", query: up, is: "== 1"}`).Clock(); source != "" {
		t.Errorf("%q", source)
	}
}
