package observe

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// What people do with an incident beside answering it, as the sandbox's pager tells it.

// setUp changes the sandbox's account, as an administrator would.
func (d *desktop) setUp(path, body string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPut, d.url+"/back"+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		d.t.Fatalf("PUT %s: %s", path, resp.Status)
	}
}

// paged sends a page and waits for its incident.
func (d *desktop) paged(key string) *Incident {
	d.t.Helper()
	if err := d.Send(d.t.Context(), testKey, page(key)); err != nil {
		d.t.Fatal(err)
	}
	return d.found(key)
}

// told waits for an entry of a kind, and tells it.
func (d *desktop) told(incident string, kind EntryKind) Entry {
	d.t.Helper()
	log := d.story(incident, kind)
	return log[slices.IndexFunc(log, func(e Entry) bool { return e.Kind == kind })]
}

func TestWhatPeopleDoWithAnIncident(t *testing.T) {
	d := newDesktop(t)
	id := d.paged(testPage).ID
	if e := d.told(id, EntryAssigned); e.To != "PRESP01" || e.Human {
		t.Errorf("assigned: %+v", e)
	}
	d.tap("PRESP01", "acknowledge", id, "")
	d.post("/app/PRESP01/snooze", map[string]any{"incident": id, "for_s": 3600})
	if e := d.told(id, EntrySnoozed); e.For != time.Hour || !e.Human || e.User != "PRESP01" {
		t.Errorf("snoozed: %+v", e)
	}
	d.post("/app/PRESP01/reassign", map[string]any{"incident": id, "to": "PRESP02"})
	if e := d.told(id, EntryReassigned); e.To != "PRESP02" || !e.Human || e.User != "PRESP01" {
		t.Errorf("reassigned: %+v", e)
	}
	d.tap("PRESP02", "resolve", id, "done")
	time.Sleep(time.Second) // the pager's seconds are whole: what opens it again must come later than what closed it
	d.tap("PRESP02", "reopen", id, "")
	if e := d.told(id, EntryReopened); !e.Human || e.User != "PRESP02" {
		t.Errorf("reopened: %+v", e)
	}
}

func TestAnIncidentThatIsMerged(t *testing.T) {
	d := newDesktop(t)
	mine, other := d.paged(testPage), d.paged("firedrill/other")
	d.post("/app/PRESP01/merge", map[string]any{"incident": mine.ID, "into": other.ID})
	if e := d.told(mine.ID, EntryMerged); e.Into != other.ID || !e.Human {
		t.Errorf("merged: %+v", e)
	}
	if log := d.story(mine.ID, EntryResolved); len(log) == 0 {
		t.Error("what was merged is resolved")
	}
	for _, e := range d.story(other.ID, EntryOther) {
		if e.Kind == EntryMerged || e.Into != "" {
			t.Errorf("what took another in was not merged: %+v", e)
		}
	}
	all, err := d.Incidents(t.Context(), []string{"PORDERS"}, time.Now().Add(-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		if (i.ID == mine.ID) != (i.Into == other.ID) {
			t.Errorf("%s was merged into %q", i.ID, i.Into)
		}
	}
}

func TestNotesAreWrittenEditedAndDeleted(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	id := d.paged(testPage).ID
	d.tap("PRESP01", "note", id, "it is the table")
	if err := d.Note(ctx, id, "This is a drill"); err != nil {
		t.Fatal(err)
	}
	notes, err := d.Notes(ctx, id)
	if err != nil || len(notes) != 2 {
		t.Fatalf("%+v, %v", notes, err)
	}
	of := func(user string) IncidentNote {
		i := slices.IndexFunc(notes, func(n IncidentNote) bool { return n.User == user })
		if i < 0 {
			t.Fatalf("nothing of %s in %+v", user, notes)
		}
		return notes[i]
	}
	theirs := of("PRESP01")
	if !theirs.Human || theirs.Text != "it is the table" || of("PFDRILL").Human {
		t.Errorf("%+v", notes)
	}
	d.post("/app/PRESP01/edit-note", map[string]any{"incident": id, "note": theirs.ID, "content": "it is the queue"})
	if notes, err = d.Notes(ctx, id); err != nil || of("PRESP01").Text != "it is the queue" || of("PRESP01").ID != theirs.ID {
		t.Errorf("edited: %+v, %v", notes, err)
	}
	d.post("/app/PRESP01/delete-note", map[string]any{"incident": id, "note": theirs.ID})
	if notes, err = d.Notes(ctx, id); err != nil || len(notes) != 1 {
		t.Errorf("deleted: %+v, %v", notes, err)
	}
}

func TestADrillsTypeAndItsNumbers(t *testing.T) {
	d, ctx := newDesktop(t), t.Context()
	if has, err := d.HasType(ctx, "drill"); has || err != nil {
		t.Errorf("before: %v, %v", has, err)
	}
	d.setUp("/account", `{"types":[{"id":"PT1","name":"drill","display_name":"Drill"}]}`)
	if has, err := d.HasType(ctx, "drill"); !has || err != nil {
		t.Errorf("after: %v, %v", has, err)
	}
	began := time.Now()
	mine := d.paged(testPage)
	d.tap("PRESP01", "acknowledge", mine.ID, "")
	if err := d.Mark(ctx, mine.ID, "drill"); err != nil {
		t.Fatal(err)
	}
	if err := d.Mark(ctx, mine.ID, "no_such"); err == nil {
		t.Error("marked by a type that is not there")
	}
	if now := d.found(testPage); now.Type != "drill" || now.Status != "acknowledged" {
		t.Errorf("%+v", now)
	}
	if _, err := d.RealIncidents(ctx, "PORDERS", began.Add(-time.Hour), began.Add(time.Hour)); !errors.Is(err, ErrNoAnalytics) {
		t.Errorf("an account without analytics: %v", err)
	}
	d.setUp("/account", `{"analytics":true}`)
	counted, err := d.RealIncidents(ctx, "PORDERS", began.Add(-time.Hour), began.Add(time.Hour))
	if err != nil || len(counted) != 1 || counted[0].ID != mine.ID || counted[0].AcknowledgeS == nil || counted[0].ResolveS != nil || counted[0].Type != "drill" {
		t.Errorf("an account with them: %+v, %v", counted, err)
	}
}

func TestTheAccountsLogOnTheSandbox(t *testing.T) {
	d := newDesktop(t)
	mine := d.paged(testPage)
	d.tap("PRESP01", "acknowledge", mine.ID, "")
	got, err := d.entriesSince(t.Context(), time.Now().Add(-time.Minute), time.Now().Add(time.Minute), accountPages)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(got, func(e accountEntry) bool { return e.Kind == EntryAcknowledged })
	if i < 0 || got[i].Incident != mine.ID || got[i].Service != "PORDERS" || got[i].Now.Status != "acknowledged" || !got[i].Human {
		t.Errorf("%+v", got)
	}
}
