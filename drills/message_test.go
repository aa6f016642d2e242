package drills

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
	"github.com/firedrill/firedrill/observe/timeline"
)

// spoken is a run that has something to say: a throttled table, for an hour from 09:42 UTC on.
func spoken(change func(*State)) *State {
	s := NewState("01run")
	s.Started = time.Date(2026, 11, 20, 10, 42, 0, 0, time.FixedZone("CET", 3600))
	s.Plan = Plan{Run: "01run", Drill: "orders-write-throttle", Environment: "staging", Limit: time.Hour,
		Page:  PlannedPage{Title: "[DRILL] Order writes are throttled."},
		Card:  json.RawMessage(`{"scenario": "writes fail"}`),
		Slack: &PlannedSlack{Channel: "#orders-alerts"}, Faults: []PlannedFault{{ID: "throttle"}}}
	s.Brief = journal.Brief{Title: "Order writes are throttled.",
		Faults: []journal.BriefFault{{ID: "throttle", Kind: "dynamodb.throttle", Target: "arn:table"}}}
	s.Faults = []FaultState{{Phase: Applied}}
	if change != nil {
		change(s)
	}
	return s
}

func TestStartMessage(t *testing.T) {
	got := startMessage(spoken(nil))
	want := "[DRILL] A fire drill is on in staging: Order writes are throttled. Answer it as you would at any other time.\n" +
		"It is put back by itself, by 10:42 UTC at the latest.\nTo stop it: write drill stop as a note on the incident, or firedrill abort 01run --env staging"
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, spoiler := range []string{"dynamodb", "arn:table", "orders-write-throttle"} {
		if strings.Contains(got, spoiler) {
			t.Errorf("the start gives %q away: %s", spoiler, got)
		}
	}
	if got := startMessage(spoken(func(s *State) { s.Started = time.Time{} })); !strings.Contains(got, "within 1h at the latest") {
		t.Errorf("before anything is in place: %s", got)
	}
}

// moments are when people may know, by what the drill announces.
func TestPeopleLearnThatItIsADrillWhenTheCardSays(t *testing.T) {
	acked := func(s *State) { s.People.acked = s.Started.Add(time.Minute) }
	stopped := func(s *State) { s.Stop = &Stopping{Reason: ReasonAbort} }
	undoing := func(s *State) { s.Undoing = true }
	for _, c := range []struct {
		announce, moment string
		then             func(*State)
		knows            bool
	}{
		{"", "at once", nil, true},
		{AnnouncePage, "at once", nil, true},
		{AnnounceAcknowledge, "at once", nil, false},
		{AnnounceAcknowledge, "once acknowledged", acked, true},
		{AnnounceAcknowledge, "once stopped", stopped, true},
		{AnnounceEnd, "at once", nil, false},
		{AnnounceEnd, "once acknowledged", acked, false},
		{AnnounceEnd, "once put back", undoing, true},
		{AnnounceEnd, "once stopped", stopped, true},
	} {
		t.Run(c.announce+" "+c.moment, func(t *testing.T) {
			s := spoken(c.then)
			s.Plan.Announce = c.announce
			s.Plan.Hints = []Hint{{Say: "look at the table"}, {Say: "look at its capacity"}}
			s.Plan.Slack.Evidence = []Evidence{{"slack", "checkout is slow"}}
			for _, said := range []string{hintMessage(s, 1), evidenceMessages(s)[0].Text} {
				if got := strings.HasPrefix(said, "[DRILL] "); got != c.knows {
					t.Errorf("says that it is a drill: %v, want %v: %s", got, c.knows, said)
				}
			}
		})
	}
}

// A page whose drill is told later says nothing of it: not in its title, its source or its details.
func TestPage(t *testing.T) {
	for announce, open := range map[string]bool{"": true, AnnouncePage: true, AnnounceAcknowledge: false, AnnounceEnd: false} {
		s := spoken(nil)
		s.Plan.Announce = announce
		details, err := json.Marshal(s.pageDetails())
		if err != nil {
			t.Fatal(err)
		}
		all := strings.ToLower(s.Plan.pageTitle() + s.Plan.pageSource() + string(details))
		if got := strings.Contains(all, "drill"); got != open {
			t.Errorf("announce %q: says drill: %v: %s", announce, got, all)
		}
		if !strings.Contains(all, "writes fail") || !strings.Contains(all, "order writes are throttled") {
			t.Errorf("announce %q: the card is not on it: %s", announce, all)
		}
	}
	s := spoken(func(s *State) { s.Plan.Card = json.RawMessage(`null`) })
	if d := s.pageDetails(); d["until"] != "2026-11-20T10:42:00Z" {
		t.Errorf("without a card: %v", d)
	}
}

func TestEvidenceMessages(t *testing.T) {
	s := spoken(func(s *State) {
		s.Plan.Slack.Evidence = []Evidence{{"slack", "checkout is slow, anyone else?"}, {"log", "ThrottlingException"},
			{"image", "https://pictures.example.com/a.png"}, {"mail", "my order is gone"}}
	})
	want := []observe.Message{
		{Text: "[DRILL] log: ThrottlingException\nmail: my order is gone"},
		{Text: "[DRILL] checkout is slow, anyone else?"},
		{Text: "[DRILL] A picture of it", Image: "https://pictures.example.com/a.png"},
	}
	if d := cmp.Diff(want, evidenceMessages(s)); d != "" {
		t.Error(d)
	}
	s.Plan.Slack = nil
	if got := evidenceMessages(s); got != nil {
		t.Errorf("without a channel: %v", got)
	}
}

