package contract

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/sandbox/pager"
	"github.com/firedrill/firedrill/observe"
)

const (
	ourKey   = "0123456789abcdef0123456789abcdef"
	theirKey = "fedcba9876543210fedcba9876543210"
	rest     = "rest-token"
)

// desk is the sandbox's pager, our client of it, and who witnesses what they say to each other.
type desk struct {
	t   *testing.T
	url string
	*witness
	*observe.PagerDuty
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	levels := [][]string{{"PRESP01"}, {"PRESP02"}}
	p := pager.New(pager.Options{
		Now: time.Now, Seed: 7, URL: srv.URL, MinDelay: time.Millisecond, MaxDelay: 5 * time.Millisecond,
		NotifyAfter: 2 * time.Millisecond, EscalateAfter: time.Minute, RequestsPerMinute: 100_000, EventsPerMinute: 100_000,
		Account: pager.Account{
			Users: []pager.User{
				{ID: "PRESP01", Name: "First Responder", Email: "first@example.invalid", Contacts: []pager.Contact{{Type: "push"}, {Type: "sms", Address: "+353 1 555 0101"}}},
				{ID: "PRESP02", Name: "Second Responder", Email: "second@example.invalid", Contacts: []pager.Contact{{Type: "phone", Address: "+353 1 555 0102"}, {Type: "email", Address: "second@example.invalid", Urgency: "low"}}},
				{ID: "PFDRILL", Name: "firedrill", Email: "drills@firedrill.invalid"},
			},
			Policies: []pager.Policy{{ID: "PEPOL01", Name: "Orders", Levels: levels}, {ID: "PEPOL02", Name: "Nobody", Levels: [][]string{{}}}},
			Services: []pager.Service{
				{ID: "PORDERS", Name: "Orders", Policy: "PEPOL01", Integrations: []pager.Integration{
					{ID: "PINTEG1", Name: "firedrill", Type: pager.EventsV2, Key: ourKey}, {ID: "PINTEG2", Name: "monitoring", Type: pager.EventsV2, Key: theirKey}},
					Workflows: []pager.Workflow{{ID: "PWORKF1", Name: "Open a bridge", Trigger: "conditional", Condition: "incident.urgency matches 'high'"}}},
				{ID: "PGROUPS", Name: "Grouped, paused", Policy: "PEPOL01", Grouping: pager.Grouping{Type: "intelligent", Window: 300}, Pause: pager.Pause{Enabled: true, After: 120}},
				{ID: "PCONTNT", Name: "Grouped by content", Policy: "PEPOL01", Grouping: pager.Grouping{Type: "content_based", Window: 300, Fields: []string{"summary"}}},
				{ID: "PNOBODY", Name: "Unattended", Policy: "PEPOL02"},
				{ID: "PDISABL", Name: "Off", Policy: "PEPOL01", Disabled: true},
			},
			Tokens:     []pager.Token{{Value: rest}, {Value: "read-only", ReadOnly: true}},
			Types:      []pager.Type{{ID: "PTDRILL", Name: "drill", Display: "Drill"}},
			Priorities: []pager.Priority{{ID: "PPRIOR1", Name: "P1"}},
			Analytics:  true,
			History: []pager.Past{{ID: "QPAST0000001", Service: "PORDERS", Title: "It was slow", CreatedAt: time.Now().Add(-30 * time.Minute), AckAfter: 90, Resolved: 900},
				{ID: "QPAST0000002", Service: "PORDERS", Title: "Nobody came", CreatedAt: time.Now().Add(-20 * time.Minute), Urgency: "low"}},
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
	d := &desk{t: t, url: srv.URL, witness: &witness{next: http.DefaultTransport}}
	d.PagerDuty = d.client(rest)
	return d
}

func (d *desk) client(token string) *observe.PagerDuty {
	d.t.Helper()
	p, err := observe.NewPagerDuty(observe.PagerOptions{
		Region: "us", API: d.url + "/pagerduty", Events: d.url + "/events", Token: token, From: "drills@firedrill.invalid", Bots: []string{"PFDRILL"},
		HTTP: &http.Client{Transport: d.witness}, Now: time.Now,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// ask is a call that our client does not make and the sandbox's pager answers all the same: others are pointed at it. It
// returns the id that the answer holds below a name.
func (d *desk) ask(method, path, body, name string) string {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+"/pagerduty"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header = http.Header{"Authorization": {"Token token=" + rest}, "From": {"drills@firedrill.invalid"},
		"Content-Type": {"application/json"}, "Accept": {"application/vnd.pagerduty+json;version=2"}}
	resp, err := d.RoundTrip(req)
	if err != nil {
		d.t.Fatal(err)
	}
	told, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		d.t.Errorf("%s %s: %s: %s", method, path, resp.Status, told)
	}
	var answer map[string]struct{ ID string }
	if name != "" && json.Unmarshal(told, &answer) != nil {
		d.t.Errorf("%s %s: %s", method, path, told)
	}
	return answer[name].ID
}

// others are those calls.
func (d *desk) others() {
	d.t.Helper()
	ask := func(method, path, body string) { d.t.Helper(); d.ask(method, path, body, "") }
	incident := func(id, more string) string { return `{"id":"` + id + `","type":"incident_reference"` + more + `}` }
	d.well(d.Send(d.t.Context(), ourKey, observe.Page{Key: "firedrill/three", Title: "three"}))
	in := d.find("firedrill/three")
	list, err := d.Log(d.t.Context(), in.ID)
	d.well(err)
	for _, e := range list[:min(1, len(list))] {
		ask("GET", "/log_entries/"+e.ID, "")
	}
	for _, a := range in.Alerts {
		ask("GET", "/incidents/"+in.ID+"/alerts/"+a.ID, "")
	}
	for _, path := range []string{"/services", "/services/PORDERS/integrations/PINTEG1", "/escalation_policies/PEPOL01", "/users/PRESP01", "/priorities",
		"/incidents/" + in.ID, "/paused_incident_reports/alerts", "/analytics/raw/incidents/QPAST0000001"} {
		ask("GET", path, "")
	}
	ask("GET", "/log_entries?is_overview=false&include[]=channels&include[]=incidents&limit=100", "")
	note := d.ask("POST", "/incidents/"+in.ID+"/notes", `{"note":{"content":"first"}}`, "note")
	ask("PUT", "/incidents/"+in.ID+"/notes/"+note, `{"note":{"content":"second"}}`)
	ask("DELETE", "/incidents/"+in.ID+"/notes/"+note, "")
	ask("PUT", "/incidents", `{"incidents":[`+incident(in.ID, `,"status":"acknowledged"`)+`]}`)
	ask("POST", "/incidents/"+in.ID+"/snooze", `{"duration":60}`)
	other := d.ask("POST", "/incidents", `{"incident":{"type":"incident","title":"by hand","service":{"id":"PORDERS","type":"service_reference"}}}`, "incident")
	ask("PUT", "/incidents/"+in.ID+"/merge", `{"source_incidents":[`+incident(other, "")+`]}`)
	ask("PUT", "/incidents", `{"incidents":[`+incident(in.ID, `,"status":"resolved"`)+`]}`)

	hook := d.ask("POST", "/webhook_subscriptions", `{"webhook_subscription":{"type":"webhook_subscription","description":"firedrill","events":["incident.acknowledged"],
		"filter":{"type":"service_reference","id":"PORDERS"},"delivery_method":{"type":"http_delivery_method","url":"https://127.0.0.1:1/webhooks"}}}`, "webhook_subscription")
	ask("GET", "/webhook_subscriptions", "")
	ask("GET", "/webhook_subscriptions/"+hook, "")
	ask("PUT", "/webhook_subscriptions/"+hook, `{"webhook_subscription":{"description":"firedrill again"}}`)
	ask("POST", "/webhook_subscriptions/"+hook+"/enable", "")
	ask("POST", "/webhook_subscriptions/"+hook+"/ping", "")
	ask("DELETE", "/webhook_subscriptions/"+hook, "")
}

// hand does what is not ours to do: an administrator, a person with a phone.
func (d *desk) hand(method, path string, body any) {
	d.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		d.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(string(raw)))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token token="+rest)
	req.Header.Set("From", "drills@firedrill.invalid")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		d.t.Errorf("%s %s %s: %s", method, path, raw, resp.Status)
	}
}

func (d *desk) tap(user, action string, in map[string]any) {
	d.t.Helper()
	d.hand("POST", "/app/"+user+"/"+action, in)
}

// well fails the test on an error that is not expected; bad on none.
func (d *desk) well(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Error(err)
	}
}

func (d *desk) bad(err error) {
	d.t.Helper()
	if err == nil {
		d.t.Error("no error where one was meant")
	}
}

// find waits for the incident of a page of ours.
func (d *desk) find(key string) *observe.Incident {
	d.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		in, err := d.Find(d.t.Context(), "PORDERS", key, time.Now().Add(-time.Minute))
		if err != nil {
			d.t.Fatal(err)
		}
		if in != nil {
			return in
		}
	}
	d.t.Fatalf("no incident of %s within ten seconds", key)
	return nil
}

// logged waits until an incident's log tells something.
func (d *desk) logged(incident string, kind observe.EntryKind) {
	d.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		list, err := d.Log(d.t.Context(), incident)
		if err != nil {
			d.t.Fatal(err)
		}
		if slices.ContainsFunc(list, func(e observe.Entry) bool { return e.Kind == kind }) {
			return
		}
	}
	list, _ := d.Log(d.t.Context(), incident)
	d.t.Fatalf("no %s within ten seconds: %+v", kind, list)
}

