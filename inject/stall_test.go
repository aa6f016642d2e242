package inject_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestStallConforms(t *testing.T) {
	for name, policy := range map[string]string{
		"no policy":  "",
		"a list":     "{ \"Version\": \"2012-10-17\",\n  \"Statement\": [ " + queueStatement + " ] }\n",
		"one object": `{"Statement":` + queueStatement + `,"Version":"2012-10-17"}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			injecttest.Run(t, injecttest.Case{Kind: inject.KindStall, World: func(t *testing.T) injecttest.World {
				q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond, PolicyPropagation: 100 * time.Millisecond}).queues()
				q.setPolicy(policy)
				q.attended()
				q.send(q.url, `{"order":"a stranger's"}`, "another")
				for !q.prepares() { // CloudWatch does not tell their age yet
					pauseTest(q.account)
				}
				return injecttest.World{
					Catalog: q.catalog, Params: `{"queue":"orders"}`, State: q.state,
					PutBack: func(*testing.T, inject.Undo) { q.setPolicy(policy) },
					Change: func(*testing.T) {
						q.editPolicy(func(list []any) []any { return append(list, statement(queueOther)) })
					},
					Diverge: func(t *testing.T, u inject.Undo) func() bool {
						q.editPolicy(func(list []any) []any {
							list[len(list)-2].(map[string]any)["Effect"] = "Allow"
							return list
						})
						return func() bool { return strings.Contains(q.policy(), `"Effect":"Allow","Principal":"*"`) }
					},
				}
			}})
		})
	}
}

const (
	queueStatement = `{"Sid":"Shop","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/shop"},"Action":["sqs:SendMessage"]}`
	queueOther     = `{"Sid":"Audit","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/audit"},"Action":"sqs:GetQueueAttributes"}`
)

// attended makes CloudWatch know that somebody asks the queue for messages, and how old they are, and leaves them there.
func (q *queues) attended() {
	q.Helper()
	for !q.prepares() {
		_, err := q.clients("AKIAORDERS00000000").SQS.ReceiveMessage(q.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, VisibilityTimeout: 0})
		must(q, 0, err)
		pauseTest(q.account)
	}
}

func (q *queues) prepares() bool {
	q.Helper()
	f, err := q.catalog()[inject.KindStall].New(json.RawMessage(`{"queue":"orders"}`))
	_, err = must(q, f, err).Prepare(q.Context(), testMark(), time.Now())
	return err == nil
}

// policy is the queue's as the responder sees it; empty for none.
func (q *queues) policy() string {
	q.Helper()
	out, err := q.responder().SQS.GetQueueAttributes(q.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &q.url,
		AttributeNames: []sqstypes.QueueAttributeName{sqstypes.QueueAttributeNamePolicy}})
	return must(q, out, err).Attributes["Policy"]
}

func (q *queues) setPolicy(text string) {
	q.Helper()
	_, err := q.responder().SQS.SetQueueAttributes(q.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(q.url), Attributes: map[string]string{"Policy": text}})
	must(q, 0, err)
}

func (q *queues) editPolicy(edit func([]any) []any) {
	q.Helper()
	q.setPolicy(editedPolicy(q.account, q.policy(), edit))
}
