package pager

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

const drillType = `{"types":[{"id":"PTDRILL","name":"drill","display_name":"Drill"},{"id":"PTOLD","name":"old","display_name":"Old","disabled":true}],
	"priorities":[{"id":"PP1","name":"P1"},{"id":"PP2","name":"P2"}],"abilities":["teams"]}`

func TestIncidentTypesAndPriorities(t *testing.T) {
	d := newDesk(t)
	for path, want := range map[string]string{"/incidents/types": `"name":"incident_default"`, "/priorities": `"priorities":[]`} {
		if res, b := d.raw("GET", "/pagerduty"+path, ""); res.StatusCode != 200 || !strings.Contains(string(b), want) || strings.Contains(string(b), "drill") {
			t.Errorf("%s: %d %s", path, res.StatusCode, b)
		}
	}
	d.put("/account", drillType)
	for path, want := range map[string]struct{ has, hasNot string }{
		"/incidents/types":                 {`"name":"drill","display_name":"Drill"`, `"name":"old"`},
		"/incidents/types?filter=all":      {`"name":"old"`, "nothing"},
		"/incidents/types?filter=disabled": {`"name":"old"`, `"name":"drill"`},
		"/priorities?limit=1":              {`"name":"P1"`, `"name":"P2"`},
		"/abilities":                       {`"teams"`, "urgencies"},
	} {
		res, b := d.raw("GET", "/pagerduty"+path, "")
		if res.StatusCode != 200 || !strings.Contains(string(b), want.has) || strings.Contains(string(b), want.hasNot) {
			t.Errorf("%s: %d %s", path, res.StatusCode, b)
		}
	}
}

func TestAnIncidentsTypeIsAllThatChanges(t *testing.T) {
	d := newDesk(t)
	d.put("/account", drillType)
	i := d.opened(ourKey, "k")
	body := `{"incident":{"type":"incident_reference","incident_type":{"name":"drill"}}}`
	if got := d.call("PUT", "/pagerduty/incidents/"+i.ID, body, nil); got != http.StatusBadRequest {
		t.Errorf("without From: %d", got)
	}
	var out struct {
		Incident struct {
			Status   string
			Type     typeName `json:"incident_type"`
			Assigned []assignmentShape
		}
	}
	if got := d.call("PUT", "/pagerduty/incidents/"+i.ID, body, &out, "From", "drills@example.invalid"); got != 200 || out.Incident.Type.Name != "drill" {
		t.Fatalf("%d %+v", got, out)
	}
	is := d.incident(i.ID)
	if is.Status != triggered || len(is.Acknowledgements) != 0 || is.Assignments[0].Assignee.ID != "PRESP01" || len(is.PendingActions) != 1 {
		t.Errorf("more than its type changed: %+v", is)
	}
	if e := d.last(i.ID, "field_value_change"); member(e, "agent", "id") != "PBOT" {
		t.Errorf("got %v", e)
	}
	for _, bad := range []string{"old", "none"} {
		if got := d.call("PUT", "/pagerduty/incidents/"+i.ID, strings.Replace(body, "drill", bad, 1), nil, "From", "drills@example.invalid"); got != 400 {
			t.Errorf("%s: %d", bad, got)
		}
	}
}

func TestAnalyticsMustBeBought(t *testing.T) {
	d := newDesk(t)
	for _, r := range [][2]string{{"POST", "/analytics/raw/incidents"}, {"GET", "/analytics/raw/incidents/PX"}} {
		if res, b := d.raw(r[0], "/pagerduty"+r[1], "{}"); res.StatusCode != http.StatusPaymentRequired || !strings.Contains(string(b), "2014") {
			t.Errorf("%v: %d %s", r, res.StatusCode, b)
		}
	}
}

