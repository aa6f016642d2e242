package pager

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PagerDuty/go-pagerduty"
)

func TestA202ComesBeforeTheIncident(t *testing.T) {
	d := newDesk(t)
	res, err := d.pd.ManageEventWithContext(t.Context(), &pagerduty.V2Event{
		RoutingKey: ourKey, Action: "trigger", DedupKey: "firedrill/01", Client: "firedrill",
		Payload: &pagerduty.V2Payload{Summary: "[DRILL] Orders", Source: "firedrill", Severity: "critical",
			Details: map[string]string{"run": "01"}},
		Links: []any{map[string]string{"href": "https://wiki.example.com/orders", "text": "runbook"}},
	})
	if err != nil || res.Status != "success" || res.DedupKey != "firedrill/01" {
		t.Fatalf("got %+v, %v", res, err)
	}
	d.pass(150 * time.Millisecond)
	if n := len(d.all()); n != 0 {
		t.Fatalf("%d incidents before the shortest delay", n)
	}
	d.pass(1850 * time.Millisecond)
	is := d.all()
	if len(is) != 1 || is[0].Title != "[DRILL] Orders" || is[0].Urgency != "high" || is[0].Status != "triggered" {
		t.Fatalf("got %+v", is)
	}
	as, err := d.pd.ListIncidentAlertsWithContext(t.Context(), is[0].ID, pagerduty.ListIncidentAlertsOptions{})
	if err != nil || len(as.Alerts) != 1 || as.Alerts[0].AlertKey != "firedrill/01" || as.Alerts[0].Suppressed {
		t.Fatalf("got %+v, %v", as, err)
	}
	cef := as.Alerts[0].Body["cef_details"].(map[string]any)
	if cef["client"] != "firedrill" || cef["details"].(map[string]any)["run"] != "01" {
		t.Errorf("got cef_details %v", cef)
	}
	links, _ := as.Alerts[0].Body["contexts"].([]any)
	if len(links) != 1 || links[0].(map[string]any)["href"] != "https://wiki.example.com/orders" {
		t.Errorf("got links %v", links)
	}
	if is[0].IncidentKey != "" {
		t.Errorf("an incident with alerts has no incident_key, got %q", is[0].IncidentKey)
	}
}

