package observe

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// logOf answers one page of log entries.
func logOf(t *testing.T, entries string) []Entry {
	t.Helper()
	p, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"log_entries":`+entries+`}`) })
	got, err := p.Log(t.Context(), "PINC")
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestLogTellsAStoryInOrder(t *testing.T) {
	raw, err := os.ReadFile("testdata/log_entries.json")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range logOf(t, string(raw)) {
		human := ""
		if e.Human {
			human = " human"
		}
		lines = append(lines, strings.TrimSpace(fmt.Sprintf("%s %s %s %s%s | %s", e.At.Format("15:04:05.000"), e.Kind, e.User, e.Channel, human, e.Text)))
	}
	want := []string{
		"20:28:46.000 triggered  api | Order writes are throttled",
		"20:28:46.000 assigned  auto | Assigned to Ann",
		"20:28:50.000 notified PANN phone human | notified by phone",
		"20:28:51.000 notified PANN email human | notified by email",
		"20:28:52.000 other PANN sms human | notification: no_answer",
		"20:29:10.000 acknowledged PANN phone human | Acknowledged by Ann",
		"20:30:00.000 noted PANN website human | checked the DLQ, ask ann@example.com",
		"20:30:01.000 noted PBOT api | This is a drill",
		"20:59:10.000 unacknowledged  timeout | Unacknowledged by timeout",
		"20:59:10.000 escalated  auto | Escalated to [redacted] or [redacted] by timeout",
		"20:59:10.000 notified PBOB push human | notified by push",
		"20:59:30.250 acknowledged PBOB mobile human | Acknowledged by Bob",
		"20:59:31.000 acknowledged  api | Acknowledged through the API",
		"20:59:32.000 acknowledged PBOB api | Acknowledged by a tool",
		"21:00:00.000 resolved  api | Resolved through the integration",
		"21:10:00.000 resolved PBOB website human | Fixed",
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLogSurvivesOddShapes(t *testing.T) {
	for name, c := range map[string]struct {
		entry string
		want  Entry
	}{
		"null channel":       {`{"id":"R1","type":"acknowledge_log_entry","created_at":"2026-11-22T10:00:00Z","channel":null,"agent":{"type":"user_reference","id":"PANN"}}`, Entry{ID: "R1", Type: "acknowledge_log_entry", Kind: EntryAcknowledged, User: "PANN", Human: true}},
		"null channel type":  {`{"id":"R1","type":"acknowledge_log_entry","created_at":"2026-11-22T10:00:00Z","channel":{"type":null},"agent":{"type":"user_reference","id":"PANN"}}`, Entry{ID: "R1", Type: "acknowledge_log_entry", Kind: EntryAcknowledged, User: "PANN", Human: true}},
		"schema's spelling":  {`{"id":"R1","type":"acknowledgement_log_entry","created_at":"2026-11-22T10:00:00Z"}`, Entry{ID: "R1", Type: "acknowledgement_log_entry", Kind: EntryAcknowledged}},
		"null agent":         {`{"id":"R1","type":"acknowledge_log_entry","created_at":"2026-11-22T10:00:00Z","agent":null}`, Entry{ID: "R1", Type: "acknowledge_log_entry", Kind: EntryAcknowledged}},
		"agent without type": {`{"id":"R1","type":"resolve_log_entry","created_at":"2026-11-22T10:00:00Z","agent":{"id":"PANN","self":"https://api.pagerduty.com/users/PANN"}}`, Entry{ID: "R1", Type: "resolve_log_entry", Kind: EntryResolved, User: "PANN", Human: true}},
		"service no type":    {`{"id":"R1","type":"resolve_log_entry","created_at":"2026-11-22T10:00:00Z","agent":{"id":"PS","self":"https://api.pagerduty.com/services/PS"}}`, Entry{ID: "R1", Type: "resolve_log_entry", Kind: EntryResolved}},
		"bot user":           {`{"id":"R1","type":"annotate_log_entry","created_at":"2026-11-22T10:00:00Z","agent":{"id":"PB","type":"bot_user_reference"},"note":"x"}`, Entry{ID: "R1", Type: "annotate_log_entry", Kind: EntryNoted, Text: "x"}},
		"our bot":            {`{"id":"R1","type":"annotate_log_entry","created_at":"2026-11-22T10:00:00Z","agent":{"id":"PBOT","type":"user_reference"},"note":"x"}`, Entry{ID: "R1", Type: "annotate_log_entry", Kind: EntryNoted, User: "PBOT", Text: "x"}},
		"unknown type":       {`{"id":"R1","type":"status_update_log_entry","created_at":"2026-11-22T10:00:00Z","message":"we are on it","event_details":{"n":5}}`, Entry{ID: "R1", Type: "status_update_log_entry", Kind: EntryOther, Text: "we are on it"}},
		"wrong types":        {`{"id":"R1","type":5,"created_at":"2026-11-22T10:00:00Z","agent":"x","channel":[],"note":{},"summary":7,"user":1}`, Entry{ID: "R1", Kind: EntryOther}},
		"another zone":       {`{"id":"R1","type":"trigger_log_entry","created_at":"2026-11-22T12:00:00+02:00"}`, Entry{ID: "R1", Type: "trigger_log_entry", Kind: EntryTriggered}},
		"email integration":  {`{"id":"R1","type":"acknowledge_log_entry","created_at":"2026-11-22T10:00:00Z","channel":{"type":"email-integration"},"agent":{"type":"user_reference","id":"PANN"}}`, Entry{ID: "R1", Type: "acknowledge_log_entry", Kind: EntryAcknowledged, User: "PANN", Channel: "email-integration"}},
		"user on top":        {`{"id":"R1","type":"notify_log_entry","created_at":"2026-11-22T10:00:00Z","channel":{"type":"auto"},"notification":{"type":"sms_notification","status":"success"},"user":{"type":"user","id":"PANN"}}`, Entry{ID: "R1", Type: "notify_log_entry", Kind: EntryNotified, User: "PANN", Human: true, Channel: "sms", Text: "notified by sms"}},
	} {
		t.Run(name, func(t *testing.T) {
			c.want.At, c.want.ErrorS = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), 0.5
			if diff := cmp.Diff([]Entry{c.want}, logOf(t, `[null,5,`+c.entry+`]`)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestAnEntryWithoutATimeProvesNothing(t *testing.T) {
	got := logOf(t, `[{"id":"R1","type":"acknowledge_log_entry","created_at":"soon","agent":{"type":"user_reference","id":"PANN"}}]`)
	if len(got) != 1 || got[0].Kind != EntryOther {
		t.Errorf("%+v", got)
	}
}

func TestLogReadsEveryPageOnceAndAsksForAll(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		entry := func(n int) string {
			return fmt.Sprintf(`{"id":"R%03d","type":"notify_log_entry","created_at":"2026-11-22T10:00:00Z"}`, n)
		}
		var list []string
		from := map[string]int{"0": 0, "100": 99, "200": 199}[r.URL.Query().Get("offset")] // a page shifted by one
		for n := from; n < min(from+100, 250); n++ {
			list = append(list, entry(n))
		}
		reply(w, 200, fmt.Sprintf(`{"log_entries":[%s],"more":%v}`, strings.Join(list, ","), from < 199))
	})
	got, err := p.Log(t.Context(), "PINC")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 250 || f.count() != 3 {
		t.Errorf("%d entries in %d requests", len(got), f.count())
	}
	for _, c := range f.calls {
		if c.Query["is_overview"][0] != "false" || c.Query["time_zone"][0] != "UTC" || !slices.Contains(c.Query["include[]"], "channels") {
			t.Errorf("asked with %v", c.Query)
		}
	}
}

func TestALogThatNeverEndsIsAnError(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 200, `{"log_entries":[],"more":true,"limit":0}`)
	})
	if _, err := p.Log(t.Context(), "PINC"); err != nil || f.count() != 1 {
		t.Errorf("an empty page with more: %v after %d", err, f.count())
	}
	list := strings.TrimSuffix(strings.Repeat(`{"id":"R","type":"x"},`, 100), ",")
	p, f = newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"log_entries":[`+list+`],"more":true}`) })
	if _, err := p.Log(t.Context(), "PINC"); err == nil || f.count() > 100 {
		t.Errorf("no end: %v after %d", err, f.count())
	}
}

func TestIDsAreChecked(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{}`) })
	for _, id := range []string{"", "../services", "P1/notes", "P1?x", strings.Repeat("P", 65)} {
		if _, err := p.Log(t.Context(), id); err == nil {
			t.Errorf("log of %q", id)
		}
		if err := p.Note(t.Context(), id, "x"); err == nil {
			t.Errorf("note on %q", id)
		}
		if _, err := p.Find(t.Context(), id, testPage, time.Now()); err == nil {
			t.Errorf("find on %q", id)
		}
		if _, err := p.Check(t.Context(), id); err == nil {
			t.Errorf("check of %q", id)
		}
		if _, err := p.Notes(t.Context(), id); err == nil {
			t.Errorf("notes of %q", id)
		}
		if err := p.Mark(t.Context(), id, "drill"); err == nil {
			t.Errorf("mark of %q", id)
		}
		if _, err := p.RealIncidents(t.Context(), id, time.Now(), time.Now()); err == nil {
			t.Errorf("analytics of %q", id)
		}
	}
	if f.count() != 0 {
		t.Errorf("%d requests went out", f.count())
	}
}
