package pager

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSetUpChangesWhatItNames(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "before")
	d.put("/services/PORDERS", `{"description":"changed"}`)
	var s Service
	d.call("GET", "/back/services/PORDERS", "", &s)
	if s.Description != "changed" || s.Name != "Orders (staging)" || len(s.Integrations) != 3 {
		t.Errorf("got %+v", s)
	}
	d.send(ourKey, "resolve", "before")
	d.pass(2 * time.Second)
	if got := d.incident(i.ID); got.Status != resolved || got.Service.ID != "PORDERS" {
		t.Errorf("what was open before is not the service's any more: %+v", got)
	}
	d.put("/services/PORDERS", `{"integrations":[{"id":"PIOURS","name":"firedrill","type":"events_api_v2_inbound_integration","key":"`+ourKey+`"}]}`)
	d.send(cwKey, "trigger", "gone")
	d.pass(2 * time.Second)
	if got := d.outcomes()[2]; got != "dropped: no such integration" {
		t.Errorf("got %q", got)
	}
}

func TestSetUpMakesWhatIsNotThere(t *testing.T) {
	d := newDesk(t)
	if got := d.call("GET", "/back/services/P0042", "", nil); got != http.StatusNotFound {
		t.Errorf("got %d", got)
	}
	var before []*Service
	for n := range 60 {
		id, key := fmt.Sprintf("P%04d", n), fmt.Sprintf("%032d", n)
		d.put("/users/U"+id, `{"name":"Somebody","email":"`+id+`@example.invalid","contacts":[{"type":"push"}]}`)
		d.put("/policies/E"+id, `{"name":"E","levels":[["U`+id+`"]]}`)
		d.put("/services/"+id, `{"name":"S","policy":"E`+id+`","integrations":[{"id":"I`+id+`","name":"firedrill","type":"events_api_v2_inbound_integration","key":"`+key+`"}]}`)
		before = append(before, d.p.o.Account.service(id))
	}
	for n, s := range before {
		if d.p.o.Account.service(s.ID) != s {
			t.Fatalf("service %d moved: its incidents would not be its own", n)
		}
	}
	i := d.opened(fmt.Sprintf("%032d", 42), "k")
	d.pass(time.Second)
	if i.Service.ID != "P0042" || d.kinds(i.ID)["notify"] != 1 {
		t.Errorf("got %+v", i)
	}
}

func TestSetUpRefusesWhatMakesNoSense(t *testing.T) {
	for name, tt := range map[string]struct{ path, body, want string }{
		"no policy":             {"/services/PNEW", `{"name":"x"}`, "no escalation policy"},
		"short key":             {"/services/PNEW", `{"policy":"PEPORD","integrations":[{"id":"I","type":"events_api_v2_inbound_integration","key":"k"}]}`, "key of 32"},
		"another's key":         {"/services/PNEW", `{"policy":"PEPORD","integrations":[{"id":"I","type":"events_api_v2_inbound_integration","key":"` + ourKey + `"}]}`, "belongs to service PORDERS"},
		"unknown member":        {"/services/PORDERS", `{"colour":"red"}`, "colour"},
		"another id":            {"/services/PORDERS", `{"id":"PX"}`, "does not change"},
		"no JSON":               {"/services/PORDERS", `x`, "invalid character"},
		"urgency":               {"/services/PORDERS", `{"urgency":{"rule":"loud"}}`, "urgency rules"},
		"hours":                 {"/services/PORDERS", `{"urgency":{"hours":{"zone":"Mars/Base","from":"9","to":"17:00:00"}}}`, "Mars/Base"},
		"grouping":              {"/services/PORDERS", `{"grouping":{"type":"magic"}}`, "magic"},
		"grouping by nothing":   {"/services/PORDERS", `{"grouping":{"type":"content_based"}}`, "needs fields"},
		"workflow":              {"/services/PORDERS", `{"workflows":[{"id":"PW","trigger":"moon"}]}`, "moon"},
		"condition":             {"/services/PORDERS", `{"orchestration":{"sets":[{"id":"start","rules":[{"id":"r","conditions":[{"expression":"now in Mon"}]}]}]}}`, "now in Mon"},
		"route":                 {"/services/PORDERS", rules(`"route_to":"nowhere"`), "nowhere"},
		"priority":              {"/services/PORDERS", rules(`"priority":"PNONE"`), "PNONE"},
		"policy of a rule":      {"/services/PORDERS", rules(`"escalation_policy":"PNONE"`), "PNONE"},
		"regular expression":    {"/services/PORDERS", rules(`"extractions":[{"target":"event.summary","source":"event.source","regex":"("}]`), "missing closing"},
		"contact":               {"/users/PRESP01", `{"contacts":[{"type":"pigeon"}]}`, "a contact is"},
		"somebody unknown":      {"/policies/PEPORD", `{"levels":[["PNONE"]]}`, "PNONE"},
		"a pace that never was": {"/account", `{"pace":{"min_delay_s":5,"max_delay_s":1}}`, "delays"},
		"the account's colour":  {"/account", `{"colour":"red"}`, "colour"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			before, _ := json.Marshal(d.p.o.Account)
			res, b := d.raw("PUT", "/back"+tt.path, tt.body)
			if res.StatusCode != http.StatusBadRequest || !strings.Contains(string(b), tt.want) {
				t.Errorf("%d %s", res.StatusCode, b)
			}
			if after, _ := json.Marshal(d.p.o.Account); string(after) != string(before) {
				t.Error("it changed something all the same")
			}
		})
	}
}

func TestAPolicyMayShrinkUnderAnIncident(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.pass(31 * time.Second) // level two has it
	d.put("/policies/PEPORD", `{"levels":[]}`)
	d.tapped("PRESP01", "resolve", i.ID, "")
	d.tapped("PRESP01", "reopen", i.ID, "")
	d.pass(time.Minute)
	if is := d.incident(i.ID); is.Status != triggered || len(is.Assignments) != 0 {
		t.Errorf("got %+v", is)
	}
}

func TestThePaceIsSetUpToo(t *testing.T) {
	d := newDesk(t)
	d.put("/account", `{"pace":{"min_delay_s":0,"max_delay_s":0.1,"notify_after_s":0.1,"escalate_after_s":5,"ack_timeout_s":10,"auto_resolve_s":60}}`)
	d.send(ourKey, "trigger", "k")
	d.pass(200 * time.Millisecond)
	i := d.all()[0]
	d.pass(5 * time.Second)
	if n := d.kinds(i.ID); n["escalate"] != 1 {
		t.Errorf("after five seconds: %v", n)
	}
	if acts := d.incident(i.ID).PendingActions; len(acts) != 2 || acts[1].Type != "resolve" {
		t.Errorf("pending %+v", acts)
	}
	d.tapped("PRESP02", "acknowledge", i.ID, "")
	d.pass(11 * time.Second)
	if n := d.kinds(i.ID); n["unacknowledge"] != 1 {
		t.Errorf("ten seconds after the acknowledgement: %v", n)
	}
	d.pass(50 * time.Second)
	if e := d.last(i.ID, "resolve"); member(e, "channel", "type") != "timeout" || member(e, "agent", "type") != "service_reference" {
		t.Errorf("got %v", e)
	}
	var all settings
	d.call("GET", "/back/account", "", &all)
	if all.Pace.AckTimeout != 10 || all.Abilities[0] != "teams" {
		t.Errorf("got %+v", all)
	}
}
