package inject_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// take receives once as a caller.
func (q *queues) take(key string) (*sqs.ReceiveMessageOutput, error) {
	return q.clients(key).SQS.ReceiveMessage(q.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: 10})
}

// What a stall denies and what not; no message is lost, and what the consumer had in hand comes once more. It ends by itself.
func TestStallKeepsEveryMessageAndEndsByItself(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond, PolicyPropagation: -1}).queues()
	q.attended()
	before := q.config()
	k := q.catalog()[inject.KindStall]
	f, err := k.New(json.RawMessage(`{"queue":"orders"}`))
	m := testMark()
	m.Until = time.Now().Add(4 * time.Second).Truncate(time.Second)
	u, err := must(t, f, err).Prepare(t.Context(), m, time.Now())
	must(t, 0, err)
	q.send(q.url, "in hand")
	held, err := q.take("AKIAORDERS00000000")
	if n := len(must(t, held, err).Messages); n != 1 {
		t.Fatalf("received %d", n)
	}
	must(t, 0, f.Apply(t.Context(), u))
	q.send(q.url, "one", "two")
	if _, err := q.take("AKIAORDERS00000000"); codeOf(err) != "AccessDenied" {
		t.Errorf("the consumer receives: %v", err)
	}
	_, err = q.clients("AKIAORDERS00000000").SQS.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: held.Messages[0].ReceiptHandle})
	if codeOf(err) != "AccessDenied" {
		t.Errorf("the consumer deletes: %v", err)
	}
	if r, err := f.(inject.Verifier).Verify(t.Context(), u); must(t, r, err).Felt != inject.Yes {
		t.Errorf("not felt: %+v", r)
	}
	if at, residue := f.(inject.Expirer).Expires(u); !at.Equal(m.Until) || !strings.Contains(residue, "queue orders") {
		t.Errorf("expires %s, leaves %q", at, residue)
	}
	// Our process is dead, and nobody recovers.
	got := map[string]bool{}
	for len(got) < 3 {
		out, err := q.take("AKIAORDERS00000000")
		if err == nil && time.Now().Before(m.Until) {
			t.Fatalf("ended %s early", time.Until(m.Until))
		}
		for err == nil && len(out.Messages) > 0 {
			for _, one := range out.Messages {
				got[*one.Body] = true
			}
			break
		}
		pauseTest(q.account)
	}
	for _, one := range q.cloud.Messages() {
		if one.Queue != "orders" {
			t.Errorf("%s is in %s", one.Body, one.Queue)
		}
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored || q.config() != before {
		t.Errorf("reverted: %s, %s", how, q.config())
	}
}

// A policy's change is seen and enforced only later: an undo is not done before.
func TestStallIsUndoneOnceItIsLifted(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond, PolicyPropagation: 700 * time.Millisecond}).queues()
	q.attended()
	k, f, u := q.prepared(inject.KindStall, `{"queue":"orders"}`)
	must(t, 0, f.Apply(t.Context(), u))
	for {
		r, err := f.(inject.Verifier).Verify(t.Context(), u)
		if must(t, r, err).Felt == inject.Yes {
			break
		}
		pauseTest(q.account)
	}
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Restored {
		t.Errorf("reverted: %s", how)
	}
	if _, err := q.take("AKIAORDERS00000000"); err != nil {
		t.Errorf("said to be put back, and %v", err)
	}
}

// FIFO queues are stalled in the same way.
func TestStallOfAFIFOQueue(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond}).queues()
	q.url = q.create("line.fifo", map[string]string{"FifoQueue": "true"})
	before := q.config()
	for {
		_, _ = q.take("AKIAORDERS00000000")
		f, err := q.catalog()[inject.KindStall].New(json.RawMessage(`{"queue":"line.fifo"}`))
		u, err := must(t, f, err).Prepare(t.Context(), testMark(), time.Now())
		if err != nil {
			pauseTest(q.account)
			continue
		}
		must(t, 0, f.Apply(t.Context(), u))
		how, err := q.catalog()[inject.KindStall].Revert(t.Context(), u)
		if must(t, how, err) != inject.Restored || q.config() != before {
			t.Errorf("reverted: %s, %s", how, q.config())
		}
		return
	}
}

func TestStallOfAQueueThatVanished(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond}).queues()
	q.attended()
	k, f, u := q.prepared(inject.KindStall, `{"queue":"orders"}`)
	must(t, 0, f.Apply(t.Context(), u))
	_, err := q.responder().SQS.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &q.url})
	must(t, 0, err)
	how, err := k.Revert(t.Context(), u)
	if must(t, how, err) != inject.Diverged {
		t.Errorf("reverted: %s", how)
	}
	ok, why, err := k.Settled(t.Context(), u)
	if !must(t, ok, err) || !strings.Contains(why, "gone") {
		t.Errorf("settled %v: %q", ok, why)
	}
	var no *inject.Definite
	if err := f.Apply(t.Context(), u); !errors.As(err, &no) {
		t.Errorf("applied to nothing: %v", err)
	}
}

