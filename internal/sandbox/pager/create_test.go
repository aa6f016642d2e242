package pager

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func (d *desk) made(body string, headers ...string) (int, incidentSeen) {
	d.t.Helper()
	var out struct{ Incident incidentSeen }
	got := d.call("POST", "/pagerduty/incidents", `{"incident":{"type":"incident",`+body+`}}`, &out, headers...)
	return got, out.Incident
}

func TestAnIncidentThatSomebodyMadeHasNoAlert(t *testing.T) {
	d := newDesk(t)
	from := []string{"From", "second@example.invalid"}
	service := `"service":{"id":"PORDERS","type":"service_reference"}`
	got, i := d.made(`"title":"The checkout smells",`+service+`,"incident_key":"by-hand","urgency":"low"`, from...)
	if got != http.StatusCreated || i.Status != triggered || i.Urgency != "low" {
		t.Fatalf("%d %+v", got, i)
	}
	var alerts struct{ Alerts []alertShape }
	d.call("GET", "/pagerduty/incidents/"+i.ID+"/alerts", "", &alerts)
	if len(alerts.Alerts) != 0 {
		t.Errorf("got %+v", alerts)
	}
	if e := d.last(i.ID, "trigger"); member(e, "agent", "id") != "PRESP02" || member(e, "agent", "type") != "user_reference" {
		t.Errorf("got %v", e)
	}
	var found struct{ Incidents []incidentSeen }
	d.call("GET", "/pagerduty/incidents?incident_key=by-hand", "", &found)
	if len(found.Incidents) != 1 || found.Incidents[0].ID != i.ID {
		t.Errorf("by its key: %+v", found)
	}
	_, loud := d.made(`"title":"loud",`+service, from...)
	d.pass(time.Second)
	if n := d.kinds(loud.ID); n["notify"] != 2 || n["assign"] != 1 {
		t.Errorf("got %v", n)
	}
	for name, body := range map[string]string{
		"the key is open": `"title":"again",` + service + `,"incident_key":"by-hand"`,
		"no title":        service,
		"no service":      `"title":"x"`,
		"urgency":         `"title":"x",` + service + `,"urgency":"loud"`,
		"type":            `"title":"x",` + service + `,"incident_type":{"name":"none"}`,
		"nobody on call":  `"title":"x","service":{"id":"PNOBODY"}`,
	} {
		if got, _ := d.made(body, from...); got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got, _ := d.made(`"title":"x",` + service); got != http.StatusBadRequest {
		t.Errorf("without From: %d", got)
	}
}

func TestWhoMakesAnIncidentForHimselfHasAcknowledgedIt(t *testing.T) {
	d := newDesk(t)
	_, i := d.made(`"title":"mine","service":{"id":"PORDERS"},"assignments":[{"assignee":{"id":"PRESP01","type":"user_reference"}}]`,
		"From", "first@example.invalid")
	d.pass(time.Minute)
	if n := d.kinds(i.ID); i.Status != acknowledged || n["notify"] != 0 {
		t.Errorf("%s %v", i.Status, n)
	}
	_, other := d.made(`"title":"yours","service":{"id":"PORDERS"},"assignments":[{"assignee":{"id":"PRESP02","type":"user_reference"}}]`,
		"From", "first@example.invalid")
	d.pass(time.Second)
	if n := d.kinds(other.ID); other.Status != triggered || n["notify"] != 1 {
		t.Errorf("%s %v", other.Status, n)
	}
}

func TestIncidentsSortAndFilterByMore(t *testing.T) {
	d := newDesk(t, webService("PTWEB"))
	a, b, c := d.opened(ourKey, "a"), d.opened(webKey, "b"), d.opened(otherKey, "c")
	d.tapped("PRESP01", "urgency", a.ID, `"urgency":"low"`)
	list := func(query string) string {
		var out struct{ Incidents []incidentSeen }
		d.call("GET", "/pagerduty/incidents?"+query, "", &out)
		var names []string
		for _, i := range out.Incidents {
			names = append(names, map[string]string{a.ID: "a", b.ID: "b", c.ID: "c"}[i.ID])
		}
		return strings.Join(names, "")
	}
	for query, want := range map[string]string{
		"sort_by=created_at:desc":                       "cba",
		"sort_by=urgency:asc,created_at:desc":           "cba",
		"sort_by=urgency:desc,incident_number:asc":      "abc",
		"team_ids[]=PTWEB":                              "b",
		"statuses[]=resolved":                           "",
		"urgencies[]=low":                               "a",
		"since=2026-11-23T10:00:03Z&sort_by=created_at": "bc",
	} {
		if got := list(query); got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
}

func TestANotificationMayFail(t *testing.T) {
	d := newDesk(t)
	d.put("/users/PRESP01", `{"contacts":[{"type":"email","address":"a@b.invalid","status":"failure"}]}`)
	i := d.opened(ourKey, "k")
	if e := d.last(i.ID, "notify"); member(e, "channel", "notification", "status") != "failure" {
		t.Errorf("got %v", e)
	}
}
