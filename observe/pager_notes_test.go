package observe

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNotesAreASnapshotOfWhatPeopleWrote(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"notes":[
			{"id":"PN3","user":{"id":"PANN","type":"user_reference","summary":"Ann"},"channel":{"summary":"The PagerDuty website or APIs"},"content":"throttled, ask bob@example.com","created_at":"2026-11-22T10:02:00Z","updated_at":"2026-11-22T10:05:00+00:00"},
			{"id":"PN1","user":{"id":"PRULE","type":"bot_user_reference","summary":"A rule"},"content":"by a rule","created_at":"2026-11-22T10:00:00Z","updated_at":null},
			{"id":"PN2","user":{"id":"PBOT","type":"user_reference","summary":"firedrill"},"content":"This is a drill","created_at":"2026-11-22T10:00:00Z"},
			{"id":"PN4","user":null,"content":null,"created_at":"2026-11-22T10:03:00Z"},
			{"id":"PN4","user":null,"content":"twice","created_at":"2026-11-22T10:03:00Z"},
			{"id":"PN5","content":"no time"},{"content":"no id","created_at":"2026-11-22T10:03:00Z"},null,7]}`)
	})
	got, err := p.Notes(t.Context(), "PINC")
	if err != nil {
		t.Fatal(err)
	}
	at := func(minute int) time.Time { return time.Date(2026, 11, 22, 10, minute, 0, 0, time.UTC) }
	want := []IncidentNote{
		{ID: "PN1", Text: "by a rule", CreatedAt: at(0)},
		{ID: "PN2", User: "PBOT", Name: "firedrill", Text: "This is a drill", CreatedAt: at(0)},
		{ID: "PN3", User: "PANN", Name: "Ann", Human: true, Text: "throttled, ask bob@example.com", CreatedAt: at(2), UpdatedAt: at(5)},
		{ID: "PN4", CreatedAt: at(3)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if f.calls[0].Path != "/pagerduty/incidents/PINC/notes" || len(f.calls[0].Query) != 0 {
		t.Errorf("asked %s with %v: it documents no pages", f.calls[0].Path, f.calls[0].Query)
	}
}

func TestManyNotesAreReadAtOnce(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		list := make([]string, 2000)
		for i := range list {
			list[i] = fmt.Sprintf(`{"id":"PN%d","content":"x","created_at":"2026-11-22T10:00:00Z"}`, i)
		}
		reply(w, 200, `{"notes":[`+strings.Join(list, ",")+`]}`)
	})
	if got, err := p.Notes(t.Context(), "PINC"); err != nil || len(got) != 2000 || f.count() != 1 {
		t.Errorf("%d notes in %d requests, %v", len(got), f.count(), err)
	}
	if _, err := p.Notes(t.Context(), "../x"); err == nil || f.count() != 1 {
		t.Errorf("an odd id: %v after %d requests", err, f.count())
	}
}
