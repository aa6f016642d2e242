package aws

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type attrs = map[string]types.AttributeValue

func attrS(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func attrN(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }

func TestItemsRoundTrip(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	want := attrs{"id": attrS("a"), "n": attrN("1.50"), "b": &types.AttributeValueMemberB{Value: []byte{0, 1, 255}},
		"yes": &types.AttributeValueMemberBOOL{Value: true}, "nil": &types.AttributeValueMemberNULL{Value: true}, "empty": attrS(""),
		"map": &types.AttributeValueMemberM{Value: attrs{"k": attrS("v")}}, "list": &types.AttributeValueMemberL{Value: []types.AttributeValue{attrN("1"), attrS("x")}},
		"set": &types.AttributeValueMemberSS{Value: []string{"p", "q"}}}
	if _, err := tt.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: awssdk.String("orders"), Item: want}); err != nil {
		t.Fatal(err)
	}
	out, err := tt.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: awssdk.String("orders"), Key: attrs{"id": attrS("a")}, ConsistentRead: awssdk.Bool(true),
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal})
	if err != nil {
		t.Fatal(err)
	}
	if got, w := fmt.Sprint(flat(out.Item)), fmt.Sprint(flat(want)); got != w {
		t.Errorf("item\n%s\nwant\n%s", got, w)
	}
	if *out.ConsumedCapacity.CapacityUnits != 1 {
		t.Errorf("a consistent read cost %g", *out.ConsumedCapacity.CapacityUnits)
	}
	if out, err = tt.GetItem(t.Context(), getX("orders")); err != nil || out.Item != nil {
		t.Errorf("an absent item: %+v, %v", out.Item, err)
	}
}

// flat makes attribute attrs comparable by what they say.
func flat(v attrs) map[string]string {
	out := map[string]string{}
	for k, a := range v {
		switch a := a.(type) {
		case *types.AttributeValueMemberM:
			out[k] = fmt.Sprint(flat(a.Value))
		case *types.AttributeValueMemberL:
			for i, e := range a.Value {
				out[fmt.Sprint(k, i)] = fmt.Sprint(flat(attrs{"": e}))
			}
		default:
			out[k] = fmt.Sprintf("%T %+v", a, a)
		}
	}
	return out
}

func TestConditions(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	if _, err := tt.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: awssdk.String("orders"), Item: attrs{"id": attrS("a"), "n": attrN("5"), "state": attrS("new"),
		"m": &types.AttributeValueMemberM{Value: attrs{"k": attrS("v")}}}}); err != nil {
		t.Fatal(err)
	}
	vals := attrs{":5": attrN("5.0"), ":9": attrN("9"), ":new": attrS("new"), ":ne": attrS("ne"), ":v": attrS("v")}
	const failed, refused = "ConditionalCheckFailedException", "ValidationException"
	for expr, want := range map[string]string{
		"attribute_exists(id)":            "",
		"attribute_not_exists(id)":        failed,
		"attribute_not_exists(gone)":      "",
		"n = :5":                          "",
		"n <> :5":                         failed,
		"gone <> :5":                      "",
		"gone = :5":                       failed,
		"n < :9 AND #s = :new":            "",
		"n >= :9 OR #s = :new":            "",
		"n > :9 OR n <= :5":               "",
		"NOT (n = :5 AND #s = :new)":      failed,
		"not n = :9 and #s = :new":        "",
		"n BETWEEN :5 AND :9":             "",
		"begins_with(#s, :ne)":            "",
		"m.k = :v":                        "",
		"n = :5 OR n = :9 AND #s = :ne":   "", // AND binds tighter
		"(n = :5 OR n = :9) AND #s = :ne": failed,
		"size(id) > :5":                   refused,
		"attribute_type(id, :v)":          refused,
		"contains(#s, :ne)":               refused,
		"n IN (:5, :9)":                   refused,
		"n = ":                            refused,
		"n == :5":                         refused,
		"n = :unknown":                    refused,
		"#unknown = :5":                   refused,
		"(n = :5":                         refused,
		"n = :5 n = :5":                   refused,
		"n[0] = :5":                       refused,
		"n = 5; DROP":                     refused,
		"attribute_exists(id":             refused,
	} {
		used := attrs{}
		for k, v := range vals {
			if containsWord(expr, k) {
				used[k] = v
			}
		}
		names := map[string]string{}
		if containsWord(expr, "#s") {
			names["#s"] = "state"
		}
		in := &dynamodb.UpdateItemInput{TableName: awssdk.String("orders"), Key: attrs{"id": attrS("a")}, ConditionExpression: &expr}
		if len(used) > 0 {
			in.ExpressionAttributeValues = used
		}
		if len(names) > 0 {
			in.ExpressionAttributeNames = names
		}
		_, err := tt.UpdateItem(t.Context(), in)
		if got := code(err); got != want {
			t.Errorf("%s: %q (%v), want %q", expr, got, err, want)
		}
	}
}

