package observe

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// What one look reads.
const (
	feedOverlap  = 2 * time.Minute  // entries come late, and since may or may not count its own second
	feedShallow  = 20 * time.Second // the same, between deep looks at a log of many pages
	feedDeep     = time.Minute      // how often such a log is read with all of the overlap
	feedReach    = 15 * time.Minute // how far back the account's log is read for who is new
	feedRelist   = time.Minute      // how often a service's incidents are listed, whatever its log says
	feedRenote   = time.Minute      // how often notes are read that somebody may have edited
	feedCrowded  = 10 * time.Minute // for how long an account's log that is too long is let be
	feedServices = 50               // services of one question: an address is not endless
	accountPages = 5                // pages of the account's log in one look, where no larger part of a minute is ours
)

// look is one look for all: the account's log, what it made us curious about, and once a minute the incidents
// themselves. The lock is held, and let go of while a question is under way.
func (f *SharedFeed) look(ctx context.Context) error {
	began, spent := f.o.Now(), f.budget.spent
	f.forget(began)
	cut := 2 // what a look that was cut short lacked, at a guess
	defer func() {
		f.cost = min(f.budget.spent-spent+cut, f.limit(began)/2)
		if cut == 0 {
			f.cost = f.pages // what was new is told: the next look may meet nothing
		}
	}()
	steps := []func(context.Context, time.Time) error{f.readLog, f.list}
	if f.crowded.After(began) {
		steps = []func(context.Context, time.Time) error{f.list}
	}
	for _, step := range steps {
		if err := step(ctx, began); errors.Is(err, errNoRoom) {
			return nil // the rest comes when there is room
		} else if err != nil {
			return err
		}
	}
	f.at = began
	for _, s := range f.services {
		if !s.first.After(began) && !s.listed.IsZero() && (!s.covered.IsZero() || f.crowded.After(began)) {
			s.whole = began
		}
	}
	err := f.complete(ctx)
	for _, in := range f.known {
		if !in.withheld() {
			in.sure = began
		}
	}
	if errors.Is(err, errNoRoom) {
		return nil
	}
	cut = 0
	return err
}

// unlocked runs a question without the lock.
func (f *SharedFeed) unlocked(ask func() error) error {
	f.mu.Unlock()
	defer f.mu.Lock()
	return ask()
}

// readLog reads the log of the whole account since the last look, and some time before it.
func (f *SharedFeed) readLog(ctx context.Context, began time.Time) error {
	since, reach := began, began.Add(-feedReach)
	if !f.at.IsZero() {
		since = f.at
	}
	for _, s := range f.services {
		if s.covered.IsZero() && s.since.Before(since) {
			since = s.since
		}
	}
	if since.Before(reach) {
		since = reach
	}
	from, _ := f.there(since)
	_, until := f.there(began.Add(f.o.Aim + pagerAttempt))
	deep := f.pages <= 1 || began.Sub(f.deep) >= feedDeep
	if from = from.Add(-feedShallow); deep {
		from = from.Add(feedShallow - feedOverlap)
	}
	asked := slices.Collect(maps.Keys(f.services))
	var entries []accountEntry
	wait, spent, most := f.clock.aim(f.o.Now()), f.budget.spent, max(accountPages, f.limit(began)/2) // a minute that is full cuts it short
	err := f.unlocked(func() (err error) {
		if 0 < wait && wait <= f.o.Aim {
			if err := f.o.Wait(ctx, wait); err != nil {
				return err
			}
		}
		entries, err = f.p.entriesSince(ctx, from, until, most)
		return err
	})
	f.pages = f.budget.spent - spent
	now := f.o.Now()
	for _, e := range entries {
		f.take(e, now)
	}
	switch {
	case errors.Is(err, errTooMany):
		f.crowded = now.Add(feedCrowded)
		return nil // what the log does not tell, each incident does
	case err != nil:
		return err
	}
	if deep {
		f.deep = began
	}
	for _, id := range asked {
		if s := f.services[id]; s != nil && s.covered.IsZero() {
			s.covered = from
		}
	}
	return nil
}

