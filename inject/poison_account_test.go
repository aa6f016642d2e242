package inject_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// ends lists what became of each message.
func ends(items []inject.Item) string {
	var all []string
	for _, i := range items {
		all = append(all, string(i.End))
	}
	return strings.Join(all, " ")
}

func TestPoisonAccountsForEveryMessage(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.send(q.dlq, "a letter of somebody's")
	q.consume()
	before := q.state()
	k, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":3}`)
	// The answer of the first send is lost, so the second Apply cannot know and sends copies.
	id, err := q.cloud.Turn(sandbox.Knob{Service: "sqs", Operation: "SendMessageBatch", By: "firedrill", Effect: "partial", Nth: 1})
	must(t, id, err)
	var definite *inject.Definite
	if err := f.Apply(t.Context(), u); err == nil || errors.As(err, &definite) {
		t.Errorf("a lost answer: %v", err)
	}
	must(t, 0, f.Apply(t.Context(), u))
	must(t, 0, f.Apply(t.Context(), u)) // now it knows
	how, items, err := k.Account(t.Context(), u)
	if must(t, how, err) != inject.Restored || ends(items) != "swept swept swept" {
		t.Errorf("%s: %+v", how, items)
	}
	for _, i := range items {
		if i.Copies != 2 {
			t.Errorf("%s: %d copies, want 2", i.Name, i.Copies)
		}
	}
	if q.state() != before {
		t.Errorf("before\n%s\nnow\n%s", before, q.state())
	}
}

// A message that somebody digested is told as gone, for it may have done harm there.
func TestPoisonTellsWhatIsGone(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.consume()
	k, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":2}`)
	must(t, 0, f.Apply(t.Context(), u))
	api := q.responder().SQS
	for gone := false; !gone; {
		out, err := api.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.dlq, MaxNumberOfMessages: 1, WaitTimeSeconds: 1, VisibilityTimeout: 1})
		for _, m := range must(t, out, err).Messages {
			_, err := api.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.dlq, ReceiptHandle: m.ReceiptHandle})
			must(t, 0, err)
			gone = true
		}
	}
	how, items, err := k.Account(t.Context(), u)
	if must(t, how, err) != inject.Restored || ends(items) != "swept gone" && ends(items) != "gone swept" {
		t.Errorf("%s: %+v", how, items)
	}
}

// A responder's move task sends everything back to the queue, where poison goes round once more.
func TestPoisonIsSweptAfterAResponderMovedItBack(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.consume()
	k, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":2}`)
	must(t, 0, f.Apply(t.Context(), u))
	for q.in("orders-dlq") < 2 {
		pauseTest(q.account)
	}
	arn := q.arn("orders-dlq")
	_, err := q.responder().SQS.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &arn})
	must(t, 0, err)
	how, items, err := k.Account(t.Context(), u)
	if must(t, how, err) != inject.Restored || ends(items) != "swept swept" {
		t.Errorf("%s: %+v", how, items)
	}
	if n := q.in("orders") + q.in("orders-dlq"); n != 0 {
		t.Errorf("%d messages left", n)
	}
}

func (q *queues) in(name string) int {
	n := 0
	for _, m := range q.cloud.Messages() {
		if m.Queue == name {
			n++
		}
	}
	return n
}

