package pager

import (
	"fmt"
	"net/http"
	"testing"
)

func TestABotsNoteAndTwoThousand(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.call("POST", "/back/incidents/"+i.ID+"/bot-notes", `{"content":"runbook: https://x","count":1999}`, nil)
	d.phone("PRESP01", "note", i.ID, "the last one")
	if got := d.phone("PRESP01", "note", i.ID, "one too many"); got != http.StatusBadRequest {
		t.Errorf("got %d", got)
	}
	var all struct{ Notes []struct{ User ref } }
	d.call("GET", "/pagerduty/incidents/"+i.ID+"/notes", "", &all)
	if len(all.Notes) != 2000 || all.Notes[0].User.Type != "bot_user_reference" || all.Notes[1999].User.Type != "user_reference" {
		t.Errorf("%d notes, the first by %+v", len(all.Notes), all.Notes[0].User)
	}
}

func TestForgedEntriesAreToldAsWritten(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	forge := func(body string) {
		t.Helper()
		if res, b := d.raw("POST", "/back/incidents/"+i.ID+"/log", body); res.StatusCode != http.StatusNoContent {
			t.Fatalf("%s: %d %s", body, res.StatusCode, b)
		}
	}
	forge(`{"type":"acknowledge","user":"PRESP01","channel":"phone","odd":{"agent":null}}`)
	if e := d.last(i.ID, "acknowledge"); e["agent"] != nil || member(e, "channel", "type") != "phone" {
		t.Errorf("null agent: %v", e)
	}
	forge(`{"type":"status_update","odd":{"channel":null,"message":"on it"}}`)
	if e := d.last(i.ID, "status_update"); e["channel"] != nil || e["message"] != "on it" {
		t.Errorf("null channel: %v", e)
	}
	forge(`{"type":"escalate","odd":{"channel":{"type":null},"event_details":{"n":0.5}}}`)
	if e := d.last(i.ID, "escalate"); member(e, "channel", "type") != nil || member(e, "event_details", "n") != 0.5 {
		t.Errorf("details: %v", e)
	}
	forge(`{"type":"notify","user":"PRESP02","channel":"auto","count":250,"at":"2026-11-23T10:00:02Z"}`)
	ids := map[any]bool{}
	for offset := 0; offset < 300; offset += 100 {
		var l struct {
			LogEntries []map[string]any `json:"log_entries"`
		}
		d.call("GET", fmt.Sprintf("/pagerduty/incidents/%s/log_entries?limit=100&time_zone=UTC&offset=%d", i.ID, offset), "", &l)
		for _, e := range l.LogEntries {
			if e["type"] == "notify_log_entry" && e["created_at"] == "2026-11-23T10:00:02Z" {
				ids[e["id"]] = true
			}
		}
	}
	if len(ids) < 250 {
		t.Errorf("%d entries of one second on three pages", len(ids))
	}
	if res, _ := d.raw("POST", "/back/incidents/"+i.ID+"/log", `{"type":""}`); res.StatusCode != 400 {
		t.Errorf("without a type: %d", res.StatusCode)
	}
}

func TestKnobsOfTheLog(t *testing.T) {
	d := newDesk(t)
	d.knob(`{"effect":"anonymous"}`)
	d.knob(`{"effect":"null_channel"}`)
	i := d.opened(ourKey, "k")
	d.tapped("PRESP01", "acknowledge", i.ID, "")
	for _, e := range d.told(i.ID) {
		if e["agent"] != nil || e["channel"] != nil {
			t.Errorf("got %v", e)
		}
	}
}
