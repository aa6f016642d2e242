package drills_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// noted is somebody's note, so long after the page.
func (p *person) noted(id string, after time.Duration, text string) observe.IncidentNote {
	at := p.d.pages(ourPage)[0].Add(after)
	return observe.IncidentNote{ID: id, User: "PX", Name: "Ada", Human: true, Text: text, CreatedAt: at, UpdatedAt: at}
}

// heardRun is a drill of three hints, of which only the first is due, with these notes on its incident.
func heardRun(t *testing.T, notes func(p *person, since time.Duration) []observe.IncidentNote, change func(*stage, *drills.Engine)) (*drills.State, *desk, *stage, error) {
	t.Helper()
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Expect = drills.Expect{Acknowledge: time.Minute, Resolve: 4 * time.Minute}
	s.plan.Hints = []drills.Hint{{After: 2 * time.Second, Say: "look at a"}, {After: time.Hour, Say: "look at b"}}
	e := d.at(s.engine(1))
	p := s.onCall(d, notified(map[time.Duration]observe.EntryKind{4 * time.Second: observe.EntryAcknowledged, 40 * time.Second: observe.EntryResolved}))
	p.notes = func(since time.Duration) []observe.IncidentNote {
		var there []observe.IncidentNote
		for _, n := range notes(p, since) {
			if !n.CreatedAt.After(s.clock.Now()) {
				there = append(there, n)
			}
		}
		return there
	}
	e.Steps.World.Notebook = p
	if change != nil {
		change(s, e)
	}
	st, err := s.start(context.Background(), e)
	return st, d, s, err
}

// heard lists what was heard, with the hint it got.
func heard(events []journal.Event) (list []string) {
	for _, e := range events {
		if e.Kind == journal.CommandHeard {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s", e.Fact.Text, strings.Trim(fmt.Sprint(e.Fact.Hint), "0"))))
		}
	}
	return list
}

func asked(p *person, _ time.Duration) []observe.IncidentNote {
	return []observe.IncidentNote{p.noted("N1", 8*time.Second, "Drill hint!"), p.noted("N2", 12*time.Second, "checked b\n/drill status"),
		p.noted("N3", 16*time.Second, "drill hint"), p.noted("N4", 20*time.Second, "we should not drill stop here")}
}

// What notes ask is done at the next look: the next hint now, where it is, and that no hint is left.
func TestNotesAreHeard(t *testing.T) {
	st, d, s, err := heardRun(t, asked, nil)
	s.check(t, st, err)
	if got := heard(st.Events); !slices.Equal(got, []string{"hint 2", "status", "hint"}) {
		t.Errorf("heard %q", got)
	}
	var replies []string
	for _, e := range st.Events {
		if e.Kind == journal.NoteSent && (e.Fact.Reason == journal.AboutReply || e.Fact.Hint == 2) {
			replies = append(replies, e.Fact.Text)
			if wait := e.At.Sub(d.pages(ourPage)[0].Add(8 * time.Second)); e.Fact.Hint == 2 && wait > 3*time.Second {
				t.Errorf("the hint came %s after it was asked for", wait)
			}
		}
	}
	if len(replies) != 3 || replies[0] != "[DRILL] Hint 2 of 2: look at b" || !strings.Contains(replies[2], "No hint is left") {
		t.Fatalf("answered %q", replies)
	}
	for _, word := range []string{"faults in place 2 of 2, felt 2", "effective 10:00:0", "acknowledged 10:00:", "Awaited: resolve until 10:0", "drill stop, drill hint"} {
		if !strings.Contains(replies[1], word) {
			t.Errorf("the status lacks %q: %s", word, replies[1])
		}
	}
	if st.Stop != nil {
		t.Errorf("it was stopped: %+v", st.Stop)
	}
}

// A note stops the drill: everything is put back at once, and the journal, the answer and the end say who asked.
func TestANoteStopsTheDrill(t *testing.T) {
	st, d, s, err := heardRun(t, func(p *person, _ time.Duration) []observe.IncidentNote {
		n := p.noted("N1", 6*time.Second, "/Drill STOP")
		n.Human = false // a tool may, too: it is the safe direction
		return []observe.IncidentNote{n}
	}, nil)
	s.check(t, st, err)
	if got := heard(st.Events); !slices.Equal(got, []string{"stop"}) {
		t.Errorf("heard %q", got)
	}
	abort := first(st, journal.AbortRequested, "")
	if abort.Fact.Reason != drills.ReasonNote || abort.Fact.By != "Ada" || abort.Fact.Why != "Ada wrote drill stop on the incident" {
		t.Errorf("%+v", abort.Fact)
	}
	if after := first(st, journal.FaultReverted, "").At.Sub(d.pages(ourPage)[0]); after > 9*time.Second {
		t.Errorf("put back %s after the page", after)
	}
	var told []string
	for _, e := range st.Events {
		if e.Kind == journal.NoteSent {
			told = append(told, e.Fact.Reason+": "+e.Fact.Text)
		}
	}
	all := strings.Join(told, "\n")
	for _, words := range []string{"reply: [DRILL] Heard: Ada asked for it, by a note on the incident. Everything is put back now", "ended early: Ada asked for it, by a note on the incident."} {
		if !strings.Contains(all, words) {
			t.Errorf("nobody says %q:\n%s", words, all)
		}
	}
}

