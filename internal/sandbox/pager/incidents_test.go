package pager

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PagerDuty/go-pagerduty"
)

func TestNotifiesThenEscalatesByLevel(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.pass(time.Second)
	var addresses []any
	for _, e := range d.entries(i.ID) {
		if e.Type != "notify_log_entry" {
			continue
		}
		if e.User.ID != "PRESP01" || e.Agent.ID != "" || e.Channel.Type != "auto" {
			t.Errorf("got %+v", e)
		}
		addresses = append(addresses, e.Channel.Raw["notification"].(map[string]any)["address"])
	}
	if len(addresses) != 2 {
		t.Errorf("got %d notifications, want one a contact", len(addresses))
	}
	if acts := d.incident(i.ID).PendingActions; len(acts) != 1 || acts[0].Type != "escalate" {
		t.Errorf("pending: %+v", acts)
	}
	d.pass(30 * time.Second)
	if n := d.kinds(i.ID); n["escalate"] != 1 || n["notify"] != 3 {
		t.Errorf("got %v, want one escalation and its notification", n)
	}
	if as := d.incident(i.ID).Assignments; len(as) != 1 || as[0].Assignee.ID != "PRESP02" {
		t.Errorf("assigned to %+v", as)
	}
	d.pass(31 * time.Second)
	if n := d.kinds(i.ID); n["exhaust_escalation_path"] != 1 {
		t.Errorf("got %v", n)
	}
}

func TestEscalationLoops(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.Account.Policies[0].Loops = 1 })
	i := d.opened(ourKey, "k")
	d.pass(65 * time.Second)
	if n := d.kinds(i.ID); n["repeat_escalation_path"] != 1 || n["exhaust_escalation_path"] != 0 {
		t.Errorf("got %v", n)
	}
	if as := d.incident(i.ID).Assignments; as[0].Assignee.ID != "PRESP01" {
		t.Errorf("assigned to %+v", as)
	}
}

func TestPhoneAcknowledgesAsAPerson(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	if got := d.phone("PRESP01", "acknowledge", i.ID, ""); got != http.StatusNoContent {
		t.Fatalf("got %d", got)
	}
	d.pass(time.Minute)
	if n := d.kinds(i.ID); n["escalate"] != 0 {
		t.Errorf("escalated although acknowledged: %v", n)
	}
	if got := d.phone("PRESP01", "note", i.ID, "looking at the table"); got != http.StatusNoContent {
		t.Errorf("note: %d", got)
	}
	if got := d.phone("PRESP01", "resolve", i.ID, "raised the cap"); got != http.StatusNoContent {
		t.Errorf("resolve: %d", got)
	}
	for _, e := range d.entries(i.ID) {
		switch e.Type {
		case "acknowledge_log_entry":
			if e.Channel.Type != "mobile" || e.Agent.ID != "PRESP01" || e.Agent.Type != "" || !strings.Contains(e.Agent.Self, "/users/PRESP01") {
				t.Errorf("ack: %+v by %+v", e.Channel, e.Agent)
			}
			if e.AcknowledgementTimeout != 1800 {
				t.Errorf("timeout %d", e.AcknowledgementTimeout)
			}
		case "resolve_log_entry":
			if e.Channel.Type != "mobile" || e.Agent.Type != "user_reference" {
				t.Errorf("resolve: %+v by %+v", e.Channel, e.Agent)
			}
		case "annotate_log_entry":
			if e.Channel.Raw["summary"] != "looking at the table" {
				t.Errorf("note: %+v", e.Channel)
			}
		}
	}
	if got := d.phone("PRESP01", "resolve", i.ID, ""); got != http.StatusBadRequest {
		t.Errorf("resolved twice: %d", got)
	}
	if got := d.phone("PNOBODY", "resolve", i.ID, ""); got != http.StatusNotFound {
		t.Errorf("a stranger's phone: %d", got)
	}
	if got := d.phone("PRESP01", "dance", i.ID, ""); got != http.StatusNotFound {
		t.Errorf("an unknown tap: %d", got)
	}
}

