//go:build crashpoints

package cmd

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// planted builds crash points and panics into a run, as two variables say:
//
//	FIREDRILL_CRASHPOINT  before:7, after:apply/throttle/0, before:take#2, after:release#1: this process kills itself
//	                      right before or after that append (counted from 1, or by its action), or that taking or
//	                      letting go of a lease
//	FIREDRILL_PANIC       apply, fault, revert, probe, pager or renderer, and :n for its first n calls only: that panics
func (d *Deps) planted(store journal.Store, out *outside, watch func([]journal.Event)) (journal.Store, func([]journal.Event)) {
	s := &crashStore{Store: store}
	s.when, s.point, _ = strings.Cut(d.Getenv("FIREDRILL_CRASHPOINT"), ":")
	return s, s.burst(d.Getenv("FIREDRILL_PANIC"), out, watch)
}

// crashStore is the journal with a point at which the process dies.
type crashStore struct {
	journal.Store
	when, point string

	mu      sync.Mutex
	count   map[string]int
	applied bool // a fault is in place
}

// around does one thing between its two points.
func (s *crashStore) around(kind, name string, do func() error) error {
	s.mu.Lock()
	if s.count == nil {
		s.count = map[string]int{}
	}
	s.count[kind]++
	here := name != "" && s.point == name || s.point == kind+"#"+strconv.Itoa(s.count[kind]) || kind == "append" && s.point == strconv.Itoa(s.count[kind])
	s.mu.Unlock()
	if here && s.when == "before" {
		die()
	}
	err := do()
	if here && s.when == "after" {
		die()
	}
	return err
}

// die ends the process as nothing can refuse.
func die() {
	_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {}
}

// Append is the journal's.
func (s *crashStore) Append(ctx context.Context, run string, after int64, gen int, b journal.Batch) error {
	err := s.around("append", b.Action, func() error { return s.Store.Append(ctx, run, after, gen, b) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = s.applied || slices.ContainsFunc(b.Events, func(e journal.Event) bool { return e.Kind == journal.FaultApplied })
	return err
}

// Take is the journal's.
func (s *crashStore) Take(ctx context.Context, name, run string, h journal.Holder, ttl time.Duration, now time.Time) (l journal.Lease, err error) {
	err = s.around("take", "", func() error { l, err = s.Store.Take(ctx, name, run, h, ttl, now); return err })
	return l, err
}

// Release is the journal's.
func (s *crashStore) Release(ctx context.Context, l journal.Lease) error {
	return s.around("release", "", func() error { return s.Store.Release(ctx, l) })
}

// burst makes one part of the program panic; what looks and tells does so only while a fault is in place.
func (s *crashStore) burst(plan string, out *outside, watch func([]journal.Event)) func([]journal.Event) {
	what, times, limited := strings.Cut(plan, ":")
	left, _ := strconv.Atoi(times)
	due := func(part string, anywhere bool) {
		s.mu.Lock()
		here := what == part && (s.applied || anywhere) && (!limited || left > 0)
		if here {
			left--
		}
		s.mu.Unlock()
		if here {
			panic("planted: " + part)
		}
	}
	w := &out.world
	probe := w.Probe
	w.Probe = func(spec observe.ProbeSpec) (observe.Probe, error) {
		due("probe", false)
		return probe(spec)
	}
	if w.Pager != nil {
		w.Pager = &burstingPager{Pager: w.Pager, due: due}
	}
	if w.Feed != nil {
		w.Feed = &burstingFeed{Feed: w.Feed, due: due}
	}
	for name, k := range w.Catalog {
		make, revert, account := k.New, k.Revert, k.Account
		k.New = func(params json.RawMessage) (inject.Fault, error) {
			due("fault", false)
			f, err := make(params)
			if what == "apply" && err == nil {
				return &burstingFault{Fault: f, due: due}, nil
			}
			return f, err
		}
		k.Revert = func(ctx context.Context, u inject.Undo) (inject.Outcome, error) {
			due("revert", true)
			return revert(ctx, u)
		}
		if account != nil {
			k.Account = func(ctx context.Context, u inject.Undo) (inject.Outcome, []inject.Item, error) {
				due("revert", true)
				return account(ctx, u)
			}
		}
		w.Catalog[name] = k
	}
	return func(events []journal.Event) {
		due("renderer", false)
		watch(events)
	}
}

// burstingPager panics whenever it is asked anything.
type burstingPager struct {
	observe.Pager
	due func(string, bool)
}

// Send is the pager's.
func (p *burstingPager) Send(ctx context.Context, key string, page observe.Page) error {
	p.due("pager", false)
	return p.Pager.Send(ctx, key, page)
}

// Incidents is the pager's.
func (p *burstingPager) Incidents(ctx context.Context, services []string, since time.Time) ([]observe.Incident, error) {
	p.due("pager", false)
	return p.Pager.Incidents(ctx, services, since)
}

// burstingFeed panics whenever it is looked at.
type burstingFeed struct {
	observe.Feed
	due func(string, bool)
}

// Look is the feed's.
func (f *burstingFeed) Look(ctx context.Context, services []string, since time.Time) (observe.Seen, error) {
	f.due("pager", false)
	return f.Feed.Look(ctx, services, since)
}

// burstingFault panics when it has changed the world and before it can say so.
type burstingFault struct {
	inject.Fault
	due func(string, bool)
}

// Apply is the fault's.
func (f *burstingFault) Apply(ctx context.Context, u inject.Undo) error {
	err := f.Fault.Apply(ctx, u)
	f.due("apply", true)
	return err
}

// Stage is the fault's, where it has one.
func (f *burstingFault) Stage(ctx context.Context, u inject.Undo) (inject.Undo, error) {
	if s, ok := f.Fault.(inject.Staged); ok {
		return s.Stage(ctx, u)
	}
	return u, nil
}

// LastResort is the fault's, where it has one.
func (f *burstingFault) LastResort(u inject.Undo) []inject.Call {
	if l, ok := f.Fault.(inject.LastResorter); ok {
		return l.LastResort(u)
	}
	return nil
}
