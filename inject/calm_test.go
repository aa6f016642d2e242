package inject_test

import (
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamotypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// calm asks a fault what moves around its target.
func (a *account) calm(kind, params string, target inject.Target) inject.Unrest {
	a.Helper()
	f, err := a.catalog()[kind].New([]byte(params))
	u, err := must(a, f, err).(inject.Calmer).Calm(a.Context(), target)
	return must(a, u, err)
}

// moves are what moves at the moment, in words.
func moves(u inject.Unrest) string {
	var now []string
	for _, m := range u.Moves {
		if m.At.IsZero() {
			now = append(now, m.What)
		}
	}
	return strings.Join(now, "; ")
}

// A deploy behind a load balancer shows in targets that join and leave, whoever deploys.
func TestTargetsThatMoveAreADeploy(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{TargetSettling: time.Hour}).balancer()
	params, target := `{"listener":"`+b.listener+`","path":"/users*"}`, inject.Target{ARN: b.listener}
	if u := b.calm(inject.KindError, params, target); len(u.Moves) > 0 || len(u.Around) != 2 || u.Around[0] != b.arn || u.Around[1] != b.group {
		t.Errorf("at rest: %+v", u)
	}
	second := httptest.NewServer(nil)
	t.Cleanup(second.Close)
	where, _ := url.Parse(second.URL)
	n, _ := strconv.Atoi(where.Port())
	api := elb.NewFromConfig(b.owner().Config)
	targets := []types.TargetDescription{{Id: aws.String("127.0.0.1"), Port: aws.Int32(int32(n))}}
	_, err := api.RegisterTargets(t.Context(), &elb.RegisterTargetsInput{TargetGroupArn: &b.group, Targets: targets})
	must(t, 0, err)
	if got := moves(b.calm(inject.KindError, params, target)); !strings.Contains(got, "orders-api is being deployed to, or scaled: 1 of its targets are being registered (initial)") {
		t.Errorf("one joins: %q", got)
	}
	_, err = api.DeregisterTargets(t.Context(), &elb.DeregisterTargetsInput{TargetGroupArn: &b.group, Targets: targets})
	must(t, 0, err)
	if got := moves(b.calm(inject.KindError, params, target)); !strings.Contains(got, "1 of its targets are draining") {
		t.Errorf("one leaves: %q", got)
	}
	id, err := b.cloud.Turn(sandbox.Knob{Service: "elasticloadbalancing", Operation: "DescribeTargetHealth", Effect: "deny"})
	must(t, id, err)
	if u := b.calm(inject.KindError, params, target); len(u.Moves) > 0 || len(u.Unseen) != 1 || !strings.Contains(u.Unseen[0], "health of target group orders-api") {
		t.Errorf("it may not look: %+v", u)
	}
}

// A table tells of what is done to it now, and when its capacity was last changed.
func TestATableTellsOfItsChanges(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{UpdateDelay: 300 * time.Millisecond})
	api := dynamodb.NewFromConfig(a.owner().Config)
	made, err := api.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: aws.String("stock"), BillingMode: dynamotypes.BillingModeProvisioned,
		ProvisionedThroughput: &dynamotypes.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(10), WriteCapacityUnits: aws.Int64(10)},
		AttributeDefinitions:  []dynamotypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamotypes.ScalarAttributeTypeS}},
		KeySchema:             []dynamotypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamotypes.KeyTypeHash}}})
	target := inject.Target{ARN: *must(t, made, err).TableDescription.TableArn}
	for kind, params := range map[string]string{inject.KindThrottle: `{"table":"stock","writes":1}`, inject.KindDeny: `{"table":"stock","writes":true}`} {
		if got := moves(a.calm(kind, params, target)); got != "table stock is CREATING" {
			t.Errorf("%s: %q", kind, got)
		}
	}
	still := func() inject.Unrest {
		for end := time.Now().Add(5 * time.Second); time.Now().Before(end); pauseTest(a) {
			if u := a.calm(inject.KindThrottle, `{"table":"stock","writes":1}`, target); moves(u) == "" {
				return u
			}
		}
		t.Fatal("it never rests")
		return inject.Unrest{}
	}
	if u := still(); len(u.Moves) != 0 {
		t.Errorf("made: %+v", u)
	}
	_, err = api.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("stock"),
		ProvisionedThroughput: &dynamotypes.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(10), WriteCapacityUnits: aws.Int64(5)}})
	must(t, 0, err)
	if u := still(); len(u.Moves) != 1 || u.Moves[0].What != "capacity of table stock was lowered" || time.Since(u.Moves[0].At) > time.Minute {
		t.Errorf("lowered: %+v", u)
	}
}

// A consumer that is being changed shows in its event source mapping.
func TestAConsumerThatIsBeingChanged(t *testing.T) {
	t.Parallel()
	const queue = "arn:aws:sqs:eu-west-1:111122223333:orders"
	mapping := sandbox.Mapping{UUID: "u", EventSourceArn: queue, FunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:orders", State: "Updating", BatchSize: 1}
	changed := mapping
	changed.State, changed.LastModified, changed.FunctionArn = "Enabled", float64(time.Now().Unix()), "arn:aws:lambda:eu-west-1:111122223333:function:other"
	a := newAccount(t, sandbox.Options{Mappings: []sandbox.Mapping{mapping, changed}})
	_, err := sqs.NewFromConfig(a.owner().Config).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("orders")})
	must(t, 0, err)
	for kind, params := range map[string]string{inject.KindPoison: `{"queue":"orders"}`, inject.KindStall: `{"queue":"orders"}`} {
		u := a.calm(kind, params, inject.Target{ARN: queue})
		if moves(u) != "function orders as the consumer of queue orders is updating" || len(u.Moves) != 2 || time.Since(u.Moves[1].At) > time.Minute {
			t.Errorf("%s: %+v", kind, u)
		}
	}
}
