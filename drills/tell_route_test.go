package drills_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// forbidding is a pager whose token may only read.
type forbidding struct {
	observe.Pager
	tried int
}

func (f *forbidding) Note(context.Context, string, string) error {
	f.tried++
	return &observe.Problem{Op: "write a note", Why: "403: the token may not do this", Status: http.StatusForbidden}
}

// routedRun is a drill on whose incident somebody asks for its status, with a token that may only read.
func routedRun(t *testing.T, change func(*stage)) (*drills.State, *channel, *forbidding) {
	t.Helper()
	c, f := &channel{}, &forbidding{}
	st, _, s, err := heardRun(t, asked, func(s *stage, e *drills.Engine) {
		s.plan.Slack = &drills.PlannedSlack{Channel: "#two"}
		f.Pager, e.Steps.World.Pager, e.Steps.World.Slack = e.Steps.World.Pager, f, c
		if change(s); s.plan.Slack == nil {
			e.Steps.World.Slack = nil
		}
	})
	s.check(t, st, err)
	return st, c, f
}

// With notes: slack nobody tries to write one: what there is to tell stands in the channel, once.
func TestNotesThatGoToSlack(t *testing.T) {
	_, c, f := routedRun(t, func(s *stage) { s.plan.Notes = drills.NotesSlack })
	all := strings.Join(c.texts(), "\n")
	for words, want := range map[string]int{"Hint 1 of 2": 1, "Hint 2 of 2": 1, "Status at": 1, "No hint is left": 1, "This was a fire drill": 1,
		"This is about two settings": 2, "lets us write no notes": 0} {
		if n := strings.Count(all, words); n != want {
			t.Errorf("%q is said %d times, want %d:\n%s", words, n, want, all)
		}
	}
	if f.tried > 0 {
		t.Errorf("%d notes were tried", f.tried)
	}
}

// A token that turns out to be read-only: the rest of the run tells Slack, and says so once.
func TestForbiddenNotesGoToSlack(t *testing.T) {
	st, c, f := routedRun(t, func(*stage) {})
	all := strings.Join(c.texts(), "\n")
	for _, words := range []string{"lets us write no notes", "Status at", "No hint is left", "Hint 1 of 2", "This was a fire drill"} {
		if n := strings.Count(all, words); n != 1 {
			t.Errorf("%q is said %d times:\n%s", words, n, all)
		}
	}
	if f.tried != 1 {
		t.Errorf("%d notes were tried", f.tried)
	}
	if again := drills.Fold(runID, st.Events); !again.Mute {
		t.Error("whoever goes on with it writes notes again")
	}
}

// The hand-over of a real incident is the first note of a run: it reaches people all the same.
func TestForbiddenHandOverGoesToSlack(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Slack = &drills.PlannedSlack{Channel: "#two"}
	c := &channel{}
	e := d.at(s.engine(1))
	e.Steps.World.Pager, e.Steps.World.Slack = &forbidding{Pager: e.Steps.World.Pager}, c
	d.list = func(context.Context) ([]observe.Incident, error) {
		if len(d.pages(ourPage)) == 0 {
			return nil, nil
		}
		return []observe.Incident{{ID: "PREAL", Title: "the moon is gone", URL: "https://p.example.com/PREAL", Status: "triggered",
			CreatedAt: s.clock.Now(), Alerts: []observe.Alert{{Key: "k", Summary: "the moon is gone"}}}}, nil
	}
	st, err := s.start(context.Background(), e)
	s.check(t, st, err)
	if all := strings.Join(c.texts(), "\n"); !strings.Contains(all, "This incident is real: the moon is gone.") || !strings.Contains(all, "(https://p.example.com/PREAL)") {
		t.Errorf("nobody was told: %s", all)
	}
}

// Where there is no channel the plan warns of it, and the drill runs all the same.
func TestNotesThatReachNobody(t *testing.T) {
	_, c, f := routedRun(t, func(s *stage) { s.plan.Notes, s.plan.Slack = drills.NotesSlack, nil })
	if len(c.texts()) > 0 || f.tried > 0 {
		t.Errorf("said %q, tried %d", c.texts(), f.tried)
	}
	warned := func(change func(*scene)) bool {
		s := newScene(t)
		s.env.PagerDuty.Notes = drills.NotesSlack
		change(s)
		v, err := s.plan()
		if err != nil {
			t.Fatal(err)
		}
		if v.Plan.Notes != drills.NotesSlack || v.Plan.Type != "" {
			t.Errorf("notes %q, type %q", v.Plan.Notes, v.Plan.Type)
		}
		return slices.ContainsFunc(v.Warn, func(w string) bool { return strings.Contains(w, "reach nobody") })
	}
	if !warned(func(*scene) {}) {
		t.Error("the plan does not warn that notes reach nobody")
	}
	if warned(func(s *scene) { s.env.Slack = drills.SlackSpec{Webhook: "env:HOOK"} }) {
		t.Error("the plan warns although there is a channel")
	}
}

// Any other failure of a note is no reason to give notes up.
func TestOneLostNoteIsNoReason(t *testing.T) {
	s := drills.NewState(runID)
	for err, facts := range map[string]map[string]string{"502": nil, "400": {"status": "400"}} {
		s.Add(journal.Event{Kind: journal.NoteSent, At: dawn, Fact: journal.Fact{Err: err, Facts: facts}})
	}
	if s.Mute {
		t.Error("a lost note made the run give notes up")
	}
}
