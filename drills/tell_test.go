package drills_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// channel is a team's channel: it keeps what is posted.
type channel struct {
	mu     sync.Mutex
	posted []observe.Message
	post   func(ctx context.Context, m observe.Message) error
}

func (c *channel) Post(ctx context.Context, name string, m observe.Message) (string, error) {
	if c.post != nil {
		if err := c.post(ctx, m); err != nil {
			return "", err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posted = append(c.posted, m)
	return name + "/1", nil
}

func (c *channel) Replies(context.Context, string, string) ([]observe.Reply, error) { return nil, nil }

func (c *channel) texts() (list []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.posted {
		list = append(list, m.Text)
	}
	return list
}

// person is the on-call of a drill that pages directly: notified, and what else the test says, so long after the page.
type person struct {
	d     *desk
	after map[time.Duration]observe.EntryKind
	notes func(since time.Duration) []observe.IncidentNote
}

func (s *stage) onCall(d *desk, after map[time.Duration]observe.EntryKind) *person {
	p := &person{d: d, after: after}
	d.list = func(context.Context) ([]observe.Incident, error) {
		if len(d.pages(ourPage)) == 0 {
			return nil, nil
		}
		return []observe.Incident{{ID: "PI1", Status: "triggered", Urgency: "high", Title: "two settings",
			Alerts: []observe.Alert{{Key: ourPage}}, CreatedAt: d.pages(ourPage)[0]}}, nil
	}
	d.log = func(string) (log []observe.Entry, err error) {
		for at, kind := range p.after {
			if p.since() >= at {
				log = append(log, observe.Entry{ID: string(kind), Kind: kind, User: "PX", Name: "Ada", Human: true,
					At: d.pages(ourPage)[0].Add(at), ErrorS: 0.5})
			}
		}
		slices.SortFunc(log, func(a, b observe.Entry) int { return a.At.Compare(b.At) })
		return log, nil
	}
	return p
}

func (p *person) since() time.Duration { return p.d.s.clock.Now().Sub(p.d.pages(ourPage)[0]) }

func (p *person) Notes(context.Context, string) ([]observe.IncidentNote, error) {
	return p.notes(p.since()), nil
}

// told lists what a run told people, by its keys, in order.
func toldKeys(st *drills.State) (keys []string) {
	for _, e := range st.Events {
		if (e.Kind == journal.NoteSent || e.Kind == journal.MessageSent || e.Kind == journal.IncidentTyped) && e.Fact.Err == "" {
			keys = append(keys, e.Fact.Key)
		}
	}
	return keys
}

func notified(more map[time.Duration]observe.EntryKind) map[time.Duration]observe.EntryKind {
	all := map[time.Duration]observe.EntryKind{time.Second: observe.EntryNotified}
	for at, kind := range more {
		all[at] = kind
	}
	return all
}

// What stands on the card is told once people are paged, hints at their times and only while they are needed, and how it
// ended where it was told that it is on.
func TestPeopleAreToldAtTheirTimes(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Expect = drills.Expect{Acknowledge: time.Minute, Resolve: 290 * time.Second}
	s.plan.Hints = []drills.Hint{{After: 5 * time.Second, Say: "look at a"}, {After: 10 * time.Second, Say: "look at b"}, {After: 280 * time.Second, Say: "never"}}
	s.plan.Slack = &drills.PlannedSlack{Channel: "#two", Evidence: []drills.Evidence{{Where: "slack", Text: "anyone else?"}, {Where: "image", Text: "https://pics.example.com/1.png"}}}
	s.plan.Type = "drill"
	c, m := &channel{}, &marker{}
	e := d.at(s.engine(1))
	e.Steps.World.Slack, e.Steps.World.Marker = c, m
	s.onCall(d, notified(map[time.Duration]observe.EntryKind{20 * time.Second: observe.EntryAcknowledged, 230 * time.Second: observe.EntryResolved}))
	st, err := s.start(context.Background(), e)
	s.check(t, st, err)
	keys := toldKeys(st)
	for _, k := range []string{"start", "evidence/0", "evidence/1", "hint/1", "hint/1/note", "hint/2", "hint/2/note", "type/PI1", "end/PI1", "end"} {
		if n := count(keys, k); n != 1 {
			t.Errorf("%s was told %d times: %v", k, n, keys)
		}
	}
	if len(keys) != 10 {
		t.Errorf("told %v", keys)
	}
	if got := c.texts(); len(got) != 6 || !strings.Contains(got[3], "Hint 1 of 3: look at a") || !strings.Contains(got[5], "awesome") {
		t.Errorf("posted %q", got)
	}
	for i, p := range c.posted {
		if (i == 0) != (p.Thread == "") {
			t.Errorf("message %d stands under %q", i, p.Thread)
		}
	}
	for _, e := range st.Events {
		if e.Fact.Key == "hint/1" && (e.At.Before(d.pages(ourPage)[0].Add(6*time.Second)) || e.Fact.Hint != 1) {
			t.Errorf("the first hint came %s after the page", e.At.Sub(d.pages(ourPage)[0]))
		}
	}
	if !slices.Equal(m.marked, []string{"PI1 drill"}) {
		t.Errorf("marked %v", m.marked)
	}
}

func count(list []string, s string) (n int) {
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

type marker struct{ marked []string }

func (m *marker) HasType(context.Context, string) (bool, error) { return true, nil }
func (m *marker) Mark(_ context.Context, incident, name string) error {
	m.marked = append(m.marked, incident+" "+name)
	return nil
}

// A messenger that hangs keeps nothing in place: the undo is over before the first message has ended.
func TestSlackThatHangsDelaysNoUndo(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Slack = &drills.PlannedSlack{Channel: "#two"}
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	hung, undone := false, false
	c := &channel{post: func(ctx context.Context, _ observe.Message) error {
		if !hung {
			hung = true
			interrupt()
			for end := time.Now().Add(4 * time.Second); time.Now().Before(end) && !undone; time.Sleep(time.Millisecond) {
				s.w.mu.Lock()
				undone = s.w.values["a"] == "before-a" && s.w.values["b"] == "before-b"
				s.w.mu.Unlock()
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	e := d.at(s.engine(1))
	e.Steps.World.Slack = c
	s.onCall(d, notified(nil))
	st, err := s.start(ctx, e)
	s.check(t, st, err)
	if !hung || !undone || !st.Finished {
		t.Errorf("hung %v, undone meanwhile %v, finished %v", hung, undone, st.Finished)
	}
}

// A drill says that it is one when its card lets it: until then neither page, note nor message does.
func TestDrillIsAnnouncedWhenTheCardSays(t *testing.T) {
	for announce, until := range map[string]journal.Kind{drills.AnnouncePage: journal.PageSent, drills.AnnounceAcknowledge: journal.IncidentAcknowledged,
		drills.AnnounceEnd: journal.FaultReverted} {
		t.Run(announce, func(t *testing.T) {
			s := newStage(t)
			d := s.staffed(drills.PageDirect)
			s.plan.Announce = announce
			s.plan.Expect = drills.Expect{Acknowledge: time.Minute, Resolve: 4 * time.Minute}
			s.plan.Hints = []drills.Hint{{After: 2 * time.Second, Say: "look at a"}}
			s.plan.Slack = &drills.PlannedSlack{Channel: "#two", Evidence: []drills.Evidence{{Where: "slack", Text: "anyone else?"}}}
			e := d.at(s.engine(1))
			e.Steps.World.Slack = &channel{}
			s.onCall(d, notified(map[time.Duration]observe.EntryKind{20 * time.Second: observe.EntryAcknowledged, 40 * time.Second: observe.EntryResolved}))
			st, err := s.start(context.Background(), e)
			s.check(t, st, err)
			known, said := false, false
			for _, e := range st.Events {
				known = known || e.Kind == until
				says := strings.Contains(e.Fact.Title+e.Fact.Text, "[DRILL]") || strings.Contains(strings.ToLower(e.Fact.Text), "drill")
				ours := e.Kind == journal.PageSent || e.Kind == journal.NoteSent || e.Kind == journal.MessageSent
				if ours && says && !known {
					t.Errorf("%s says so before: %s", e.Kind, e.Fact.Title+e.Fact.Text)
				}
				said = said || ours && says
			}
			if !said {
				t.Error("it never says so")
			}
		})
	}
}

// Nobody acknowledges by the deadline: the drill ends then, and not at its limit.
func TestUnansweredEndsAtItsDeadline(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Expect = drills.Expect{Acknowledge: 30 * time.Second, Resolve: 4 * time.Minute}
	e := d.at(s.engine(1))
	s.onCall(d, notified(nil))
	st, err := s.start(context.Background(), e)
	s.check(t, st, err)
	if after := first(st, journal.FaultReverted, "").At.Sub(d.pages(ourPage)[0]); after < 30*time.Second || after > 40*time.Second {
		t.Errorf("put back %s after the page", after)
	}
}

// Notes are watched: who edits or deletes one does not change what was written first.
func TestNotesThatChangeAreShown(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Expect = drills.Expect{Acknowledge: time.Minute, Resolve: 4 * time.Minute}
	e := d.at(s.engine(1))
	p := s.onCall(d, notified(map[time.Duration]observe.EntryKind{5 * time.Second: observe.EntryAcknowledged, 40 * time.Second: observe.EntryResolved}))
	p.notes = func(since time.Duration) []observe.IncidentNote {
		at := d.pages(ourPage)[0].Add(10 * time.Second)
		one := observe.IncidentNote{ID: "N1", User: "PX", Name: "Ada", Human: true, Text: "it is a", CreatedAt: at, UpdatedAt: at}
		two := observe.IncidentNote{ID: "N2", User: "PX", Name: "Ada", Human: true, Text: "ask Bob", CreatedAt: at.Add(5 * time.Second)}
		switch {
		case since < 16*time.Second:
			return []observe.IncidentNote{}
		case since < 25*time.Second:
			return []observe.IncidentNote{one, two}
		}
		one.Text, one.UpdatedAt = "it is b", at.Add(20*time.Second)
		return []observe.IncidentNote{one}
	}
	e.Steps.World.Notebook = p
	st, err := s.start(context.Background(), e)
	s.check(t, st, err)
	var got []string
	for _, e := range st.Events {
		switch e.Kind {
		case journal.IncidentNoted, journal.IncidentNoteEdited, journal.IncidentNoteDeleted:
			got = append(got, string(e.Kind)+" "+e.Fact.Was+">"+e.Fact.Text)
		}
	}
	want := []string{"incident.noted >it is a", "incident.noted >ask Bob", "incident.note_edited it is a>it is b", "incident.note_deleted ask Bob>"}
	if !slices.Equal(got, want) {
		t.Errorf("told %q", got)
	}
}

// A real incident ends the drill and is handed over: its note says what of it was ours.
func TestRealIncidentIsHandedOver(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	d.list = func(context.Context) ([]observe.Incident, error) {
		if len(d.pages(ourPage)) == 0 {
			return nil, nil
		}
		return []observe.Incident{{ID: "PREAL", Title: "the moon is gone", Status: "triggered", Alerts: []observe.Alert{{Key: "k", Summary: "the moon is gone"}}}}, nil
	}
	st, err := s.start(context.Background(), d.at(s.engine(1)))
	s.check(t, st, err)
	if !slices.Equal(d.noted, []string{"PREAL"}) || st.Stop == nil || st.Stop.Incident != "PREAL" {
		t.Errorf("noted %v, stop %+v", d.noted, st.Stop)
	}
}

// What cannot be told is tried three times and no more, and the drill goes on.
func TestWhatCannotBeToldIsLeft(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Expect = drills.Expect{Acknowledge: time.Minute, Resolve: 2 * time.Minute}
	s.plan.Slack = &drills.PlannedSlack{Channel: "#two"}
	e := d.at(s.engine(1))
	e.Steps.World.Slack = &channel{post: func(context.Context, observe.Message) error { return errors.New("channel_not_found") }}
	s.onCall(d, notified(map[time.Duration]observe.EntryKind{20 * time.Second: observe.EntryAcknowledged, 60 * time.Second: observe.EntryResolved}))
	st, err := s.start(context.Background(), e)
	s.check(t, st, err)
	n := 0
	for _, e := range st.Events {
		if e.Fact.Key == journal.AboutStart {
			n++
		}
	}
	if n < 1 || n > 3 {
		t.Errorf("tried %d times", n)
	}
}

// Something is left in place, and the owner cannot be reached: whoever works on the real incident hears of it meanwhile.
func TestRealIncidentDoesNotWaitForTheOwner(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.refuseUndo("b")
	noted := 0
	d.onSend = func(key string, n int) error {
		if key == ownerPage && n > 0 && noted == 0 {
			noted = len(d.noted)
		}
		if key == ownerPage {
			return errors.New("503")
		}
		return nil
	}
	d.list = func(context.Context) ([]observe.Incident, error) {
		if len(d.pages(ourPage)) == 0 {
			return nil, nil
		}
		return []observe.Incident{{ID: "PREAL", Title: "the moon is gone", Status: "triggered", Alerts: []observe.Alert{{Key: "k", Summary: "the moon is gone"}}}}, nil
	}
	st, err := s.start(context.Background(), d.at(s.engine(1)))
	if err != nil || st.Outcome != "dirty" {
		t.Fatalf("outcome %s, err %v", st.Outcome, err)
	}
	if noted == 0 {
		t.Errorf("the owner was tried %d times before the note", len(d.pages(ownerPage)))
	}
}

// A messenger that hangs at the end holds up one message's time, not that of all of them.
func TestMessengerThatHangsIsAskedOnceAtTheEnd(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Slack = &drills.PlannedSlack{Channel: "#two"}
	ctx, interrupt := context.WithCancel(context.Background())
	defer interrupt()
	posts, ended := 0, false
	c := &channel{post: func(context.Context, observe.Message) error {
		if !ended {
			ended = true
			interrupt() // the start is told; then it is ended early, and the end and its reason are to be told
			return nil
		}
		posts++
		return context.DeadlineExceeded
	}}
	e := d.at(s.engine(1))
	e.Steps.World.Slack = c
	s.onCall(d, notified(nil))
	st, err := s.start(ctx, e)
	s.check(t, st, err)
	if posts != 1 {
		t.Errorf("%d messages were tried at the end", posts)
	}
}
