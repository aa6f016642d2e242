package drills

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// A run's lease: how long it lasts without a renewal, and how often it is renewed.
const (
	leaseTTL   = 15 * time.Second
	leaseRenew = 5 * time.Second
)

var errLeaseLost = errors.New("lease of the run could not be renewed in time")

// lease is this engine's hold on its run.
type lease struct {
	e  *Engine
	mu sync.Mutex
	l  journal.Lease
}

// take gets the run's lease now, or says who has it.
func (e *Engine) take(ctx context.Context, run string) (*lease, error) {
	l, err := e.Store.Take(ctx, journal.RunLease(run), run, e.Holder, leaseTTL, e.Clock.Now())
	if err != nil {
		return nil, err
	}
	return &lease{e: e, l: l}, nil
}

// await takes the run's lease as soon as it can be had: at once where its holder is dead, else when it has ended.
// A holder that renews it lives.
func (e *Engine) await(ctx context.Context, run string) (*lease, error) {
	if err := e.lapsed(ctx, run); err != nil {
		return nil, err
	}
	var first *journal.HeldError
	for {
		l, err := e.take(ctx, run)
		var held *journal.HeldError
		if !errors.As(err, &held) {
			return l, err
		}
		if first == nil {
			first = held
		}
		if held.Lease.Gen != first.Lease.Gen || held.Lease.Expires.After(first.Lease.Expires) ||
			journal.Alive(held.Lease.Holder, e.Holder) == journal.Living {
			return nil, held
		}
		if e.Waiting != nil {
			e.Waiting(held.Lease)
		}
		if err := e.Clock.Wait(ctx, time.Second); err != nil {
			return nil, fmt.Errorf("wait for %s: %w", held.Error(), err)
		}
	}
}

// skewed is how far the clocks of two machines may be apart without one taking the other's lease for ended.
const skewed = 2 * time.Minute

// lapsed looks twice at a lease that seems to have ended a short while ago: the clock that says so is ours, and a holder
// on another machine that renews it lives. Who is provably dead is not waited for.
func (e *Engine) lapsed(ctx context.Context, run string) error {
	l, now := e.leaseOf(ctx, run), e.Clock.Now()
	if l.Name == "" || now.Before(l.Expires) || now.Sub(l.Expires) >= skewed || journal.Alive(l.Holder, e.Holder) == journal.Dead {
		return nil
	}
	if e.Waiting != nil {
		e.Waiting(l)
	}
	if err := e.Clock.Wait(ctx, leaseRenew+time.Second); err != nil {
		return fmt.Errorf("look again at the lease of %s: %w", l.Holder, err)
	}
	if again := e.leaseOf(ctx, run); again.Name != "" && (again.Gen != l.Gen || again.Expires.After(l.Expires)) {
		return &journal.HeldError{Lease: again}
	}
	return nil
}

// leaseOf is the run's own lease as it stands; empty where there is none, or nobody can say.
func (e *Engine) leaseOf(ctx context.Context, run string) journal.Lease {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	leases, _ := e.Store.Held(ctx, run)
	for _, l := range leases {
		if l.Name == journal.RunLease(run) {
			return l
		}
	}
	return journal.Lease{}
}

func (l *lease) gen() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.l.Gen
}

// fresh renews the lease and says until when it holds.
func (l *lease) fresh(ctx context.Context) (time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	renewed, err := l.e.Store.Renew(ctx, l.l, leaseTTL, l.e.Clock.Now())
	if err != nil {
		return l.l.Expires, err
	}
	l.l = renewed
	return renewed.Expires, nil
}

// keep renews the lease until stop is called. The context it returns ends with the caller's, or when the lease is
// lost: to another engine at once, to a store that does not answer when it would have ended.
func (l *lease) keep(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done, stopped := make(chan struct{}), make(chan struct{})
	detached, quit := context.WithCancel(context.WithoutCancel(ctx))
	ticks := l.e.Clock.Every(detached, leaseRenew)
	go func() {
		defer close(stopped)
		defer func() {
			if r := recover(); r != nil {
				cancel(fmt.Errorf("%w: panic: %v", errLeaseLost, r))
			}
		}()
		for {
			select {
			case <-done:
				return
			case <-ticks:
			}
			until, err := l.fresh(detached)
			if errors.Is(err, journal.ErrStale) {
				cancel(err)
				return
			}
			if err != nil && !l.e.Clock.Now().Before(until) {
				cancel(fmt.Errorf("%w: %w", errLeaseLost, err))
				return
			}
		}
	}()
	return ctx, func() {
		close(done)
		quit()
		<-stopped
		cancel(nil)
	}
}

func (l *lease) release(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	return l.e.Store.Release(ctx, l.l)
}

// takeTargets takes every target for the run, in the given order, or none.
func (r *running) takeTargets(ctx context.Context, arns []string) error {
	var taken []journal.Lease
	for _, arn := range arns {
		l, err := r.takeTarget(ctx, arn)
		if err != nil {
			for _, t := range taken {
				err = errors.Join(err, r.Store.Release(context.WithoutCancel(ctx), t))
			}
			return err
		}
		taken = append(taken, l)
	}
	return nil
}

// takeTarget takes one target. A run that died between its last record and letting go has nothing in place any more:
// its lease is nobody's.
func (r *running) takeTarget(ctx context.Context, arn string) (journal.Lease, error) {
	l, err := r.Store.Take(ctx, arn, r.state.Run, r.Holder, leaseTTL, r.Clock.Now())
	var held *journal.HeldError
	if !errors.As(err, &held) {
		return l, err
	}
	if s, _, unread := r.read(ctx, held.Lease.Run); unread != nil || !s.over() {
		return l, err
	}
	if err := r.Store.Release(ctx, held.Lease); err != nil {
		return l, err
	}
	return r.Store.Take(ctx, arn, r.state.Run, r.Holder, leaseTTL, r.Clock.Now())
}

// Release lets go of all leases of a run that has ended with nothing in place.
func (e *Engine) Release(ctx context.Context, run string) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	leases, err := e.Store.Held(ctx, run)
	if err != nil {
		return fmt.Errorf("release leases of run %s: %w", run, err)
	}
	for _, l := range leases {
		err = errors.Join(err, e.Store.Release(ctx, l))
	}
	return err
}
