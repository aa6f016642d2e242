package pager

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PagerDuty/go-pagerduty"
)

// tapped is one touch of a phone, with members beside the incident.
func (d *desk) tapped(user, action, id, more string) int {
	d.t.Helper()
	if more != "" {
		more = "," + more
	}
	return d.call("POST", "/app/"+user+"/"+action, `{"incident":"`+id+`"`+more+`}`, nil)
}

// told is one incident's log, raw, in the order of time.
func (d *desk) told(id string) []map[string]any {
	d.t.Helper()
	var out struct {
		LogEntries []map[string]any `json:"log_entries"`
	}
	d.call("GET", "/pagerduty/incidents/"+id+"/log_entries?limit=100&time_zone=UTC&include[]=channels", "", &out)
	slices.SortStableFunc(out.LogEntries, func(a, b map[string]any) int {
		return strings.Compare(a["created_at"].(string), b["created_at"].(string))
	})
	return out.LogEntries
}

// last is the newest entry of a kind.
func (d *desk) last(id, kind string) map[string]any {
	d.t.Helper()
	var found map[string]any
	for _, e := range d.told(id) {
		if e["type"] == kind+"_log_entry" {
			found = e
		}
	}
	if found == nil {
		d.t.Fatalf("no %s in the log: %v", kind, d.kinds(id))
	}
	return found
}

func (d *desk) put(path, body string) {
	d.t.Helper()
	if res, b := d.raw("PUT", "/back"+path, body); res.StatusCode != http.StatusOK {
		d.t.Fatalf("PUT %s: %d %s", path, res.StatusCode, b)
	}
}

func member(e map[string]any, path ...string) any {
	var v any = e
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}

func TestReassignedIsSomebodyElses(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.tapped("PRESP01", "acknowledge", i.ID, "")
	d.pass(2 * time.Second)
	if got := d.tapped("PRESP01", "reassign", i.ID, `"to":"PRESP02"`); got != http.StatusNoContent {
		t.Fatalf("reassign: %d", got)
	}
	d.pass(time.Second)
	e := d.last(i.ID, "assign")
	to := e["assignees"].([]any)
	if member(e, "agent", "id") != "PRESP01" || member(e, "channel", "type") != "mobile" || len(to) != 1 || to[0].(map[string]any)["id"] != "PRESP02" {
		t.Errorf("got %v", e)
	}
	is := d.incident(i.ID)
	if is.Status != triggered || len(is.Assignments) != 1 || is.Assignments[0].Assignee.ID != "PRESP02" || len(is.Acknowledgements) != 0 {
		t.Errorf("got %+v", is)
	}
	if n := d.last(i.ID, "notify"); member(n, "user", "id") != "PRESP02" {
		t.Errorf("notified %v", n)
	}
	d.pass(2 * time.Minute)
	if n := d.kinds(i.ID); n["escalate"] != 0 {
		t.Errorf("what was given by name escalated: %v", n)
	}
	if got := d.tapped("PRESP01", "reassign", i.ID, `"to":"PNONE"`); got != http.StatusBadRequest {
		t.Errorf("to nobody: %d", got)
	}
}

func TestSnoozedComesBack(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	if got := d.call("POST", "/pagerduty/incidents/"+i.ID+"/snooze", `{"duration":60}`, nil); got != http.StatusBadRequest {
		t.Errorf("without From: %d", got)
	}
	if got := d.call("POST", "/pagerduty/incidents/"+i.ID+"/snooze", `{"duration":60}`, nil, "From", "first@example.invalid"); got != http.StatusCreated {
		t.Errorf("snooze: %d, want 201", got)
	}
	e := d.last(i.ID, "snooze")
	if member(e, "channel", "duration") != 60.0 || member(e, "agent", "id") != "PRESP01" || len(e["changed_actions"].([]any)) != 1 {
		t.Errorf("got %v", e)
	}
	is := d.incident(i.ID)
	if is.Status != acknowledged || len(is.PendingActions) != 1 || is.PendingActions[0].Type != "unacknowledge" {
		t.Errorf("got %+v", is)
	}
	d.pass(61 * time.Second)
	if n := d.kinds(i.ID); n["unsnooze"] != 1 || n["unacknowledge"] != 1 || d.incident(i.ID).Status != triggered {
		t.Errorf("after a minute: %v", n)
	}
	d.tapped("PRESP01", "snooze", i.ID, `"for_s":60`)
	d.tapped("PRESP01", "unsnooze", i.ID, "")
	d.pass(2 * time.Minute)
	if n := d.kinds(i.ID); n["unsnooze"] != 2 || n["snooze"] != 2 {
		t.Errorf("ended by hand: %v", n)
	}
	if got := d.tapped("PRESP01", "snooze", i.ID, `"for_s":0`); got != http.StatusBadRequest {
		t.Errorf("for no time: %d", got)
	}
}

