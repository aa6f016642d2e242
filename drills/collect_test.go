package drills

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

type notebook map[string][]observe.IncidentNote

func (n notebook) Notes(_ context.Context, incident string) ([]observe.IncidentNote, error) {
	list, ok := n[incident]
	if !ok {
		return nil, errors.New("404")
	}
	return list, nil
}

// thread answers as Slack, or as an incoming webhook where it is nil.
type thread []observe.Reply

func (th thread) Post(context.Context, string, observe.Message) (string, error) { return "", nil }
func (th thread) Replies(_ context.Context, _, id string) ([]observe.Reply, error) {
	if th == nil {
		return nil, observe.ErrNoReplies
	}
	if id != "C1/1763632800.000100" {
		return nil, errors.New("no such thread")
	}
	return th, nil
}

type trail []observe.Change

func (tr trail) Changes(_ context.Context, targets []string, _, _ time.Time) ([]observe.Change, error) {
	if len(targets) != 1 || targets[0] != "arn:table" {
		return nil, errors.New("asked for other targets")
	}
	return tr, nil
}

// over is when the run of late ended; its farewell in Slack was written a second before, by Slack's clock.
func over() time.Time { return time.Unix(1763633700, 0).UTC() }

// late is a run that has ended, with an incident of its own and one of somebody else's, and a thread.
func late(more ...journal.Event) *State {
	end := over()
	events := append([]journal.Event{
		{Kind: journal.IncidentOpened, At: end.Add(-10 * time.Minute), Fact: journal.Fact{Incident: "Q1", Role: journal.RoleWatch, Title: "orders"}},
		{Kind: journal.IncidentOpened, At: end.Add(-9 * time.Minute), Fact: journal.Fact{Incident: "Q2", Role: journal.RoleOther, Title: "disk"}},
		{Kind: journal.IncidentNoted, At: end.Add(-time.Minute), Seen: &journal.Seen{At: end.Add(-time.Minute)}, Fact: journal.Fact{Incident: "Q1", Note: "N0", User: "PANNA", Text: "on it"}},
		{Kind: journal.NoteSent, At: end.Add(-time.Second), Fact: journal.Fact{Key: "end/Q1", Incident: "Q1", Reason: journal.AboutEnd, Text: "What was crappy?"}},
		{Kind: journal.MessageSent, At: end.Add(-10 * time.Minute), Fact: journal.Fact{Key: "start", Reason: journal.AboutStart, Thread: "C1/1763632800.000100", Note: "C1/1763632800.000100"}},
		{Kind: journal.MessageSent, At: end.Add(-time.Second), Fact: journal.Fact{Key: "end", Reason: journal.AboutEnd, Thread: "C1/1763632800.000100", Note: "C1/1763633699.500000"}},
		{Kind: journal.RunFinished, At: end},
	}, more...)
	s := spoken(func(s *State) {
		s.Plan.People = PeopleNamed
		s.Faults[0].How, s.Faults[0].Phase = "already_restored", Settled
		s.Faults[0].Undo.Target.ARN = "arn:table"
	})
	for _, e := range events {
		s.Add(e)
	}
	return s
}

