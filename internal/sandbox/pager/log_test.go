package pager

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

// wireEntry is a log entry as it goes over the wire.
type wireEntry struct {
	ID, Type  string
	CreatedAt string `json:"created_at"`
	Agent     *ref
	Channel   *channel
	Incident  struct {
		ref
		Status string
	}
	Service struct {
		ref
		Status string
	}
	Teams []ref
}

type wireLog struct {
	LogEntries []wireEntry `json:"log_entries"`
	More       bool
	Total      *int
}

func webService(team string) func(o *Options) {
	return func(o *Options) {
		o.Account.Services = append(o.Account.Services, Service{ID: "PWEB", Name: "Web", Policy: "PEPORD", Team: team,
			Integrations: []Integration{{ID: "PIWEB", Name: "web", Type: EventsV2, Key: webKey}}})
	}
}

const webKey = "aaaabbbbccccddddaaaabbbbccccdddd"

func (d *desk) log(query string) wireLog {
	d.t.Helper()
	var out wireLog
	if got := d.call("GET", "/pagerduty/log_entries?"+query, "", &out); got != http.StatusOK {
		d.t.Fatalf("GET /log_entries?%s: %d", query, got)
	}
	return out
}

func TestTheAccountsLogHoldsEveryIncidents(t *testing.T) {
	d := newDesk(t, webService("PTWEB"))
	orders := d.opened(ourKey, "a")
	web := d.opened(webKey, "b")
	d.pass(time.Second)
	want := len(d.entries(orders.ID)) + len(d.entries(web.ID))

	seen := map[string]bool{}
	of := map[string]string{}
	for offset := 0; ; offset += 2 {
		l := d.log("limit=2&total=true&time_zone=UTC&offset=" + strconv.Itoa(offset))
		for _, e := range l.LogEntries {
			seen[e.ID] = true
			of[e.Incident.ID] = e.Service.ID
			if e.Incident.Type != "incident_reference" || e.Service.Type != "service_reference" || !strings.HasSuffix(e.CreatedAt, "Z") {
				t.Errorf("got %+v", e)
			}
		}
		if *l.Total != want {
			t.Fatalf("total %d, want %d", *l.Total, want)
		}
		if !l.More {
			break
		}
	}
	if len(seen) != want || of[orders.ID] != "PORDERS" || of[web.ID] != "PWEB" {
		t.Errorf("saw %d of %d entries: %v", len(seen), want, of)
	}
	if l := d.log("team_ids[]=PTWEB&limit=100"); len(l.LogEntries) != len(d.entries(web.ID)) || l.LogEntries[0].Teams[0].ID != "PTWEB" {
		t.Errorf("the team's log: %+v", l)
	}
}

func TestTheAccountsLogBetweenTwoTimes(t *testing.T) {
	d := newDesk(t)
	d.opened(ourKey, "a")
	d.pass(5 * time.Second)
	since := d.clock.Now().Truncate(time.Second)
	d.pass(2 * time.Second)
	late := d.opened(otherKey, "b")
	d.pass(time.Second)
	l := d.log("limit=100&since=" + url.QueryEscape(since.Format(time.RFC3339)))
	for _, e := range l.LogEntries {
		if e.Incident.ID != late.ID {
			t.Errorf("%s of %s is before since", e.Type, e.Incident.ID)
		}
	}
	if len(l.LogEntries) != len(d.entries(late.ID)) {
		t.Errorf("got %d entries", len(l.LogEntries))
	}
	if early := d.log("limit=100&until=" + url.QueryEscape(since.Format(time.RFC3339))); len(early.LogEntries) == 0 ||
		early.LogEntries[0].Incident.ID == late.ID {
		t.Errorf("until: %+v", early)
	}
}

func TestTheAccountsLogIncludesWholes(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "a")
	d.pass(time.Second)
	bare := d.log("limit=1")
	if e := bare.LogEntries[0]; !strings.HasSuffix(e.CreatedAt, "+02:00") {
		t.Errorf("created_at %s: want the account's zone", e.CreatedAt)
	}
	l := d.log("limit=100&time_zone=UTC&include[]=incidents&include[]=services&include[]=channels")
	for _, e := range l.LogEntries {
		if e.Incident.Type != "incident" || e.Incident.Status != triggered || e.Service.Status != "critical" {
			t.Errorf("%s: %+v %+v", e.Type, e.Incident, e.Service)
		}
	}
	full, over := len(l.LogEntries), len(d.log("limit=100&is_overview=true").LogEntries)
	if notified := d.kinds(i.ID)["notify"]; over != full-notified || notified == 0 {
		t.Errorf("overview %d of %d with %d notifications", over, full, notified)
	}
	var one struct {
		LogEntry wireEntry `json:"log_entry"`
	}
	if got := d.call("GET", "/pagerduty/log_entries/"+l.LogEntries[0].ID, "", &one); got != http.StatusOK || one.LogEntry.ID != l.LogEntries[0].ID {
		t.Errorf("%d %+v", got, one)
	}
	if got := d.call("GET", "/pagerduty/log_entries/RNONE", "", nil); got != http.StatusNotFound {
		t.Errorf("got %d", got)
	}
}