func containsWord(s, w string) bool {
	tokens, err := lex(s)
	for _, tk := range tokens {
		if string(tk) == w {
			return true
		}
	}
	return err != nil
}

func TestSizeOfTable(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	big := &dynamodb.PutItemInput{TableName: awssdk.String("orders"), Item: attrs{"id": attrS("a"), "text": attrS(strings.Repeat("x", 2000))},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}
	out, err := tt.PutItem(t.Context(), big)
	if err != nil || *out.ConsumedCapacity.CapacityUnits != 2 {
		t.Errorf("writing two kilobytes: %+v, %v; want two units", out, err)
	}
	if d := tt.describe("orders"); *d.ItemCount != 1 || *d.TableSizeBytes != 2007 {
		t.Errorf("%d items of %d bytes", *d.ItemCount, *d.TableSizeBytes)
	}
	old, err := tt.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: awssdk.String("orders"), Key: attrs{"id": attrS("a")}, ReturnValues: types.ReturnValueAllOld})
	if err != nil || len(old.Attributes) != 2 {
		t.Errorf("delete: %+v, %v", old, err)
	}
	if d := tt.describe("orders"); *d.ItemCount != 0 || *d.TableSizeBytes != 0 {
		t.Errorf("%d items of %d bytes left", *d.ItemCount, *d.TableSizeBytes)
	}
}

func TestUnusedPlaceholdersAreRefused(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	in := &dynamodb.PutItemInput{TableName: awssdk.String("orders"), Item: attrs{"id": attrS("a")}, ConditionExpression: awssdk.String("attribute_exists(id)"),
		ExpressionAttributeValues: attrs{":x": attrS("1")}}
	if _, err := tt.PutItem(t.Context(), in); code(err) != "ValidationException" {
		t.Errorf("unused value: %v", err)
	}
	in.ExpressionAttributeValues, in.ExpressionAttributeNames = nil, map[string]string{"#x": "id"}
	if _, err := tt.PutItem(t.Context(), in); code(err) != "ValidationException" {
		t.Errorf("unused name: %v", err)
	}
}

func TestFailedConditionTellsTheItem(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	if err := tt.put("orders", "a"); err != nil {
		t.Fatal(err)
	}
	_, err := tt.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: awssdk.String("orders"), Item: attrs{"id": attrS("a"), "new": attrN("1")},
		ConditionExpression: awssdk.String("attribute_not_exists(id)"), ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) || len(failed.Item) != 1 {
		t.Errorf("%v with item %+v, want the item that was in the way", err, failed)
	}
}

func TestUpdateExpressions(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	update := func(expr string, vals attrs) (attrs, error) {
		in := &dynamodb.UpdateItemInput{TableName: awssdk.String("orders"), Key: attrs{"id": attrS("a")}, UpdateExpression: &expr, ReturnValues: types.ReturnValueAllNew}
		if len(vals) > 0 {
			in.ExpressionAttributeValues = vals
		}
		out, err := tt.UpdateItem(t.Context(), in)
		if err != nil {
			return nil, err
		}
		return out.Attributes, nil
	}
	steps := []struct {
		expr string
		vals attrs
		want attrs
	}{
		{"SET n = :1, s = :s", attrs{":1": attrN("1"), ":s": attrS("x")}, attrs{"id": attrS("a"), "n": attrN("1"), "s": attrS("x")}},
		{"SET n = n + :1 REMOVE s", attrs{":1": attrN("1.5")}, attrs{"id": attrS("a"), "n": attrN("2.5")}},
		{"ADD n :1, m :1", attrs{":1": attrN("3")}, attrs{"id": attrS("a"), "n": attrN("5.5"), "m": attrN("3")}},
		{"SET n = n - :1, k = if_not_exists(k, :1)", attrs{":1": attrN("5")}, attrs{"id": attrS("a"), "n": attrN("0.5"), "m": attrN("3"), "k": attrN("5")}},
		{"set k = if_not_exists(k, :1) remove m, n", attrs{":1": attrN("9")}, attrs{"id": attrS("a"), "k": attrN("5")}},
	}
	for _, s := range steps {
		got, err := update(s.expr, s.vals)
		if err != nil || fmt.Sprint(flat(got)) != fmt.Sprint(flat(s.want)) {
			t.Errorf("%s: %v, %v; want %v", s.expr, flat(got), err, flat(s.want))
		}
	}
	for expr, vals := range map[string]attrs{
		"SET id = :1":                {":1": attrS("b")},
		"SET n = gone + :1":          {":1": attrN("1")},
		"SET n = k + :1":             {":1": attrS("x")},
		"SET a.b = :1":               {":1": attrN("1")},
		"DELETE k :1":                {":1": &types.AttributeValueMemberSS{Value: []string{"x"}}},
		"SET k = list_append(k, :1)": {":1": attrN("1")},
		"SET n = :1 SET m = :1":      {":1": attrN("1")},
		"SET":                        nil,
		" ":                          nil,
	} {
		if _, err := update(expr, vals); code(err) != "ValidationException" {
			t.Errorf("%s: %v, want ValidationException", expr, err)
		}
	}
}

