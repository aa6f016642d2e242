package drills

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// hooked is a clock that lets a courier come home between two looks at it.
type hooked struct {
	TimeKeeper
	onNow func()
}

func (c *hooked) Now() time.Time {
	if c.onNow != nil {
		c.onNow()
	}
	return time.Unix(1_700_000_000, 0).UTC()
}

// posts counts messages; each waits for its turn.
type posts struct {
	turn chan struct{}
	n    atomic.Int32
}

func (p *posts) Post(context.Context, string, observe.Message) (string, error) {
	<-p.turn
	p.n.Add(1)
	return "C1/1.0", nil
}

func (p *posts) Replies(context.Context, string, string) ([]observe.Reply, error) { return nil, nil }

// What comes back while the engine makes up its mind what is due is not told a second time, and the message that all
// stand under is not forgotten.
func TestNothingIsToldTwice(t *testing.T) {
	p, clock := &posts{turn: make(chan struct{}, 4)}, &hooked{}
	st := &Steps{World: World{Slack: p, Clock: clock}}
	s := NewState("r")
	s.Plan.Slack = &PlannedSlack{Channel: "#a"}
	s.Paged, s.Started = clock.Now(), clock.Now()
	s.Plan.Page.When = PageReport
	st.tellPeople(t.Context(), s)
	clock.onNow = func() {
		clock.onNow = nil
		p.turn <- struct{}{}
		<-st.courier.home()
	}
	if events := st.tellPeople(t.Context(), s); len(events) != 0 {
		t.Fatalf("recorded %+v: it came home too early", events)
	}
	p.turn <- struct{}{}
	<-st.courier.home()
	if n := p.n.Load(); n != 1 {
		t.Errorf("told %d times", n)
	}
	if st.courier.hand(); st.courier.under("") != "C1/1.0" {
		t.Error("the message that all stand under is forgotten")
	}
}

// A lane that is called back tells nothing more, and says nothing of what it never began.
func TestACourierThatIsRecalledBeginsNothing(t *testing.T) {
	var c courier
	began := make(chan string, 4)
	c.carry(t.Context(), []telling{{key: "a"}, {key: "b"}}, func(ctx context.Context, x telling) journal.Event {
		began <- x.key
		<-ctx.Done()
		return journal.Event{Kind: journal.MessageSent, Fact: journal.Fact{Key: x.key, Err: ctx.Err().Error()}}
	})
	<-began
	c.recall()
	<-c.home()
	if got := c.hand(); len(got) != 1 || got[0].Fact.Key != "a" || len(began) != 0 {
		t.Errorf("told %+v", got)
	}
}
