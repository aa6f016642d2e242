package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/sandbox/pager"
)

// desktop is the sandbox's pager behind a server, and our client of it.
type desktop struct {
	*PagerDuty
	t   *testing.T
	url string
}

const theirKey = "fedcba9876543210fedcba9876543210"

// newDesktop starts a pager with two levels on call that does everything within milliseconds.
func newDesktop(t *testing.T) *desktop {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	p := pager.New(pager.Options{
		Now: time.Now, Seed: 11, URL: srv.URL, MinDelay: 5 * time.Millisecond, MaxDelay: 30 * time.Millisecond,
		NotifyAfter: 5 * time.Millisecond, EscalateAfter: 300 * time.Millisecond,
		Account: pager.Account{
			Users: []pager.User{
				{ID: "PRESP01", Name: "First Responder", Email: "first@example.invalid", Contacts: []pager.Contact{{Type: "push"}, {Type: "sms", Address: "+353 1 555 0101"}}},
				{ID: "PRESP02", Name: "Second Responder", Email: "second@example.invalid", Contacts: []pager.Contact{{Type: "phone", Address: "+353 1 555 0102"}}},
				{ID: "PFDRILL", Name: "firedrill", Email: "drills@firedrill.invalid"},
			},
			Policies: []pager.Policy{{ID: "PEPORD", Name: "Orders", Levels: [][]string{{"PRESP01"}, {"PRESP02"}}}, {ID: "PEPNONE", Name: "Nobody", Levels: [][]string{{}}}},
			Services: []pager.Service{
				{ID: "PORDERS", Name: "Orders (staging)", Policy: "PEPORD", Integrations: []pager.Integration{
					{ID: "PIOURS", Name: "firedrill", Type: pager.EventsV2, Key: testKey}, {ID: "PITHEIR", Name: "monitoring", Type: pager.EventsV2, Key: theirKey},
				}},
				{ID: "PNONE", Name: "Unattended", Policy: "PEPNONE"},
				{ID: "POFF", Name: "Off", Policy: "PEPORD", Disabled: true},
			},
			Tokens: []pager.Token{{Value: testToken}, {Value: "read-only-token", ReadOnly: true}},
		},
	})
	mux.Handle("/", p)
	mux.Handle("/back/", http.StripPrefix("/back", p.Backstage()))
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-ran
		srv.Close()
	})
	return &desktop{PagerDuty: clientOf(t, srv.URL, testToken), t: t, url: srv.URL}
}