func TestMergedNamesTheOther(t *testing.T) {
	d := newDesk(t)
	a, b := d.opened(ourKey, "a"), d.opened(otherKey, "b")
	if got := d.tapped("PRESP01", "merge", a.ID, `"into":"`+b.ID+`"`); got != http.StatusNoContent {
		t.Fatalf("merge: %d", got)
	}
	var is struct {
		Incident struct {
			Status string
			Reason struct {
				Type     string
				Incident ref
			} `json:"resolve_reason"`
		}
	}
	d.call("GET", "/pagerduty/incidents/"+a.ID, "", &is)
	if is.Incident.Status != resolved || is.Incident.Reason.Type != "merge_resolve_reason" || is.Incident.Reason.Incident.ID != b.ID {
		t.Errorf("got %+v", is)
	}
	if e := d.last(a.ID, "merge"); member(e, "channel", "incident", "id") != b.ID {
		t.Errorf("source: %v", e)
	}
	if e := d.last(b.ID, "merge"); member(e, "channel", "incident", "id") != a.ID || member(e, "agent", "id") != "PRESP01" {
		t.Errorf("target: %v", e)
	}
	if e := d.last(a.ID, "resolve"); !strings.HasPrefix(member(e, "channel", "summary").(string), "Merged into") {
		t.Errorf("resolve: %v", e)
	}
	if got := d.tapped("PRESP01", "merge", a.ID, `"into":"`+b.ID+`"`); got != http.StatusBadRequest {
		t.Errorf("merge again: %d", got)
	}
	d.tapped("PRESP01", "reopen", a.ID, "")
	if res, body := d.raw("GET", "/pagerduty/incidents/"+a.ID, ""); res.StatusCode != 200 || !strings.Contains(string(body), `"resolve_reason":null`) {
		t.Errorf("reopened, it is merged still: %s", body)
	}
}

func TestReopenedPagesAnew(t *testing.T) {
	for _, by := range []string{"phone", "put triggered", "put acknowledged"} {
		t.Run(by, func(t *testing.T) {
			d := newDesk(t)
			i := d.opened(ourKey, "k")
			d.tapped("PRESP01", "resolve", i.ID, "")
			d.pass(2 * time.Second)
			want := triggered
			switch by {
			case "phone":
				d.tapped("PRESP02", "reopen", i.ID, "")
			default:
				_, want, _ = strings.Cut(by, " ")
				d.call("PUT", "/pagerduty/incidents/"+i.ID, `{"incident":{"type":"incident","status":"`+want+`"}}`, nil, "From", "second@example.invalid")
			}
			d.pass(time.Second)
			is := d.incident(i.ID)
			if is.Status != want || is.ResolvedAt != "" || len(is.Assignments) == 0 {
				t.Errorf("got %+v", is)
			}
			if e := d.last(i.ID, "unacknowledge"); member(e, "agent", "id") != "PRESP02" {
				t.Errorf("got %v", e)
			}
			if n := d.kinds(i.ID)["notify"]; want == triggered && n != 4 || want == acknowledged && n != 2 {
				t.Errorf("%d notifications", n)
			}
		})
	}
}