func TestStallTellsNoFromNoAnswer(t *testing.T) {
	t.Parallel()
	for effect, want := range map[string]bool{"deny": true, "throttle": true, "5xx": false, "partial": false} {
		q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond}).queues()
		q.attended()
		before := q.config()
		k, f, u := q.prepared(inject.KindStall, `{"queue":"orders"}`)
		id, err := q.cloud.Turn(sandbox.Knob{Operation: "SetQueueAttributes", By: "firedrill", Effect: effect})
		must(t, id, err)
		start := q.lastCall()
		err = f.Apply(t.Context(), u)
		var no *inject.Definite
		if err == nil || errors.As(err, &no) != want {
			t.Errorf("%s: definite %v, want %v: %v", effect, !want, want, err)
		}
		if got := strings.Join(q.order(start), " "); got != "TagQueue SetQueueAttributes" {
			t.Errorf("%s: issued %s", effect, got)
		}
		q.cloud.Release(id)
		how, err := k.Revert(t.Context(), u)
		if must(t, how, err); q.config() != before {
			t.Errorf("%s: not as before after %s: %s", effect, how, q.config())
		}
	}
}

func TestStallRefuses(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond}).queues()
	orders := `{"queue":"orders"}`
	q.refused(inject.KindStall, `{}`, "names no queue", false)
	q.refused(inject.KindStall, `{"queue":"nowhere"}`, "there is no queue nowhere", false)
	q.refused(inject.KindStall, orders, "nobody is known to consume queue orders", false)
	q.attended()
	for text, why := range map[string]string{
		`{"Statement":` + queueStatement + `,"Statement":[` + queueStatement + `]}`:                 "cannot be read",
		`{"Statement":` + strings.Replace(queueStatement, "Shop", "Firedrill01jdFaultone", 1) + `}`: "still holds a statement of run 01jd (fault one)",
		`{"Statement":[` + strings.Repeat(queueStatement+",", 18) + queueStatement + `]}`:           "21 statements",
		`{"Statement":` + queueStatement + strings.Repeat(" ", 7500) + `}`:                          "more than 8192",
	} {
		q.setPolicy(text)
		q.refused(inject.KindStall, orders, why, false)
	}
	q.setPolicy("")
	for attributes, why := range map[[2]string]string{
		{"RedrivePolicy", `{"deadLetterTargetArn":"` + q.arn("orders-dlq") + `","maxReceiveCount":1}`}: "would dead-letter",
		{"MessageRetentionPeriod", "60"}: "some could expire",
	} {
		_, err := q.owner().SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(q.url), Attributes: map[string]string{attributes[0]: attributes[1]}})
		must(t, 0, err)
		q.refused(inject.KindStall, orders, why, false)
		_, err = q.owner().SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(q.url), Attributes: map[string]string{
			"MessageRetentionPeriod": "345600", "RedrivePolicy": `{"deadLetterTargetArn":"` + q.arn("orders-dlq") + `","maxReceiveCount":2}`}})
		must(t, 0, err)
	}
}

// Messages whose age nobody tells are not risked.
func TestStallRefusesWhatItCannotTellTheAgeOf(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: time.Hour}).queues()
	_, err := q.take("AKIAORDERS00000000")
	must(t, 0, err)
	q.send(q.url, "how old?")
	q.refused(inject.KindStall, `{"queue":"orders"}`, "how old they are is not known", true)
}

// CloudWatch leaves a message that was received three times out of the oldest's age: on a queue where there may be such,
// nobody can say what would expire.
func TestStallRefusesWhatCloudWatchLeavesOut(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond}).queues()
	q.attended()
	_, err := q.owner().SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: aws.String(q.url), Attributes: map[string]string{
		"RedrivePolicy": `{"deadLetterTargetArn":"` + q.arn("orders-dlq") + `","maxReceiveCount":4}`}})
	must(t, 0, err)
	q.send(q.url, "a stubborn one")
	q.refused(inject.KindStall, `{"queue":"orders"}`, "were received three times: they could expire", true)
}

// Whoever wrote the mark had a clock that is an hour ahead: an undo that finds nothing does not wait for an hour.
func TestStallUndoneByAnotherClock(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 50 * time.Millisecond}).queues()
	q.attended()
	before := q.config()
	k, f, u := q.prepared(inject.KindStall, `{"queue":"orders"}`)
	must(t, 0, f.Apply(t.Context(), u))
	q.setPolicy("")
	_, err := q.owner().SQS.TagQueue(t.Context(), &sqs.TagQueueInput{QueueUrl: &q.url, Tags: map[string]string{inject.TagSent: time.Now().Add(time.Hour).UTC().Format(time.RFC3339)}})
	must(t, 0, err)
	began := time.Now()
	how, err := k.Revert(t.Context(), u)
	if took := time.Since(began); must(t, how, err) != inject.AlreadyRestored || q.config() != before || took > 5*time.Second {
		t.Errorf("reverted after %s: %s, %s", took, how, q.config())
	}
}
