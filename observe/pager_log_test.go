package observe

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheAccountsLogNamesIncidentAndService(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"log_entries":[
			{"id":"R3","type":"acknowledge_log_entry","created_at":"2026-11-22T10:00:05Z","agent":{"id":"PANN","type":"user_reference"},"channel":{"type":"mobile"},"incident":{"id":"PINC","type":"incident_reference"},"service":{"id":"PORDERS"}},
			{"id":"R1","type":"trigger_log_entry","created_at":"2026-11-22T10:00:00Z","channel":null,"incident":{"id":"PINC","status":"acknowledged","title":"t","alert_counts":{"all":1},"service":{"id":"PORDERS"}}},
			{"id":"R2","type":"assign_log_entry","created_at":"2026-11-22T10:00:00Z","incident":{"id":"PODD","title":7,"service":{"id":"PWEB"}}},
			{"id":"R3","type":"acknowledge_log_entry","created_at":"2026-11-22T10:00:05Z","incident":{"id":"PINC"}},
			{"id":"R4","type":"acknowledge_log_entry","created_at":"2026-11-22T10:00:05Z","incident":null}],"more":false}`)
	})
	since := time.Date(2026, 11, 22, 9, 58, 0, 0, time.UTC)
	got, err := p.entriesSince(t.Context(), since, since.Add(time.Hour), accountPages)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range got {
		lines = append(lines, strings.Join([]string{e.ID, e.Incident, e.Service, e.Now.Status}, " "))
	}
	if want := []string{"R1 PINC PORDERS acknowledged", "R2 PODD PWEB ", "R3 PINC PORDERS "}; !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
	q := f.calls[0].Query
	if f.calls[0].Path != "/pagerduty/log_entries" || q["since"][0] != "2026-11-22T09:58:00Z" || q["until"][0] != "2026-11-22T10:58:00Z" ||
		!slices.Equal(q["include[]"], []string{"channels", "incidents"}) || q["is_overview"][0] != "false" || q["time_zone"][0] != "UTC" {
		t.Errorf("asked %s with %v", f.calls[0].Path, q)
	}
}

func TestAnAccountWithTooMuchTrafficIsSaidToBe(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		var list []string
		for n := range pagerPage {
			list = append(list, fmt.Sprintf(`{"id":"R%s-%d","created_at":"2026-11-22T10:00:00Z","incident":{"id":"PINC"}}`, r.URL.Query().Get("offset"), n))
		}
		reply(w, 200, `{"log_entries":[`+strings.Join(list, ",")+`],"more":true}`)
	})
	got, err := p.entriesSince(t.Context(), time.Now(), time.Now(), accountPages)
	if !errors.Is(err, errTooMany) || len(got) != accountPages*pagerPage || f.count() != accountPages {
		t.Errorf("%d entries in %d requests: %v", len(got), f.count(), err)
	}
}

func TestEveryRequestOfTheRESTAPIIsToldOf(t *testing.T) {
	var n int
	p, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		switch n++; n {
		case 1:
			panic(http.ErrAbortHandler) // on a fresh connection, where nobody but us tries again
		case 2:
			reply(w, 503, ``)
		default:
			w.Header().Set("ratelimit-remaining", "955")
			reply(w, 200, `{"log_entries":[]}`)
		}
	})
	var told []string
	p.listen(func(sent, received time.Time, h http.Header) {
		if received.Before(sent) {
			t.Errorf("answered at %v, sent at %v", received, sent)
		}
		told = append(told, fmt.Sprint(h != nil, h.Get("Date") != "", h.Get("ratelimit-remaining") == "955"))
	})
	if _, err := p.Log(t.Context(), "PINC"); err != nil {
		t.Fatal(err)
	}
	if err := p.Send(t.Context(), testKey, Page{Key: testPage, Title: "x"}); err != nil { // another host, another clock
		t.Fatal(err)
	}
	if want := []string{"false false false", "true true false", "true true true"}; !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
}
