package drills_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/observe"
)

// desk is a pager: it notes what it is told, and when, and answers as the test says.
type desk struct {
	s *stage

	mu      sync.Mutex
	sent    map[string][]time.Time // by key
	cleared []time.Time            // resolves of our page
	noted   []string

	onSend  func(key string, n int) error // n counts the key's sends, from 0
	onClear func(n int) error
	list    func(context.Context) ([]observe.Incident, error)
	log     func(incident string) ([]observe.Entry, error)
}

const integration = "0123456789abcdef0123456789abcdef"

// staffed gives the stage a pager and an owner, and the drill a way to page.
func (s *stage) staffed(when string) *desk {
	s.plan.Owner = "env:OWNER"
	s.plan.Page = drills.PlannedPage{When: when, Service: "P1", Key: "env:KEY", Title: "[DRILL] two settings"}
	return &desk{s: s, sent: map[string][]time.Time{}}
}

// at sits a desk at an engine.
func (d *desk) at(e *drills.Engine) *drills.Engine {
	e.Steps.World.Pager = d
	e.Steps.World.Secret = func(context.Context, string) (string, error) { return integration, nil }
	return e
}

func (d *desk) Send(_ context.Context, _ string, p observe.Page) error {
	d.mu.Lock()
	n := len(d.sent[p.Key])
	d.sent[p.Key] = append(d.sent[p.Key], d.s.clock.Now())
	d.mu.Unlock()
	if d.onSend == nil {
		return nil
	}
	return d.onSend(p.Key, n)
}

func (d *desk) Resolve(_ context.Context, _, key string) error {
	if key != ourPage {
		return fmt.Errorf("resolved %s, which is not ours", key)
	}
	d.cleared = append(d.cleared, d.s.clock.Now())
	if d.onClear == nil {
		return nil
	}
	return d.onClear(len(d.cleared) - 1)
}

func (d *desk) Find(context.Context, string, string, time.Time) (*observe.Incident, error) {
	return nil, nil
}

func (d *desk) Incidents(ctx context.Context, _ []string, _ time.Time) ([]observe.Incident, error) {
	if d.list == nil {
		return nil, nil
	}
	return d.list(ctx)
}

func (d *desk) Log(_ context.Context, incident string) ([]observe.Entry, error) {
	if d.log == nil {
		return nil, nil
	}
	return d.log(incident)
}

func (d *desk) Note(_ context.Context, incident, _ string) error {
	d.noted = append(d.noted, incident)
	return nil
}

func (d *desk) Check(context.Context, string) (observe.ServiceCheck, error) {
	return observe.ServiceCheck{Name: "orders"}, nil
}

// pages are the times at which a key was sent.
func (d *desk) pages(key string) []time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sent[key])
}

const (
	ourPage   = "firedrill/" + runID
	ownerPage = ourPage + "/left"
)

// moods is an alarm that is as the test says.
type moods struct {
	name string
	fake func() (state string, since time.Time)
}

func (m moods) All(ctx context.Context) ([]observe.Alarm, error) { return m.Describe(ctx, nil) }
func (m moods) Describe(context.Context, []string) ([]observe.Alarm, error) {
	state, since := m.fake()
	return []observe.Alarm{{Name: m.name, State: state, Since: since}}, nil
}
func (m moods) History(context.Context, string, time.Time) ([]observe.Transition, error) {
	return nil, nil
}

// watches gives the drill an alarm to watch, which rings while a is broken.
func (s *stage) watches(e *drills.Engine) {
	s.plan.Watch = []drills.PlannedProbe{{Label: "alarm orders-throttled", Alarm: "orders-throttled"}}
	begin, rang := s.clock.Now(), time.Time{}
	e.Steps.World.Alarms = moods{"orders-throttled", func() (string, time.Time) {
		if s.w.get("a") != "broken" {
			return "OK", begin.Add(-time.Hour)
		}
		if rang.IsZero() {
			rang = s.clock.Now()
		}
		return "ALARM", rang
	}}
}
