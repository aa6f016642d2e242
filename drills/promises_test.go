package drills_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/observe"
)

// scribe is a pager that writes a note only while there is time for it, and keeps what it wrote.
type scribe struct {
	*desk
	mu    sync.Mutex
	wrote map[string][]string // by incident
}

func (p *scribe) Note(ctx context.Context, incident, text string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wrote == nil {
		p.wrote = map[string][]string{}
	}
	p.wrote[incident] = append(p.wrote[incident], text)
	return nil
}

// A messenger that hangs takes nothing from those who have a real incident: they are told all the same, and soon.
func TestHandOverWaitsForNoMessenger(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	said := drills.Evidence{Where: "slack", Text: "anyone else?"}
	s.plan.Slack = &drills.PlannedSlack{Channel: "#two", Evidence: []drills.Evidence{said, said, said}}
	d.list = func(context.Context) ([]observe.Incident, error) {
		if len(d.pages(ourPage)) == 0 {
			return nil, nil
		}
		return []observe.Incident{{ID: "PREAL", Title: "the moon is gone", Status: "triggered", Alerts: []observe.Alert{{Key: "k", Summary: "the moon is gone"}}}}, nil
	}
	e, p := d.at(s.engine(1)), &scribe{desk: d}
	e.Steps.World.Pager = p
	e.Steps.World.Slack = &channel{post: func(ctx context.Context, _ observe.Message) error { <-ctx.Done(); return ctx.Err() }}
	began := time.Now()
	st, err := s.start(context.Background(), e)
	s.check(t, st, err)
	if len(p.wrote["PREAL"]) != 1 || !strings.Contains(p.wrote["PREAL"][0], "This incident is real") {
		t.Errorf("wrote %q", p.wrote)
	}
	if took := time.Since(began); took > 13*time.Second {
		t.Errorf("it took %s", took)
	}
}

// An incident of the drill's that turns out to hold a real alert is nobody's drill any more: it is handed over, and nobody
// is told there that it was one.
func TestIncidentThatTurnsRealIsNoDrills(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Type = "drill"
	s.plan.Expect = drills.Expect{Acknowledge: time.Minute, Resolve: 4 * time.Minute}
	e, p, m := d.at(s.engine(1)), &scribe{desk: d}, &marker{}
	e.Steps.World.Pager, e.Steps.World.Marker = p, m
	s.onCall(d, notified(nil))
	ours := d.list
	d.list = func(ctx context.Context) ([]observe.Incident, error) {
		list, err := ours(ctx)
		if len(list) > 0 && s.clock.Now().Sub(d.pages(ourPage)[0]) > 10*time.Second {
			list[0].Alerts = append(list[0].Alerts, observe.Alert{Key: "k", Summary: "the moon is gone"})
		}
		return list, err
	}
	st, err := s.start(context.Background(), e)
	s.check(t, st, err)
	if st.Stop == nil || st.Stop.Incident != "PI1" {
		t.Fatalf("stop %+v", st.Stop)
	}
	if got := p.wrote["PI1"]; len(got) != 1 || !strings.Contains(got[0], "This incident is real") || !strings.Contains(got[0], "type") {
		t.Errorf("wrote %q", got)
	}
}

// quiet notes of each page whether it keeps quiet.
type quiet struct {
	*desk
	kept map[string]bool
}

func (q *quiet) Send(ctx context.Context, key string, p observe.Page) error {
	q.kept[p.Key] = p.Quiet
	return q.desk.Send(ctx, key, p)
}

// Only a drill that people learn of later keeps its page quiet.
func TestPageKeepsQuietAsTheCardSays(t *testing.T) {
	for announce, want := range map[string]bool{"": false, drills.AnnouncePage: false, drills.AnnounceAcknowledge: true, drills.AnnounceEnd: true} {
		s := newStage(t)
		d := s.staffed(drills.PageDirect)
		s.plan.Announce, s.plan.Expect = announce, drills.Expect{Acknowledge: 5 * time.Second}
		e, q := d.at(s.engine(1)), &quiet{d, map[string]bool{}}
		e.Steps.World.Pager = q
		st, err := s.start(context.Background(), e)
		s.check(t, st, err)
		if kept, sent := q.kept[ourPage]; !sent || kept != want {
			t.Errorf("announce %q: sent %v, quiet %v", announce, sent, kept)
		}
	}
}

// A pager whose client breaks is a pager that takes no page: the drill gives up as it does for any other reason.
func TestPageThatPanicsIsNotTriedForEver(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Expect = drills.Expect{Acknowledge: time.Minute}
	d.onSend = func(string, int) error { panic("a client that breaks") }
	st, err := s.start(context.Background(), d.at(s.engine(1)))
	s.check(t, st, err)
	if st.Stop == nil || st.Stop.Reason != drills.ReasonPager || len(d.pages(ourPage)) != 4 {
		t.Errorf("stop %+v after %d tries", st.Stop, len(d.pages(ourPage)))
	}
}