// drive makes every call that there is, through everything that can become of an incident, and some that are refused.
func (d *desk) drive() {
	ctx := d.t.Context()
	d.t.Helper()
	_, err := d.Date(ctx)
	d.well(err)
	for _, service := range []string{"PORDERS", "PGROUPS", "PCONTNT", "PNOBODY", "PDISABL"} {
		_, err = d.Check(ctx, service)
		d.well(err)
	}
	d.hand("PUT", "/back/services/PCONTNT", map[string]any{"orchestration": pager.Orchestration{Active: true, Sets: []pager.RuleSet{{ID: "start", Rules: []pager.Rule{
		{ID: "r1", Label: "tests", Conditions: []pager.Condition{{Expression: "event.summary matches part 'TEST'"}}, Actions: pager.RuleActions{Suppress: true}},
		{ID: "r2", Label: "all", Actions: pager.RuleActions{Suspend: 120, Annotate: "wait", Priority: "PPRIOR1",
			Automation: []pager.Automation{{Name: "restart", URL: "https://example.invalid/restart", AutoSend: true}}}}}}}}})
	_, err = d.client(rest).Check(ctx, "PCONTNT") // another client: what people configured is remembered for a while
	d.well(err)
	window := d.ask("POST", "/maintenance_windows", `{"maintenance_window":{"type":"maintenance_window","description":"moving house","start_time":"`+
		time.Now().UTC().Format(time.RFC3339)+`","end_time":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+
		`","services":[{"id":"PNOBODY","type":"service_reference"}]}}`, "maintenance_window")
	d.ask("GET", "/maintenance_windows/"+window, "", "")
	_, err = d.Check(ctx, "PNOBODY")
	d.well(err)
	d.ask("DELETE", "/maintenance_windows/"+window, "", "")
	for _, name := range []string{"drill", "nothing"} {
		_, err = d.HasType(ctx, name)
		d.well(err)
	}

	feed := observe.NewFeed(d.PagerDuty, observe.FeedOptions{Now: time.Now, PerMinute: 900, Pace: time.Millisecond, Aim: time.Millisecond,
		Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
	look := func() {
		_, err := feed.Look(ctx, []string{"PORDERS"}, time.Now().Add(-time.Minute))
		d.well(err)
	}
	look()
	one, two := d.paged("one"), d.paged("two")
	d.logged(one.ID, observe.EntryNotified)
	look()
	d.well(d.Mark(ctx, one.ID, "drill"))
	d.well(d.Note(ctx, one.ID, "This is a fire drill."))
	in := func(more ...any) map[string]any {
		m := map[string]any{"incident": one.ID}
		for i := 0; i+1 < len(more); i += 2 {
			m[more[i].(string)] = more[i+1]
		}
		return m
	}
	d.tap("PRESP01", "acknowledge", in())
	d.tap("PRESP01", "note", in("content", "looking"))
	d.tap("PRESP01", "snooze", in("for_s", 3600))
	d.tap("PRESP01", "unacknowledge", in())
	d.tap("PRESP01", "escalate", in("level", 2))
	d.tap("PRESP02", "acknowledge", in("channel", "slack"))
	d.tap("PRESP02", "reassign", in("to", "PRESP01"))
	d.tap("PRESP02", "urgency", in("urgency", "low"))
	d.tap("PRESP02", "priority", in("priority", "PPRIOR1"))
	look()
	d.tap("PRESP01", "merge", map[string]any{"incident": two.ID, "into": one.ID})
	d.tap("PRESP01", "resolve", in("content", "it was the disk"))
	d.tap("PRESP01", "reopen", in())
	_, err = d.Notes(ctx, one.ID)
	d.well(err)
	_, err = d.Log(ctx, two.ID)
	d.well(err)
	look()
	d.well(d.Resolve(ctx, ourKey, "firedrill/one"))
	d.logged(one.ID, observe.EntryResolved)
	_, err = d.Incidents(ctx, []string{"PORDERS", "PNOBODY"}, time.Now().Add(-time.Hour))
	d.well(err)
	look()
	_, err = d.RealIncidents(ctx, "PORDERS", time.Now().Add(-time.Hour), time.Now())
	d.well(err)
	d.refusals(one.ID)
	d.others()
}

func (d *desk) paged(name string) *observe.Incident {
	d.t.Helper()
	links := observe.Page{Key: "firedrill/" + name, Title: "[DRILL] Order writes are throttled", Source: "orders", Details: map[string]any{"limit": "60m", "n": 3}}
	d.well(d.Send(d.t.Context(), ourKey, links))
	return d.find("firedrill/" + name)
}

// refusals are the answers that a client must understand too.
func (d *desk) refusals(incident string) {
	ctx := d.t.Context()
	_, err := d.Log(ctx, "PNOTHERE")
	d.bad(err)
	_, err = d.Check(ctx, "PNOTHERE")
	d.bad(err)
	d.bad(d.client("read-only").Note(ctx, incident, "may not"))
	_, err = d.client("wrong").Notes(ctx, incident)
	d.bad(err)
	d.bad(d.Mark(ctx, incident, "nothing"))
	d.well(d.Send(ctx, "00000000000000000000000000000000", observe.Page{Key: "firedrill/x", Title: "nobody's"})) // PagerDuty tells nobody whether a key exists
	d.hand("POST", "/back/knobs", map[string]any{"effect": "429", "path": "/pagerduty/incidents", "count": 1})
	_, err = d.Notes(ctx, incident)
	d.well(err)
}
