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

// slow gives the queue another attribute in whole seconds.
func (q *queues) slow(attribute, value string) {
	q.Helper()
	_, err := q.owner().SQS.SetQueueAttributes(q.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q.url, Attributes: map[string]string{attribute: value}})
	must(q, 0, err)
}

// Somebody tidies our tags away while the messages are still on their way: one look is not enough to say "never sent".
func TestPoisonIsSweptThoughItsTagsAreGone(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.slow("VisibilityTimeout", "3")
	q.consume()
	k, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":2}`)
	must(t, 0, f.Apply(t.Context(), u))
	for _, url := range []string{q.url, q.dlq} {
		_, err := q.owner().SQS.UntagQueue(t.Context(), &sqs.UntagQueueInput{QueueUrl: &url, TagKeys: []string{inject.TagRun, inject.TagFault,
			inject.TagUntil, inject.TagUndo, inject.TagState, inject.TagSent}})
		must(t, 0, err)
	}
	how, items, err := k.Account(t.Context(), u)
	if must(t, how, err) != inject.Restored || ends(items) != "swept swept" {
		t.Errorf("%s: %+v", how, items)
	}
	ok, why, err := k.Settled(t.Context(), u)
	if !must(t, ok, err) || q.in("orders")+q.in("orders-dlq") != 0 {
		t.Errorf("settled %v (%s), %d messages left", ok, why, q.in("orders")+q.in("orders-dlq"))
	}
}

// A queue that delays every message dead-letters it that much later.
func TestPoisonOfADelayedQueueIsSwept(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.slow("DelaySeconds", "6")
	q.consume()
	k, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":2}`)
	if floor, _ := f.(inject.Floored).Floor(u); floor != 8*time.Second {
		t.Errorf("felt after %s at the soonest, want the delay and two receives", floor)
	}
	must(t, 0, f.Apply(t.Context(), u))
	how, items, err := k.Account(t.Context(), u)
	if must(t, how, err) != inject.Restored || ends(items) != "swept swept" {
		t.Errorf("%s: %+v", how, items)
	}
}

// A consumer's report of a failed batch may quote one of ours beside an order of somebody's: it is not ours to delete.
func TestPoisonLeavesWhatQuotesItsMark(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.consume()
	k, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":1}`)
	must(t, 0, f.Apply(t.Context(), u))
	q.send(q.dlq, fmt.Sprintf(`{"failed batch":[{"order":4711},"not an order, but poison [firedrill %s/%s/1]"]}`, u.Mark.Run, u.Mark.Fault))
	how, items, err := k.Account(t.Context(), u)
	if must(t, how, err) != inject.Restored || ends(items) != "swept" || items[0].Copies != 1 || q.in("orders-dlq") != 1 {
		t.Errorf("%s: %+v, %d left in the DLQ", how, items, q.in("orders-dlq"))
	}
	ok, why, err := k.Settled(t.Context(), u)
	if !must(t, ok, err) || !strings.Contains(why, "quote our mark") {
		t.Errorf("settled %v: %q", ok, why)
	}
}
