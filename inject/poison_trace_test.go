package inject_test

import (
	"encoding/json"
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

// Who sends and who sweeps have clocks twenty minutes apart: both count by that of the service.
func TestPoisonIsSweptAcrossClocks(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.slow("VisibilityTimeout", "3")
	q.consume()
	_, _, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":2}`)
	off := func(d time.Duration) inject.Kind {
		c, err := inject.Open(t.Context(), inject.Options{Endpoint: q.account.url, Region: "eu-west-1", AccessKey: "AKIAFIREDRILL00000", Secret: "secret",
			Now: func() time.Time { return time.Now().Add(d) }})
		return inject.NewCatalog(must(t, c, err), inject.CatalogOptions{Timing: inject.SandboxTiming()})[inject.KindPoison]
	}
	f, err := off(-10 * time.Minute).New(json.RawMessage(`{"queue":"orders","messages":2}`))
	must(t, 0, must(t, f, err).Apply(t.Context(), u))
	how, items, err := off(10*time.Minute).Account(t.Context(), u)
	if must(t, how, err) != inject.Restored || ends(items) != "swept swept" {
		t.Errorf("%s: %+v", how, items)
	}
}

// Somebody deletes the queue: what had dead-lettered is swept all the same.
func TestPoisonIsSweptThoughItsQueueIsGone(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.consume()
	k, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":2}`)
	must(t, 0, f.Apply(t.Context(), u))
	for q.in("orders-dlq") < 2 {
		pauseTest(q.account)
	}
	_, err := q.owner().SQS.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &q.url})
	must(t, 0, err)
	ok, why, err := k.Settled(t.Context(), u)
	if must(t, ok, err) || why == "" {
		t.Errorf("settled: %q", why)
	}
	how, items, err := k.Account(t.Context(), u)
	if must(t, how, err) != inject.Diverged || ends(items) != "swept swept" {
		t.Errorf("%s: %+v", how, items)
	}
	ok, why, err = k.Settled(t.Context(), u)
	if !must(t, ok, err) || q.in("orders-dlq") != 0 || strings.Contains(q.config(), "firedrill:") {
		t.Errorf("settled %v (%s), %d messages left: %s", ok, why, q.in("orders-dlq"), q.config())
	}
}
