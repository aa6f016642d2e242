package cmd

import (
	"context"
	"errors"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// looksFirst begins to look whether an earlier run has left something in place, side by side with the planning. What it
// returns waits for the answer: a leftover comes before whatever else the plan says, which may be its fault.
func (d *Deps) looksFirst(ctx context.Context, out *outside) func(v *drills.Preview, planned error) error {
	type answer struct {
		warn    []string
		refusal *drills.Refusal
	}
	told := make(chan answer, 1)
	go func() { // ends within ten seconds, or with ctx
		warn, refusal := d.first(ctx, out)
		told <- answer{warn, refusal}
	}()
	return func(v *drills.Preview, planned error) error {
		a := <-told
		if v != nil {
			v.Warn = append(v.Warn, a.warn...)
		}
		if a.refusal != nil {
			return a.refusal
		}
		return d.ratherSwept(ctx, out.env, planned)
	}
}

func (d *Deps) first(ctx context.Context, out *outside) ([]string, *drills.Refusal) {
	self, err := journal.Self()
	if err != nil {
		return nil, nil
	}
	w := &drills.Sweep{Steps: &drills.Steps{World: out.world, Env: out.env, Outcome: outcome}, Holder: self}
	if w.Store, err = d.reading(ctx); err != nil {
		return []string{"whether an earlier run has left something is unknown: " + err.Error()}, nil
	}
	defer w.Store.Close()
	return w.First(ctx)
}

// ratherSwept turns the next step of a refusal that names a run to recover, where this journal knows no such run.
func (d *Deps) ratherSwept(ctx context.Context, env *drills.Environment, err error) error {
	const step = "firedrill recover "
	var refusal *drills.Refusal
	if !errors.As(err, &refusal) || len(refusal.Try) <= len(step) || refusal.Try[:len(step)] != step {
		return err
	}
	store, lost := d.reading(ctx)
	if lost != nil {
		return err
	}
	defer store.Close()
	if events, lost := store.Load(ctx, refusal.Try[len(step):], journal.Start); lost == nil && len(events) == 0 {
		no := *refusal
		no.Try = "firedrill recover --sweep --env " + env.Name
		return &no
	}
	return err
}
