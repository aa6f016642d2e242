package inject_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// IAM is asked once for each resource and condition, with what a call of ours would tell it.
func TestSimulateNamesWhatIsNotAllowed(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	const table, me = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders", "arn:aws:iam::111122223333:user/firedrill"
	people := iam.NewFromConfig(a.owner().Config)
	made, err := people.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["dynamodb:DescribeTable","dynamodb:UpdateTable"],"Resource":"` + table + `"},
		{"Effect":"Allow","Action":"dynamodb:TagResource","Resource":"` + table + `","Condition":{"ForAllValues:StringLike":{"aws:TagKeys":"firedrill:*"}}},
		{"Effect":"Allow","Action":"dynamodb:UpdateItem","Resource":"` + table + `","Condition":{"ForAnyValue:StringLike":{"dynamodb:LeadingKeys":"other/*"}}},
		{"Effect":"Allow","Action":["iam:SimulatePrincipalPolicy","cloudwatch:DescribeAlarms"],"Resource":"*"},
		{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}]}`)})
	must(t, made, err)
	_, err = people.AttachUserPolicy(t.Context(), &iam.AttachUserPolicyInput{UserName: aws.String("firedrill"), PolicyArn: made.Policy.Arn})
	must(t, made, err)
	list := []inject.Permission{
		{Action: "dynamodb:DescribeTable", Resource: table}, {Action: "dynamodb:UpdateTable", Resource: table}, {Action: "dynamodb:DeleteTable", Resource: table},
		{Action: "dynamodb:TagResource", Resource: table, Condition: map[string]string{"aws:TagKeys": "firedrill:*"}},
		{Action: "dynamodb:UpdateItem", Resource: table, Condition: map[string]string{"dynamodb:LeadingKeys": "firedrill/*|-1*"}},
		{Action: "cloudwatch:DescribeAlarms", Resource: "*"}, {Action: "sqs:SendMessage", Resource: "arn:aws:sqs:eu-west-1:111122223333:q"},
	}
	c := a.clients("AKIAFIREDRILL00000")
	missing, err := c.Simulate(t.Context(), me, list, map[string]string{"aws:RequestedRegion": "eu-west-1"})
	must(t, c, err)
	if len(missing) != 2 || missing[0].Action != "dynamodb:DeleteTable" || missing[1].Action != "dynamodb:UpdateItem" {
		t.Errorf("%+v", missing)
	}
	asked := 0
	for _, one := range a.cloud.CallLog() {
		if one.Operation == "SimulatePrincipalPolicy" {
			asked++
		}
		if one.By == "firedrill" && one.Operation != "SimulatePrincipalPolicy" {
			t.Errorf("%s is called", one.Operation)
		}
	}
	if asked != 5 {
		t.Errorf("asked %d times", asked)
	}
}

func TestSimulateSaysWhereNobodyCanTell(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	list := []inject.Permission{{Action: "sqs:SendMessage", Resource: "*"}}
	c := a.clients("AKIAFIREDRILL00000")
	if _, err := c.Simulate(t.Context(), "arn:aws:iam::111122223333:root", list, nil); !errors.Is(err, inject.ErrUnchecked) {
		t.Errorf("root: %v", err)
	}
	id, err := a.cloud.Turn(sandbox.Knob{Service: "iam", Operation: "SimulatePrincipalPolicy", Count: 1, Effect: "deny"})
	must(t, id, err)
	if _, err := c.Simulate(t.Context(), "arn:aws:iam::111122223333:user/firedrill", list, nil); !errors.Is(err, inject.ErrUnchecked) {
		t.Errorf("not allowed to ask: %v", err)
	}
	id, err = a.cloud.Turn(sandbox.Knob{Service: "iam", Operation: "SimulatePrincipalPolicy", Effect: "5xx"})
	must(t, id, err)
	if _, err := c.Simulate(t.Context(), "arn:aws:iam::111122223333:user/firedrill", list, nil); err == nil || errors.Is(err, inject.ErrUnchecked) {
		t.Errorf("IAM is down: %v", err)
	}
}