// While a message of ours may still be in a live queue the account is open, and the undo not done.
func TestPoisonLeavesNothingUnaccounted(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond, Mappings: []sandbox.Mapping{{UUID: "1", BatchSize: 1, State: "Enabled",
		EventSourceArn: "arn:aws:sqs:eu-west-1:111122223333:orders", FunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:asleep"}}}).queues()
	pace := inject.SandboxTiming()
	pace.Patience, pace.Hold = 0, time.Second
	k := inject.NewCatalog(q.clients("AKIAFIREDRILL00000"), inject.CatalogOptions{Timing: pace})[inject.KindPoison]
	_, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":2}`)
	must(t, 0, f.Apply(t.Context(), u)) // and nobody ever receives them
	how, items, err := k.Account(t.Context(), u)
	if err == nil || ends(items) != "unaccounted unaccounted" {
		t.Errorf("%s: %v %+v", how, err, items)
	}
	if ok, why, err := k.Settled(t.Context(), u); ok || err != nil || why == "" {
		t.Errorf("settled: %v %q %v", ok, why, err)
	}
	// The consumer wakes up, and the same undo comes to its end.
	q.consume()
	how, items, err = q.catalog()[inject.KindPoison].Account(t.Context(), u)
	if must(t, how, err) != inject.Restored || ends(items) != "swept swept" {
		t.Errorf("%s: %+v", how, items)
	}
}

// firedrill may not even ask for these: they would destroy what is not ours.
func TestPoisonNeverPurgesNorChangesAQueue(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.consume()
	k, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":1,"body":"{\"order\": {mark}"}`)
	must(t, 0, f.Apply(t.Context(), u))
	how, err := k.Revert(t.Context(), u)
	must(t, how, err)
	for _, c := range q.cloud.CallLog() {
		if c.By != "firedrill" {
			continue
		}
		switch c.Operation {
		case "PurgeQueue", "SetQueueAttributes", "StartMessageMoveTask", "DeleteQueue":
			t.Errorf("called %s", c.Operation)
		case "ReceiveMessage", "DeleteMessageBatch":
			if !strings.HasSuffix(c.Resource, "orders-dlq") {
				t.Errorf("%s on %s", c.Operation, c.Resource)
			}
		}
	}
}

// An undo is called again and again, each time for a short while; what earlier calls did stands in the queue's tags.
func TestPoisonSweepBrokenOffGoesOn(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.send(q.dlq, "a letter of somebody's")
	q.consume()
	before := q.state()
	_, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":2}`)
	must(t, 0, f.Apply(t.Context(), u))
	for calls := 1; ; calls++ {
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		how, items, err := q.catalog()[inject.KindPoison].Account(ctx, u)
		cancel()
		if err != nil && calls < 20 {
			continue
		}
		if must(t, how, err) != inject.Restored || ends(items) != "swept swept" || calls == 1 {
			t.Errorf("%s after %d calls: %+v", how, calls, items)
		}
		break
	}
	if q.state() != before {
		t.Errorf("before\n%s\nnow\n%s", before, q.state())
	}
}

// On a queue that is never empty a message that is missing may be among the others, whoever consumes them. Once it held
// fewer than are missing, it was digested.
func TestPoisonOfABusyQueueIsAccountedFor(t *testing.T) {
	for name, row := range map[string]struct {
		delay int32
		end   string
	}{"never falls below": {600, "unaccounted"}, "dips": {7, "gone"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
			q.consume()
			k, f, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":1,"body":"{mark}"}`)
			if how, err := k.Revert(t.Context(), u); err != nil || how != inject.NeverApplied {
				t.Errorf("nothing was sent: %s %v", how, err)
			}
			must(t, 0, f.Apply(t.Context(), u))
			q.deleteOursFrom(q.dlq, u, 1)
			// Something that stays: delayed, as a busy queue always holds something.
			_, err := q.owner().SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr(`{"order":"later"}`), DelaySeconds: row.delay})
			must(t, 0, err)
			pace := inject.SandboxTiming()
			pace.Patience = 0
			k = inject.NewCatalog(q.clients("AKIAFIREDRILL00000"), inject.CatalogOptions{Timing: pace})[inject.KindPoison]
			how, items, err := k.Account(t.Context(), u)
			if ends(items) != row.end || row.end == "gone" && (err != nil || how != inject.AlreadyRestored) {
				t.Errorf("%s: %+v, %v", how, items, err)
			}
			if row.end == "unaccounted" && (err == nil || !strings.Contains(items[0].Why, "ours may be among them")) {
				t.Errorf("%v: %+v", err, items)
			}
		})
	}
}

// A queue that carries nothing of ours and is never empty: with its consumer at work, nothing was sent.
func TestPoisonNeverSentToABusyQueue(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond}).queues()
	q.consume()
	k, _, u := q.prepared(inject.KindPoison, `{"queue":"orders","messages":1}`)
	_, err := q.owner().SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: ptr(`{"order":"later"}`), DelaySeconds: 600})
	must(t, 0, err)
	how, items, err := k.Account(t.Context(), u)
	if must(t, how, err) != inject.NeverApplied || ends(items) != "never_sent" {
		t.Errorf("%s: %+v", how, items)
	}
}

func ptr[T any](v T) *T { return &v }