func TestDelegatedEscalatedAndLowered(t *testing.T) {
	d := newDesk(t)
	d.put("/policies/PEPWEB", `{"name":"Web","levels":[["PRESP02"]]}`)
	i := d.opened(ourKey, "k")
	from := []string{"From", "first@example.invalid"}
	manage := func(body string) int {
		return d.call("PUT", "/pagerduty/incidents/"+i.ID, `{"incident":{"type":"incident",`+body+`}}`, nil, from...)
	}
	if got := manage(`"escalation_level":2`); got != 200 {
		t.Fatalf("escalate: %d", got)
	}
	if e := d.last(i.ID, "escalate"); member(e, "agent", "id") != "PRESP01" {
		t.Errorf("got %v", e)
	}
	if got := manage(`"escalation_policy":{"id":"PEPWEB","type":"escalation_policy_reference"}`); got != 200 {
		t.Fatalf("delegate: %d", got)
	}
	d.pass(time.Second)
	if e := d.last(i.ID, "delegate"); len(e["assignees"].([]any)) != 1 || d.incident(i.ID).EscalationPolicy.ID != "PEPWEB" {
		t.Errorf("got %v", e)
	}
	if got := manage(`"urgency":"low"`); got != 200 {
		t.Fatalf("lower: %d", got)
	}
	if e := d.last(i.ID, "urgency_change"); member(e, "channel", "type") != "api" || len(d.incident(i.ID).PendingActions) != 0 {
		t.Errorf("got %v, and it still escalates: %v", e, d.incident(i.ID).PendingActions)
	}
	for _, bad := range []string{`"escalation_level":9`, `"escalation_policy":{"id":"PEPNONE"}`, `"urgency":"loud"`,
		`"priority":{"id":"PNONE"}`, `"incident_type":{"name":"none"}`} {
		if got := manage(bad); got != 400 {
			t.Errorf("%s: %d", bad, got)
		}
	}
	if got := manage(`"assignments":[{"assignee":{"id":"PRESP01","type":"user_reference"}}]`); got != 200 {
		t.Fatalf("assign: %d", got)
	}
	var is struct {
		Incident struct {
			Via string `json:"assigned_via"`
		}
	}
	d.call("GET", "/pagerduty/incidents/"+i.ID, "", &is)
	if is.Incident.Via != "direct_assignment" {
		t.Errorf("assigned via %s", is.Incident.Via)
	}
}

func TestNotesAreEditedAndDeletedByPhone(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.phone("PRESP01", "note", i.ID, "checked the queue")
	d.pass(time.Second)
	notes, err := d.pd.ListIncidentNotesWithContext(t.Context(), i.ID)
	if err != nil || len(notes) != 1 {
		t.Fatalf("%v %v", notes, err)
	}
	id := `"note":"` + notes[0].ID + `"`
	if got := d.tapped("PRESP01", "edit-note", i.ID, id+`,"content":"the table"`); got != http.StatusNoContent {
		t.Fatalf("edit: %d", got)
	}
	var now struct {
		Notes []struct {
			Content   string
			CreatedAt string `json:"created_at"`
			UpdatedAt string `json:"updated_at"`
		}
	}
	d.call("GET", "/pagerduty/incidents/"+i.ID+"/notes", "", &now)
	if n := now.Notes[0]; n.Content != "the table" || n.UpdatedAt == n.CreatedAt {
		t.Errorf("got %+v", n)
	}
	if got := d.tapped("PRESP01", "delete-note", i.ID, id); got != http.StatusNoContent {
		t.Fatalf("delete: %d", got)
	}
	d.call("GET", "/pagerduty/incidents/"+i.ID+"/notes", "", &now)
	if len(now.Notes) != 0 || d.last(i.ID, "annotate")["channel"].(map[string]any)["summary"] != "checked the queue" {
		t.Errorf("its entry stays as it was: %v", now)
	}
	if got := d.tapped("PRESP01", "delete-note", i.ID, id); got != http.StatusNotFound {
		t.Errorf("delete twice: %d", got)
	}
}

