package observe

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What a feed may ask in a minute where its options do not say.
const (
	callsOfOne  = 12 // for one service
	callsAtMost = 60 // for any number of them
)

// budget counts the requests of the last minute.
type budget struct {
	all, own []time.Time // when each was sent, our clock
	spent    int         // by us, ever
}

func (b *budget) spend(at time.Time, own bool) {
	b.all = append(b.all, at)
	if own {
		b.own = append(b.own, at)
		b.spent++
	}
}

// left is how many more a minute that ends now may hold. What others asked of the account counts too, but never makes
// us blind: five sixths of it are the feed's own.
func (b *budget) left(limit int, now time.Time) int {
	old := func(t time.Time) bool { return now.Sub(t) >= time.Minute }
	b.all, b.own = slices.DeleteFunc(b.all, old), slices.DeleteFunc(b.own, old)
	return max(limit-len(b.all), share(limit)-len(b.own))
}

// share is how many of them the feed may send whatever others send.
func share(limit int) int { return limit * 5 / 6 }

// limit is how many requests a minute may hold.
func (f *SharedFeed) limit(now time.Time) int {
	if f.o.PerMinute > 0 {
		return f.o.PerMinute
	}
	n := 0
	for _, s := range f.services {
		if now.Sub(s.asked) < time.Minute {
			n++
		}
	}
	return min(callsOfOne*max(n, 1), callsAtMost)
}

// room is how many requests may be made now.
func (f *SharedFeed) room() int {
	now := f.o.Now()
	return f.budget.left(f.limit(now), now)
}

// errNoRoom means that the minute is full: the rest is asked later.
var errNoRoom = errors.New("this minute's requests are used up")

// gate lets a request of ours through if the minute has room for it.
func (f *SharedFeed) gate() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.room() < 1 {
		return errNoRoom
	}
	return nil
}

// due says whether a look should be made now.
func (f *SharedFeed) due(now time.Time) bool {
	if f.tried.IsZero() {
		return true
	}
	if f.room() < max(1, f.cost) {
		return false
	}
	pace := f.pace(now)
	for _, s := range f.services {
		if s.whole.IsZero() {
			pace = f.o.Pace // somebody knows nothing yet
		}
	}
	return now.Sub(f.tried) >= pace
}

// fresh is for how many paces something that has just begun is looked at as often as may be.
const fresh = 12

// news is what a look may cost beside the log when something has happened: notes, and the alerts of an incident.
const news = 2

// pace is the time between two looks: what suits what is going on, or as much more as keeps room for news throughout the
// next minute. Nobody is to wait for a whole minute because its first seconds were busy.
func (f *SharedFeed) pace(now time.Time) time.Duration {
	suited, pace := f.suited(now), time.Duration(0)
	for times := time.Duration(2); times <= 8; times++ { // in halves
		if pace = suited * times / 2; f.lasts(pace, now) {
			break
		}
	}
	return min(pace, max(suited, 4*f.o.Pace))
}

// lasts says that looks at such a pace would leave room for news in every minute that ends within the next one.
func (f *SharedFeed) lasts(pace time.Duration, now time.Time) bool {
	limit, each := f.limit(now), max(1, f.pages)
	within := func(list []time.Time, at time.Time) (n int) {
		for _, t := range list {
			if at.Sub(t) < time.Minute {
				n++
			}
		}
		return n
	}
	spent := 0
	for at := f.tried.Add(pace); at.Before(now.Add(time.Minute)); at = at.Add(pace) {
		spent += each
		if max(limit-within(f.budget.all, at), share(limit)-within(f.budget.own, at))-spent < news {
			return false
		}
	}
	return true
}

// suited is the least pace while something has just begun, a little more while somebody should answer, so that a minute
// has rests, and twice as much when all is quiet.
func (f *SharedFeed) suited(now time.Time) time.Duration {
	limit := max(f.limit(now), 4)
	waiting := max(f.o.Pace*4/3, time.Minute/time.Duration(limit-3))
	pace := max(2*f.o.Pace, waiting)
	for _, s := range f.services {
		if now.Sub(s.first) < fresh*f.o.Pace {
			return f.o.Pace
		}
	}
	for _, in := range f.known {
		if in.Status != "triggered" {
			continue
		}
		if now.Sub(in.first) < fresh*f.o.Pace {
			return f.o.Pace
		}
		pace = waiting
	}
	return pace
}

// trouble is what keeps the pager from being looked at, and until when nobody tries.
type trouble struct {
	err   error
	until time.Time
	times int           // in a row
	reset time.Duration // what the last answer said of its rate limit; negative: nothing
}

// How long nobody tries after a failure.
const (
	troubleFirst = time.Second
	limitedFirst = 5 * time.Second // a 429 may come without a word of when
	troubleMost  = 30 * time.Second
	limitedMost  = 5 * time.Minute
)

// limit reads when a rate limit that is used up begins anew, in seconds:
// https://developer.pagerduty.com/docs/rest-api-rate-limits
func (t *trouble) limit(h http.Header) {
	t.reset = -1
	s, err := strconv.Atoi(strings.TrimSpace(h.Get("ratelimit-reset")))
	if err == nil && s >= 0 {
		t.reset = min(time.Duration(s)*time.Second, limitedMost)
	}
}

// met notes a failure.
func (t *trouble) met(err error, now time.Time) error {
	var p *Problem
	delay := min(troubleFirst<<min(t.times, 10), troubleMost)
	if errors.As(err, &p) && p.Status == http.StatusTooManyRequests {
		if delay = min(limitedFirst<<min(t.times, 10), troubleMost); t.reset >= 0 {
			delay = max(t.reset, time.Second)
		}
	}
	t.times++
	t.err, t.until = err, now.Add(delay)
	return t.still(now)
}

// still is the error of one who asks before it is time to try again.
func (t *trouble) still(now time.Time) error {
	if t.err == nil || !now.Before(t.until) {
		return nil
	}
	return t.told()
}

// told is the trouble as whoever asks is told.
func (t *trouble) told() error {
	told := &Problem{Op: "look at the pager", Err: t.err,
		Why: fmt.Sprintf("%v (asked again at %s)", t.err, t.until.UTC().Format(time.TimeOnly+"Z07:00"))}
	var p *Problem
	if errors.As(t.err, &p) {
		told.Status, told.Try = p.Status, p.Try
	}
	return told
}

func (t *trouble) over() { *t = trouble{reset: -1} }
