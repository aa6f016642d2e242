package aws

import (
	"context"
	"errors"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

// testTables is an account with a still clock, and DynamoDB clients for callers.
type testTables struct {
	*testing.T
	cloud *Cloud
	clock *testClock
	url   string
	*dynamodb.Client
}

func newTestTables(t *testing.T, o Options) *testTables {
	t.Helper()
	clock := newTestClock()
	o.Now = clock.now
	o.Tick = time.Hour // tests call tick themselves
	c, url := testCloud(t, o)
	return &testTables{T: t, cloud: c, clock: clock, url: url, Client: dynamodb.NewFromConfig(testConfig(url, "firedrill"))}
}

// onDemand and provisioned make a table with the hash key id and wait for it.
func (t *testTables) onDemand(name string) {
	t.Helper()
	t.create(&dynamodb.CreateTableInput{TableName: &name, BillingMode: types.BillingModePayPerRequest})
}

func (t *testTables) provisioned(name string, read, write int64) {
	t.Helper()
	t.create(&dynamodb.CreateTableInput{TableName: &name, ProvisionedThroughput: throughput(read, write)})
}

func (t *testTables) create(in *dynamodb.CreateTableInput) {
	t.Helper()
	in.AttributeDefinitions = []types.AttributeDefinition{{AttributeName: awssdk.String("id"), AttributeType: types.ScalarAttributeTypeS}}
	in.KeySchema = []types.KeySchemaElement{{AttributeName: awssdk.String("id"), KeyType: types.KeyTypeHash}}
	if _, err := t.CreateTable(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	t.clock.move(time.Second)
}

func throughput(read, write int64) *types.ProvisionedThroughput {
	return &types.ProvisionedThroughput{ReadCapacityUnits: &read, WriteCapacityUnits: &write}
}

func (t *testTables) describe(name string) *types.TableDescription {
	t.Helper()
	out, err := t.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.Table
}

// lower changes provisioned capacity and waits until it is in force.
func (t *testTables) lower(name string, read, write int64) error {
	_, err := t.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &name, ProvisionedThroughput: throughput(read, write)})
	t.clock.move(time.Second)
	return err
}

// bound sets an on-demand table's maximum writes and waits until it is in force.
func (t *testTables) bound(name string, writes int64) error {
	_, err := t.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &name,
		OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: &writes}})
	t.clock.move(time.Second)
	return err
}

func (t *testTables) put(name, id string) error {
	_, err := t.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: id}}})
	return err
}

// passes counts how many of n writes get through.
func (t *testTables) passes(name string, n int) int {
	ok := 0
	for range n {
		if t.put(name, "x") == nil {
			ok++
		}
	}
	return ok
}

// code is the error code the SDK found.
func code(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestTablesAreUpdatingForAWhile(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.provisioned("stock", 100, 100)
	out, err := tt.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: awssdk.String("stock"), ProvisionedThroughput: throughput(100, 1)})
	if err != nil || out.TableDescription.TableStatus != types.TableStatusUpdating {
		t.Fatalf("update: %+v, %v", out, err)
	}
	if d := tt.describe("stock"); *d.ProvisionedThroughput.WriteCapacityUnits != 100 || d.TableStatus != types.TableStatusUpdating {
		t.Errorf("while updating: %d writes, %s; want the old 100", *d.ProvisionedThroughput.WriteCapacityUnits, d.TableStatus)
	}
	if err := tt.put("stock", "a"); err != nil {
		t.Errorf("an updating table is writable, but: %v", err)
	}
	_, err = tt.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: awssdk.String("stock"), ProvisionedThroughput: throughput(100, 100)})
	var busy *types.ResourceInUseException
	if !errors.As(err, &busy) {
		t.Errorf("second update: %v, want ResourceInUseException", err)
	}
	tt.clock.move(500 * time.Millisecond)
	if d := tt.describe("stock"); *d.ProvisionedThroughput.WriteCapacityUnits != 1 || d.TableStatus != types.TableStatusActive ||
		*d.ProvisionedThroughput.NumberOfDecreasesToday != 1 || d.ProvisionedThroughput.LastDecreaseDateTime == nil {
		t.Errorf("afterwards: %+v %s", d.ProvisionedThroughput, d.TableStatus)
	}
}