func TestAnAcknowledgementRunsOut(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.AckTimeout = 10 * time.Second })
	i := d.opened(ourKey, "k")
	d.pass(time.Second)
	before := d.kinds(i.ID)["notify"]
	d.phone("PRESP01", "acknowledge", i.ID, "")
	if got := d.incident(i.ID); len(got.Acknowledgements) != 1 || got.PendingActions[0].Type != "unacknowledge" {
		t.Errorf("got %+v", got)
	}
	d.pass(12 * time.Second)
	if got := d.incident(i.ID); got.Status != "triggered" || len(got.Acknowledgements) != 0 {
		t.Errorf("got %s with %d acknowledgements", got.Status, len(got.Acknowledgements))
	}
	n := d.kinds(i.ID)
	if n["unacknowledge"] != 1 || n["notify"] <= before {
		t.Errorf("got %v, want to be told again", n)
	}
}

func TestManageNeedsAKnownSender(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	ack := []pagerduty.ManageIncidentsOptions{{ID: i.ID, Type: "incident", Status: "acknowledged"}}
	for _, from := range []string{"", "stranger@example.invalid", "nonsense"} {
		_, err := d.pd.ManageIncidentsWithContext(t.Context(), from, ack)
		var apiErr pagerduty.APIError
		if !errors.As(err, &apiErr) || apiErr.StatusCode != 400 {
			t.Errorf("from %q: got %v", from, err)
		}
	}
	if _, err := d.pd.ManageIncidentsWithContext(t.Context(), "drills@example.invalid", ack); err != nil {
		t.Fatal(err)
	}
	got := d.incident(i.ID)
	if got.Status != "acknowledged" || got.Assignments[0].Assignee.ID != "PBOT" {
		t.Errorf("an acknowledgement takes the incident: %+v", got)
	}
	for _, e := range d.entries(i.ID) {
		if e.Type == "acknowledge_log_entry" && (e.Channel.Type != "api" || e.Agent.Type != "user_reference") {
			t.Errorf("got %+v by %+v", e.Channel, e.Agent)
		}
	}
	res := []pagerduty.ManageIncidentsOptions{{ID: i.ID, Type: "incident", Status: "resolved", Resolution: "done"}}
	if _, err := d.pd.ManageIncidentsWithContext(t.Context(), "drills@example.invalid", res); err != nil {
		t.Fatal(err)
	}
	_, err := d.pd.ManageIncidentsWithContext(t.Context(), "drills@example.invalid", res)
	var apiErr pagerduty.APIError
	if !errors.As(err, &apiErr) || apiErr.APIError.ErrorObject.Code != 1001 {
		t.Errorf("resolved twice: %v", err)
	}
	got = d.incident(i.ID)
	if got.Status != "resolved" || len(got.Assignments) != 0 || len(got.Acknowledgements) != 0 || got.ResolvedAt == "" {
		t.Errorf("a resolved incident keeps no acknowledgements: %+v", got)
	}
	body := `{"incident":{"type":"incident","status":"triggered"}}`
	if got := d.call("PUT", "/pagerduty/incidents/"+i.ID, body, nil, "From", "drills@example.invalid"); got != 200 {
		t.Errorf("reopen: %d", got)
	}
	if got := d.incident(i.ID); got.Status != "triggered" || len(got.Assignments) != 1 {
		t.Errorf("reopened: %+v", got)
	}
}