func TestCollectTakesWhatPeopleAnsweredWithinADay(t *testing.T) {
	end := over()
	note := func(id, user, text string, after time.Duration, human bool) observe.IncidentNote {
		return observe.IncidentNote{ID: id, User: user, Name: "name of " + user, Human: human, Text: text, CreatedAt: end.Add(after)}
	}
	w := World{
		Notebook: notebook{"Q1": {
			note("N0", "PANNA", "on it", -time.Minute, true), note("N1", "PBOT", "What was crappy?", 0, true), note("N2", "PBOT", "said by a tool", time.Second, false),
			note("N3", "PANNA", " crappy: the runbook ", time.Hour, true), note("N4", "PBEN", "too late", 25*time.Hour, true),
			note("N5", "PBEN", "long before", -time.Hour, true)}},
		Slack: thread{
			{ID: "1763633000.000001", User: "U1", Text: "during the drill", At: time.Unix(1763633000, 1000)},
			{ID: "1763633699.600000", User: "U1", Text: "awesome: the dashboard", At: time.Unix(1763633699, 600000000)},
			{ID: "1763733699.600000", User: "U1", Text: "the day after", At: time.Unix(1763733699, 0)}},
		Trail: trail{{At: end.Add(-5 * time.Minute), By: "anna", How: "person", Event: "UpdateTable", Target: "arn:table"},
			{At: end.Add(-6 * time.Minute), By: "firedrill", How: "firedrill", Event: "UpdateTable", Target: "arn:table"},
			{At: end.Add(-6 * time.Minute), By: "ben", How: "person", Event: "UpdateTable", Target: "arn:table", Failed: true}},
	}
	now := end.Add(48 * time.Hour)
	batches, err := Collect(t.Context(), w, late(), now)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"answer/Q1-N3 answer.given pagerduty name of PANNA: crappy: the runbook",
		"answer/slack-1763633699.600000 answer.given slack somebody in #orders-alerts: awesome: the dashboard",
		"trail/ change.seen aws anna: UpdateTable",
		"trail/ change.seen aws firedrill: UpdateTable",
	}
	var got, actions []string
	for _, b := range batches {
		e := b.Events[0]
		action := b.Action
		if strings.HasPrefix(action, "trail/") {
			action = "trail/"
		}
		got = append(got, action+" "+string(e.Kind)+" "+e.Seen.By+" "+e.Fact.By+": "+e.Fact.Text)
		actions = append(actions, b.Action)
		if !e.At.Equal(now) || e.Gen != 0 {
			t.Errorf("%s: at %s gen %d", b.Action, e.At, e.Gen)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}

	var told []journal.Event
	for _, b := range batches {
		told = append(told, b.Events...)
	}
	again, err := Collect(t.Context(), w, late(told...), now)
	if err != nil || len(again) != 0 {
		t.Errorf("collected again: %+v, %v", again, err)
	}
	same, _ := Collect(t.Context(), w, late(), now.Add(time.Hour))
	for i := range same {
		if same[i].Action != actions[i] {
			t.Errorf("whoever collects beside has another action: %s, %s", same[i].Action, actions[i])
		}
	}
}

func TestCollectNamesPeopleAsTheEnvironmentSays(t *testing.T) {
	s := late()
	s.Plan.People = PeoplePseudonyms
	w := World{Notebook: notebook{"Q1": {{ID: "N3", User: "PANNA", Name: "Anna", Human: true, Text: "x", CreatedAt: over()}}},
		Slack: thread{{ID: "1763633699.600000", User: "UANNA", Text: "y", At: time.Unix(1763633700, 0)}}}
	batches, err := Collect(t.Context(), w, s, over())
	if err != nil || len(batches) != 2 {
		t.Fatalf("%v, %v", batches, err)
	}
	for _, b := range batches {
		if f := b.Events[0].Fact; strings.Contains(f.User+f.By, "ANNA") || strings.Contains(f.By, "Anna") || !strings.HasPrefix(f.By, "responder ") {
			t.Errorf("names %s, %s", f.User, f.By)
		}
	}
}

func TestCollectWithoutEars(t *testing.T) {
	for name, w := range map[string]World{"nobody to ask": {}, "an incoming webhook": {Slack: thread(nil)}} {
		if b, err := Collect(t.Context(), w, late(), over()); err != nil || len(b) != 0 {
			t.Errorf("%s: %v, %v", name, b, err)
		}
	}
	running := late(journal.Event{Kind: journal.RunReopened})
	if _, err := Collect(t.Context(), World{}, running, over()); err == nil {
		t.Error("collected of a run that goes on")
	}
}

// What cannot be read is told, beside what can.
func TestCollectTellsWhatItCouldNotRead(t *testing.T) {
	s := late()
	s.Thread = "C1/other"
	s.Faults[0].Undo.Target.ARN = "arn:other"
	w := World{Notebook: notebook{}, Slack: thread{}, Trail: trail{}}
	_, err := Collect(t.Context(), w, s, over())
	for _, part := range []string{"notes of incident Q1", "the thread in #orders-alerts", "who changed the targets"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v says nothing of %s", err, part)
		}
	}
}

func TestAnswersAreCut(t *testing.T) {
	if got := cutAnswer(strings.Repeat("ä", 5000)); len([]rune(got)) != longestAnswer {
		t.Errorf("%d characters", len([]rune(got)))
	}
}
