package pager

import (
	"net/http"
	"testing"
	"time"
)

func (d *desk) ledger(query string) ledger {
	d.t.Helper()
	var out ledger
	if got := d.call("GET", "/back/requests"+query, "", &out); got != http.StatusOK {
		d.t.Fatalf("GET /requests%s: %d", query, got)
	}
	return out
}

func TestRequestsAreCounted(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.call("DELETE", "/back/requests", "", nil)
	d.phone("PRESP01", "note", i.ID, "the phone does not count")
	for range 3 {
		d.call("GET", "/pagerduty/incidents/"+i.ID+"/log_entries?limit=100", "", nil)
		d.clock.add(25 * time.Second)
	}
	d.call("GET", "/pagerduty/services/PNONE", "", nil)
	d.knob(`{"effect":"429","path":"/pagerduty/oncalls"}`)
	d.call("GET", "/pagerduty/oncalls", "", nil)
	d.call("GET", "/pagerduty/abilities", "", nil, "Authorization", "Token token=user-token")
	l := d.ledger("")
	if len(l.Requests) != 6 || l.Requests[0].Operation != "GET /incidents/{id}/log_entries" || l.Requests[0].Status != 200 ||
		l.Requests[0].Path != "/incidents/"+i.ID+"/log_entries?limit=100" {
		t.Fatalf("got %+v", l.Requests)
	}
	if l.Requests[3].Status != 404 || l.Requests[4].Status != 429 {
		t.Errorf("got %+v %+v", l.Requests[3], l.Requests[4])
	}
	// At 0, 25 and 50 seconds, and two at 75: any minute holds at most four of them.
	if l.Busiest[token] != 4 || l.Busiest["user-token"] != 1 {
		t.Errorf("busiest %v", l.Busiest)
	}
	if m := l.Minutes[0]; m.Token != token || m.Total != 3 || m.Operations["GET /incidents/{id}/log_entries"] != 3 {
		t.Errorf("got %+v", m)
	}
	since := d.ledger("?list=false&token=" + token + "&since=" + d.clock.Now().UTC().Format(time.RFC3339))
	if len(since.Requests) != 0 || since.Busiest[token] != 2 {
		t.Errorf("since: %+v", since)
	}
	if got := d.call("GET", "/back/requests?since=yesterday", "", nil); got != http.StatusBadRequest {
		t.Errorf("got %d", got)
	}
}

func TestAnOperationMayHaveItsOwnLimit(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.OperationPerMinute = 2 })
	for n, want := range []int{200, 200, 429} {
		res, _ := d.raw("GET", "/pagerduty/oncalls", "")
		if res.StatusCode != want || res.Header.Get("ratelimit-limit") != "2" || res.Header.Get("ratelimit-reset") != "60" {
			t.Errorf("request %d: %d %v", n+1, res.StatusCode, res.Header)
		}
	}
	if res, _ := d.raw("GET", "/pagerduty/abilities", ""); res.StatusCode != 200 || res.Header.Get("ratelimit-limit") != "960" {
		t.Errorf("another operation: %d %v", res.StatusCode, res.Header)
	}
	d.clock.add(time.Minute)
	if got := d.call("GET", "/pagerduty/oncalls", "", nil); got != 200 {
		t.Errorf("a minute later: %d", got)
	}
}
