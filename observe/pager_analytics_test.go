package observe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const rawIncident = `{"id":%q,"incident_number":928,"description":"writes throttled","service_id":%q,"incident_type_name":"incident_default","urgency":"high","created_at":%q,
	"seconds_to_first_ack":184,"seconds_to_engage":190,"seconds_to_mobilize":null,"seconds_to_resolve":3305,"auto_resolved":false,"escalation_count":2,
	"timeout_escalation_count":1,"total_notifications":5,"acknowledged_user_names":["Ann"]}`

func TestRealIncidentsAreReadInEveryShape(t *testing.T) {
	s := func(f float64) *float64 { return &f }
	want := RealIncident{ID: "PA", Number: 928, Title: "writes throttled", Service: "PORDERS", Type: "incident_default", Urgency: "high",
		CreatedAt: time.Date(2026, 11, 20, 10, 5, 0, 0, time.UTC), AcknowledgeS: s(184), EngageS: s(190), ResolveS: s(3305), Escalations: 2, Timeouts: 1, Notifications: 5}
	one := fmt.Sprintf(rawIncident, "PA", "PORDERS", "2026-11-20T10:05:00") // no zone, as documented
	for name, body := range map[string]string{
		"a list in data":  `{"data":[` + one + `],"more":false,"last":"PA","time_zone":"Etc/UTC"}`,
		"one in data":     `{"time_zone":"Etc/UTC","data":` + one + `}`,
		"a bare list":     `[` + one + `]`,
		"a bare incident": one,
		"with a zone":     `{"data":[` + fmt.Sprintf(rawIncident, "PA", "PORDERS", "2026-11-20T12:05:00+02:00") + `]}`,
		"and a stranger":  `{"data":[` + one + `,` + fmt.Sprintf(rawIncident, "PB", "PWEB", "2026-11-20T10:05:00Z") + `,5,null,{}]}`,
	} {
		p, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, body) })
		got, err := p.RealIncidents(t.Context(), "PORDERS", time.Now(), time.Now())
		if diff := cmp.Diff([]RealIncident{want}, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
}

func TestRealIncidentsAreAskedForPageByPage(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"data":[`+fmt.Sprintf(rawIncident, "PB", "PORDERS", "2026-11-21T10:05:00")+`],"more":true,"last":"PB"}`)
	})
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	got, err := p.RealIncidents(t.Context(), "PORDERS", from, from.AddDate(0, 0, 20))
	if err != nil || len(got) != 1 || f.count() != 2 { // the second page ends where the first did
		t.Fatalf("%v, %v in %d requests", got, err, f.count())
	}
	var asked struct {
		Filters struct {
			Start    string   `json:"created_at_start"`
			End      string   `json:"created_at_end"`
			Services []string `json:"service_ids"`
		} `json:"filters"`
		After string `json:"starting_after"`
	}
	if err := json.Unmarshal([]byte(f.calls[1].Body), &asked); err != nil {
		t.Fatal(err)
	}
	if asked.Filters.Start != "2026-11-01T00:00:00Z" || asked.Filters.End != "2026-11-21T00:00:00Z" || asked.Filters.Services[0] != "PORDERS" || asked.After != "PB" {
		t.Errorf("asked %s", f.calls[1].Body)
	}
	if f.calls[0].Method != http.MethodPost || f.calls[0].Path != "/pagerduty/analytics/raw/incidents" {
		t.Errorf("%s %s", f.calls[0].Method, f.calls[0].Path)
	}
}

func TestAnalyticsThatMayNotBeRead(t *testing.T) {
	for _, status := range []int{402, 403, 404} {
		p, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, status, `{"error":{"message":"no"}}`) })
		_, err := p.RealIncidents(t.Context(), "PORDERS", time.Now(), time.Now())
		var no *Problem
		if !errors.Is(err, ErrNoAnalytics) || !errors.As(err, &no) || no.Status != status {
			t.Errorf("%d: %v", status, err)
		}
	}
	for status, body := range map[int]string{401: `{}`, 200: `"x"`} {
		p, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, status, body) })
		if _, err := p.RealIncidents(t.Context(), "PORDERS", time.Now(), time.Now()); err == nil || errors.Is(err, ErrNoAnalytics) {
			t.Errorf("%d: %v", status, err)
		}
	}
}