func TestHintMessage(t *testing.T) {
	s := spoken(func(s *State) { s.Plan.Hints = []Hint{{Say: "look at the table"}, {Say: "look at its capacity"}} })
	for i, want := range map[int]string{-1: "", 0: "[DRILL] Hint 1 of 2: look at the table", 1: "[DRILL] Hint 2 of 2: look at its capacity", 2: ""} {
		if got := hintMessage(s, i); got != want {
			t.Errorf("hint %d: %q, want %q", i, got, want)
		}
	}
}

func TestAbortMessage(t *testing.T) {
	s := spoken(func(s *State) { s.Stop = &Stopping{Reason: ReasonStop, Why: "alarm checkout\n is in ALARM"} })
	want := "[DRILL] The fire drill in staging (Order writes are throttled) is ended early: a stop condition was met.\n" +
		"alarm checkout is in ALARM\nIt is being put back: throttle"
	if d := cmp.Diff(want, abortMessage(s)); d != "" {
		t.Error(d)
	}
	for _, reason := range []string{ReasonInterrupted, ReasonAbort, ReasonRecover, ReasonStop, ReasonForeign, ReasonPager, ReasonEngine,
		ReasonJournal, ReasonRefused, ReasonFailed, ReasonLever, ReasonWorldGone, ReasonNote} {
		if s.stopWords(reason) == s.stopWords("") {
			t.Errorf("%s has no words", reason)
		}
	}
}

func TestPutBackWords(t *testing.T) {
	const left = "Left in place: throttle. Put it back with: firedrill recover 01run --env staging"
	for _, c := range []struct {
		want   string
		change func(*State)
	}{
		{"Nothing was changed.", func(s *State) { s.Started, s.Faults[0].Phase = time.Time{}, Idle }},
		{"Everything is put back, and reads as before.", func(s *State) { s.Faults[0].Phase = Settled }},
		{"It is being put back: throttle", func(s *State) { s.Faults[0].Phase = Reverted }},
		{left, func(s *State) { s.Faults[0].Phase = Stuck }},
		{left, func(s *State) { s.Finished = true }},
	} {
		if got := spoken(c.change).putBackWords(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestNotes(t *testing.T) {
	at := time.Date(2026, 11, 20, 10, 12, 0, 0, time.UTC)
	s := spoken(nil)
	if d := cmp.Diff("[DRILL] This is a fire drill (orders-write-throttle, run 01run). In place: dynamodb.throttle on arn:table, until 10:42 UTC at "+
		"the latest; it is put back by itself. Here you may write: drill stop, drill hint, drill status. To stop elsewhere: firedrill abort 01run --env staging", drillNote(s)); d != "" {
		t.Error(d)
	}
	for want, change := range map[string]func(*State){
		"Until 10:12 UTC a fire drill (orders-write-throttle, run 01run) was on here: dynamodb.throttle on arn:table; it is being put back (throttle).": nil,
		"Until 10:12 UTC a fire drill (orders-write-throttle, run 01run) was on here: dynamodb.throttle on arn:table; it is put back.":                  func(s *State) { s.Faults[0].Phase = Settled },
		"was to begin here; it is called off at 10:12 UTC, and nothing was changed.":                                                                    func(s *State) { s.Started = time.Time{} },
	} {
		got := handOverNote(spoken(change), "Disk\nfull", at)
		if !strings.HasPrefix(got, "This incident is real: Disk full. ") || !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := oneLine(strings.Repeat("ä ", 400)); len([]rune(got)) != 300 {
		t.Errorf("a long title is %d characters", len([]rune(got)))
	}
}

func TestEndMessage(t *testing.T) {
	s := spoken(func(s *State) {
		s.Faults[0].Phase = Settled
		s.Events = []journal.Event{
			{Kind: journal.IncidentOpened, Fact: journal.Fact{Role: journal.RoleOther, URL: "https://p.example.com/other"}},
			{Kind: journal.IncidentOpened, Fact: journal.Fact{Role: journal.RoleWatch, URL: "https://p.example.com/Q1"}}}
	})
	line := timeline.Timeline{Outcome: timeline.Missed, Expect: []timeline.Verdict{
		{Name: "detect", LimitS: 720, Known: true, ActualS: 42.3, Verdict: "met"},
		{Name: "acknowledge", LimitS: 300, Known: true, ActualS: 371, Verdict: "missed"},
		{Name: "mitigate", LimitS: 1800, Verdict: "missed"},
		{Name: "resolve", LimitS: 2400, Verdict: "unknown"}}}
	want := `[DRILL] This was a fire drill in staging: Order writes are throttled. It took longer than was expected.
Times: detect 42 s of 12m; acknowledge 6m11s, later than 5m; mitigate not within 30m; resolve unknown.
Everything is put back, and reads as before.
Incident: https://p.example.com/Q1 · Debrief: firedrill debrief 01run
What was crappy? What was awesome? Answer here within a day, and it stands in the debrief.`
	if d := cmp.Diff(want, endMessage(s, line)); d != "" {
		t.Error(d)
	}
	s.Brief.Runbook = "https://wiki.example.com/orders"
	if got := endMessage(s, timeline.Timeline{}); !strings.Contains(got, "\nTimes: nothing was expected of them.\n") ||
		!strings.Contains(got, "Runbook: https://wiki.example.com/orders · Debrief") || !strings.Contains(got, "It is over.") {
		t.Errorf("bare: %s", got)
	}
}

func TestEveryOutcomeHasWords(t *testing.T) {
	for _, o := range []timeline.Outcome{timeline.Dirty, timeline.Interrupted, timeline.Aborted, timeline.Failed, timeline.Refused,
		timeline.Invalid, timeline.Undetected, timeline.Unanswered, timeline.Missed, timeline.Met} {
		if got := outcomeWords(spoken(nil), timeline.Timeline{Outcome: o}); got == "It is over." {
			t.Errorf("%s has no words", o)
		}
	}
}
