package aws

import (
	"errors"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddb "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// A caller whom policies are attached to may do what they allow, by the tags and keys of the moment; the others may do
// everything, as before.
func TestWhoHasAPolicyMayDoWhatItAllows(t *testing.T) {
	c := New(Options{Now: time.Now, Keys: testKeys(), UpdateDelay: -1})
	server := httptest.NewServer(c)
	defer server.Close()
	c.SetBase(server.URL)
	ctx := t.Context()
	theirs, ours := testConfig(server.URL, "other"), testConfig(server.URL, "firedrill")
	table, queue := "arn:aws:dynamodb:eu-west-1:111122223333:table/orders", "arn:aws:sqs:eu-west-1:111122223333:"
	_, err := dynamodb.NewFromConfig(theirs).CreateTable(ctx, &dynamodb.CreateTableInput{TableName: awssdk.String("orders"), BillingMode: ddb.BillingModePayPerRequest,
		AttributeDefinitions: []ddb.AttributeDefinition{{AttributeName: awssdk.String("id"), AttributeType: ddb.ScalarAttributeTypeS}},
		KeySchema:            []ddb.KeySchemaElement{{AttributeName: awssdk.String("id"), KeyType: ddb.KeyTypeHash}}})
	if err != nil {
		t.Fatal(err)
	}
	urls := map[string]*string{}
	for _, name := range []string{"tagged", "untagged"} {
		out, err := sqssdk.NewFromConfig(theirs).CreateQueue(ctx, &sqssdk.CreateQueueInput{QueueName: awssdk.String(name), Tags: map[string]string{"kind": name}})
		if err != nil {
			t.Fatal(err)
		}
		urls[name] = out.QueueUrl
	}
	people := iam.NewFromConfig(theirs)
	made, err := people.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: awssdk.String("p"), PolicyDocument: awssdk.String(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"dynamodb:GetItem","Resource":"` + table + `","Condition":{"ForAllValues:StringLike":{"dynamodb:LeadingKeys":"firedrill/*"}}},
		{"Effect":"Allow","Action":"dynamodb:TagResource","Resource":"` + table + `","Condition":{"ForAllValues:StringLike":{"aws:TagKeys":"firedrill:*"}}},
		{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"` + queue + `*","Condition":{"StringEquals":{"aws:ResourceTag/kind":"tagged"}}}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	attach := &iam.AttachUserPolicyInput{UserName: awssdk.String("firedrill"), PolicyArn: made.Policy.Arn}
	if _, err := people.AttachUserPolicy(ctx, attach); err != nil {
		t.Fatal(err)
	}
	d, q := dynamodb.NewFromConfig(ours), sqssdk.NewFromConfig(ours)
	get := func(key string) error {
		_, err := d.GetItem(ctx, &dynamodb.GetItemInput{TableName: awssdk.String("orders"), Key: map[string]ddb.AttributeValue{"id": &ddb.AttributeValueMemberS{Value: key}}})
		return err
	}
	tag := func(keys ...string) error {
		var tags []ddb.Tag
		for _, k := range keys {
			tags = append(tags, ddb.Tag{Key: awssdk.String(k), Value: awssdk.String("v")})
		}
		_, err := d.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: &table, Tags: tags})
		return err
	}
	send := func(to string) error {
		_, err := q.SendMessageBatch(ctx, &sqssdk.SendMessageBatchInput{QueueUrl: urls[to], Entries: oneEntry()})
		return err
	}
	for name, row := range map[string]struct {
		err error
		may bool
	}{
		"a key of ours": {get("firedrill/a"), true}, "a key of theirs": {get("a"), false},
		"a tag of ours": {tag("firedrill:run"), true}, "one of theirs among them": {tag("firedrill:run", "environment"), false},
		"a queue with the tag": {send("tagged"), true}, "one without": {send("untagged"), false},
	} {
		var api smithy.APIError
		refused := errors.As(row.err, &api) && api.ErrorCode() == "AccessDeniedException"
		if row.may != (row.err == nil) || row.may == refused {
			t.Errorf("%s: %v", name, row.err)
		}
	}
	if _, err := dynamodb.NewFromConfig(theirs).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: awssdk.String("orders")}); err != nil {
		t.Error(err)
	}
	if !slices.ContainsFunc(c.CallLog(), func(one Call) bool { return slices.Contains(one.Needs, "sqs:SendMessage on "+queue+"tagged") }) {
		t.Error("the log does not tell what a batch needs")
	}
	simulatedSo(t, people)
	if _, err := people.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: attach.UserName, PolicyArn: attach.PolicyArn}); err != nil || get("a") != nil {
		t.Errorf("%v %v", err, get("a"))
	}
}

func oneEntry() []sqstypes.SendMessageBatchRequestEntry {
	return []sqstypes.SendMessageBatchRequestEntry{{Id: awssdk.String("1"), MessageBody: awssdk.String("b")}}
}

// simulatedSo asks the same policies without a call.
func simulatedSo(t *testing.T, people *iam.Client) {
	t.Helper()
	in := &iam.SimulatePrincipalPolicyInput{PolicySourceArn: awssdk.String("arn:aws:iam::111122223333:user/firedrill"), ActionNames: []string{"sqs:SendMessage", "sqs:PurgeQueue"},
		ResourceArns: []string{"arn:aws:sqs:eu-west-1:111122223333:x"}}
	decisions := func() (list []string) {
		out, err := people.SimulatePrincipalPolicy(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range out.EvaluationResults {
			list = append(list, string(r.EvalDecision))
		}
		return list
	}
	if got := decisions(); !slices.Equal(got, []string{"implicitDeny", "implicitDeny"}) {
		t.Errorf("without the tag: %v", got)
	}
	in.ContextEntries = []types.ContextEntry{{ContextKeyName: awssdk.String("aws:ResourceTag/kind"), ContextKeyType: types.ContextKeyTypeEnumString, ContextKeyValues: []string{"tagged"}}}
	if got := decisions(); !slices.Equal(got, []string{"allowed", "implicitDeny"}) {
		t.Errorf("with the tag: %v", got)
	}
}
