package conformance

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/firedrill/firedrill/inject"
)

func TestMotoDeadLettersOurPoison(t *testing.T) {
	m := newMoto(t)
	q := &motoQueue{c: m.clients(t)}
	q.make(t)
	q.consume(t, m)
	conforms(t, world{
		kind: inject.KindPoison, params: fmt.Sprintf(`{"queue":%q,"messages":3}`, q.url), catalog: m.catalog(t),
		state: q.state, during: q.during(m.catalog(t)),
	})
}

type motoQueue struct {
	c        *inject.Clients
	url, dlq string
}

func (m *motoQueue) make(t *testing.T) {
	t.Helper()
	tags := map[string]string{"environment": "staging"}
	m.dlq = *must(m.c.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: sdk.String("jobs-dlq"), Tags: tags,
		Attributes: map[string]string{"VisibilityTimeout": "1"}}))(t).QueueUrl
	policy := fmt.Sprintf(`{"deadLetterTargetArn":"arn:aws:sqs:%s:%s:jobs-dlq","maxReceiveCount":2}`, region, account)
	m.url = *must(m.c.SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: sdk.String("jobs"), Tags: tags,
		Attributes: map[string]string{"VisibilityTimeout": "1", "RedrivePolicy": policy}}))(t).QueueUrl
	must(m.c.SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &m.dlq, MessageBody: sdk.String("a stranger's, dead since yesterday")}))(t)
}

// consume works the queue as a service of theirs would: what it cannot digest it does not delete. CloudWatch, which
// is the sandbox's here, learns of the receives from a queue of the same name there.
func (m *motoQueue) consume(t *testing.T, server *moto) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	shadow := clientsOf(t, server.sandbox).SQS
	same := must(shadow.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: sdk.String("jobs")}))(t).QueueUrl
	var work sync.WaitGroup
	work.Go(func() {
		for ctx.Err() == nil {
			_, _ = shadow.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: same})
			out, err := m.c.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &m.url, MaxNumberOfMessages: 10})
			if err == nil {
				for _, one := range out.Messages {
					if json.Valid([]byte(*one.Body)) {
						_, _ = m.c.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &m.url, ReceiptHandle: one.ReceiptHandle})
					}
				}
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() { cancel(); work.Wait() })
}

// state is both queues' configuration and tags, and the strangers' messages.
func (m *motoQueue) state(t *testing.T) string {
	t.Helper()
	var parts []any
	for _, url := range []string{m.url, m.dlq} {
		out := must(m.c.SQS.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url,
			AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}}))(t).Attributes
		tags := must(m.c.SQS.ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: &url}))(t).Tags
		waiting := out["ApproximateNumberOfMessages"] + "+" + out["ApproximateNumberOfMessagesNotVisible"]
		if url == m.dlq { // whether a look of ours still hides it does not matter
			waiting = strings.ReplaceAll(waiting, "0+1", "1+0")
		}
		parts = append(parts, url, out["RedrivePolicy"], out["VisibilityTimeout"], tags, waiting)
	}
	return text(t, parts...)
}

// during waits until one of ours is seen in the DLQ.
func (m *motoQueue) during(catalog func() inject.Catalog) func(*testing.T, inject.Undo) string {
	return func(t *testing.T, u inject.Undo) string {
		t.Helper()
		f := must(catalog()[inject.KindPoison].New(json.RawMessage(fmt.Sprintf(`{"queue":%q,"messages":3}`, m.url))))(t)
		var last inject.Reading
		eventually(t.Context(), t, "one of ours is in the DLQ", func() bool {
			last = must(f.(inject.Verifier).Verify(t.Context(), u))(t)
			return last.Felt == inject.Yes
		})
		tags := must(m.c.SQS.ListQueueTags(t.Context(), &sqs.ListQueueTagsInput{QueueUrl: &m.url}))(t).Tags
		if !slices.Contains([]string{u.Mark.Run}, tags[inject.TagRun]) {
			return fmt.Sprintf("the queue does not carry our mark: %v", tags)
		}
		return ""
	}
}
