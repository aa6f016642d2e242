package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Joined reads several stores as one, and writes to each run where the run is: a person who asks for a run need not know
// which journal it stands in. It is safe for use by many goroutines.
type Joined struct {
	stores []Store
	home   func(run string) Store

	mu    sync.Mutex
	where map[string]Store
}

var _ Store = (*Joined)(nil)

// Join joins stores; home says which of them a run (or a lever) belongs to that stands in none yet.
func Join(home func(run string) Store, stores ...Store) *Joined {
	return &Joined{stores: stores, home: home, where: map[string]Store{}}
}

// Append is Store's.
func (j *Joined) Append(ctx context.Context, run string, after int64, gen int, b Batch) error {
	s, err := j.of(ctx, run)
	if err != nil {
		return err
	}
	return s.Append(ctx, run, after, gen, b)
}

// Load is Store's.
func (j *Joined) Load(ctx context.Context, run string, after int64) ([]Event, error) {
	s, err := j.of(ctx, run)
	if err != nil {
		return nil, err
	}
	return s.Load(ctx, run, after)
}

// Runs is Store's. Where a run is asked for by its id, one store that has it is enough; else every store must answer:
// a list with holes would say of what is in place that it is not. What was read comes with the error, for who puts back.
func (j *Joined) Runs(ctx context.Context, f Filter) ([]Summary, error) {
	var out []Summary
	var missed error
	for _, s := range j.stores {
		runs, err := s.Runs(ctx, f)
		missed = errors.Join(missed, err)
		for _, r := range runs {
			j.found(r.Run, s)
		}
		out = append(out, runs...)
	}
	if missed != nil && (f.Prefix == "" || len(out) == 0) {
		return out, missed
	}
	slices.SortFunc(out, func(a, b Summary) int {
		return cmp.Or(b.Planned.Compare(a.Planned), cmp.Compare(b.Run, a.Run))
	})
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[:f.Limit]
	}
	return out, nil
}

// of is the store that a run stands in.
func (j *Joined) of(ctx context.Context, run string) (Store, error) {
	if isLever(run) || len(j.stores) == 1 {
		return j.home(run), nil
	}
	j.mu.Lock()
	s := j.where[run]
	j.mu.Unlock()
	if s != nil {
		return s, nil
	}
	var missed error
	for _, s := range j.stores {
		events, err := s.Load(ctx, run, Start)
		missed = errors.Join(missed, err)
		if len(events) > 0 {
			return j.found(run, s), nil
		}
	}
	if missed != nil {
		return nil, fmt.Errorf("find run %s: %w", run, missed)
	}
	return j.home(run), nil
}

func (j *Joined) found(run string, s Store) Store {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.where[run] = s
	return s
}

// Take is Leases'.
func (j *Joined) Take(ctx context.Context, name, run string, h Holder, ttl time.Duration, now time.Time) (Lease, error) { //nolint:revive // a claim, spelled out by the contract
	s, err := j.of(ctx, run)
	if err != nil {
		return Lease{}, err
	}
	return s.Take(ctx, name, run, h, ttl, now)
}

// Renew is Leases'.
func (j *Joined) Renew(ctx context.Context, l Lease, ttl time.Duration, now time.Time) (Lease, error) {
	s, err := j.of(ctx, l.Run)
	if err != nil {
		return Lease{}, err
	}
	return s.Renew(ctx, l, ttl, now)
}

// Release is Leases'.
func (j *Joined) Release(ctx context.Context, l Lease) error {
	s, err := j.of(ctx, l.Run)
	if err != nil {
		return err
	}
	return s.Release(ctx, l)
}

// Held is Leases'. All leases are those of every store.
func (j *Joined) Held(ctx context.Context, run string) ([]Lease, error) {
	if run != "" {
		s, err := j.of(ctx, run)
		if err != nil {
			return nil, err
		}
		return s.Held(ctx, run)
	}
	var out []Lease
	for _, s := range j.stores {
		leases, err := s.Held(ctx, "")
		if err != nil {
			return nil, err
		}
		out = append(out, leases...)
	}
	slices.SortFunc(out, func(a, b Lease) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// Close closes them all.
func (j *Joined) Close() (err error) {
	for _, s := range j.stores {
		err = errors.Join(err, s.Close())
	}
	return err
}
