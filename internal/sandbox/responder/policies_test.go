package responder

import (
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const (
	drills  = `{"Sid":"Firedrill01runFaultdeny","Effect":"Deny","Principal":"*","Action":["ACTION"]}`
	someone = `{"Sid":"Audit","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/audit"},"Action":"dynamodb:Scan"}`
)

func TestTakesADrillsDenialOutOfATablesPolicy(t *testing.T) {
	for name, others := range map[string]string{"alone": "", "beside another's": someone + ","} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t)
			arn := w.table("orders", true)
			w.mark(arn, "policy=none")
			db := dynamodb.NewFromConfig(w.cfg)
			text := `{"Version":"2012-10-17","Statement":[` + others + strings.Replace(drills, "ACTION", "dynamodb:PutItem", 1) + `]}`
			if _, err := db.PutResourcePolicy(t.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: &arn, Policy: &text}); err != nil {
				t.Fatal(err)
			}
			w.work()
			w.page()
			i := w.resolved()
			out, err := db.GetResourcePolicy(t.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: &arn})
			left := ""
			if err == nil {
				left = *out.Policy
			}
			if want := strings.TrimSuffix(others, ","); strings.Contains(left, "Firedrill") || !strings.Contains(left, want) || (want == "") != (left == "") {
				t.Errorf("left %q", left)
			}
			if !strings.Contains(i.notes(), "policy of table orders denies dynamodb:PutItem") || !strings.Contains(i.notes(), "took the denial out") {
				t.Errorf("notes:\n%s", i.notes())
			}
		})
	}
}

func TestTakesADrillsDenialOutOfAQueuesPolicy(t *testing.T) {
	w := newWard(t)
	mq := sqs.NewFromConfig(w.cfg)
	q, err := mq.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: awssdk.String("orders"), Attributes: map[string]string{
		"Policy": `{"Statement":` + strings.Replace(drills, "ACTION", "sqs:ReceiveMessage", 1) + `}`}})
	if err != nil {
		t.Fatal(err)
	}
	w.work()
	w.page()
	i := w.resolved()
	out, err := mq.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: q.QueueUrl, AttributeNames: []types.QueueAttributeName{"Policy"}})
	if err != nil || out.Attributes["Policy"] != "" {
		t.Errorf("left %v %v", out, err)
	}
	if !strings.Contains(i.notes(), "queue orders denies sqs:ReceiveMessage") {
		t.Errorf("notes:\n%s", i.notes())
	}
}

func TestLeavesStrangersPoliciesAlone(t *testing.T) {
	for _, text := range []string{"", "{", `{"Statement":[` + someone + `]}`, `{"Statement":{"Sid":"Firedrill1","Effect":"Allow","Action":["x"]}}`,
		`{"Statement":{"Sid":"Closed","Effect":"Deny","Action":["x"]}}`} {
		if _, _, denied := denials(text); len(denied) > 0 {
			t.Errorf("%s: denies %v", text, denied)
		}
	}
}