func TestKeysAreChecked(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.onDemand("orders")
	for name, it := range map[string]attrs{
		"no key":       {"n": attrN("1")},
		"wrong type":   {"id": attrN("1")},
		"empty key":    {"id": attrS("")},
		"not a number": {"id": attrS("a"), "n": attrN("x")},
	} {
		if _, err := tt.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: awssdk.String("orders"), Item: it}); code(err) != "ValidationException" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tt.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: awssdk.String("orders"), Key: attrs{"id": attrS("a"), "n": attrN("1")}}); code(err) != "ValidationException" {
		t.Errorf("a key with too much in it: %v", err)
	}
	if _, err := tt.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: awssdk.String("none"), Key: attrs{"id": attrS("a")}}); code(err) != "ResourceNotFoundException" {
		t.Errorf("delete from no table: %v", err)
	}
}

func TestQueryAndScan(t *testing.T) {
	tt := newTestTables(t, Options{})
	hash, rng := "run", "seq"
	_, err := tt.CreateTable(t.Context(), &dynamodb.CreateTableInput{TableName: awssdk.String("journal"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &hash, AttributeType: "S"}, {AttributeName: &rng, AttributeType: "N"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: &hash, KeyType: "HASH"}, {AttributeName: &rng, KeyType: "RANGE"}}})
	if err != nil {
		t.Fatal(err)
	}
	tt.clock.move(time.Second)
	for _, run := range []string{"r1", "r2"} {
		for seq := range 12 {
			if _, err := tt.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: awssdk.String("journal"), Item: attrs{hash: attrS(run), rng: attrN(fmt.Sprint(seq))}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := dynamodb.NewQueryPaginator(tt.Client, &dynamodb.QueryInput{TableName: awssdk.String("journal"), Limit: awssdk.Int32(4),
		KeyConditionExpression: awssdk.String("#r = :r AND seq > :s"), ExpressionAttributeNames: map[string]string{"#r": "run"},
		ExpressionAttributeValues: attrs{":r": attrS("r2"), ":s": attrN("2")}})
	var seqs []string
	for p.HasMorePages() {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			seqs = append(seqs, it["run"].(*types.AttributeValueMemberS).Value+it["seq"].(*types.AttributeValueMemberN).Value)
		}
	}
	if got, want := fmt.Sprint(seqs), "[r23 r24 r25 r26 r27 r28 r29 r210 r211]"; got != want {
		t.Errorf("query gave %s, want %s", got, want)
	}
	last, err := tt.Query(t.Context(), &dynamodb.QueryInput{TableName: awssdk.String("journal"), Limit: awssdk.Int32(1), ScanIndexForward: awssdk.Bool(false),
		KeyConditionExpression: awssdk.String("run = :r"), ExpressionAttributeValues: attrs{":r": attrS("r1")}})
	if err != nil || len(last.Items) != 1 || last.Items[0]["seq"].(*types.AttributeValueMemberN).Value != "11" {
		t.Errorf("backwards: %+v, %v", last, err)
	}
	all, err := tt.Scan(t.Context(), &dynamodb.ScanInput{TableName: awssdk.String("journal"), FilterExpression: awssdk.String("seq < :s"), ExpressionAttributeValues: attrs{":s": attrN("2")}})
	if err != nil || all.Count != 4 || all.ScannedCount != 24 {
		t.Errorf("scan: %+v, %v", all, err)
	}
	for _, expr := range []string{"seq = :r", "run = :r OR seq = :r", "run > :r"} {
		_, err := tt.Query(t.Context(), &dynamodb.QueryInput{TableName: awssdk.String("journal"), KeyConditionExpression: &expr, ExpressionAttributeValues: attrs{":r": attrS("r1")}})
		if code(err) != "ValidationException" {
			t.Errorf("query with %s: %v", expr, err)
		}
	}
}

