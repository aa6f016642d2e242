package observe

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// FeedOptions say how much a feed may ask. Zero values take what is said beside them.
type FeedOptions struct {
	Now  func() time.Time                           // required
	Wait func(context.Context, time.Duration) error // nil waits in real time
	// PerMinute is how many requests any minute may hold. 0: twelve for each service that is asked for, and never more
	// than sixty: PagerDuty gives an account's key 960, and others need them too.
	// https://developer.pagerduty.com/docs/rest-api-rate-limits
	PerMinute int
	// Pace is the least time between two looks while something is expected: 5 s. While all is quiet it is twice that.
	Pace time.Duration
	// Aim is how long a look may be put off so that it meets the turn of the pager's second, which narrows the clock's
	// bar most: 1 s.
	Aim time.Duration
}

func (o *FeedOptions) defaults() {
	if o.Wait == nil {
		o.Wait = waitFor
	}
	o.Pace = cmp.Or(o.Pace, 5*time.Second)
	o.Aim = cmp.Or(o.Aim, time.Second)
}

// SharedFeed is the one poller of a PagerDuty account: every run of a process asks it, and most of what they ask is
// answered from what it knows. It has no goroutine of its own. Whoever asks when a look is due makes it, for all; the
// others are told what is known. A look is one question to the account's log, which names the incidents that changed;
// an incident with nothing new costs nothing. It may be used from several goroutines.
type SharedFeed struct {
	p     *PagerDuty // a copy of its own: it tries once, and asks the budget first
	notes func(ctx context.Context, incident string) ([]IncidentNote, error)
	o     FeedOptions

	mu       sync.Mutex
	flying   bool // somebody makes a look
	services map[string]*knownService
	known    map[string]*knownIncident
	at       time.Time // when the last whole look began, our clock
	tried    time.Time // when the last look began, whole or not
	crowded  time.Time // until when the account's log is too long to be read
	cost     int       // requests of the last look
	pages    int       // of these, pages of the account's log
	deep     time.Time // when that was last read with all of the overlap
	budget   budget
	trouble  trouble
	clock    clockBand
}

var _ Feed = (*SharedFeed)(nil)

// knownService is a service that somebody asks for.
type knownService struct {
	first   time.Time // when it was asked for first
	asked   time.Time // when it was asked for last
	since   time.Time // the earliest time that was asked for, our clock
	listed  time.Time // when its incidents were listed last; zero: never
	covered time.Time // from when on its log entries are kept, the pager's clock; zero: not yet
	whole   time.Time // when the last whole look at it began, our clock; zero: none yet
}

// NewFeed makes a feed of an account; it asks nothing yet. Every request that p makes from here on counts as the
// account's, whoever makes it.
func NewFeed(p *PagerDuty, o FeedOptions) *SharedFeed {
	o.defaults()
	once, wire := *p, *p.wire
	wire.tries, wire.told = 1, &atomic.Pointer[toldFunc]{} // repeating is for the next look
	once.wire, once.shelf = &wire, &alertShelf{}
	f := &SharedFeed{p: &once, o: o, services: map[string]*knownService{}, known: map[string]*knownIncident{}}
	if n, ok := any(&once).(Notebook); ok {
		f.notes = n.Notes
	}
	wire.gate = f.gate
	p.listen(func(sent, received time.Time, h http.Header) { f.heard(sent, received, h, false) })
	once.listen(func(sent, received time.Time, h http.Header) { f.heard(sent, received, h, true) })
	return f
}

// Look tells what is known of the services' incidents, after a look at the pager if one is due. Seen.At is when the
// last whole look began that withheld nothing, and zero while there was none at all of these services. An error says that the pager cannot
// be looked at now, and until when nobody will try.
func (f *SharedFeed) Look(ctx context.Context, services []string, since time.Time) (Seen, error) {
	const op = "look at the pager"
	if len(services) == 0 {
		return Seen{}, &Problem{Op: op, Why: "no service is named"}
	}
	for _, id := range services {
		if err := checkID(op, "service", id); err != nil {
			return Seen{}, err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.o.Now()
	f.ask(services, since, now)
	if err := f.trouble.still(now); err != nil {
		return Seen{}, err
	}
	if f.flying && f.trouble.err != nil {
		return Seen{}, f.trouble.told() // the last look failed, and this one has not ended: what is known is old
	}
	if f.flying || !f.due(now) {
		return f.tell(services, since), nil
	}
	f.flying = true
	f.tried = now
	defer func() { f.flying = false }()
	err := f.look(ctx) // lets go of the lock while it asks
	if err != nil && (errors.Is(ctx.Err(), context.Canceled) || ctx.Err() != nil && !f.at.Before(now)) {
		return Seen{}, err // whoever asks next looks
	}
	if err != nil {
		return Seen{}, f.trouble.met(err, f.o.Now())
	}
	f.trouble.over()
	return f.tell(services, since), nil
}

// Clock is how far the pager's clock is from ours, by the dates of its last answers.
func (f *SharedFeed) Clock() (Offset, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock.offset(f.o.Now())
}

// heard takes in one request of the account, ours or not.
func (f *SharedFeed) heard(sent, received time.Time, header http.Header, own bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.budget.spend(sent, own)
	if header == nil {
		return
	}
	f.trouble.limit(header)
	if server, err := DateOf(header); err == nil {
		f.clock.add(server, sent, received)
	}
}

// ask remembers who is asked for, and forgets what nobody has asked for in a while.
func (f *SharedFeed) ask(services []string, since, now time.Time) {
	for _, id := range services {
		s := f.services[id]
		if s == nil {
			s = &knownService{first: now, since: since}
			f.services[id] = s
		}
		s.asked = now
		if since.Before(s.since) {
			s.since, s.listed = since, time.Time{}
		}
	}
}

// forgetAfter is how long a service is remembered that nobody asks for.
const forgetAfter = 10 * time.Minute

// forget drops services that nobody asks for any more, and their incidents.
func (f *SharedFeed) forget(now time.Time) {
	for id, s := range f.services {
		if now.Sub(s.asked) > forgetAfter {
			delete(f.services, id)
		}
	}
	for id, in := range f.known {
		if f.services[in.Service] == nil {
			delete(f.known, id)
		}
	}
}

// tell is what is known, oldest first.
func (f *SharedFeed) tell(services []string, since time.Time) Seen {
	seen := Seen{At: f.at}
	for _, id := range services {
		if s := f.services[id]; s.whole.Before(seen.At) {
			seen.At = s.whole
		}
	}
	if seen.At.IsZero() {
		return Seen{}
	}
	from, _ := f.there(since)
	at := seen.At
	for _, in := range f.known {
		if slices.Contains(services, in.Service) && in.withheld() && in.sure.Before(seen.At) {
			seen.At = in.sure // who is told later shall not take this look for one that did not see it
		}
		if !slices.Contains(services, in.Service) || !in.told || in.Status == "resolved" && in.CreatedAt.Before(from) {
			continue
		}
		seen.Incidents = append(seen.Incidents, in.seen(at))
	}
	slices.SortFunc(seen.Incidents, func(a, b SeenIncident) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Number, b.Number), cmp.Compare(a.ID, b.ID))
	})
	return seen
}

// there is what the pager's clock can have shown at a time of ours, at the earliest and at the latest.
func (f *SharedFeed) there(at time.Time) (earliest, latest time.Time) {
	o, ok := f.clock.offset(f.o.Now())
	if !ok {
		return at.Add(-clockSlack), at.Add(clockSlack)
	}
	const second = time.Second // it tells whole ones
	return at.Add(o.Offset - o.Error - second), at.Add(o.Offset + o.Error + second)
}
