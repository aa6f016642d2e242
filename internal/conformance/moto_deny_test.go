package conformance

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
)

const (
	theirs = `{"Sid":"Audit","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["ACTION"],"Resource":["*"]}`
	others = `{"Sid":"More","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["ACTION"],"Resource":["*"]}`
)

// deny is a table with and without a policy of somebody's. moto keeps policies and their revisions, expects revisions as
// DynamoDB does, and enforces nothing; it has no lock after a change.
func (m *moto) deny(t *testing.T) {
	for name, policy := range map[string]string{"no policy": "", "a policy": `{ "Version": "2012-10-17", "Statement": ` + strings.Replace(theirs, "ACTION", "dynamodb:Scan", 1) + ` }`} {
		t.Run(name, func(t *testing.T) {
			run(t, inject.KindDeny, func(t *testing.T) injecttest.World {
				s := m.table(t)
				s.setPolicy(policy)
				return injecttest.World{
					Catalog: func() inject.Catalog { return m.unfelt(t) },
					Params:  `{"table":"` + s.name + `","writes":true,"reads":true}`,
					State:   func() string { return s.state() + strings.ReplaceAll(s.policy(), s.name, "NAME0") },
					PutBack: func(*testing.T, inject.Undo) { s.setPolicy(policy) },
					Change: func(*testing.T) {
						s.setPolicy(edited(s, s.policy(), strings.Replace(others, "ACTION", "dynamodb:Query", 1)))
					},
				}
			})
		})
	}
}

func (s *stock) policy() string {
	s.Helper()
	out, err := s.DynamoDB.GetResourcePolicy(s.Context(), &dynamodb.GetResourcePolicyInput{ResourceArn: &s.arn})
	var none *types.PolicyNotFoundException
	if errors.As(err, &none) {
		return ""
	}
	return *must(out, err)(s).Policy
}

func (s *stock) setPolicy(text string) {
	s.Helper()
	switch {
	case text != "":
		must(s.DynamoDB.PutResourcePolicy(s.Context(), &dynamodb.PutResourcePolicyInput{ResourceArn: &s.arn, Policy: &text}))(s)
	case s.policy() != "": // moto refuses to delete what is not there
		must(s.DynamoDB.DeleteResourcePolicy(s.Context(), &dynamodb.DeleteResourcePolicyInput{ResourceArn: &s.arn}))(s)
	}
}

// edited is a policy with one more statement, as a person with an editor writes it.
func edited(t testing.TB, text, statement string) string {
	t.Helper()
	doc := map[string]any{"Version": "2012-10-17"}
	if text != "" {
		must(0, json.Unmarshal([]byte(text), &doc))(t)
	}
	list, isList := doc["Statement"].([]any)
	if !isList && doc["Statement"] != nil {
		list = []any{doc["Statement"]}
	}
	var one any
	must(0, json.Unmarshal([]byte(statement), &one))(t)
	doc["Statement"] = append(list, one)
	return string(must(json.Marshal(doc))(t))
}

// stall is a queue with messages of somebody's. Its consumer's receives, and the age of its messages, are told to
// CloudWatch here: moto's SQS publishes no metrics.
func (m *moto) stall(t *testing.T) {
	for name, policy := range map[string]string{"no policy": "", "a policy": `{ "Version": "2012-10-17", "Statement": [` + strings.Replace(theirs, "ACTION", "sqs:SendMessage", 1) + `] }`} {
		t.Run(name, func(t *testing.T) {
			run(t, inject.KindStall, func(t *testing.T) injecttest.World {
				q := m.queues(t)
				q.setPolicy(policy)
				q.send(q.url, "an order of somebody's")
				q.tell("NumberOfEmptyReceives", 1)
				q.tell("ApproximateAgeOfOldestMessage", 2)
				return injecttest.World{
					Catalog: func() inject.Catalog { return m.unfelt(t) },
					Params:  `{"queue":"` + q.name + `"}`,
					State:   q.state,
					PutBack: func(*testing.T, inject.Undo) { q.setPolicy(policy) },
					Change: func(*testing.T) {
						q.setPolicy(edited(q, q.policy(), strings.Replace(others, "ACTION", "sqs:GetQueueUrl", 1)))
					},
				}
			})
		})
	}
}

func (q *queues) policy() string {
	q.Helper()
	return must(q.SQS.GetQueueAttributes(q.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.url,
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNamePolicy}}))(q).Attributes["Policy"]
}

func (q *queues) setPolicy(text string) {
	q.Helper()
	must(q.SQS.SetQueueAttributes(q.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q.url, Attributes: map[string]string{"Policy": text}}))(q)
}

func (q *queues) tell(metric string, value float64) {
	q.Helper()
	must(queried(q.Clients).PutMetricData(q.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/SQS"), MetricData: []cwtypes.MetricDatum{{
		MetricName: &metric, Value: &value, Timestamp: aws.Time(time.Now()),
		Dimensions: []cwtypes.Dimension{{Name: aws.String("QueueName"), Value: &q.name}}}}}))(q)
}