// clientOf is a client that waits a thousand times shorter than it means to.
func clientOf(t *testing.T, url, token string) *PagerDuty {
	t.Helper()
	p, err := NewPagerDuty(PagerOptions{
		Region: "us", API: url + "/pagerduty", Events: url + "/events", Token: token, From: "drills@firedrill.invalid", Bots: []string{"PFDRILL"},
		Now: time.Now, Wait: func(ctx context.Context, d time.Duration) error { return waitFor(ctx, d/1000) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// post does something that is not ours to do: a phone, a knob.
func (d *desktop) post(path string, body any) {
	d.t.Helper()
	resp, err := http.Post(d.url+path, "application/json", strings.NewReader(jsonOf(d.t, body)))
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		d.t.Fatalf("POST %s: %s", path, resp.Status)
	}
}

func (d *desktop) knob(k map[string]any) { d.t.Helper(); d.post("/back/knobs", k) }

func (d *desktop) tap(user, action, incident, content string) {
	d.t.Helper()
	d.post("/app/"+user+"/"+action, map[string]string{"incident": incident, "content": content})
}

// eventually asks until it is so, at most five seconds.
func eventually[T any](t *testing.T, what string, ask func() (T, bool)) T {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if got, ok := ask(); ok {
			return got
		}
	}
	t.Fatalf("%s: not within five seconds", what)
	panic("unreachable")
}

// found waits for the incident of a page.
func (d *desktop) found(key string) *Incident {
	d.t.Helper()
	return eventually(d.t, "incident of "+key, func() (*Incident, bool) {
		inc, err := d.Find(d.t.Context(), "PORDERS", key, time.Now().Add(-time.Minute))
		if err != nil {
			d.t.Fatal(err)
		}
		return inc, inc != nil
	})
}

// story waits until the log has an entry of a kind, and tells it.
func (d *desktop) story(incident string, until EntryKind) []Entry {
	d.t.Helper()
	return eventually(d.t, string(until), func() ([]Entry, bool) {
		log, err := d.Log(d.t.Context(), incident)
		if err != nil {
			d.t.Fatal(err)
		}
		return log, slices.ContainsFunc(log, func(e Entry) bool { return e.Kind == until })
	})
}

func page(key string) Page {
	return Page{Key: key, Title: "[DRILL] Order writes are throttled", Source: "orders", Details: map[string]any{"limit": "60m"}}
}

func TestADrillOnTheSandboxesPager(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	if inc, err := d.Find(ctx, "PORDERS", testPage, time.Now()); inc != nil || err != nil {
		t.Fatalf("before anything was sent: %+v, %v", inc, err)
	}
	began := time.Now()
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatal(err)
	}
	inc := d.found(testPage)
	if inc.Title != "[DRILL] Order writes are throttled" || inc.Urgency != "high" || len(inc.Alerts) != 1 || inc.Alerts[0].Integration != "PIOURS" || inc.CreatedAt.Before(began.Add(-time.Second)) {
		t.Errorf("incident %+v", inc)
	}
	d.story(inc.ID, EntryEscalated) // nobody answers: the next level is told
	d.tap("PRESP02", "acknowledge", inc.ID, "")
	d.tap("PRESP02", "note", inc.ID, "checkout writes are throttled, looking at the table")
	if err := d.Note(ctx, inc.ID, "This is drill 01jdrun"); err != nil {
		t.Fatal(err)
	}
	if err := d.Resolve(ctx, testKey, testPage); err != nil {
		t.Fatal(err)
	}
	log := d.story(inc.ID, EntryResolved)
	var ack, machine bool
	for i, e := range log {
		if i > 0 && e.At.Before(log[i-1].At) {
			t.Errorf("entry %d is earlier than the one before", i)
		}
		if strings.Contains(jsonOf(t, e), "555") {
			t.Errorf("a phone number: %+v", e)
		}
		switch e.Kind {
		case EntryNotified:
			if !e.Human || e.User == "" || !slices.Contains([]string{"push", "sms", "phone"}, e.Channel) {
				t.Errorf("notified: %+v", e)
			}
		case EntryAcknowledged:
			ack = e.Human && e.User == "PRESP02" && e.Name == "Second Responder" && e.Channel == "mobile" && e.ErrorS == 0.5
		case EntryNoted:
			if e.Human == (e.User == "PFDRILL") || e.Text == "" {
				t.Errorf("noted: %+v", e)
			}
		case EntryResolved:
			machine = !e.Human
		}
	}
	if log[0].Kind != EntryTriggered || !ack || !machine {
		t.Errorf("first %s, acknowledged by a person %v, resolved by a machine %v: %+v", log[0].Kind, ack, machine, log)
	}
}

func TestOthersAreNeverTouched(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	theirs := clientOf(t, d.url, testToken)
	if err := theirs.Send(ctx, theirKey, page("firedrill/theirs")); err != nil {
		t.Fatal(err)
	}
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatal(err)
	}
	other, mine := d.found("firedrill/theirs"), d.found(testPage)
	if err := d.Resolve(ctx, testKey, "firedrill/theirs"); err != nil { // another integration's: dropped by PagerDuty
		t.Fatal(err)
	}
	if err := d.Resolve(ctx, testKey, testPage); err != nil {
		t.Fatal(err)
	}
	d.story(mine.ID, EntryResolved)
	all, err := d.Incidents(ctx, []string{"PORDERS"}, time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	status := map[string]string{}
	for _, inc := range all {
		status[inc.ID] = inc.Status
	}
	if status[other.ID] == "resolved" || status[mine.ID] != "resolved" {
		t.Errorf("theirs %s, ours %s", status[other.ID], status[mine.ID])
	}
	if err := d.Resolve(ctx, testKey, testPage); err != nil {
		t.Errorf("resolving what is resolved: %v", err)
	}
}

func TestAPageWhoseAnswerIsLostIsOnePage(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	d.knob(map[string]any{"effect": "lost", "path": "/events", "count": 2})
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatal(err)
	}
	inc := d.found(testPage)
	time.Sleep(50 * time.Millisecond) // for a second incident to come, were there one
	all, err := d.Incidents(ctx, []string{"PORDERS"}, time.Now().Add(-time.Minute))
	if err != nil || len(all) != 1 || len(all[0].Alerts) != 1 || all[0].ID != inc.ID {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestWhatThePagerRefuses(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	status := func(err error) int {
		var p *Problem
		if !errors.As(err, &p) {
			t.Errorf("%v is no problem in words", err)
			return 0
		}
		return p.Status
	}
	wrong := clientOf(t, d.url, "not-the-token-of-this-account")
	if _, err := wrong.Check(ctx, "PORDERS"); status(err) != http.StatusUnauthorized || !strings.Contains(err.Error(), "region") {
		t.Errorf("wrong token: %v", err)
	}
	if _, err := d.Check(ctx, "PNOSUCH"); status(err) != http.StatusNotFound {
		t.Errorf("no such service: %v", err)
	}
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatal(err)
	}
	inc := d.found(testPage)
	reader := clientOf(t, d.url, "read-only-token")
	if err := reader.Note(ctx, inc.ID, "hello"); status(err)/100 != 4 {
		t.Errorf("read-only token: %v", err)
	}
	d.from = "nobody@example.invalid"
	if err := d.Note(ctx, inc.ID, "hello"); status(err)/100 != 4 || !strings.Contains(err.Error(), "From") {
		t.Errorf("unknown sender: %v", err)
	}
	d.knob(map[string]any{"effect": "429", "path": "/pagerduty", "count": 1})
	d.knob(map[string]any{"effect": "429", "bare": true, "path": "/pagerduty", "nth": 2, "count": 1})
	if _, err := d.Log(ctx, inc.ID); err != nil {
		t.Errorf("two rate limits: %v", err)
	}
	d.knob(map[string]any{"effect": "500", "path": "/pagerduty"})
	if _, err := d.Log(ctx, inc.ID); status(err) != 500 {
		t.Errorf("in trouble: %v", err)
	}
}

func TestCheckOnTheSandbox(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	for service, want := range map[string]string{"PORDERS": "", "PNONE": "nobody is on call", "POFF": "disabled"} {
		got, err := d.Check(ctx, service)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(got.Problems, "\n"); !strings.Contains(text, want) || want == "" && text != "" {
			t.Errorf("%s: %q, want %q", service, text, want)
		}
		if service == "PORDERS" && (len(got.OnCall) != 2 || got.OnCall[0] != OnCall{User: "PRESP01", Name: "First Responder", Level: 1}) {
			t.Errorf("on call %+v", got.OnCall)
		}
	}
	now := time.Now().UTC()
	window := map[string]any{"maintenance_window": map[string]any{
		"type": "maintenance_window", "description": "upgrade", "start_time": now.Add(-time.Minute).Format(time.RFC3339), "end_time": now.Add(time.Hour).Format(time.RFC3339),
		"services": []map[string]string{{"id": "PORDERS", "type": "service_reference"}},
	}}
	raw, err := json.Marshal(window)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.wire.do(ctx, call{op: "open a window", method: "POST", url: d.api + "/maintenance_windows", body: raw, from: d.from}); err != nil {
		t.Fatal(err)
	}
	got, err := d.Check(ctx, "PORDERS")
	if err != nil || len(got.Maintenance) != 1 || len(got.Problems) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestThePagersClock(t *testing.T) {
	for _, skew := range []float64{0, 5, -90} {
		t.Run(fmt.Sprint(skew), func(t *testing.T) {
			d := newDesktop(t)
			if skew != 0 {
				d.knob(map[string]any{"effect": "skew", "skew_s": skew})
			}
			got, err := MeasureClock(t.Context(), Clock{Source: "pagerduty", Look: d.Date, Now: time.Now, Wait: waitFor})
			if err != nil {
				t.Fatal(err)
			}
			if off := got.Offset - time.Duration(skew*float64(time.Second)); off > got.Error || -off > got.Error || got.Error > time.Second {
				t.Errorf("skew %v s: measured %v ± %v", skew, got.Offset, got.Error)
			}
		})
	}
}