// list lists the incidents of services that were not listed for a while, or of which an incident is known by its id
// alone; of a service that is new also those that stood open before.
func (f *SharedFeed) list(ctx context.Context, began time.Time) error {
	bare := map[string]bool{}
	for _, in := range f.known {
		bare[in.Service] = bare[in.Service] || in.bare
	}
	var fresh, again []string
	for id, s := range f.services {
		switch {
		case s.listed.IsZero():
			fresh = append(fresh, id)
		case began.Sub(s.listed) >= feedRelist, bare[id], f.crowded.After(began):
			again = append(again, id)
		}
	}
	for _, chunk := range slices.Collect(slices.Chunk(fresh, feedServices)) {
		open := url.Values{"statuses[]": {"triggered", "acknowledged"}, "date_range": {"all"}}
		if err := f.listed(ctx, chunk, open); err != nil {
			return err
		}
		if err := f.listRecent(ctx, chunk, began); err != nil {
			return err
		}
	}
	for _, chunk := range slices.Collect(slices.Chunk(again, feedServices)) {
		if err := f.listRecent(ctx, chunk, began); err != nil {
			return err
		}
	}
	return nil
}

// listRecent lists the incidents created since the earliest time that was asked for.
func (f *SharedFeed) listRecent(ctx context.Context, services []string, began time.Time) error {
	since := began
	for _, id := range services {
		if s := f.services[id]; s != nil && s.since.Before(since) {
			since = s.since
		}
	}
	from, _ := f.there(since)
	_, until := f.there(began.Add(pagerAttempt))
	if err := f.listed(ctx, services, url.Values{"since": {stamp(from)}, "until": {stamp(until)}}); err != nil {
		return err
	}
	for _, id := range services {
		if s := f.services[id]; s != nil {
			s.listed = began
		}
	}
	return nil
}

// listed takes in what one question lists.
func (f *SharedFeed) listed(ctx context.Context, services []string, q url.Values) error {
	q["service_ids[]"] = services
	var list []incidentJSON
	err := f.unlocked(func() (err error) {
		list, err = f.p.incidents(ctx, "list incidents", q)
		return err
	})
	if err != nil {
		return err
	}
	now := f.o.Now()
	for _, found := range list {
		if s := f.services[found.Service.ID]; s != nil {
			f.meet(found, now).relog(s.covered, f.crowded.After(now))
		}
	}
	return nil
}

// complete reads what the log does not tell: alerts of others' making, notes, and the past of incidents that are older
// than our looks. New incidents come first, for nobody is told of one whose alerts nobody has read.
func (f *SharedFeed) complete(ctx context.Context) error {
	now := f.o.Now()
	var todo []*knownIncident
	for _, in := range f.known {
		in.settle(now)
		if in.unread(f.notes != nil) {
			todo = append(todo, in)
		}
	}
	slices.SortFunc(todo, func(a, b *knownIncident) int {
		if a.told != b.told {
			if b.told {
				return -1
			}
			return 1
		}
		return a.asked.Compare(b.asked) // whoever has waited longest
	})
	for _, in := range todo {
		in.asked = now
		if err := f.read(ctx, in); err != nil {
			return err
		}
	}
	return nil
}

// read reads what is missing of one incident.
func (f *SharedFeed) read(ctx context.Context, in *knownIncident) error {
	if in.alertless {
		found, mark := in.found, in.found.mark()
		var whole Incident
		err := f.unlocked(func() (err error) {
			whole, err = f.p.withAlerts(ctx, "read alerts", found)
			return err
		})
		if gone(err) {
			err = nil
		}
		if err != nil {
			return err
		}
		in.alerts(whole.Alerts, mark)
	}
	if in.logless {
		var entries []Entry
		err := f.unlocked(func() (err error) {
			entries, err = f.p.Log(ctx, in.ID)
			return err
		})
		if err != nil && !gone(err) {
			return err
		}
		in.logless = false
		for _, e := range entries {
			in.add(e)
		}
	}
	if in.noteless && f.notes != nil {
		var notes []IncidentNote
		at := f.o.Now()
		err := f.unlocked(func() (err error) {
			notes, err = f.notes(ctx, in.ID)
			return err
		})
		if err != nil && !gone(err) {
			return err
		}
		in.noteless, in.noted, in.notes = false, at, notes
	}
	return nil
}

// gone says that an incident is not there any more, or not for us.
func gone(err error) bool {
	var p *Problem
	return errors.As(err, &p) && (p.Status == http.StatusNotFound || p.Status == http.StatusForbidden)
}

// ownKey says that an alert is of a page of ours.
func ownKey(key string) bool { return strings.HasPrefix(key, "firedrill/") }
