package inject_test

import (
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

// refused wants a kind to refuse parameters, in New or in Prepare, for a reason, and to have written nothing.
func (a *account) refused(kind, params, why string, later bool) {
	a.Helper()
	writes := a.writes()
	f, err := a.catalog()[kind].New(json.RawMessage(params))
	if err == nil {
		_, err = f.Prepare(a.Context(), testMark(), time.Now())
	}
	var no *inject.Refusal
	switch {
	case !errors.As(err, &no):
		a.Errorf("%s: %v, want a refusal", params, err)
	case !strings.Contains(no.Why, why) || no.Try == "" || no.Later != later:
		a.Errorf("%s: %q, later %v, try %q: want %q, later %v", params, no.Why, no.Later, no.Try, why, later)
	case !strings.HasPrefix(no.Error(), "not injecting: "):
		a.Errorf("%s: %q", params, no.Error())
	}
	if a.writes() != writes {
		a.Errorf("%s: refused, and wrote", params)
	}
}

func testMark() inject.Mark {
	return inject.Mark{Run: "01jd2222222222222222222222", Fault: "throttle", Until: time.Now().Add(time.Hour).Truncate(time.Second)}
}

func TestThrottleRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	a.onDemand("capped", &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(5)})
	for params, why := range map[string]string{
		`{"table":"orders"}`:                                  "neither writes nor reads",
		`{"writes":1}`:                                        "names no table",
		`{"table":"orders","writes":0}`:                       "below 1 unit",
		`{"table":"orders","writes":1,"load":"50"}`:           "is not a rate",
		`{"table":"orders","writes":1,"load":"5000/s"}`:       "is not a rate",
		`{"table":"orders","writes":50,"load":"50/s"}`:        "nothing would throttle",
		`{"table":"orders","writes":1,"index":"by-customer"}`: "unknown field",
		`{"table":"orders","writes":"one"}`:                   "writes is a string",
		`{"table":"orders","writes":1} {}`:                    "something follows",
		`{"table":"nowhere","writes":1}`:                      "there is no table nowhere",
		`{"table":"capped","writes":5}`:                       "already at 5",
		`{"table":"capped","writes":9}`:                       "already at 5",
	} {
		a.refused(inject.KindThrottle, params, why, false)
	}
}

func TestThrottleRefusesATableThatIsUpdating(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{UpdateDelay: 2 * time.Second})
	a.onDemand("orders", nil)
	_, err := a.responder().DynamoDB.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("orders"),
		OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: aws.Int64(9)}})
	must(t, 0, err)
	a.refused(inject.KindThrottle, `{"table":"orders","writes":1}`, "is UPDATING", true)
}

func TestThrottleRefusesWhenNoDecreaseIsLeft(t *testing.T) {
	t.Parallel()
	night := time.Now().UTC().Truncate(24 * time.Hour).Add(30 * time.Minute)
	began := time.Now()
	clock := func() time.Time { return night.Add(time.Since(began)) }
	a := newAccount(t, sandbox.Options{Now: clock})
	a.provisioned("stock", 100, 100)
	for n := int64(99); n > 95; n-- {
		a.capacity("stock", 100, n)
	}
	f, err := a.catalog()[inject.KindThrottle].New(json.RawMessage(`{"table":"stock","writes":1}`))
	_, err = must(t, f, err).Prepare(t.Context(), testMark(), clock())
	var no *inject.Refusal
	if !errors.As(err, &no) || !no.Later || !strings.Contains(no.Why, "no decrease of capacity left: 4 used today") {
		t.Errorf("prepared without a decrease left: %v", err)
	}
}

func TestThrottleRefusesCapacityOutsideItsBounds(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.provisioned("stock", 100, 100)
	a.scaled("stock", 50, 400, aastypes.SuspendedState{})
	a.capacity("stock", 100, 20)
	a.refused(inject.KindThrottle, `{"table":"stock","writes":1}`, "outside the 50 to 400", false)
}

func TestThrottleRefusesAGlobalTable(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	out, err := a.owner().DynamoDB.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
	global := *must(t, out, err).Table
	global.Replicas = []types.ReplicaDescription{{RegionName: aws.String("eu-central-1")}}
	if why := inject.RefuseTable(global); why == nil || !strings.Contains(why.Error(), "global table") {
		t.Errorf("took a global table: %v", why)
	}
	global.Replicas = nil
	global.GlobalSecondaryIndexes = []types.GlobalSecondaryIndexDescription{{IndexName: aws.String("by-customer"), IndexStatus: types.IndexStatusCreating}}
	if why := inject.RefuseTable(global); why == nil || !strings.Contains(why.Error(), "index by-customer of table orders is CREATING") {
		t.Errorf("took a table with an index being made: %v", why)
	}
}