func TestAnalyticsAgreeWithTheTruth(t *testing.T) {
	d := newDesk(t)
	d.put("/account", `{"analytics":true}`)
	i := d.opened(ourKey, "k")
	d.pass(35 * time.Second)
	d.tapped("PRESP02", "acknowledge", i.ID, "")
	d.pass(10 * time.Second)
	first := d.clock.Now()
	d.tapped("PRESP01", "acknowledge", i.ID, "")
	d.tapped("PRESP02", "resolve", i.ID, "")
	var one struct{ Data analyticsRow }
	d.call("GET", "/pagerduty/analytics/raw/incidents/"+i.ID, "", &one)
	r, tr := one.Data, d.truth().Incidents[0]
	var acked, ended time.Time
	for _, e := range tr.Entries {
		switch e.Type {
		case "acknowledge_log_entry":
			if e.At.Before(first) {
				acked = e.At
			}
		case "resolve_log_entry":
			ended = e.At
		}
	}
	if *r.ToAck != int(acked.Sub(tr.CreatedAt).Seconds()) || *r.ToResolve != int(ended.Sub(tr.CreatedAt).Seconds()) || r.ByTimeout != 1 || r.Acks != 2 || len(r.AcknowledgedIDs) != 2 ||
		r.Notifications != 3 || r.Auto || *r.ResolvedByID != "PRESP02" || r.TypeName != baseType {
		t.Errorf("got %+v", r)
	}
	d.put("/account", `{"analytics_bare":true}`)
	var bare analyticsRow
	d.call("GET", "/pagerduty/analytics/raw/incidents/"+i.ID, "", &bare)
	if bare.ID != i.ID {
		t.Errorf("bare: %+v", bare)
	}
	if got := d.call("GET", "/pagerduty/analytics/raw/incidents/PNONE", "", nil); got != http.StatusNotFound {
		t.Errorf("got %d", got)
	}
}

func TestAnalyticsOfLongAgo(t *testing.T) {
	d := newDesk(t)
	d.put("/account", `{"analytics":true,"types":[{"id":"PTDRILL","name":"drill"}],"history":[
		{"id":"PA","service":"PORDERS","title":"real","created_at":"2026-10-01T10:00:00Z","ack_after_s":90,"resolve_after_s":900},
		{"id":"PB","service":"PORDERS","title":"drill","created_at":"2026-10-02T10:00:00Z","ack_after_s":30,"type":"drill"},
		{"id":"PC","service":"PNOBODY","title":"other","created_at":"2026-10-03T10:00:00Z"}]}`)
	list := func(body string) analyticsPage {
		var out analyticsPage
		if got := d.call("POST", "/pagerduty/analytics/raw/incidents", body, &out); got != 200 {
			t.Fatalf("%s: %d", body, got)
		}
		return out
	}
	all := list(`{"filters":{"service_ids":["PORDERS"],"created_at_start":"2026-09-01T00:00:00Z","created_at_end":"2026-11-01T00:00:00Z"},"order":"asc"}`)
	if len(all.Data) != 2 || all.Data[0].ID != "PA" || *all.Data[0].ToAck != 90 || *all.Data[0].ToResolve != 900 || all.More || *all.Last != "PB" {
		t.Errorf("got %+v", all)
	}
	first := list(`{"filters":{"service_ids":["PORDERS"]},"limit":1}`)
	next := list(`{"filters":{"service_ids":["PORDERS"]},"limit":1,"starting_after":"` + *first.Last + `"}`)
	if !first.More || next.More || next.Data[0].ID != "PA" {
		t.Errorf("pages: %+v %+v", first, next)
	}
	if typed := list(`{"filters":{"incident_type_ids":["PTDRILL"]}}`); len(typed.Data) != 1 || typed.Data[0].ID != "PB" {
		t.Errorf("by type: %+v", typed)
	}
	if got := d.call("POST", "/pagerduty/analytics/raw/incidents", `{"limit":5000}`, nil); got != 400 {
		t.Errorf("got %d", got)
	}
}
