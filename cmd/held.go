package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// ratherHeld looks behind a refusal: a target that is not as a fault wants it is often one that another run has changed
// and not put back. Then the way on is to put that back, not to change the drill.
func (d *Deps) ratherHeld(ctx context.Context, spec *drills.Spec, err error) error {
	var refusal *drills.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	store, lost := d.reading(ctx)
	if lost != nil {
		return err // the refusal stands
	}
	defer store.Close()
	leases, lost := store.Held(ctx, "")
	if lost != nil {
		return err
	}
	for _, l := range leases {
		if l.Name != journal.RunLease(l.Run) && names(spec, l.Name) {
			return &drills.Refusal{Code: "lease", Later: true, Try: "firedrill recover " + l.Run, Waits: "that run has ended",
				Why: fmt.Sprintf("%s belongs to run %s, which has not ended (%s)", l.Name, l.Run, l.Holder)}
		}
	}
	return err
}

// lever reads an environment's safety lever from the journal; where there is none it is not pulled.
func (d *Deps) lever(ctx context.Context, environment string) (drills.Lever, error) {
	store, err := d.reading(ctx)
	if err != nil {
		return drills.Lever{}, err
	}
	defer store.Close()
	return drills.ReadLever(ctx, store, environment, d.Now())
}

// record asks the journal what a plan cannot see: how the drill's last undo went.
func (d *Deps) record(ctx context.Context, p *drills.Plan) error {
	store, err := d.reading(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if r := drills.CheckLast(ctx, store, p); r != nil {
		return r
	}
	return nil
}

// names says whether a fault's parameters name the thing of an ARN: by the ARN, or by its last word, as tables and
// queues are named.
func names(spec *drills.Spec, arn string) bool {
	for _, f := range spec.Faults {
		var params map[string]any
		if json.Unmarshal(f.Params, &params) != nil {
			continue
		}
		for _, v := range params {
			if s, ok := v.(string); ok && s != "" && (s == arn || last(s) == last(arn)) {
				return true
			}
		}
	}
	return false
}

func last(s string) string { return s[strings.LastIndexAny(s, ":/")+1:] }