func TestIncidentFilters(t *testing.T) {
	d := newDesk(t)
	a := d.opened(ourKey, "a")
	d.pass(10 * time.Second)
	b := d.opened(otherKey, "b")
	d.phone("PRESP01", "resolve", a.ID, "")
	list := func(q string) string {
		var out struct{ Incidents []incidentShape }
		if got := d.call("GET", "/pagerduty/incidents?"+q, "", &out); got != 200 {
			return http.StatusText(got)
		}
		var ids []string
		for _, i := range out.Incidents {
			ids = append(ids, strings.NewReplacer(a.ID, "a", b.ID, "b").Replace(i.ID))
		}
		return strings.Join(ids, " ")
	}
	now := d.clock.Now()
	for q, want := range map[string]string{
		"":                      "a b",
		"incident_key=a":        "a",
		"incident_key=nothing":  "",
		"incident_key=":         "b", // the trap: all that are open
		"service_ids[]=PORDERS": "a b",
		"service_ids[]=PNOBODY": "",
		"statuses[]=triggered":  "b",
		"statuses[]=triggered&statuses[]=resolved": "a b",
		"sort_by=created_at:desc":                  "b a",
		"sort_by=colour":                           "Bad Request",
		"user_ids[]=PRESP01":                       "b",
		"user_ids[]=PRESP02":                       "",
		"urgencies[]=low":                          "",
		"limit=1":                                  "a",
		"limit=1&offset=1":                         "b",
		"limit=100&offset=9950":                    "Bad Request",
		"limit=x":                                  "Bad Request",
		"since=" + now.Add(-8*time.Second).Format("2006-01-02T15:04:05Z"): "b",
		"until=" + now.Add(-8*time.Second).Format("2006-01-02T15:04:05Z"): "a",
		"since=yesterday": "Bad Request",
	} {
		if got := list(q); got != want {
			t.Errorf("?%s: got %q, want %q", q, got, want)
		}
	}
}

func TestLogEntriesAreUnorderedWholeSecondsInPages(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	for range 130 {
		d.phone("PRESP01", "note", i.ID, "still here")
		d.pass(50 * time.Millisecond)
	}
	seen := map[string]bool{}
	ordered := true
	var last time.Time
	for _, offset := range []string{"0", "100"} {
		var out struct {
			LogEntries []entryShape `json:"log_entries"`
			More       bool
		}
		d.call("GET", "/pagerduty/incidents/"+i.ID+"/log_entries?time_zone=UTC&limit=500&offset="+offset, "", &out)
		if out.More != (offset == "0") {
			t.Errorf("offset %s: more is %v", offset, out.More)
		}
		for _, e := range out.LogEntries {
			at, err := time.Parse("2006-01-02T15:04:05Z", e.CreatedAt)
			if err != nil {
				t.Fatalf("not whole seconds in UTC: %v", err)
			}
			if at.Before(last) {
				ordered = false
			}
			last = at
			seen[e.ID] = true
			if e.Channel.Summary != "" || e.Channel.Notification != nil {
				t.Errorf("a channel that was not asked for: %+v", e.Channel)
			}
		}
	}
	if ordered {
		t.Error("the log is in order, which nobody promises")
	}
	if len(seen) != 134 { // trigger, assign, 2 × notify, notes
		t.Errorf("got %d entries, want 134", len(seen))
	}
	if _, b := d.raw("GET", "/pagerduty/incidents/"+i.ID+"/log_entries", ""); !strings.Contains(string(b), "+02:00") {
		t.Error("without time_zone the account's zone is told")
	}
	if n := d.call("GET", "/pagerduty/incidents/"+i.ID+"/log_entries?time_zone=Nowhere/X", "", nil); n != 400 {
		t.Errorf("unknown zone: %d", n)
	}
	_, b := d.raw("GET", "/pagerduty/incidents/"+i.ID+"/log_entries?is_overview=true&limit=100", "")
	if strings.Contains(string(b), "notify_log_entry") {
		t.Error("an overview has no notifications")
	}
}

