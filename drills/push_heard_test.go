package drills

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// asksOf is what is to be heard of a run as its journal stands.
func (h *hooks) asksOf(t *testing.T, run string) (s *State, asks []string) {
	t.Helper()
	events, err := h.store.Load(t.Context(), run, journal.Start)
	if err != nil {
		t.Fatal(err)
	}
	s = Fold(run, events)
	for _, c := range s.commands() {
		asks = append(asks, c.what)
	}
	if a := Next(s, h.Now()); (a.Verb == Hear) != (len(asks) > 0) {
		t.Errorf("%v is asked, and next is %s", asks, a.ID)
	}
	return s, asks
}

// TestPushIsHeardOnce: a command that is pushed, pushed again, and polled twice over, as a log entry and as a note, is one;
// and once it was heard it is none, whoever folds the journal.
func TestPushIsHeardOnce(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", func(p *Plan) { p.Faults = []PlannedFault{{ID: "throttle"}} })
	h.send(t, hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"})
	h.pass(1300 * time.Millisecond)
	written := h.Now().Truncate(time.Second)
	stop := hook{id: "e2", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "/Drill stop!"}
	h.send(t, stop)
	h.send(t, stop)
	s, asks := h.asksOf(t, "01ka")
	if !slices.Equal(asks, []string{CommandStop}) {
		t.Fatalf("asks %v", asks)
	}
	seen := observe.SeenIncident{Incident: observe.Incident{ID: "PINC1"}, Whole: true,
		Log:   []observe.Entry{{ID: "R1", Kind: observe.EntryNoted, User: "PADA", Name: "Ada Lovelace", Human: true, At: written, ErrorS: 0.5, Text: stop.text}},
		Notes: []observe.IncidentNote{{ID: "PNOTEe2", User: "PADA", Name: "Ada Lovelace", Human: true, Text: stop.text, CreatedAt: written, UpdatedAt: written}}}
	if polled := s.newOf(seen, h.Now(), h.Now()); len(polled) > 0 {
		h.write(t, "01ka", "poll/0", polled...)
	}
	if s, asks = h.asksOf(t, "01ka"); len(asks) != 1 {
		t.Errorf("pushed and polled it asks %v", asks)
	}
	st := &Steps{World: World{Clock: still{h: h}}}
	events := st.hear(t.Context(), s)
	<-st.courier.home()
	if len(events) != 2 || events[0].Kind != journal.CommandHeard || events[1].Kind != journal.AbortRequested || events[1].Fact.By != "Ada Lovelace" {
		t.Fatalf("%v", events)
	}
	h.write(t, "01ka", "hear/0", events...)
	h.send(t, stop)
	s, asks = h.asksOf(t, "01ka")
	if len(asks) > 0 || s.Stop == nil || s.Stop.Reason != ReasonNote || s.Stop.By != "Ada Lovelace" {
		t.Errorf("after it was heard it asks %v, stop %+v", asks, s.Stop)
	}
}

// still is a clock that stands where the hooks' does.
type still struct {
	TimeKeeper
	h *hooks
}

func (c still) Now() time.Time { return c.h.Now() }

// TestPushOfSomebodyElses: what is written on an incident that is none of the run's, or by a program whose note may be
// ours, is not heard from a webhook.
func TestPushOfSomebodyElses(t *testing.T) {
	for name, w := range map[string]hook{
		"another incident": {id: "e2", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "drill stop", incident: "PINC9"},
		"a program":        {id: "e2", kind: "incident.annotated", agent: "PBOT1", client: "PagerDuty", text: "drill stop"},
		"talk":             {id: "e2", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "should we drill stop?"},
	} {
		h := newHooks(t)
		h.begin(t, "01ka", nil)
		h.send(t, hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"})
		h.send(t, w)
		if _, asks := h.asksOf(t, "01ka"); len(asks) > 0 {
			t.Errorf("%s asks %v", name, asks)
		}
	}
}

// TestPushAfterTheEndAsksNothing: it is an answer then.
func TestPushAfterTheEndAsksNothing(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	h.send(t, hook{id: "e1", kind: "incident.triggered", key: "firedrill/01ka"})
	h.end(t, "01ka")
	h.send(t, hook{id: "e2", kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "drill status"})
	if s, asks := h.asksOf(t, "01ka"); len(asks) > 0 || !s.Finished {
		t.Errorf("asks %v", asks)
	}
}

// TestStatusGivesNothingAway: it says what is felt since when and what is awaited, and nothing of what is broken.
func TestStatusGivesNothingAway(t *testing.T) {
	for _, announce := range []string{AnnouncePage, AnnounceEnd} {
		s := spoken(func(s *State) {
			s.Plan.Announce = announce
			s.Plan.Expect = Expect{Acknowledge: 5 * time.Minute, Mitigate: 10 * time.Minute}
			s.Faults[0].Effective = s.Started.Add(time.Minute)
			s.Effective, s.Paged = s.Faults[0].Effective, s.Started.Add(2*time.Minute)
		})
		got := statusReply(s, s.Started.Add(8*time.Minute))
		for _, spoiler := range []string{"dynamodb", "arn:table", "throttle"} {
			if strings.Contains(got, spoiler) {
				t.Errorf("it gives %q away: %s", spoiler, got)
			}
		}
		for _, word := range []string{"Awaited: acknowledge, which is late, mitigate until 09:53:00", "10:42 UTC at the latest"} {
			if !strings.Contains(got, word) {
				t.Errorf("it lacks %q: %s", word, got)
			}
		}
		if says := strings.Contains(strings.ToLower(got), "drill"); says != (announce == AnnouncePage) {
			t.Errorf("announce %s: says drill: %v: %s", announce, says, got)
		}
	}
	if got := noHintReply(spoken(nil)); got != "[DRILL] There are no hints here." {
		t.Error(got)
	}
}

// prompt is a pager that takes notes, and a clock that lets no time pass before one was taken.
type prompt struct {
	TimeKeeper
	observe.Pager
	mu   sync.Mutex
	now  time.Time
	told chan string
	late bool
}

func (p *prompt) Now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

func (p *prompt) Note(_ context.Context, _, text string) error {
	p.told <- text
	return nil
}

func (p *prompt) Wait(context.Context, time.Duration) error {
	select {
	case <-p.told:
	case <-time.After(2 * time.Second):
		p.late = true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = p.now.Add(time.Hour)
	return nil
}

// TestWhatIsAskedForIsToldAtOnce, and not when the look that has just begun ends.
func TestWhatIsAskedForIsToldAtOnce(t *testing.T) {
	at := time.Date(2026, 11, 20, 9, 42, 0, 0, time.UTC)
	s := NewState("01run")
	s.Plan.Hints = []Hint{{After: time.Hour, Say: "look at the table"}}
	s.Add(journal.Event{Kind: journal.IncidentOpened, At: at, Fact: journal.Fact{Incident: "PI1", Role: journal.RoleOurs, Title: "t"}})
	s.Add(journal.Event{Kind: journal.CommandHeard, At: at, Fact: journal.Fact{Incident: "PI1", Entry: "R1", Text: CommandHint, Hint: 1}})
	p := &prompt{now: at, told: make(chan string, 1)}
	st := &Steps{World: World{Clock: p, Pager: p}}
	events := st.poll(t.Context(), s, Action{Verb: Poll, For: time.Minute, Until: at.Add(time.Minute)})
	<-st.courier.home()
	events = append(events, st.courier.hand()...)
	if told := events[len(events)-1]; p.late || told.Fact.Hint != 1 || told.Fact.Incident != "PI1" {
		t.Errorf("late %v: %+v", p.late, events)
	}
}