func TestEventMistakesAreRefused(t *testing.T) {
	d := newDesk(t)
	good := func() event {
		return event{RoutingKey: ourKey, Action: "trigger", DedupKey: "k",
			Payload: payload{Summary: "s", Source: "x", Severity: "error"}}
	}
	for name, tt := range map[string]struct {
		change func(e *event)
		want   string
	}{
		"no key":         {func(e *event) { e.RoutingKey = "" }, "'routing_key' is missing"},
		"rest key":       {func(e *event) { e.RoutingKey = "abcdefghijklmnopqrst" }, "Length of 'routing_key'"},
		"no summary":     {func(e *event) { e.Payload.Summary = "" }, "'payload.summary' is missing"},
		"long summary":   {func(e *event) { e.Payload.Summary = strings.Repeat("ü", 1025) }, "'payload.summary' is too long"},
		"long dedup":     {func(e *event) { e.DedupKey = strings.Repeat("k", 256) }, "'dedup_key' is too long"},
		"no source":      {func(e *event) { e.Payload.Source = "" }, "'payload.source'"},
		"severity":       {func(e *event) { e.Payload.Severity = "high" }, "'payload.severity'"},
		"action":         {func(e *event) { e.Action = "close" }, "'event_action'"},
		"resolve no key": {func(e *event) { e.Action, e.DedupKey = "resolve", "" }, "'dedup_key' is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			e := good()
			tt.change(&e)
			if got := strings.Join(e.mistakes(), "; "); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	e := good()
	e.Payload.Summary = strings.Repeat("ü", 1024)
	if wrong := e.mistakes(); len(wrong) > 0 {
		t.Errorf("1024 characters are allowed, got %q", wrong)
	}
	var a eventAnswer
	if got := d.call("POST", "/events/v2/enqueue", `{"routing_key":"short","event_action":"trigger"}`, &a); got != 400 || len(a.Errors) != 4 {
		t.Errorf("got %d %+v", got, a)
	}
	if got := d.call("POST", "/events/v2/enqueue", `{`, nil); got != 400 {
		t.Errorf("broken JSON: got %d", got)
	}
	if got := d.call("POST", "/events/v2/enqueue", `{"x":"`+strings.Repeat("x", maxEvent)+`"}`, nil); got != 413 {
		t.Errorf("huge event: got %d", got)
	}
}

func TestDedup(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.send(ourKey, "trigger", "k")
	d.pass(2 * time.Second)
	if n := len(d.all()); n != 1 {
		t.Fatalf("same key, same integration: got %d incidents, want 1", n)
	}
	if n := d.kinds(i.ID)["trigger"]; n != 2 {
		t.Errorf("got %d trigger entries, want 2", n)
	}
	if i := d.opened(ourKey, "K"); i.ID == "" {
		t.Error("keys are case-sensitive")
	}
	other := d.opened(otherKey, "k")
	d.send(otherKey, "resolve", "K") // open, but of the other integration
	d.send(otherKey, "acknowledge", "nothing")
	d.pass(2 * time.Second)
	out := d.outcomes()
	for _, got := range out[len(out)-2:] {
		if !strings.HasPrefix(got, "dropped: no open alert") {
			t.Errorf("got %q", got)
		}
	}
	d.send(ourKey, "resolve", "k")
	d.pass(2 * time.Second)
	if got := d.incident(i.ID).Status; got != "resolved" {
		t.Errorf("resolved by its own integration: got %s", got)
	}
	if got := d.incident(other.ID).Status; got != "triggered" {
		t.Errorf("the other integration's alert: got %s", got)
	}
	if again := d.opened(ourKey, "k"); again.ID == i.ID {
		t.Error("a key of a resolved alert opens a new incident")
	}
}

func TestEventsOfOneSourceKeepTheirOrder(t *testing.T) {
	for seed := range uint64(20) {
		d := newDesk(t, func(o *Options) { o.Seed = seed })
		d.send(ourKey, "trigger", "k")
		d.send(ourKey, "resolve", "k")
		d.pass(2 * time.Second)
		if is := d.all(); len(is) != 1 || is[0].Status != "resolved" {
			t.Fatalf("seed %d: got %+v", seed, is)
		}
	}
}

func TestAResolveByTheSourceIsAMachines(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.send(ourKey, "acknowledge", "k")
	d.send(ourKey, "resolve", "k")
	d.pass(2 * time.Second)
	for _, e := range d.entries(i.ID) {
		switch e.Type {
		case "acknowledge_log_entry", "resolve_log_entry":
			if e.Agent.Type != "integration_reference" || e.Channel.Type != "api" {
				t.Errorf("%s: agent %+v, channel %s", e.Type, e.Agent, e.Channel.Type)
			}
		}
	}
}

func TestWhatSwallowsAnEvent(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(d *desk)
		key     string
		want    string
	}{
		"key of another region": {key: strings.Repeat("e", 32), want: "dropped: no such integration"},
		"suppressed":            {prepare: func(d *desk) { d.knob(`{"effect":"never"}`) }, want: "dropped: suppressed"},
		"disabled": {prepare: func(d *desk) { d.knob(`{"effect":"disabled","service":"PORDERS"}`) },
			want: "dropped: service is disabled"},
		"disabled for good": {prepare: func(d *desk) { d.p.o.Account.Services[0].Disabled = true }, want: "dropped: service is disabled"},
		"maintenance": {prepare: func(d *desk) { d.maintain(-time.Minute, time.Hour) },
			want: "dropped: service is in maintenance"},
		"maintenance later": {prepare: func(d *desk) { d.maintain(time.Hour, 2*time.Hour) }, want: "opened"},
		"nobody on call":    {key: strings.Repeat("9", 32), want: "dropped: nobody is on call"},
		"another service":   {prepare: func(d *desk) { d.knob(`{"effect":"never","service":"PNOBODY"}`) }, want: "opened"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			if tt.prepare != nil {
				tt.prepare(d)
			}
			if tt.key == "" {
				tt.key = ourKey
			}
			d.send(tt.key, "trigger", "k")
			d.pass(2 * time.Second)
			if got := d.outcomes()[0]; !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if n := len(d.all()); n != 0 && tt.want != "opened" {
				t.Errorf("%d incidents", n)
			}
		})
	}
}

func (d *desk) maintain(from, to time.Duration) pagerduty.MaintenanceWindow {
	d.t.Helper()
	now := d.clock.Now()
	w, err := d.pd.CreateMaintenanceWindowWithContext(d.t.Context(), "drills@example.invalid", pagerduty.MaintenanceWindow{
		StartTime: now.Add(from).Format(time.RFC3339), EndTime: now.Add(to).Format(time.RFC3339), Description: "patching",
		Services: []pagerduty.APIObject{{ID: "PORDERS", Type: "service_reference"}}})
	if err != nil {
		d.t.Fatal(err)
	}
	return *w
}

func TestAResolveDuringMaintenanceIsIgnored(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	w := d.maintain(-time.Minute, time.Hour)
	if got := d.service("PORDERS").Status; got != "maintenance" {
		t.Errorf("service is %s", got)
	}
	d.send(ourKey, "resolve", "k")
	d.pass(2 * time.Second)
	if got := d.incident(i.ID).Status; got != "triggered" {
		t.Errorf("got %s, want triggered", got)
	}
	if err := d.pd.DeleteMaintenanceWindowWithContext(t.Context(), w.ID); err != nil {
		t.Fatal(err)
	}
	d.send(ourKey, "resolve", "k")
	d.pass(2 * time.Second)
	if got := d.incident(i.ID).Status; got != "resolved" {
		t.Errorf("after maintenance: got %s, want resolved", got)
	}
}

