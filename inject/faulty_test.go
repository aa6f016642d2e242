package inject_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// faulty is a kind of fault on an account whose calls fail.
type faulty struct {
	kind   string
	params string
	state  func() string
}

func faultyWorlds() map[string]func(a *account) faulty {
	return map[string]func(a *account) faulty{
		"on-demand": func(a *account) faulty {
			a.onDemand("orders", nil)
			return faulty{inject.KindThrottle, `{"table":"orders","writes":1}`, a.config}
		},
		"provisioned": func(a *account) faulty {
			a.provisioned("stock", 100, 100)
			a.scaled("stock", 50, 400, aastypes.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)})
			return faulty{inject.KindThrottle, `{"table":"stock","writes":1}`, a.config}
		},
		"error": func(a *account) faulty {
			b := a.balancer()
			b.rule(10, "/users*")
			return faulty{inject.KindError, fmt.Sprintf(`{"listener":%q,"path":"/users*"}`, b.listener), b.state}
		},
		"deny": func(a *account) faulty {
			a.onDemand("orders", nil)
			return faulty{inject.KindDeny, `{"table":"orders","writes":true}`, a.config}
		},
		"stall": func(a *account) faulty {
			q := a.queues()
			q.attended()
			return faulty{inject.KindStall, `{"queue":"orders"}`, q.state}
		},
	}
}

// Whichever call of Stage or Apply fails, whether or not it took effect, one undo from the record of before puts
// everything back.
func TestWhicheverCallOfApplyFails(t *testing.T) {
	for name, world := range faultyWorlds() {
		for _, effect := range []string{"5xx", "deny", "partial"} {
			t.Run(name+" "+effect, func(t *testing.T) {
				t.Parallel()
				for nth := 1; ; nth++ {
					a := newAccount(t, sandbox.Options{UpdateDelay: 20 * time.Millisecond})
					w := world(a)
					before := w.state()
					_, f, u := a.prepared(w.kind, w.params)
					knob, err := a.cloud.Turn(sandbox.Knob{By: "firedrill", Nth: nth, Effect: effect})
					must(t, knob, err)
					stageAndApply(t.Context(), f, u)
					touched := a.cloud.KnobList()[0].Touched
					a.cloud.Release(knob)
					k := a.catalog()[w.kind]
					how, err := k.Revert(t.Context(), u)
					must(t, how, err)
					if ok, why, err := k.Settled(t.Context(), u); !ok || err != nil {
						t.Errorf("call %d: not settled after %s: %s %v", nth, how, why, err)
					}
					if w.state() != before {
						t.Fatalf("call %d: not as before after %s: %s", nth, how, w.state())
					}
					if touched == 0 {
						if nth < 4 {
							t.Errorf("only %d calls were tried", nth-1)
						}
						return
					}
				}
			})
		}
	}
}

func stageAndApply(ctx context.Context, f inject.Fault, u inject.Undo) {
	if s, ok := f.(inject.Staged); ok {
		staged, err := s.Stage(ctx, u)
		if err != nil {
			return
		}
		u = staged
	}
	_ = f.Apply(ctx, u)
}

// Whichever call of an undo fails, the next try comes to its end, and no try says that it was somebody else.
func TestWhicheverCallOfRevertFails(t *testing.T) {
	for name, world := range faultyWorlds() {
		for _, effect := range []string{"5xx", "deny", "partial"} {
			t.Run(name+" "+effect, func(t *testing.T) {
				t.Parallel()
				for nth := 1; ; nth++ {
					a := newAccount(t, sandbox.Options{UpdateDelay: 20 * time.Millisecond})
					w := world(a)
					before := w.state()
					k, f, u := a.prepared(w.kind, w.params)
					stageAndApply(t.Context(), f, u)
					knob, err := a.cloud.Turn(sandbox.Knob{By: "firedrill", Nth: nth, Effect: effect})
					must(t, knob, err)
					how, err := k.Revert(t.Context(), u)
					touched := a.cloud.KnobList()[0].Touched
					a.cloud.Release(knob)
					if err != nil {
						how, err = a.catalog()[w.kind].Revert(t.Context(), u)
						must(t, how, err)
					} else if how != inject.Restored {
						t.Errorf("call %d: %s", nth, how)
					}
					if how == inject.Diverged {
						t.Errorf("call %d: %s", nth, how)
					}
					if w.state() != before {
						t.Fatalf("call %d: not as before after %s: %s", nth, how, w.state())
					}
					if touched == 0 {
						if nth < 4 {
							t.Errorf("only %d calls were tried", nth-1)
						}
						return
					}
				}
			})
		}
	}
}

// A reader that is behind must not make an undo believe that all is well.
func TestUndoneWhileReadsAreBehind(t *testing.T) {
	for name, world := range faultyWorlds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, sandbox.Options{UpdateDelay: -1})
			w := world(a)
			before := w.state()
			k, f, u := a.prepared(w.kind, w.params)
			stageAndApply(t.Context(), f, u)
			knob, err := a.cloud.Turn(sandbox.Knob{By: "firedrill", Effect: "stale", DelayS: 0.2})
			must(t, knob, err)
			how, err := k.Revert(t.Context(), u)
			// A listing from before ModifyRule shows our rule inert: it is deleted all the same, as one never felt.
			if must(t, how, err) != inject.Restored && w.kind != inject.KindError || w.state() != before {
				t.Errorf("reverted: %s, %s", how, w.state())
			}
		})
	}
}
