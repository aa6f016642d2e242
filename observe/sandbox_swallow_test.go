package observe

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
)

// What may happen to a page after its 202, and how it shows: facts of a page are what an incident says, not the answer.

func TestAPageThatNeverBecomesAnIncident(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	d.knob(map[string]any{"effect": "never", "service": "PORDERS"})
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatalf("the pager took it in, and says: %v", err)
	}
	for end := time.Now().Add(150 * time.Millisecond); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if inc, err := d.Find(ctx, "PORDERS", testPage, time.Now()); inc != nil || err != nil {
			t.Fatalf("%+v, %v", inc, err)
		}
	}
	if err := d.Resolve(ctx, testKey, testPage); err != nil {
		t.Errorf("resolving what never was: %v", err)
	}
}

func TestAPageThatIsGroupedIntoARealIncident(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	if err := d.Send(ctx, theirKey, page("firedrill/theirs")); err != nil {
		t.Fatal(err)
	}
	theirs := d.found("firedrill/theirs")
	d.knob(map[string]any{"effect": "merge", "service": "PORDERS"})
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatal(err)
	}
	mine := d.found(testPage)
	if mine.ID != theirs.ID || len(mine.Alerts) != 2 {
		t.Fatalf("ours is %+v, theirs %s", mine, theirs.ID)
	}
	if err := d.Resolve(ctx, testKey, testPage); err != nil {
		t.Fatal(err)
	}
	eventually(t, "our alert is resolved and theirs is not", func() (bool, bool) {
		inc := d.found(testPage)
		status := map[string]string{}
		for _, a := range inc.Alerts {
			status[a.Key] = a.Status
		}
		return true, status[testPage] == "resolved" && status["firedrill/theirs"] == "triggered" && inc.Status != "resolved"
	})
}

func TestAPageOfLowUrgency(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	d.knob(map[string]any{"effect": "low", "service": "PORDERS"})
	check, err := d.Check(ctx, "PORDERS")
	if err != nil || check.Urgency != "low" || !strings.Contains(strings.Join(check.Problems, ""), "low urgency") {
		t.Errorf("before: %+v, %v", check, err)
	}
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatal(err)
	}
	if inc := d.found(testPage); inc.Urgency != "low" {
		t.Errorf("after: %+v", inc)
	}
}

func TestAPageThatNotifiesNobody(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	d.knob(map[string]any{"effect": "mute", "service": "PORDERS"})
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatal(err)
	}
	inc := d.found(testPage)
	d.tap("PRESP01", "resolve", inc.ID, "false alarm")
	for _, e := range d.story(inc.ID, EntryResolved) {
		switch {
		case e.Kind == EntryNotified, e.Kind == EntryAcknowledged:
			t.Errorf("nobody was notified and nobody acknowledged, but %+v", e)
		case e.Kind == EntryResolved && (!e.Human || e.User != "PRESP01" || e.Text != "false alarm"):
			t.Errorf("resolved: %+v", e)
		}
	}
}

func TestAnAcknowledgementByATool(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatal(err)
	}
	inc := d.found(testPage)
	// A chat bot in a person's name, through the REST API: nothing that firedrill itself could do.
	body := []byte(`{"incident":{"type":"incident_reference","status":"acknowledged"}}`)
	_, err := d.wire.do(ctx, call{op: "act as a tool", method: "PUT", url: d.api + "/incidents/" + inc.ID, body: body, from: "first@example.invalid"})
	if err != nil {
		t.Fatal(err)
	}
	log := d.story(inc.ID, EntryAcknowledged)
	i := slices.IndexFunc(log, func(e Entry) bool { return e.Kind == EntryAcknowledged })
	if log[i].Human || log[i].User != "PRESP01" || log[i].Channel != "api" {
		t.Errorf("%+v", log[i])
	}
	d.tap("PRESP02", "acknowledge", inc.ID, "")
	eventually(t, "a person acknowledges too", func() (bool, bool) {
		return true, slices.ContainsFunc(d.story(inc.ID, EntryAcknowledged), func(e Entry) bool { return e.Kind == EntryAcknowledged && e.Human && e.User == "PRESP02" })
	})
}

func TestAPagerThatFallsSilent(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	if err := d.Send(ctx, testKey, page(testPage)); err != nil {
		t.Fatal(err)
	}
	inc := d.found(testPage)
	d.knob(map[string]any{"effect": "down"})
	if _, err := d.Log(ctx, inc.ID); err == nil {
		t.Error("a broken connection is no error")
	}
	if err := d.Resolve(ctx, testKey, testPage); err == nil {
		t.Error("resolved over a broken connection")
	}
	if _, err := d.Date(ctx); err == nil {
		t.Error("a clock over a broken connection")
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	slow := newDesktop(t)
	slow.knob(map[string]any{"effect": "slow", "delay_s": 2})
	began := time.Now()
	if _, err := slow.Incidents(ctx, []string{"PORDERS"}, began); err == nil || time.Since(began) > time.Second {
		t.Errorf("a slow pager: %v after %v", err, time.Since(began))
	}
}
