package aws

import (
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
)

const denyAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"ACTION"}]}`

// A table's policy is enforced a little after it was put, and cannot be changed again for longer.
func TestPolicyOfTableTakesItsTime(t *testing.T) {
	tt := newTestTables(t, Options{PolicyLock: 15 * time.Second, PolicyPropagation: 2 * time.Second})
	tt.onDemand("orders")
	arn := tt.describe("orders").TableArn
	doc := strings.Replace(denyAll, "ACTION", "dynamodb:PutItem", 1)
	put := func(doc, revision string) error {
		in := &dynamodb.PutResourcePolicyInput{ResourceArn: arn, Policy: &doc}
		if revision != "" {
			in.ExpectedRevisionId = &revision
		}
		_, err := tt.PutResourcePolicy(t.Context(), in)
		return err
	}
	if err := put(doc, noPolicy); err != nil {
		t.Fatal(err)
	}
	if err := tt.put("orders", "a"); err != nil {
		t.Errorf("denied at once: %v", err)
	}
	if err := put(doc, ""); err != nil {
		t.Errorf("the same again is no update: %v", err)
	}
	if err := put(doc+" ", ""); code(err) != "ResourceInUseException" {
		t.Errorf("updated twice within 15 seconds: %v", err)
	}
	if err := put(doc+" ", noPolicy); code(err) != "PolicyNotFoundException" {
		t.Errorf("a policy where none was expected: %v", err)
	}
	if _, err := tt.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn}); code(err) != "ResourceInUseException" {
		t.Errorf("deleted within 15 seconds: %v", err)
	}
	tt.clock.move(2 * time.Second)
	if err := tt.put("orders", "a"); code(err) != "AccessDeniedException" {
		t.Errorf("not denied after a while: %v", err)
	}
	tt.clock.move(13 * time.Second)
	if err := put(doc+strings.Repeat(" ", 20<<10), ""); code(err) != "ValidationException" {
		t.Errorf("more than 20 KB: %v", err)
	}
	if _, err := tt.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn}); err != nil {
		t.Error(err)
	}
	if err := tt.put("orders", "a"); code(err) != "AccessDeniedException" {
		t.Errorf("allowed at once: %v", err)
	}
	tt.clock.move(2 * time.Second)
	if err := tt.put("orders", "a"); err != nil {
		t.Errorf("still denied: %v", err)
	}
	if _, err := tt.DeleteResourcePolicy(t.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: arn}); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
}

func TestPolicyOfQueueTakesItsTimeAndHasItsQuotas(t *testing.T) {
	q := newQueueTest(t, Options{PolicyPropagation: time.Minute})
	url := q.create("orders")
	set := func(doc string) error {
		_, err := q.api.SetQueueAttributes(t.Context(), &sqssdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Policy": doc}})
		return err
	}
	remove := func() error {
		_, err := q.api.DeleteMessage(t.Context(), &sqssdk.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: awssdk.String("none")})
		return err
	}
	must(t, set(strings.Replace(denyAll, "ACTION", "sqs:DeleteMessage", 1)))
	wantRefusal(t, remove(), "ReceiptHandleIsInvalid")
	q.clock.move(time.Minute)
	wantRefusal(t, remove(), "AccessDenied")
	must(t, set(""))
	wantRefusal(t, remove(), "AccessDenied")
	q.clock.move(time.Minute)
	wantRefusal(t, remove(), "ReceiptHandleIsInvalid")
	one := `{"Effect":"Deny","Principal":"*","Action":"sqs:ReceiveMessage"}`
	wantRefusal(t, set(`{"Statement":[`+strings.Repeat(one+",", 20)+one+`]}`), "InvalidAttributeValue")
	wantRefusal(t, set(`{"Statement":[`+one+strings.Repeat(" ", 8192)+`]}`), "InvalidAttributeValue")
	wantRefusal(t, set(`{"Statement":[{"Effect":"Deny","Principal":"*","Action":["a:1","a:2","a:3","a:4","a:5","a:6","a:7","a:8"]}]}`), "InvalidAttributeValue")
}
