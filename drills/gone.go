package drills

import (
	"context"
	"errors"

	"github.com/firedrill/firedrill/inject"
)

// Gone is the catalog for a world that does not exist any more: a sandbox whose instance has ended took its faults
// along. There is nothing to put back, and nothing is asked.
func Gone(kinds inject.Catalog) inject.Catalog {
	gone := inject.Catalog{}
	for name, k := range kinds {
		gone[name] = inject.Kind{
			New:    k.New,
			Revert: func(context.Context, inject.Undo) (inject.Outcome, error) { return inject.AlreadyRestored, nil },
			Settled: func(context.Context, inject.Undo) (bool, string, error) {
				return true, "the sandbox it was in has ended", nil
			},
			Describe: k.Describe,
			Identity: func(context.Context, inject.Target) (string, map[string]string, error) {
				return "", nil, errors.New("the sandbox it was in has ended")
			},
		}
	}
	return gone
}

// GoneSwitch is the dead-man's switch of such a world: it is gone, too.
type GoneSwitch struct{}

// Arm cannot be.
func (GoneSwitch) Arm(context.Context, []inject.Schedule) error {
	return errors.New("the sandbox it was in has ended")
}

// Disarm is done.
func (GoneSwitch) Disarm(context.Context, inject.Mark, []string) error { return nil }
