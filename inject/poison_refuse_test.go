package inject_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func (q *queues) set(url string, attributes map[string]string) {
	q.Helper()
	_, err := q.owner().SQS.SetQueueAttributes(q.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &url, Attributes: attributes})
	must(q, 0, err)
}

func TestPoisonRefusesWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{}).queues()
	q.create("orders.fifo", map[string]string{"FifoQueue": "true"})
	q.create("lonely", nil)
	for params, why := range map[string]string{
		`{}`:                                  "names no queue",
		`{"queue":"orders","messages":11}`:    "not between 1 and 10",
		`{"queue":"orders","messages":-1}`:    "not between 1 and 10",
		`{"queue":"orders","purge":true}`:     "unknown field",
		`{"queue":"nowhere"}`:                 "there is no queue nowhere",
		`{"queue":"orders.fifo"}`:             "is FIFO",
		`{"queue":"lonely"}`:                  "has no redrive policy",
		`{"queue":"orders"}`:                  "nobody is known to consume queue orders",
		`{"queue":"` + q.arn("orders") + `"}`: "nobody is known to consume queue orders",
		`{"queue":"` + q.url + `"}`:           "nobody is known to consume queue orders",
		fmt.Sprintf(`{"queue":"orders","body":%q}`, strings.Repeat("x", 20_000)): "more than 16384",
	} {
		q.refused(inject.KindPoison, params, why, false)
	}
}

// Depth proves no consumer: a queue full of messages that nobody takes is refused all the same.
func TestPoisonRefusesAQueueThatOnlyHoldsMessages(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond}).queues()
	q.send(q.url, "one", "two")
	q.refused(inject.KindPoison, `{"queue":"orders"}`, "nobody is known", false)
}

func TestPoisonRefusesTimesItCannotKeep(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{}).queues()
	q.set(q.url, map[string]string{"VisibilityTimeout": "600"})
	q.refused(inject.KindPoison, `{"queue":"orders"}`, "needs up to 30m0s to dead-letter", false)
	q.set(q.url, map[string]string{"VisibilityTimeout": "1"})
	q.set(q.dlq, map[string]string{"MessageRetentionPeriod": "120"})
	q.refused(inject.KindPoison, `{"queue":"orders"}`, "queue orders-dlq keeps messages for 2m0s", false)
}

func TestPoisonRefusesADLQThatIsNotAtRest(t *testing.T) {
	t.Parallel()
	feed := sandbox.Mapping{UUID: "1", EventSourceArn: "arn:aws:sqs:eu-west-1:111122223333:orders-dlq", FunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:dead", State: "Enabled"}
	q := newAccount(t, sandbox.Options{Mappings: []sandbox.Mapping{feed}}).queues()
	q.refused(inject.KindPoison, `{"queue":"orders"}`, "has a consumer of its own: function "+feed.FunctionArn, false)
	q.create("last", nil)
	q.set(q.dlq, map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":9}`, q.arn("last"))})
	q.refused(inject.KindPoison, `{"queue":"orders"}`, "redrive policy of its own", false)
}

func TestPoisonRefusesADeepDLQ(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{}).queues()
	for range 201 {
		q.send(q.dlq, "a letter")
	}
	q.refused(inject.KindPoison, `{"queue":"orders"}`, "holds about 201 messages", false)
}

// Without reports of single failures a batch fails whole, and good messages dead-letter along.
func TestPoisonRefusesLambdaBatchesThatDragGoodMessagesAlong(t *testing.T) {
	t.Parallel()
	feed := sandbox.Mapping{UUID: "1", EventSourceArn: "arn:aws:sqs:eu-west-1:111122223333:orders", FunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:eat", State: "Enabled", BatchSize: 10}
	rows := []struct {
		name     string
		feed     func(m sandbox.Mapping) sandbox.Mapping
		receives int
		params   string
		refused  string
	}{
		{"whole batches, two receives", func(m sandbox.Mapping) sandbox.Mapping { return m }, 2, `{"queue":"orders"}`, "does not report single failures"},
		{"whole batches, many messages", func(m sandbox.Mapping) sandbox.Mapping { return m }, 3, `{"queue":"orders","messages":6}`, "does not report single failures"},
		{"whole batches, few messages, three receives", func(m sandbox.Mapping) sandbox.Mapping { return m }, 3, `{"queue":"orders","messages":5}`, ""},
		{"reports", func(m sandbox.Mapping) sandbox.Mapping {
			m.FunctionResponseTypes = []string{"ReportBatchItemFailures"}
			return m
		}, 2, `{"queue":"orders"}`, ""},
		{"one at a time", func(m sandbox.Mapping) sandbox.Mapping { m.BatchSize = 1; return m }, 2, `{"queue":"orders"}`, ""},
		{"switched off", func(m sandbox.Mapping) sandbox.Mapping { m.State = "Disabled"; return m }, 2, `{"queue":"orders"}`, "nobody is known"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			q := newAccount(t, sandbox.Options{Mappings: []sandbox.Mapping{r.feed(feed)}}).queues()
			q.set(q.url, map[string]string{"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, q.arn("orders-dlq"), r.receives)})
			if r.refused != "" {
				q.refused(inject.KindPoison, r.params, r.refused, false)
				return
			}
			_, _, u := q.prepared(inject.KindPoison, r.params)
			if !strings.Contains(string(u.Data), `"consumer":"lambda: `+feed.FunctionArn) {
				t.Errorf("consumer not told: %s", u.Data)
			}
		})
	}
}

func TestPoisonRefusesWhileMessagesAreMoved(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: time.Hour}).queues()
	for range 30 {
		q.send(q.dlq, "a letter")
	}
	arn, slow := q.arn("orders-dlq"), int32(1)
	_, err := q.responder().SQS.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn, MaxNumberOfMessagesPerSecond: &slow})
	must(t, 0, err)
	q.refused(inject.KindPoison, `{"queue":"orders"}`, "a task is moving messages out of DLQ orders-dlq", true)
}