func TestKnobsMergeLowMute(t *testing.T) {
	d := newDesk(t)
	i := d.opened(otherKey, "theirs")
	d.knob(`{"effect":"merge","count":1}`)
	d.send(ourKey, "trigger", "ours")
	d.pass(2 * time.Second)
	if got := d.incident(i.ID).AlertCounts.All; got != 2 || len(d.all()) != 1 {
		t.Errorf("merge: %d alerts, %d incidents", got, len(d.all()))
	}
	d.send(ourKey, "resolve", "ours")
	d.pass(2 * time.Second)
	if got := d.incident(i.ID); got.Status != "triggered" || got.AlertCounts.Resolved != 1 {
		t.Errorf("our resolve closed theirs: %+v", got)
	}
	d.knob(`{"effect":"low","count":1}`)
	low := d.opened(ourKey, "low")
	d.pass(time.Minute)
	if n := d.kinds(low.ID); low.Urgency != "low" || n["notify"] != 0 || n["escalate"] != 0 {
		t.Errorf("low: %s %v", low.Urgency, n)
	}
	d.knob(`{"effect":"mute","count":1}`)
	mute := d.opened(ourKey, "mute")
	d.pass(time.Second)
	if n := d.kinds(mute.ID); n["assign"] != 1 || n["notify"] != 0 {
		t.Errorf("mute: %v", n)
	}
}

func TestEventsAreLimitedByKey(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.EventsPerMinute = 2 })
	d.send(ourKey, "trigger", "a")
	d.send(ourKey, "trigger", "b")
	body := `{"routing_key":"` + ourKey + `","event_action":"resolve","dedup_key":"a"}`
	if got := d.call("POST", "/events/v2/enqueue", body, nil); got != http.StatusTooManyRequests {
		t.Errorf("got %d, want 429", got)
	}
	d.send(otherKey, "trigger", "c")
	d.clock.add(time.Minute)
	d.send(ourKey, "resolve", "a")
}

func TestCloudWatchAlarms(t *testing.T) {
	d := newDesk(t)
	post := func(subject, state string) int {
		return d.call("POST", "/integration/"+cwKey+"/enqueue",
			`{"Type":"Notification","Subject":"`+subject+`","Message":"{\"AlarmName\":\"orders-write-throttled\",\"AlarmArn\":\"arn:x\",\"NewStateValue\":\"`+state+`\"}"}`, nil)
	}
	for _, c := range [][2]string{{"hello", "ALARM"}, {"OK: x", "ALARM"}, {"INSUFFICIENT_DATA: x", "INSUFFICIENT_DATA"}} {
		if got := post(c[0], c[1]); got != 202 {
			t.Errorf("%s: got %d", c[0], got)
		}
	}
	if n := len(d.outcomes()); n != 0 {
		t.Fatalf("%d events of what is no alarm", n)
	}
	post(`ALARM: orders-write-throttled in EU (Ireland)`, "ALARM")
	d.pass(2 * time.Second)
	is := d.all()
	if len(is) != 1 || is[0].Title != "ALARM: orders-write-throttled in EU (Ireland)" {
		t.Fatalf("got %+v", is)
	}
	var as struct{ Alerts []alertShape }
	d.call("GET", "/pagerduty/incidents/"+is[0].ID+"/alerts", "", &as)
	a := as.Alerts[0]
	if a.Integration.Type != "aws_cloudwatch_inbound_integration_reference" || !strings.Contains(string(a.Body.Details), "orders-write-throttled") {
		t.Errorf("got %+v", a)
	}
	post("INSUFFICIENT_DATA: x", "INSUFFICIENT_DATA")
	d.pass(2 * time.Second)
	if got := d.incident(is[0].ID).Status; got != "triggered" {
		t.Errorf("INSUFFICIENT_DATA resolved it: %s", got)
	}
	post("OK: x", "OK")
	d.pass(2 * time.Second)
	if got := d.incident(is[0].ID).Status; got != "resolved" {
		t.Errorf("after OK: %s", got)
	}
	if got := d.call("POST", "/integration/"+ourKey+"/enqueue", `{}`, nil); got != 404 {
		t.Errorf("a key of another kind: got %d", got)
	}
}

func (d *desk) service(id string) pagerduty.Service {
	d.t.Helper()
	s, err := d.pd.GetServiceWithContext(d.t.Context(), id, &pagerduty.GetServiceOptions{Includes: []string{"integrations"}})
	if err != nil {
		d.t.Fatal(err)
	}
	return *s
}