// An edit that turns a note into a command is heard; one that changes nothing of it is not heard again.
func TestEditsAreHeardOnce(t *testing.T) {
	st, _, s, err := heardRun(t, func(p *person, since time.Duration) []observe.IncidentNote {
		n := p.noted("N1", 6*time.Second, "what now")
		n.UpdatedAt = n.CreatedAt.Add(since)
		switch {
		case since < 12*time.Second:
		case since < 16*time.Second:
			n.Text = "drill status"
		case since < 20*time.Second:
			n.Text = "Drill status!"
		case since < 24*time.Second:
			n.Text = "drill hint"
		default:
			n.Text = "drill status"
		}
		return []observe.IncidentNote{n}
	}, nil)
	s.check(t, st, err)
	if got := heard(st.Events); !slices.Equal(got, []string{"status", "hint 2"}) {
		t.Errorf("heard %q", got)
	}
}

// What we write ourselves is never a command, whoever the pager says wrote it: here it shows our notes as a person's.
func TestOurOwnNotesAreNotHeard(t *testing.T) {
	book := &echoes{}
	st, _, s, err := heardRun(t, func(p *person, _ time.Duration) []observe.IncidentNote {
		list := []observe.IncidentNote{}
		for i, text := range book.texts() {
			list = append(list, p.noted(fmt.Sprint("N", i), 3*time.Second+time.Duration(i)*2*time.Second, text))
		}
		return list
	}, func(s *stage, e *drills.Engine) {
		s.plan.Announce = drills.AnnounceEnd // hints are told as they stand on the card
		s.plan.Hints = []drills.Hint{{After: time.Second, Say: "drill stop"}, {After: 3 * time.Second, Say: "look at a\ndrill hint"}}
		e.Steps.World.Pager = book.at(e.Steps.World.Pager)
	})
	s.check(t, st, err)
	if got := heard(st.Events); len(got) > 0 || len(book.texts()) < 2 {
		t.Errorf("heard %q of %q", got, book.texts())
	}
	if st.Stop != nil {
		t.Errorf("it stopped itself: %+v", st.Stop)
	}
}

// A note of before the run, and one on somebody else's incident, are not heard; nor is one that is gone again.
func TestOnlyTheDrillsOwnNotesAreHeard(t *testing.T) {
	base := func(role journal.Role, seen time.Duration) *drills.State {
		x := planned(t, func(p *drills.Plan) { p.Hints = []drills.Hint{{Say: "a"}} }, "a")
		x.tell("x", fact(journal.FaultPrepared, "a"), fact(journal.FaultApplied, "a"), journal.Event{Kind: journal.GuardPassed},
			journal.Event{Kind: journal.IncidentOpened, Fact: journal.Fact{Incident: "PI1", Role: role, Title: "t"}},
			journal.Event{Kind: journal.IncidentNoted, Seen: &journal.Seen{At: dawn.Add(seen)}, Fact: journal.Fact{Incident: "PI1", Entry: "R1", User: "PX", Text: "drill stop"}})
		return x.State
	}
	for name, c := range map[string]struct {
		s    *drills.State
		want bool
	}{
		"ours": {base(journal.RoleOurs, time.Second), true}, "theirs": {base(journal.RoleWatch, time.Second), true},
		"a ripple: the safe direction": {base(journal.RoleRipple, time.Second), true},
		"a real one":                   {base(journal.RoleOther, time.Second), false}, "before the run": {base(journal.RoleOurs, -time.Minute), false},
		"within the second of the plan": {base(journal.RoleOurs, -time.Second), true},
	} {
		if got := drills.Next(c.s, dawn.Add(2*time.Second)).Verb == drills.Hear; got != c.want {
			t.Errorf("%s: heard %v", name, got)
		}
	}
	s := base(journal.RoleOurs, time.Second)
	s.Add(journal.Event{Kind: journal.IncidentNoteDeleted, Seen: &journal.Seen{At: dawn.Add(time.Second)}, Fact: journal.Fact{Incident: "PI1", User: "PX", Was: "drill stop"}})
	if a := drills.Next(s, dawn.Add(2*time.Second)); a.Verb == drills.Hear {
		t.Error("a note that is gone is heard")
	}
}