func TestTableLifeCycle(t *testing.T) {
	tt := newTestTables(t, Options{})
	name := awssdk.String("orders")
	tt.onDemand("orders")
	var missing *types.ResourceNotFoundException
	if _, err := tt.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: awssdk.String("none")}); !errors.As(err, &missing) {
		t.Errorf("describe an absent table: %v", err)
	}
	if l, err := tt.ListTables(t.Context(), nil); err != nil || len(l.TableNames) != 1 {
		t.Errorf("list: %+v, %v", l, err)
	}
	if d, err := tt.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: awssdk.String("arn:aws:dynamodb:eu-west-1:111122223333:table/orders")}); err != nil || *d.Table.TableName != "orders" {
		t.Errorf("describe by ARN: %+v, %v", d, err)
	}
	if _, err := tt.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: name}); err != nil {
		t.Fatal(err)
	}
	if d := tt.describe("orders"); d.TableStatus != types.TableStatusDeleting {
		t.Errorf("status %s, want DELETING", d.TableStatus)
	}
	tt.clock.move(time.Second)
	if _, err := tt.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: name}); !errors.As(err, &missing) {
		t.Errorf("a table that vanished: %v", err)
	}
}

func TestThrottlesByProvisionedCapacity(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.provisioned("stock", 10, 10)
	tt.clock.move(time.Minute)
	if got := tt.passes("stock", 50); got != 30 {
		t.Errorf("%d of 50 writes passed, want the bank of three seconds: 30", got)
	}
	err := tt.put("stock", "x")
	var e *types.ProvisionedThroughputExceededException
	if !errors.As(err, &e) || len(e.ThrottlingReasons) != 1 {
		t.Fatalf("throttled write: %v, want ProvisionedThroughputExceededException with a reason", err)
	}
	if r := e.ThrottlingReasons[0]; *r.Reason != "TableWriteProvisionedThroughputExceeded" || *r.Resource != "arn:aws:dynamodb:eu-west-1:111122223333:table/stock" {
		t.Errorf("reason %s of %s", *r.Reason, *r.Resource)
	}
	tt.clock.move(time.Second)
	if got := tt.passes("stock", 50); got != 10 {
		t.Errorf("%d of 50 writes passed a second later, want 10", got)
	}
	// Reading has a bucket of its own.
	if _, err := tt.GetItem(t.Context(), getX("stock")); err != nil {
		t.Errorf("read while writes are throttled: %v", err)
	}
}

func getX(table string) *dynamodb.GetItemInput {
	return &dynamodb.GetItemInput{TableName: &table, Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "x"}}}
}

func TestThrottlesReads(t *testing.T) {
	tt := newTestTables(t, Options{ProvisionedBurst: time.Second})
	tt.provisioned("stock", 2, 10)
	for range 4 { // half a unit each
		if _, err := tt.GetItem(t.Context(), getX("stock")); err != nil {
			t.Fatal(err)
		}
	}
	_, err := tt.GetItem(t.Context(), getX("stock"))
	var e *types.ProvisionedThroughputExceededException
	if !errors.As(err, &e) || *e.ThrottlingReasons[0].Reason != "TableReadProvisionedThroughputExceeded" {
		t.Errorf("fifth read: %v", err)
	}
}

func TestThrottlesByOnDemandMaximum(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	if got := tt.passes("orders", 300); got != 300 {
		t.Errorf("%d of 300 writes passed without a maximum", got)
	}
	if d := tt.describe("orders"); d.OnDemandThroughput != nil {
		t.Errorf("a maximum nobody set: %+v", d.OnDemandThroughput)
	}
	if err := tt.bound("orders", 1); err != nil {
		t.Fatal(err)
	}
	tt.clock.move(time.Second)
	if got := tt.passes("orders", 20); got != 1 {
		t.Errorf("%d of 20 writes passed at a maximum of 1 a second, want 1", got)
	}
	err := tt.put("orders", "x")
	var e *types.ThrottlingException
	if !errors.As(err, &e) || len(e.ThrottlingReasons) != 1 {
		t.Fatalf("throttled write: %v, want ThrottlingException with a reason", err)
	}
	if r := e.ThrottlingReasons[0]; *r.Reason != "TableWriteMaxOnDemandThroughputExceeded" || *r.Resource != "arn:aws:dynamodb:eu-west-1:111122223333:table/orders" {
		t.Errorf("reason %s of %s", *r.Reason, *r.Resource)
	}
	if err := tt.bound("orders", -1); err != nil {
		t.Fatal(err)
	}
	if got := tt.passes("orders", 100); got != 100 {
		t.Errorf("%d of 100 writes passed after -1", got)
	}
	if d := tt.describe("orders"); *d.OnDemandThroughput.MaxWriteRequestUnits != -1 {
		t.Errorf("after -1 the maximum is %d", *d.OnDemandThroughput.MaxWriteRequestUnits)
	}
}

