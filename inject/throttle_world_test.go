package inject_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// prepared makes a fault and its undo.
func (a *account) prepared(kind, params string) (inject.Kind, inject.Fault, inject.Undo) {
	a.Helper()
	k := a.catalog()[kind]
	f, err := k.New(json.RawMessage(params))
	u, err := must(a, f, err).Prepare(a.Context(), testMark(), time.Now())
	return k, f, must(a, u, err)
}

// order lists the operations of firedrill's writes since a call.
func (a *account) order(since int) []string {
	var ops []string
	for _, c := range a.cloud.CallLog() {
		if c.N > since && c.By == "firedrill" && c.Writes {
			ops = append(ops, c.Operation)
		}
	}
	return ops
}

func (a *account) lastCall() int {
	log := a.cloud.CallLog()
	return log[len(log)-1].N
}

func TestThrottleSuspendsScalingFirstAndResumesItLast(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.provisioned("stock", 100, 100)
	a.scaled("stock", 50, 400, aastypes.SuspendedState{})
	before := a.config()
	k, f, u := a.prepared(inject.KindThrottle, `{"table":"stock","writes":1}`)
	start := a.lastCall()
	must(t, 0, f.Apply(t.Context(), u))
	if got := strings.Join(a.order(start), " "); got != "TagResource RegisterScalableTarget UpdateTable TagResource" {
		t.Errorf("applied by %s", got)
	}
	start = a.lastCall()
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored {
		t.Errorf("reverted: %s", how)
	}
	if got := strings.Join(a.order(start), " "); got != "TagResource UpdateTable RegisterScalableTarget UntagResource" {
		t.Errorf("put back by %s", got)
	}
	if a.config() != before {
		t.Errorf("not as before: %s", a.config())
	}
}

func TestThrottleKeepsAResponsersReads(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.provisioned("stock", 100, 100)
	k, f, u := a.prepared(inject.KindThrottle, `{"table":"stock","writes":1}`)
	must(t, 0, f.Apply(t.Context(), u))
	a.capacity("stock", 333, 1)
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored {
		t.Errorf("reverted: %s", how)
	}
	if p := a.table("stock").ProvisionedThroughput; *p.ReadCapacityUnits != 333 || *p.WriteCapacityUnits != 100 {
		t.Errorf("reads %d writes %d, want 333 and 100", *p.ReadCapacityUnits, *p.WriteCapacityUnits)
	}
}

func TestThrottleSaysWhatDiverged(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.provisioned("stock", 100, 100)
	k, f, u := a.prepared(inject.KindThrottle, `{"table":"stock","writes":1,"reads":1}`)
	must(t, 0, f.Apply(t.Context(), u))
	a.update(&dynamodb.UpdateTableInput{TableName: aws.String("stock"), BillingMode: types.BillingModePayPerRequest})
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Diverged {
		t.Errorf("reverted: %s", how)
	}
	ok, why, err := k.Settled(t.Context(), u)
	if !must(t, ok, err) || !strings.Contains(why, "the table is on-demand now, was provisioned") {
		t.Errorf("settled %v: %q", ok, why)
	}
}

// A process sleeps through the recovery of its run and wakes in another run on the same table: what stands there is
// that run's. A mark whose time is over protects nothing.
func TestThrottleLeavesAnotherRunsFaultAlone(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{true, false} {
		a := newAccount(t, sandbox.Options{})
		a.provisioned("stock", 100, 100)
		a.scaled("stock", 50, 400, aastypes.SuspendedState{})
		k, f, u := a.prepared(inject.KindThrottle, `{"table":"stock","writes":1}`)
		must(t, 0, f.Apply(t.Context(), u))
		how, err := k.Revert(t.Context(), u)
		must(t, how, err)
		other := testMark()
		other.Run = "01jd3333333333333333333333"
		theirs, err := f.Prepare(t.Context(), other, time.Now())
		must(t, 0, err)
		if !on {
			theirs.Mark.Until = time.Now().Add(-time.Minute)
		}
		must(t, 0, f.Apply(t.Context(), theirs))
		config, start := a.config(), a.lastCall()
		how, err = k.Revert(t.Context(), u)
		must(t, how, err)
		ok, why, err := k.Settled(t.Context(), u)
		must(t, ok, err)
		if on && (how != inject.Diverged || !ok || !strings.Contains(why, other.Run) || len(a.order(start)) > 0 || a.config() != config) {
			t.Errorf("reverted: %s, settled %v (%s), writes %v", how, ok, why, a.order(start))
		}
		if !on && (!ok || *a.table("stock").ProvisionedThroughput.WriteCapacityUnits != 100) {
			t.Errorf("left over: %s, settled %v (%s)", how, ok, why)
		}
		if how, err = k.Revert(t.Context(), theirs); on && must(t, how, err) != inject.Restored {
			t.Errorf("their own undo: %s", how)
		}
	}
}