// Whatever a process dies of, and whoever goes on: each command is heard once, and everything is put back.
func TestNotesAreHeardOnceFromEveryPrefix(t *testing.T) {
	notes := func(p *person, since time.Duration) []observe.IncidentNote {
		return append(asked(p, since), p.noted("N5", 24*time.Second, "drill stop"))
	}
	full, _, world, err := heardRun(t, notes, nil)
	world.check(t, full, err)
	events := world.events(t)
	want := []string{"hint 2", "status", "hint", "stop"}
	if got := heard(events); !slices.Equal(got, want) {
		t.Fatalf("heard %q", got)
	}
	for n := int64(0); n <= events[len(events)-1].Seq; n++ {
		for _, mode := range []string{"resume", "recover"} {
			t.Run(fmt.Sprintf("%s/%d", mode, n), func(t *testing.T) {
				s := newStage(t)
				d := s.staffed(drills.PageDirect)
				s.clock.t = world.clock.Now()
				replay(t, s, events, n)
				e := d.at(s.engine(2))
				d.sent[ourPage] = []time.Time{first(full, journal.PageSent, "").At}
				p := s.onCall(d, notified(nil))
				p.notes = func(since time.Duration) []observe.IncidentNote { return notes(p, since) }
				e.Steps.World.Notebook = p
				run := func() (*drills.State, error) { return e.Resume(context.Background(), runID) }
				if mode == "recover" {
					run = func() (*drills.State, error) {
						return e.Recover(context.Background(), runID, drills.ReasonRecover, "test")
					}
				}
				st, err := run()
				s.check(t, st, err)
				got, told := heard(st.Events), map[string]int{}
				for _, e := range st.Events {
					if e.Kind == journal.CommandHeard {
						told[e.Fact.Text+e.Fact.Entry]++
					}
				}
				for key, times := range told {
					if times > 1 {
						t.Errorf("%s was heard %d times", key, times)
					}
				}
				for i := range got { // which hint it was depends on what had been told by then
					if got[i], _, _ = strings.Cut(got[i], " "); i >= len(want) || got[i] != strings.Fields(want[i])[0] {
						t.Errorf("heard %q", got)
						break
					}
				}
				if mode == "resume" && n >= first(full, journal.PageSent, "").Seq && len(got) != len(want) {
					t.Errorf("heard %q alone", got)
				}
			})
		}
	}
}

// Until people may know, no answer says that it is a drill.
func TestAnswersKeepTheSecret(t *testing.T) {
	st, _, s, err := heardRun(t, asked, func(s *stage, _ *drills.Engine) { s.plan.Announce = drills.AnnounceEnd })
	s.check(t, st, err)
	n := 0
	for _, e := range st.Events {
		if e.Kind == journal.FaultReverted {
			break
		}
		if e.Kind == journal.NoteSent {
			if n++; strings.Contains(strings.ToLower(e.Fact.Text), "drill") {
				t.Errorf("%s says so: %s", e.Fact.Reason, e.Fact.Text)
			}
		}
	}
	if n < 4 {
		t.Errorf("%d notes", n)
	}
}

// echoes is a desk that keeps the texts of notes.
type echoes struct {
	observe.Pager
	mu   sync.Mutex
	told []string
}

func (b *echoes) at(p observe.Pager) observe.Pager { b.Pager = p; return b }
func (b *echoes) Note(ctx context.Context, incident, text string) error {
	b.mu.Lock()
	b.told = append(b.told, text)
	b.mu.Unlock()
	return b.Pager.Note(ctx, incident, text)
}
func (b *echoes) texts() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.told)
}

// Whoever stops the drill is told so while it is put back: a pager that hangs over the note delays no undo.
func TestTheAnswerToAStopDelaysNoUndo(t *testing.T) {
	slow := &slowNotes{}
	st, _, s, err := heardRun(t, func(p *person, _ time.Duration) []observe.IncidentNote {
		return []observe.IncidentNote{p.noted("N1", 1200*time.Millisecond, "drill stop")} // before any hint is told
	}, func(s *stage, e *drills.Engine) {
		slow.Pager, slow.undone, e.Steps.World.Pager = e.Steps.World.Pager, s.w.asBefore, slow
	})
	s.check(t, st, err)
	if !slow.meanwhile {
		t.Error("the undo waited for the note")
	}
}

// slowNotes is a pager that answers a note once everything is put back, or its caller gives up.
type slowNotes struct {
	observe.Pager
	undone    func() bool
	meanwhile bool
}

func (p *slowNotes) Note(ctx context.Context, _, text string) error {
	if !strings.Contains(text, "Heard: Ada") {
		return nil
	}
	for ctx.Err() == nil && !p.undone() {
		select {
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
	}
	p.meanwhile = p.undone()
	return ctx.Err()
}
