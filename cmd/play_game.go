package cmd

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox/hands"
	"github.com/firedrill/firedrill/observe/timeline"
)

// beat is how often the phone is looked at.
const beat = 400 * time.Millisecond

// game is one drill and who plays it: what the engine records comes in by add, what the pager says by watching the
// phone, what the player says by the console. It knows of the fault what somebody on call would know.
type game struct {
	d       *Deps
	console *console
	p       played
	hands   *hands.Hands
	tell    func(ctx context.Context, action string, e journal.Event) error // writes into the run, as an outsider
	style   palette

	mu      sync.Mutex
	events  []journal.Event
	shown   int             // of events
	called  []call          // incidents, in order
	did     []deed          // by the player
	mine    map[string]bool // incidents that the player resolved
	menu    []hands.Fix     // as shown last
	asked   int             // hints asked for
	stopped bool
	news    chan struct{}
	begun   chan struct{} // closed when the run is in the journal
}

// call is an incident that called, as it was when it was looked at last.
type call struct {
	hands.Incident
	passed bool // somebody else was told of it, too
}

// deed is something the player did.
type deed struct {
	at   time.Time
	what string
	look bool
}

func newGame(d *Deps, c *console, p played) *game {
	g := &game{d: d, console: c, p: p, hands: d.handsIn(p.world), mine: map[string]bool{}, news: make(chan struct{}, 1), begun: make(chan struct{})}
	if d.Color() && c.tty {
		g.style = colours()
	}
	return g
}

// say writes one text; each of its lines fits the terminal.
func (g *game) say(format string, args ...any) { fmt.Fprintf(g.console, format+"\n", args...) }

// add takes in what has become part of the run. It never waits for the terminal.
func (g *game) add(events []journal.Event) {
	g.mu.Lock()
	if len(g.events) == 0 && len(events) > 0 {
		close(g.begun)
	}
	g.events = append(g.events, events...)
	g.mu.Unlock()
	select {
	case g.news <- struct{}{}:
	default:
	}
}

// story is the run so far.
func (g *game) story() timeline.Timeline {
	g.mu.Lock()
	events := g.events[:len(g.events):len(g.events)]
	g.mu.Unlock()
	return timeline.Of(events, g.d.Now())
}

// done remembers what the player did.
func (g *game) done(look bool, format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.did = append(g.did, deed{g.d.Now(), fmt.Sprintf(format, args...), look})
}

// start lets the phone ring and the player type, until end: it returns when both have stopped.
func (g *game) start(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { g.watch(ctx) })
	wg.Go(func() { g.converse(ctx) })
	return func() {
		cancel()
		wg.Wait()
		g.show() // what came last
	}
}

// watch shows what the run and the phone have to say.
func (g *game) watch(ctx context.Context) {
	t := time.NewTicker(beat)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.news:
			g.show()
		case <-t.C:
			g.phone(ctx)
		}
	}
}

// show tells of the run what somebody on call notices of it: never what the fault is.
func (g *game) show() {
	g.mu.Lock()
	events := g.events[g.shown:]
	g.shown = len(g.events)
	g.mu.Unlock()
	for _, e := range events {
		switch e.Kind {
		case journal.FaultApplied:
			g.mark(e, "something in staging has just been changed")
		case journal.FaultEffective:
			g.mark(e, "it hurts from now on: this is where your times begin")
		case journal.NoteSent, journal.MessageSent:
			g.read(e)
		case journal.AbortRequested:
			g.mark(e, "stopped: everything is being put back")
		case journal.FaultReverted:
			g.mark(e, "firedrill has put its change back, or found it mended; it reads everything back now")
		}
	}
}

// read shows what firedrill writes to people, but for what would give the fault away: that this is a drill the player
// knows, and the end is told in words of our own.
func (g *game) read(e journal.Event) {
	f := e.Fact
	switch {
	case f.Err != "" || f.Text == "":
	case f.Reason == journal.AboutHint:
		g.mu.Lock()
		told := f.Hint <= g.asked
		g.asked = max(g.asked, f.Hint)
		g.mu.Unlock()
		if !told {
			g.lines(e)
		}
	case f.Reason == journal.AboutEvidence, f.Reason == journal.AboutReply:
		g.lines(e)
	}
}

// lines shows a message, line by line.
func (g *game) lines(e journal.Event) {
	for line := range strings.Lines(strings.TrimPrefix(e.Fact.Text, "[DRILL] ")) {
		g.mark(e, plain(line))
	}
}

// mark is one line of news.
func (g *game) mark(e journal.Event, text string) {
	g.say("%s", g.style.of(e.Kind, wrap("· ", text, g.console.width())))
}

// phone looks at the phone, and rings for what is new. A pager that does not answer is asked again.
func (g *game) phone(ctx context.Context) {
	calling, err := g.hands.Calling(ctx)
	if err != nil {
		return
	}
	for _, i := range calling {
		if g.known(i) {
			continue
		}
		g.ring(i)
	}
	for _, i := range g.open() {
		now, err := g.hands.Incident(ctx, i.ID)
		if err != nil {
			return
		}
		g.update(i, now)
	}
}

// known says whether an incident has called before, and takes it in if not.
func (g *game) known(i hands.Incident) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.called {
		if k.ID == i.ID {
			return true
		}
	}
	g.called = append(g.called, call{Incident: i})
	return false
}

// open are the incidents that are not resolved.
func (g *game) open() (open []call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, i := range g.called {
		if i.Status != "resolved" {
			open = append(open, i)
		}
	}
	return open
}

// update takes in how an incident stands now, and tells what others did to it.
func (g *game) update(was call, now hands.Incident) {
	mine, whose := g.hands.Mine(now)
	passed := was.passed || now.Status == "triggered" && !mine && whose != ""
	g.mu.Lock()
	for i := range g.called {
		if k := &g.called[i]; k.ID == now.ID {
			k.Incident, k.passed = now, passed
		}
	}
	byMe := g.mine[now.ID]
	g.mu.Unlock()
	switch {
	case passed && !was.passed:
		g.say("%s", g.style.of(journal.IncidentEscalated, wrap("· ", fmt.Sprintf("nobody has acknowledged #%d: %s is called, too", now.Number, plain(whose)), g.console.width())))
	case was.Status != "resolved" && now.Status == "resolved" && !byMe:
		g.say("%s", g.style.of(journal.IncidentResolved, fmt.Sprintf("· #%d was resolved, not by you: its alarm fell silent", now.Number)))
	case was.Status == "acknowledged" && now.Status == "triggered":
		g.say("· #%d calls again", now.Number)
	}
}

// ring is the page: a bell, what the phone shows, and on the first one the card.
func (g *game) ring(i hands.Incident) {
	g.mu.Lock()
	first := len(g.called) == 1
	g.mu.Unlock()
	bell := ""
	if g.console.tty {
		bell = "\a"
	}
	var b strings.Builder
	width := g.console.width()
	fmt.Fprintf(&b, "\n%s%s\n", bell, g.style.of(journal.IncidentOpened, fmt.Sprintf("PAGE #%d  %s (%s urgency)", i.Number, plain(i.Service.Summary), i.Urgency)))
	fmt.Fprintln(&b, wrap("    ", plain(i.Title), width))
	if first {
		fmt.Fprintln(&b)
		g.card(&b, width)
	}
	g.say("%s", b.String())
}
