package observe

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// desk is a pager with some incidents: it answers an incident_key as badly as the real one may.
type desk struct {
	incidents []string
	alerts    map[string]string
}

func (d desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/pagerduty/incidents")
	if path == "" {
		reply(w, 200, `{"incidents":[`+strings.Join(d.incidents, ",")+`],"more":false}`)
		return
	}
	id, _ := strings.CutSuffix(strings.TrimPrefix(path, "/"), "/alerts")
	reply(w, 200, `{"alerts":[`+d.alerts[id]+`]}`)
}

func incident(id, service, created string) string {
	return fmt.Sprintf(`{"id":%q,"incident_number":7,"title":"t","status":"triggered","urgency":"high","created_at":%q,"incident_key":null,"resolve_reason":null,"html_url":"https://x/%s","service":{"id":%q}}`, id, created, id, service)
}

func alert(id, key string) string {
	return fmt.Sprintf(`{"id":%q,"alert_key":%q,"status":"triggered","summary":"s","created_at":"2026-11-22T10:00:00Z","suppressed":false,"integration":{"id":"PINT"},"body":null}`, id, key)
}

func TestFindVerifiesServiceAndKey(t *testing.T) {
	d := desk{
		incidents: []string{
			incident("PREAL", "PORDERS", "2026-11-22T09:00:00Z"), // everybody's, as if the key were not asked for
			incident("PWEB1", "PWEB", "2026-11-22T10:00:00Z"),
			incident("PCASE", "PORDERS", "2026-11-22T10:00:00Z"),
			incident("PMINE", "PORDERS", "2026-11-22T10:00:01Z"),
		},
		alerts: map[string]string{
			"PREAL": alert("A1", "48cddba5"), "PWEB1": alert("A2", testPage), "PCASE": alert("A3", strings.ToUpper(testPage)),
			"PMINE": alert("A4", "other") + "," + alert("A5", testPage),
		},
	}
	p, f := newFake(t, d.ServeHTTP)
	since := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	got, err := p.Find(t.Context(), "PORDERS", testPage, since)
	if err != nil {
		t.Fatal(err)
	}
	if got == nil || got.ID != "PMINE" || len(got.Alerts) != 2 || got.Alerts[1].Key != testPage || got.Alerts[1].Integration != "PINT" {
		t.Fatalf("found %+v", got)
	}
	if !got.CreatedAt.Equal(since.Add(time.Second)) || got.Urgency != "high" || got.Number != 7 || got.URL != "https://x/PMINE" {
		t.Errorf("found %+v", got)
	}
	q := f.calls[0].Query
	if q["incident_key"][0] != testPage || q["service_ids[]"][0] != "PORDERS" || q["statuses[]"] != nil || q["since"][0] != "2026-11-22T09:55:00Z" {
		t.Errorf("asked with %v", q)
	}
	for _, c := range f.calls {
		if c.Method != http.MethodGet || strings.Contains(c.Path, "PWEB1") {
			t.Errorf("%s %s", c.Method, c.Path)
		}
	}
	d.incidents = d.incidents[:3]
	p, _ = newFake(t, d.ServeHTTP)
	if got, err := p.Find(t.Context(), "PORDERS", testPage, since); got != nil || err != nil {
		t.Errorf("found %+v, %v", got, err)
	}
}

func TestFindRefusesAnEmptyKey(t *testing.T) {
	p, f := newFake(t, desk{}.ServeHTTP)
	if _, err := p.Find(t.Context(), "PORDERS", "", time.Now()); err == nil || f.count() != 0 {
		t.Errorf("%v after %d requests", err, f.count())
	}
}

func TestIncidentsJoinsRecentAndOpen(t *testing.T) {
	old, recent := incident("POLD", "PORDERS", "2026-11-01T10:00:00Z"), incident("PNEW", "PORDERS", "2026-11-22T10:00:00Z")
	foreign := incident("PFOR", "PWEB", "2026-11-22T10:00:00Z")
	alerts := desk{alerts: map[string]string{"POLD": alert("A1", "k1"), "PNEW": alert("A2", "k2")}}
	p, f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		d := alerts
		d.incidents = []string{recent, foreign}
		if r.URL.Query().Has("statuses[]") {
			d.incidents = []string{recent, old}
		}
		d.ServeHTTP(w, r)
	})
	got, err := p.Incidents(t.Context(), []string{"PORDERS"}, time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, inc := range got {
		ids = append(ids, inc.ID+" "+inc.Alerts[0].Key)
	}
	if !slices.Equal(ids, []string{"POLD k1", "PNEW k2"}) {
		t.Errorf("%v", ids)
	}
	if q := f.calls[1].Query; !slices.Equal(q["statuses[]"], []string{"triggered", "acknowledged"}) || q["date_range"][0] != "all" {
		t.Errorf("asked for open ones with %v", q)
	}
	for _, bad := range [][]string{nil, {""}, {"PORDERS", "a b"}} {
		before := f.count()
		if _, err := p.Incidents(t.Context(), bad, time.Now()); err == nil || f.count() != before {
			t.Errorf("services %q: %v", bad, err)
		}
	}
}

func TestABrokenAnswerIsAnError(t *testing.T) {
	for _, body := range []string{"", "<html>", `{"incidents":{}}`, `[]`} {
		p, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, body) })
		if got, err := p.Find(t.Context(), "PORDERS", testPage, time.Now()); err == nil {
			t.Errorf("%q: %+v", body, got)
		}
	}
}
