package bench

import (
	"context"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/firedrill/firedrill/internal/killtest"
)

// The limits of putting back.
const (
	maxToRevert = time.Second
	maxRecover  = 2 * time.Second
)

// place is a sandbox in a process of its own, and the program that drills on it.
type place struct {
	killtest.Program
	stage killtest.Stage
}

func newPlace(t *testing.T) place {
	t.Helper()
	p := place{Program: killtest.Program{Path: program(t), State: t.TempDir()}}
	stage, box, err := p.Sandbox(t.Context(), "none")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Kill(); err != nil {
			t.Error(err)
		}
	})
	p.stage = stage
	return p
}

// felt starts a drill and returns when its fault is felt.
func (p place) felt(t *testing.T) *killtest.Process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var run *killtest.Process
	err := killtest.Until(ctx, func() (bool, error) {
		if run == nil || run.Ended() { // an alarm of the drill before may ring still
			var err error
			run, err = p.Start(ctx, "run", "orders-write-throttle", "--env", "sandbox")
			return false, err
		}
		return strings.Contains(run.Err.String(), "effective: "), nil
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, run.Err)
	}
	return run
}

// undoing are the calls by which a throttle is put back; its load is none of them.
func undoing(c killtest.Call) bool {
	return c.By == "firedrill" && c.Writes && c.Operation != "UpdateItem"
}

// From whatever ends a drill to the first call that puts something back.
func TestEndToFirstRevert(t *testing.T) {
	p := newPlace(t)
	for _, end := range []struct {
		name string
		do   func(t *testing.T, run *killtest.Process)
	}{
		{"signal", func(t *testing.T, run *killtest.Process) { ok(t, run.Signal(syscall.SIGTERM)) }},
		{"abort", func(t *testing.T, _ *killtest.Process) { p.verb(t, "abort") }},
		{"lever", func(t *testing.T, _ *killtest.Process) { p.verb(t, "halt", "--why", "bench", "--env", "sandbox") }},
		{"stop condition", func(t *testing.T, _ *killtest.Process) { p.ring(t) }},
	} {
		var took []time.Duration
		for range 3 {
			run := p.felt(t)
			began := time.Now()
			end.do(t, run)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			_, err := run.Wait(ctx)
			cancel()
			ok(t, err)
			took = append(took, p.first(t, began).Sub(began))
			if end.name == "lever" {
				p.verb(t, "halt", "--release", "--env", "sandbox")
			}
		}
		row(t, end.name+" to first revert call, the slowest of 3", milliseconds(slices.Max(took)), milliseconds(maxToRevert), "ms")
	}
}

// first is when the first call after began put something back.
func (p place) first(t *testing.T, began time.Time) time.Time {
	t.Helper()
	calls, err := p.stage.Calls(t.Context())
	ok(t, err)
	for _, c := range calls {
		if undoing(c) && c.At.After(began) {
			return c.At
		}
	}
	t.Fatal("nothing was put back")
	return began
}

func (p place) verb(t *testing.T, args ...string) {
	t.Helper()
	if pr, code, err := p.Run(t.Context(), args...); err != nil || code != 0 {
		t.Fatalf("firedrill %s: exit %d, %v\n%s%s", strings.Join(args, " "), code, err, pr.Out, pr.Err)
	}
}

// ring sets the alarm of the drill's stop condition.
func (p place) ring(t *testing.T) {
	t.Helper()
	cfg, err := p.stage.AWS(t.Context())
	ok(t, err)
	_, err = cloudwatch.NewFromConfig(cfg).SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: aws.String("checkout-customers-hurt"), StateValue: types.StateValueAlarm, StateReason: aws.String("bench")})
	ok(t, err)
}

// The whole of recover, from exec to exit, less as many calls made bare as it makes: each the cheapest there is.
func TestRecoverOverItsCalls(t *testing.T) {
	p := newPlace(t)
	cfg, err := p.stage.AWS(t.Context())
	ok(t, err)
	identity := sts.NewFromConfig(cfg)
	var over []time.Duration
	for range 3 {
		ok(t, p.felt(t).Kill())
		before, err := p.stage.Calls(t.Context())
		ok(t, err)
		began := time.Now()
		p.verb(t, "recover")
		whole := time.Since(began)
		after, err := p.stage.Calls(t.Context())
		ok(t, err)
		made := len(after) - len(before)
		began = time.Now()
		for range made {
			_, err := identity.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			ok(t, err)
		}
		bare := time.Since(began)
		t.Logf("recover took %v, %d calls made bare %v", whole, made, bare)
		over = append(over, whole-bare)
	}
	row(t, "recover, over its calls made bare, slowest of 3", milliseconds(slices.Max(over)), milliseconds(maxRecover), "ms")
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