// A load that leaves no trace fails its condition; it uses capacity all the same.
func TestFailedConditionsConsumeCapacity(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	if err := tt.bound("orders", 2); err != nil {
		t.Fatal(err)
	}
	var codes []string
	for range 3 {
		_, err := tt.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: awssdk.String("orders"),
			Key:                       map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: "absent"}},
			UpdateExpression:          awssdk.String("SET a = :a"),
			ConditionExpression:       awssdk.String("attribute_exists(id)"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":a": &types.AttributeValueMemberS{Value: "1"}}})
		codes = append(codes, code(err))
	}
	if codes[0] != "ConditionalCheckFailedException" || codes[1] != codes[0] || codes[2] != "ThrottlingException" {
		t.Errorf("three conditional writes at 2 a second: %v", codes)
	}
	if d := tt.describe("orders"); *d.ItemCount != 0 {
		t.Errorf("%d items left", *d.ItemCount)
	}
}

func TestUpdateTableRefusals(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.provisioned("stock", 10, 10)
	tt.onDemand("orders")
	one, none := int64(1), int64(0)
	cases := map[string]*dynamodb.UpdateTableInput{
		"same values":                  {TableName: awssdk.String("stock"), ProvisionedThroughput: throughput(10, 10)},
		"zero capacity":                {TableName: awssdk.String("stock"), ProvisionedThroughput: throughput(10, 0)},
		"over the quota":               {TableName: awssdk.String("stock"), ProvisionedThroughput: throughput(10, 40_001)},
		"maximum of provisioned":       {TableName: awssdk.String("stock"), OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: &one}},
		"capacity of on-demand":        {TableName: awssdk.String("orders"), ProvisionedThroughput: throughput(1, 1)},
		"maximum of zero":              {TableName: awssdk.String("orders"), OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: &none}},
		"no maximum to remove":         {TableName: awssdk.String("orders"), OnDemandThroughput: &types.OnDemandThroughput{MaxWriteRequestUnits: awssdk.Int64(-1)}},
		"nothing asked":                {TableName: awssdk.String("orders")},
		"provisioned without capacity": {TableName: awssdk.String("orders"), BillingMode: types.BillingModeProvisioned},
		"a mode that does not exist":   {TableName: awssdk.String("orders"), BillingMode: "FREE"},
	}
	for name, in := range cases {
		if _, err := tt.UpdateTable(t.Context(), in); code(err) != "ValidationException" {
			t.Errorf("%s: %v, want ValidationException", name, err)
		}
	}
	_, err := tt.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: awssdk.String("stock"),
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Delete: &types.DeleteGlobalSecondaryIndexAction{IndexName: awssdk.String("i")}}}})
	if code(err) != "SerializationException" {
		t.Errorf("what the sandbox does not do is refused, but: %v", err)
	}
}

