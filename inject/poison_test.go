package inject_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestPoisonConforms(t *testing.T) {
	injecttest.Run(t, injecttest.Case{Kind: inject.KindPoison, World: func(t *testing.T) injecttest.World {
		q := newAccount(t, sandbox.Options{Tick: 200 * time.Millisecond}).queues()
		q.send(q.dlq, "a letter of somebody's", "another")
		q.consume()
		return injecttest.World{
			Catalog: q.catalog, Params: `{"queue":"orders","messages":2}`, State: q.state,
			PutBack: func(t *testing.T, u inject.Undo) { q.deleteOurs(u) },
			Change: func(t *testing.T) {
				_, err := q.responder().SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q.url, Attributes: map[string]string{"DelaySeconds": "0", "ReceiveMessageWaitTimeSeconds": "3"}})
				must(t, 0, err)
			},
		}
	}})
}

// queues is a queue with a DLQ, as the sandbox's drills know them.
type queues struct {
	*account
	url, dlq string
}

func (a *account) queues() *queues {
	a.Helper()
	q := &queues{account: a}
	q.dlq = q.create("orders-dlq", nil)
	q.url = q.create("orders", map[string]string{"VisibilityTimeout": "1",
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, q.arn("orders-dlq"))})
	return q
}

func (q *queues) arn(name string) string { return "arn:aws:sqs:eu-west-1:111122223333:" + name }

func (q *queues) create(name string, attributes map[string]string) string {
	q.Helper()
	out, err := q.owner().SQS.CreateQueue(q.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes, Tags: map[string]string{"environment": "sandbox"}})
	return *must(q, out, err).QueueUrl
}

func (q *queues) send(url string, bodies ...string) {
	q.Helper()
	for _, b := range bodies {
		_, err := q.owner().SQS.SendMessage(q.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &b})
		must(q, 0, err)
	}
}

// consume runs a consumer that deletes what is JSON and leaves the rest, and waits until CloudWatch has seen it.
func (q *queues) consume() {
	q.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	api := q.clients("AKIAORDERS00000000").SQS
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			out, err := api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
			if err != nil {
				continue
			}
			for _, m := range out.Messages {
				if json.Valid([]byte(*m.Body)) {
					_, _ = api.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
				}
			}
		}
	})
	q.Cleanup(func() { cancel(); done.Wait() })
	for !q.received() {
		pauseTest(q.account)
	}
}

func (q *queues) received() bool {
	q.Helper()
	f, err := q.catalog()[inject.KindPoison].New(json.RawMessage(`{"queue":"orders"}`))
	_, err = must(q, f, err).Prepare(q.Context(), inject.Mark{Run: "probe", Fault: "probe"}, time.Now())
	return err == nil || !strings.Contains(err.Error(), "nobody is known")
}

// state is what people configured and every message they stored.
func (q *queues) state() string {
	var all []string
	for _, m := range q.cloud.Messages() {
		all = append(all, m.Queue+": "+m.Body)
	}
	sort.Strings(all)
	return q.config() + strings.Join(all, "\n")
}

// deleteOurs waits for the poison in the DLQ and deletes it, as a responder who knows what it is.
func (q *queues) deleteOurs(u inject.Undo) { q.deleteOursFrom(q.dlq, u, 2) }

func (q *queues) deleteOursFrom(url string, u inject.Undo, left int) {
	q.Helper()
	api := q.responder().SQS
	for left > 0 {
		out, err := api.ReceiveMessage(q.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10, VisibilityTimeout: 1, WaitTimeSeconds: 1})
		for _, m := range must(q, out, err).Messages {
			if strings.Contains(*m.Body, u.Mark.Run) {
				_, err := api.DeleteMessage(q.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle})
				must(q, 0, err)
				left--
			} else {
				_, err := api.ChangeMessageVisibility(q.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
				must(q, 0, err)
			}
		}
	}
}