func TestAcknowledgedByEveryMeans(t *testing.T) {
	for channel, want := range map[string]string{"website": "website", "sms": "sms", "": "mobile"} {
		d := newDesk(t)
		i := d.opened(ourKey, "k")
		d.tapped("PRESP01", "acknowledge", i.ID, `"channel":"`+channel+`"`)
		if e := d.last(i.ID, "acknowledge"); member(e, "channel", "type") != want || member(e, "agent", "type") != nil {
			t.Errorf("%s: %v", channel, e)
		}
	}
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.manage(i.ID, acknowledged)
	if e := d.last(i.ID, "acknowledge"); member(e, "channel", "type") != "api" || member(e, "agent", "type") != "user_reference" {
		t.Errorf("by PUT: %v", e)
	}
	d = newDesk(t)
	i = d.opened(ourKey, "k")
	d.send(ourKey, "acknowledge", "k")
	d.pass(2 * time.Second)
	if e := d.last(i.ID, "acknowledge"); member(e, "channel", "type") != "api" || member(e, "agent", "type") != "integration_reference" {
		t.Errorf("by event: %v", e)
	}
}

func TestTheIncidentNamesWhoHoldsIt(t *testing.T) {
	type holder struct {
		Incident struct {
			Acknowledgements []ackShape
			By               ref `json:"last_status_change_by"`
		}
	}
	for by, want := range map[string]string{"phone": "user_reference", "event": "service_reference"} {
		d := newDesk(t)
		i := d.opened(ourKey, "k")
		if by == "phone" {
			d.tapped("PRESP01", "acknowledge", i.ID, "")
		} else {
			d.send(ourKey, "acknowledge", "k")
			d.pass(2 * time.Second)
		}
		var got holder
		d.call("GET", "/pagerduty/incidents/"+i.ID, "", &got)
		if a := got.Incident.Acknowledgements; len(a) != 1 || a[0].Acknowledger.Type != want || got.Incident.By.Type == "" {
			t.Errorf("by %s: %+v", by, got)
		}
	}
}

func (d *desk) manage(id, status string) {
	d.t.Helper()
	if _, err := d.pd.ManageIncidentsWithContext(d.t.Context(), "drills@example.invalid",
		[]pagerduty.ManageIncidentsOptions{{ID: id, Status: status}}); err != nil {
		d.t.Fatal(err)
	}
}

func TestMachinesActByKnob(t *testing.T) {
	d := newDesk(t)
	d.knob(`{"effect":"autoack","delay_s":3,"count":1}`)
	i := d.opened(ourKey, "a")
	d.pass(4 * time.Second)
	if e := d.last(i.ID, "acknowledge"); member(e, "agent", "type") != "integration_reference" || d.incident(i.ID).Status != acknowledged {
		t.Errorf("got %v", e)
	}
	d.knob(`{"effect":"autoresolve","delay_s":3,"count":1}`)
	i = d.opened(ourKey, "b")
	d.pass(4 * time.Second)
	if e := d.last(i.ID, "resolve"); member(e, "agent", "type") != "integration_reference" || d.kinds(i.ID)["acknowledge"] != 0 {
		t.Errorf("got %v", e)
	}
}

func TestTheTruthTellsHandsToo(t *testing.T) {
	d := newDesk(t)
	a, b := d.opened(ourKey, "a"), d.opened(otherKey, "b")
	d.tapped("PRESP01", "snooze", a.ID, `"for_s":90`)
	d.tapped("PRESP01", "reassign", a.ID, `"to":"PRESP02"`)
	d.tapped("PRESP01", "merge", a.ID, `"into":"`+b.ID+`"`)
	var tr truth
	d.call("GET", "/back/truth", "", &tr)
	one := tr.Incidents[0]
	snooze := slices.IndexFunc(one.Entries, func(e trueEntry) bool { return e.For == 90 })
	given := slices.IndexFunc(one.Entries, func(e trueEntry) bool { return slices.Equal(e.To, []string{"PRESP02"}) })
	if one.Into != b.ID || one.Type != baseType || snooze < 0 || given < snooze {
		b, _ := json.Marshal(one)
		t.Errorf("got %s", b)
	}
}
