package inject_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// Who may not read tags can still compare the table with the record: it goes back, and the error is told.
func TestThrottleIsTakenBackThoughTagsMayNotBeRead(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.provisioned("stock", 100, 100)
	before := a.config()
	k, f, u := a.prepared(inject.KindThrottle, `{"table":"stock","writes":1}`)
	must(t, 0, f.Apply(t.Context(), u))
	id, err := a.cloud.Turn(sandbox.Knob{Operation: "ListTagsOfResource", By: "firedrill", Effect: "deny"})
	must(t, id, err)
	if how, err := k.Revert(t.Context(), u); err == nil {
		t.Errorf("reverted without a word: %s", how)
	}
	if n := *a.table("stock").ProvisionedThroughput.WriteCapacityUnits; n != 100 {
		t.Errorf("writes are %d, were 100", n)
	}
	a.cloud.Release(id)
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored || a.config() != before {
		t.Errorf("reverted: %s, %s", how, a.config())
	}
}

// Nothing may be written into the tags, and the table is slow: the second try still says that it was us.
func TestThrottleCreditsItselfWithoutTags(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{UpdateDelay: 800 * time.Millisecond})
	a.provisioned("stock", 100, 100)
	_, f, u := a.prepared(inject.KindThrottle, `{"table":"stock","writes":1}`)
	must(t, 0, f.Apply(t.Context(), u))
	a.awaitTable("stock")
	id, err := a.cloud.Turn(sandbox.Knob{Operation: "TagResource", By: "firedrill", Effect: "deny"})
	must(t, id, err)
	pace := inject.SandboxTiming()
	pace.Patience = 100 * time.Millisecond
	k := inject.NewCatalog(a.clients("AKIAFIREDRILL00000"), inject.CatalogOptions{Timing: pace})[inject.KindThrottle]
	if how, err := k.Revert(t.Context(), u); err == nil {
		t.Errorf("reverted before the table was: %s", how)
	}
	a.awaitTable("stock")
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored {
		t.Errorf("reverted: %s, and nobody but us touched it", how)
	}
}

// Auto scaling outlives its table: a table made anew must not find it suspended by us.
func TestThrottleResumesScalingOfATableMadeAnew(t *testing.T) {
	t.Parallel()
	for _, anew := range []bool{true, false} {
		a := newAccount(t, sandbox.Options{})
		a.provisioned("stock", 100, 100)
		a.scaled("stock", 50, 400, aastypes.SuspendedState{})
		k, f, u := a.prepared(inject.KindThrottle, `{"table":"stock","writes":1}`)
		must(t, 0, f.Apply(t.Context(), u))
		a.awaitTable("stock")
		_, err := a.responder().DynamoDB.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("stock")})
		for ; err == nil; _, err = a.owner().DynamoDB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("stock")}) {
			pauseTest(a)
		}
		if anew {
			a.provisioned("stock", 100, 100)
			ok, why, err := k.Settled(t.Context(), u)
			if must(t, ok, err) || why == "" {
				t.Errorf("settled while auto scaling is suspended: %q", why)
			}
		}
		how, err := k.Revert(t.Context(), u)
		if must(t, how, err) != inject.Diverged {
			t.Errorf("made anew %v: reverted: %s", anew, how)
		}
		ok, why, err := k.Settled(t.Context(), u)
		if !must(t, ok, err) || why == "" {
			t.Errorf("made anew %v: settled %v (%s)", anew, ok, why)
		}
	}
}
