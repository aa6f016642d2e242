package inject_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// Somebody changes the table between Apply's look and its write: theirs stands, and nothing of ours is written over it.
func TestThrottleComparesAgainTheMomentBefore(t *testing.T) {
	for name, change := range map[string]func(a *account){
		"capacity": func(a *account) { a.capacity("stock", 100, 300) },
		"mode": func(a *account) {
			a.update(&dynamodb.UpdateTableInput{TableName: aws.String("stock"), BillingMode: types.BillingModePayPerRequest})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, sandbox.Options{})
			a.provisioned("stock", 100, 100)
			k, f, u := a.prepared(inject.KindThrottle, `{"table":"stock","writes":1}`)
			id, err := a.cloud.Turn(sandbox.Knob{Operation: "TagResource", By: "firedrill", Effect: "hold", When: "after", Nth: 1})
			must(t, id, err)
			applied := make(chan error, 1)
			go func() { applied <- f.Apply(t.Context(), u) }()
			for a.cloud.KnobList()[0].State != "holding" {
				pauseTest(a)
			}
			change(a)
			theirs := a.table("stock")
			a.cloud.Release(id)
			var definite *inject.Definite
			if err := <-applied; !errors.As(err, &definite) {
				t.Errorf("applied: %v", err)
			}
			how, err := k.Revert(t.Context(), u)
			if must(t, how, err) != inject.Diverged {
				t.Errorf("reverted: %s", how)
			}
			now := a.table("stock")
			if *now.ProvisionedThroughput.WriteCapacityUnits != *theirs.ProvisionedThroughput.WriteCapacityUnits || now.OnDemandThroughput != nil {
				t.Errorf("writes %d, on-demand %+v", *now.ProvisionedThroughput.WriteCapacityUnits, now.OnDemandThroughput)
			}
			ok, why, err := k.Settled(t.Context(), u)
			if !must(t, ok, err) {
				t.Errorf("not settled: %s", why)
			}
		})
	}
}