func TestThrottleOfATableThatVanished(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	k, f, u := a.prepared(inject.KindThrottle, `{"table":"orders","writes":1}`)
	_, err := a.responder().DynamoDB.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("orders")})
	must(t, 0, err)
	for {
		if _, _, err = k.Identity(t.Context(), u.Target); errors.Is(err, inject.ErrGone) {
			break
		}
		pauseTest(a)
	}
	var definite *inject.Definite
	if err := f.Apply(t.Context(), u); !errors.As(err, &definite) {
		t.Errorf("applied to nothing: %v", err)
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Diverged {
		t.Errorf("reverted: %s", how)
	}
	ok, why, err := k.Settled(t.Context(), u)
	if !must(t, ok, err) || !strings.Contains(why, "gone") {
		t.Errorf("settled %v: %q", ok, why)
	}
}

func TestThrottleNeverTouchesAnotherAccountsTable(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	k, f, u := a.prepared(inject.KindThrottle, `{"table":"orders","writes":1}`)
	u.Target.ARN = strings.Replace(u.Target.ARN, "111122223333", "999988887777", 1)
	if err := f.Apply(t.Context(), u); err == nil {
		t.Error("applied")
	}
	if how, err := k.Revert(t.Context(), u); err == nil {
		t.Errorf("reverted: %s", how)
	}
	if n := a.writes(); n != 0 {
		t.Errorf("%d writes", n)
	}
}

// A call that times out may land later: it is no definite no. One that the service refused is.
func TestThrottleTellsNoFromNoAnswer(t *testing.T) {
	t.Parallel()
	for effect, want := range map[string]bool{"deny": true, "throttle": true, "5xx": false, "partial": false} {
		a := newAccount(t, sandbox.Options{})
		a.onDemand("orders", nil)
		before := a.config()
		k, f, u := a.prepared(inject.KindThrottle, `{"table":"orders","writes":1}`)
		id, err := a.cloud.Turn(sandbox.Knob{Service: "dynamodb", Operation: "UpdateTable", By: "firedrill", Effect: effect})
		must(t, id, err)
		start := a.lastCall()
		err = f.Apply(t.Context(), u)
		var definite *inject.Definite
		if err == nil || errors.As(err, &definite) != want {
			t.Errorf("%s: definite %v, want %v: %v", effect, !want, want, err)
		}
		if got := strings.Join(a.order(start), " "); got != "TagResource UpdateTable" {
			t.Errorf("%s: issued %s", effect, got)
		}
		a.cloud.Release(id)
		if _, err := k.Revert(t.Context(), u); err != nil {
			t.Errorf("%s: %v", effect, err)
		}
		if a.config() != before {
			t.Errorf("%s: not as before: %s", effect, a.config())
		}
	}
}

// The change is held on its way, the undo finds nothing, the change lands, and the undo is asked again.
func TestThrottleThatLandsLate(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	before := a.config()
	k, f, u := a.prepared(inject.KindThrottle, `{"table":"orders","writes":1}`)
	id, err := a.cloud.Turn(sandbox.Knob{Service: "dynamodb", Operation: "UpdateTable", By: "firedrill", Effect: "hold", When: "before"})
	must(t, id, err)
	ctx, cancel := context.WithCancel(t.Context())
	applied := make(chan error, 1)
	go func() { applied <- f.Apply(ctx, u) }()
	for len(a.cloud.KnobList()[0].Holding) == 0 {
		pauseTest(a)
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.NeverApplied || a.config() != before {
		t.Errorf("reverted: %s, %s", how, a.config())
	}
	cancel()
	if err := <-applied; err == nil {
		t.Error("applied on a context that had ended")
	}
	a.cloud.Release(id)
	for m := a.table("orders").OnDemandThroughput; m == nil || m.MaxWriteRequestUnits == nil || *m.MaxWriteRequestUnits != 1; m = a.table("orders").OnDemandThroughput {
		pauseTest(a)
	}
	how, err = a.catalog()[inject.KindThrottle].Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored || a.config() != before {
		t.Errorf("reverted again: %s, %s", how, a.config())
	}
}

func TestThrottleUndoBrokenOffStillSaysItWasUs(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	before := a.config()
	k, f, u := a.prepared(inject.KindThrottle, `{"table":"orders","writes":1}`)
	must(t, 0, f.Apply(t.Context(), u))
	id, err := a.cloud.Turn(sandbox.Knob{Service: "dynamodb", Operation: "UpdateTable", By: "firedrill", Effect: "partial"})
	must(t, id, err)
	a.awaitTable("orders")
	if how, err := k.Revert(t.Context(), u); err == nil {
		t.Errorf("a lost answer, and reverted: %s", how)
	}
	a.cloud.Release(id)
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored || a.config() != before {
		t.Errorf("reverted: %s, %s", how, a.config())
	}
}