func TestDecreasesAreLimited(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.provisioned("stock", 1000, 1000)
	for n := int64(1); n <= 4; n++ {
		if err := tt.lower("stock", 1000, 1000-n); err != nil {
			t.Fatalf("decrease %d: %v", n, err)
		}
	}
	var over *types.LimitExceededException
	if err := tt.lower("stock", 1000, 900); !errors.As(err, &over) {
		t.Errorf("fifth decrease: %v, want LimitExceededException", err)
	}
	if err := tt.lower("stock", 1000, 2000); err != nil {
		t.Errorf("increases are free, but: %v", err)
	}
	tt.clock.move(time.Hour)
	if err := tt.lower("stock", 1000, 900); err != nil {
		t.Errorf("an hour later one is allowed again, but: %v", err)
	}
	if err := tt.lower("stock", 1000, 800); !errors.As(err, &over) {
		t.Errorf("a second one in that hour: %v", err)
	}
	if d := tt.describe("stock"); *d.ProvisionedThroughput.NumberOfDecreasesToday != 5 {
		t.Errorf("%d decreases today, want 5", *d.ProvisionedThroughput.NumberOfDecreasesToday)
	}
	tt.clock.move(24 * time.Hour)
	if d := tt.describe("stock"); *d.ProvisionedThroughput.NumberOfDecreasesToday != 0 {
		t.Errorf("%d decreases on the next day", *d.ProvisionedThroughput.NumberOfDecreasesToday)
	}
}

func TestBillingModeSwitch(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.provisioned("stock", 5, 5)
	if d := tt.describe("stock"); d.BillingModeSummary != nil {
		t.Errorf("a table that never switched has a summary: %+v", d.BillingModeSummary)
	}
	toOnDemand := func() error {
		_, err := tt.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: awssdk.String("stock"), BillingMode: types.BillingModePayPerRequest})
		tt.clock.move(time.Second)
		return err
	}
	for n := range 4 {
		if err := toOnDemand(); err != nil {
			t.Fatalf("switch %d: %v", n+1, err)
		}
		d := tt.describe("stock")
		if d.BillingModeSummary.BillingMode != types.BillingModePayPerRequest || *d.ProvisionedThroughput.WriteCapacityUnits != 0 {
			t.Fatalf("on-demand: %+v %+v", d.BillingModeSummary, d.ProvisionedThroughput)
		}
		_, err := tt.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: awssdk.String("stock"), BillingMode: types.BillingModeProvisioned, ProvisionedThroughput: throughput(5, 5)})
		if err != nil {
			t.Fatal(err)
		}
		tt.clock.move(time.Second)
	}
	if err := toOnDemand(); code(err) != "LimitExceededException" {
		t.Errorf("fifth switch within a day: %v", err)
	}
}

func TestThrottlesAreMeasured(t *testing.T) {
	var got samples
	clock := newTestClock()
	s := newDynamoDB(deps{now: clock.now, account: "111122223333", region: "eu-west-1", meter: &got, options: Options{}.withDefaults()})
	ctx, who := context.Background(), caller{By: "orders"}
	one, id := int64(1), "a"
	if _, err := s.createTable(ctx, who, &createTableInput{TableName: "orders", BillingMode: onDemandMode, KeySchema: []keyElement{{"id", "HASH"}},
		AttributeDefinitions: []attributeDefinition{{"id", "S"}}, OnDemandThroughput: &onDemandMax{MaxWriteRequestUnits: &one}}); err != nil {
		t.Fatal(err)
	}
	clock.move(time.Second)
	for range 3 {
		s.putItem(ctx, who, &keyInput{TableName: "orders", Item: item{"id": attr{S: &id}}})
	}
	for metric, want := range map[string]float64{"ConsumedWriteCapacityUnits": 1, "WriteThrottleEvents": 2,
		"WriteMaxOnDemandThroughputThrottleEvents": 2, "ThrottledRequests": 2, "ReadThrottleEvents": 0} {
		if sum := got.sum(metric); sum != want {
			t.Errorf("%s is %g, want %g", metric, sum, want)
		}
	}
	for _, m := range got.list {
		if m.Namespace != "AWS/DynamoDB" || m.Dimensions["TableName"] != "orders" || (m.Dimensions["Operation"] == "PutItem") != (m.Metric == "ThrottledRequests") {
			t.Errorf("sample %+v", m)
		}
	}
}

// samples is a meter that keeps everything.
type samples struct{ list []sample }

func (s *samples) observe(m sample) { s.list = append(s.list, m) }

func (s *samples) sum(metric string) (sum float64) {
	for _, m := range s.list {
		if m.Metric == metric {
			sum += m.Value
		}
	}
	return sum
}