func TestNotes(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	path := "/pagerduty/incidents/" + i.ID + "/notes"
	if got := d.call("POST", path, `{"note":{"content":"hello"}}`, nil); got != 400 {
		t.Errorf("without From: %d", got)
	}
	n, err := d.pd.CreateIncidentNoteWithContext(t.Context(), i.ID, pagerduty.IncidentNote{
		Content: "this is a drill", User: pagerduty.APIObject{Summary: "drills@example.invalid"}})
	if err != nil || n.User.ID != "PBOT" {
		t.Fatalf("got %+v, %v", n, err)
	}
	if got := d.call("POST", path, `{"note":{"content":"x"}}`, nil, "From", "drills@example.invalid"); got != 200 {
		t.Errorf("got %d, want 200 and not 201", got)
	}
	if got := d.call("POST", path, `{"note":{}}`, nil, "From", "drills@example.invalid"); got != 400 {
		t.Errorf("empty: %d", got)
	}
	d.pass(2 * time.Second)
	if got := d.call("PUT", path+"/"+n.ID, `{"note":{"content":"edited"}}`, nil, "From", "drills@example.invalid"); got != 200 {
		t.Errorf("edit: %d", got)
	}
	var out struct{ Notes []noteShape }
	d.call("GET", path, "", &out)
	if len(out.Notes) != 2 || out.Notes[0].Content != "edited" || out.Notes[0].UpdatedAt == out.Notes[0].CreatedAt {
		t.Errorf("got %+v", out.Notes)
	}
	if got := d.call("DELETE", path+"/"+n.ID, "", nil); got != 204 {
		t.Errorf("delete: %d", got)
	}
	if got := d.call("DELETE", path+"/"+n.ID, "", nil); got != 404 {
		t.Errorf("delete twice: %d", got)
	}
	if d.kinds(i.ID)["annotate"] != 2 {
		t.Error("the log keeps what was written")
	}
}

func TestMergeMovesTheAlert(t *testing.T) {
	d := newDesk(t)
	a, b := d.opened(ourKey, "a"), d.opened(otherKey, "b")
	body := `{"source_incidents":[{"id":"` + a.ID + `","type":"incident_reference"}]}`
	if got := d.call("PUT", "/pagerduty/incidents/"+b.ID+"/merge", body, nil, "From", "first@example.invalid"); got != 200 {
		t.Fatalf("merge: %d", got)
	}
	got := d.incident(a.ID)
	if got.Status != "resolved" || got.ResolveReason.Type != "merge_resolve_reason" || got.ResolveReason.Incident.ID != b.ID {
		t.Errorf("source: %+v", got)
	}
	var out struct{ Incidents []incidentShape }
	d.call("GET", "/pagerduty/incidents?incident_key=a", "", &out)
	if len(out.Incidents) != 1 || out.Incidents[0].ID != b.ID {
		t.Errorf("the key leads to %+v, want the target", out.Incidents)
	}
	if got := d.call("PUT", "/pagerduty/incidents/"+b.ID+"/merge", body, nil, "From", "first@example.invalid"); got != 400 {
		t.Errorf("merged twice: %d", got)
	}
}

func TestAlertsByKey(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "firedrill/x")
	var out struct{ Alerts []alertShape }
	d.call("GET", "/pagerduty/incidents/"+i.ID+"/alerts?alert_key=firedrill/x", "", &out)
	if len(out.Alerts) != 1 || out.Alerts[0].Integration.ID != "PIOURS" {
		t.Fatalf("got %+v", out)
	}
	if got := d.call("GET", "/pagerduty/incidents/"+i.ID+"/alerts/"+out.Alerts[0].ID, "", nil); got != 200 {
		t.Errorf("one alert: %d", got)
	}
	d.call("GET", "/pagerduty/incidents/"+i.ID+"/alerts?alert_key=other", "", &out)
	if len(out.Alerts) != 0 {
		t.Errorf("another key: %+v", out)
	}
	for _, path := range []string{"/incidents/NONE", "/incidents/NONE/alerts", "/incidents/NONE/log_entries", "/incidents/NONE/notes"} {
		if got := d.call("GET", "/pagerduty"+path, "", nil); got != 404 {
			t.Errorf("%s: %d", path, got)
		}
	}
}

func TestOddEntries(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.knob(`{"effect":"odd","service":"PORDERS"}`)
	_, b := d.raw("GET", "/pagerduty/incidents/"+i.ID+"/log_entries?limit=100", "")
	var out struct {
		LogEntries []struct {
			Type    string
			Channel *struct{ Type *string }
		} `json:"log_entries"`
	}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	var none, null, unknown int
	for _, e := range out.LogEntries {
		switch {
		case e.Channel == nil:
			none++
		case e.Channel.Type == nil:
			null++
		case e.Type == "priority_change_log_entry":
			unknown++
		}
	}
	if none != 1 || null != 1 || unknown != 1 {
		t.Errorf("channel null %d, its type null %d, unknown type %d", none, null, unknown)
	}
}