func TestTagsOfTables(t *testing.T) {
	tt := newTestTables(t, Options{})
	tt.create(&dynamodb.CreateTableInput{TableName: awssdk.String("orders"), BillingMode: types.BillingModePayPerRequest,
		Tags: []types.Tag{{Key: awssdk.String("firedrill"), Value: awssdk.String("allowed")}}})
	arn := tt.describe("orders").TableArn
	before, err := tt.cloud.ConfigJSON()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tt.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: awssdk.String("firedrill:run"), Value: awssdk.String("r")}, {Key: awssdk.String("e"), Value: awssdk.String("")}}}); err != nil {
		t.Fatal(err)
	}
	tags, err := tt.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
	if err != nil || len(tags.Tags) != 3 || *tags.Tags[0].Key != "e" || *tags.Tags[0].Value != "" {
		t.Errorf("tags %+v, %v", tags, err)
	}
	if during, _ := tt.cloud.ConfigJSON(); string(during) == string(before) {
		t.Error("a tag does not show in the configuration")
	}
	if _, err := tt.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"firedrill:run", "e"}}); err != nil {
		t.Fatal(err)
	}
	if after, _ := tt.cloud.ConfigJSON(); string(after) != string(before) {
		t.Errorf("configuration afterwards\n%s\nwant\n%s", after, before)
	}
	var many []types.Tag
	for i := range 50 {
		many = append(many, types.Tag{Key: awssdk.String(fmt.Sprint("t", i)), Value: awssdk.String("v")})
	}
	if _, err := tt.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: arn, Tags: many}); code(err) != "LimitExceededException" {
		t.Errorf("the 51st tag: %v", err)
	}
	if _, err := tt.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: awssdk.String("arn:aws:dynamodb:eu-west-1:999999999999:table/orders"), Tags: many[:1]}); code(err) != "AccessDeniedException" {
		t.Errorf("another account's table of that name: %v", err)
	}
}

func TestResourcePolicyOfTable(t *testing.T) {
	tt := newTestTables(t, Options{PolicyLock: -1, PolicyPropagation: -1})
	tt.onDemand("orders")
	arn := tt.describe("orders").TableArn
	until := tt.clock.now().Add(time.Minute).Format(time.RFC3339)
	doc := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"dynamodb:PutItem","Resource":"` + *arn +
		`","Condition":{"DateLessThan":{"aws:CurrentTime":"` + until + `"},"ArnNotEquals":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/firedrill"}}}}`
	put, err := tt.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: &doc, ExpectedRevisionId: awssdk.String("NO_POLICY")})
	if err != nil {
		t.Fatal(err)
	}
	orders := dynamodb.NewFromConfig(testConfig(tt.url, "orders"))
	in := &dynamodb.PutItemInput{TableName: awssdk.String("orders"), Item: attrs{"id": attrS("a")}}
	if _, err := orders.PutItem(t.Context(), in); code(err) != "AccessDeniedException" {
		t.Errorf("denied write: %v", err)
	}
	if _, err := orders.GetItem(t.Context(), getX("orders")); err != nil {
		t.Errorf("a read that nothing denies: %v", err)
	}
	if err := tt.put("orders", "a"); err != nil {
		t.Errorf("the exempted caller: %v", err)
	}
	var gone *types.PolicyNotFoundException
	if _, err := tt.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn, ExpectedRevisionId: awssdk.String("other")}); !errors.As(err, &gone) {
		t.Errorf("delete at another revision: %v", err)
	}
	tt.clock.move(time.Hour)
	if _, err := orders.PutItem(t.Context(), in); err != nil {
		t.Errorf("after the statement ran out: %v", err)
	}
	if got, err := tt.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: arn}); err != nil || *got.Policy != doc || *got.RevisionId != *put.RevisionId {
		t.Errorf("get: %+v, %v", got, err)
	}
	if _, err := tt.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn, ExpectedRevisionId: put.RevisionId}); err != nil {
		t.Fatal(err)
	}
	if _, err := tt.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: arn}); !errors.As(err, &gone) {
		t.Errorf("get after delete: %v", err)
	}
	bad := `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`
	if _, err := tt.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: &bad}); code(err) != "ValidationException" {
		t.Errorf("an operator nobody evaluates: %v", err)
	}
}
