package observe

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMarkSendsATypeAndNothingElse(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"incident":{"id":"PINC","status":"acknowledged","incident_type":{"name":"drill"}}}`)
	})
	if err := p.Mark(t.Context(), "PINC", "drill"); err != nil {
		t.Fatal(err)
	}
	c := f.calls[0]
	if c.Method != http.MethodPut || c.Path != "/pagerduty/incidents/PINC" || c.Header.Get("From") != "drills@example.com" {
		t.Errorf("%s %s from %q", c.Method, c.Path, c.Header.Get("From"))
	}
	var got any
	if err := json.Unmarshal([]byte(c.Body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"incident": map[string]any{"type": "incident_reference", "incident_type": map[string]any{"name": "drill"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMarkBelievesTheAnswerAlone(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"another type":     {200, `{"incident":{"id":"PINC","incident_type":{"name":"incident_default"}}}`, "incident_default"},
		"no type":          {200, `{"incident":{"id":"PINC","incident_type":null}}`, "all the same"},
		"another incident": {200, `{"incident":{"id":"PX","incident_type":{"name":"drill"}}}`, "another incident"},
		"no JSON":          {200, `<html>`, "not what PagerDuty documents"},
		"refused":          {400, `{"error":{"message":"Invalid","errors":["Incident type not found"]}}`, "Incident type not found"},
		"in trouble":       {502, ``, "in trouble"},
	} {
		p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, c.status, c.body) })
		if err := p.Mark(t.Context(), "PINC", "drill"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if f.count() != 1 {
			t.Errorf("%s: %d requests: an incident is not changed twice", name, f.count())
		}
	}
}

func TestMarkRefuses(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{}`) })
	for _, x := range [][2]string{{"", "drill"}, {"P/../x", "drill"}, {"PINC", ""}, {"PINC", `d"}`}, {"PINC", strings.Repeat("d", 51)}} {
		if err := p.Mark(t.Context(), x[0], x[1]); err == nil {
			t.Errorf("marked %q as %q", x[0], x[1])
		}
	}
	p.from = ""
	if err := p.Mark(t.Context(), "PINC", "drill"); err == nil || !strings.Contains(err.Error(), "nobody to do it as") {
		t.Errorf("without a From: %v", err)
	}
	if f.count() != 0 {
		t.Errorf("%d requests went out", f.count())
	}
}

func TestHasTypeKnowsWhatIsThere(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"incident_types":[{"name":"incident_default","enabled":true},{"name":"drill","display_name":"Drill","enabled":true},{"name":"old","enabled":false},{"name":"plain"}]}`)
	})
	for name, want := range map[string]bool{"drill": true, "Drill": false, "old": false, "plain": true, "none": false} {
		if got, err := p.HasType(t.Context(), name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if q := f.calls[0].Query; q["filter"][0] != "enabled" || f.calls[0].Path != "/pagerduty/incidents/types" {
		t.Errorf("asked %s with %v", f.calls[0].Path, q)
	}
	for status, fails := range map[int]bool{402: false, 404: false, 403: true, 500: true} {
		p, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, status, `{}`) })
		if got, err := p.HasType(t.Context(), "drill"); got || (err != nil) != fails {
			t.Errorf("%d: %v, %v", status, got, err)
		}
	}
}

func TestAnIncidentTellsItsTypeAndWhatItWasMergedInto(t *testing.T) {
	p, _ := newFake(t, desk{
		incidents: []string{
			strings.Replace(incident("PMINE", "PORDERS", "2026-11-22T10:00:00Z"), `"resolve_reason":null`, `"resolve_reason":{"type":"merge_resolve_reason","incident":{"id":"PBIG"}},"incident_type":{"name":"drill"},"updated_at":"2026-11-22T10:05:00Z"`, 1),
			strings.Replace(incident("PTWO", "PORDERS", "2026-11-22T10:00:01Z"), `"resolve_reason":null`, `"resolve_reason":null,"incident_type":null,"updated_at":null`, 1),
		},
		alerts: map[string]string{"PMINE": alert("A1", testPage)},
	}.ServeHTTP)
	got, err := p.Incidents(t.Context(), []string{"PORDERS"}, timeOf("2026-11-22T09:00:00Z"))
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if got[0].Into != "PBIG" || got[0].Type != "drill" || !got[0].UpdatedAt.Equal(timeOf("2026-11-22T10:05:00Z")) || got[1].Into != "" || got[1].Type != "" {
		t.Errorf("%+v", got)
	}
}
