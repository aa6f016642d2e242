package inject_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// A sweep waits for visibility timeouts: its lives are lived in a bubble, where waiting takes no time.
func TestRespondersAreFreeWhileAQueueIsPoisoned(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		l := &poisoned{life: &life{patience: 6}}
		l.draw(r, l.edits(), "prepare", "apply 1", "apply 2", "verify")
		l.strangers = rapid.IntRange(0, 3).Draw(r, "strangers")
		applies, wait := rapid.IntRange(1, 2).Draw(r, "applies"), rapid.IntRange(0, 6).Draw(r, "seconds")
		var broken any
		synctest.Test(t, func(t *testing.T) {
			defer func() { broken = recover() }()
			l.begin(t)
			defer l.close()
			if !l.prepare() {
				return
			}
			for i := range applies {
				l.step(fmt.Sprintf("apply %d", i+1), func(ctx context.Context) { _ = l.fault.Apply(ctx, l.undo) })
			}
			time.Sleep(time.Duration(wait) * time.Second)
			l.step("verify", func(ctx context.Context) { _, _ = l.fault.(inject.Verifier).Verify(ctx, l.undo) })
			if u := l.undone(inject.KindPoison); u.left == nil {
				l.told(u)
				l.end()
			}
		})
		if broken != nil {
			r.Fatal(broken)
		}
	})
}

// bubble ends a life in a goroutine that is not rapid's.
type bubble struct{}

func (bubble) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (bubble) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// poisoned is a queue's life.
type poisoned struct {
	*life
	fault     inject.Fault
	url       string
	dlq       string
	stop      func()
	gone      bool // a queue was deleted
	touched   bool // somebody took our tags off, or ours out of a queue
	sent      bool // a write of ours sent
	swept     bool // a write of ours deleted one
	untagged  bool // somebody took our tags off
	purged    bool // somebody deleted strangers' messages
	strangers int  // messages of others in the DLQ, which nobody can digest
}

// begin makes the queues, in the bubble.
func (l *poisoned) begin(t *testing.T) {
	h := (&house{}).build(t, sandbox.Options{Tick: 500 * time.Millisecond, Mappings: []sandbox.Mapping{{UUID: "1", BatchSize: 1, State: "Enabled",
		EventSourceArn: "arn:aws:sqs:eu-west-1:111122223333:orders", FunctionArn: "arn:aws:lambda:eu-west-1:111122223333:function:asleep"}}})
	l.judge, l.house, l.ctx = bubble{}, h, t.Context()
	l.audit, l.edit, l.excuse = l.watch, l.respond, l.stranded
	l.dlq = l.create("orders-dlq", nil)
	l.url = l.create("orders", map[string]string{"VisibilityTimeout": "1",
		"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:111122223333:orders-dlq","maxReceiveCount":2}`})
	for i := range l.strangers {
		l.send(l.dlq, fmt.Sprintf("a letter of somebody's %d", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = h.cloud.Run(ctx) })
	all.Go(func() { l.consume(ctx) })
	l.stop = func() { cancel(); all.Wait() }
	h.life.Store(l.life)
}

func (l *poisoned) close() {
	l.house.life.Store(nil)
	l.stop()
	_ = l.cloud.Close()
}

func (l *poisoned) create(name string, attributes map[string]string) string {
	out, err := l.theirs.SQS.CreateQueue(l.ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes, Tags: map[string]string{"environment": "sandbox"}})
	if err != nil {
		l.Fatal(err)
	}
	return aws.ToString(out.QueueUrl)
}

func (l *poisoned) send(url, body string) {
	_, _ = l.theirs.SQS.SendMessage(l.ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body})
}

// consume digests what is JSON, and fails at everything else.
func (l *poisoned) consume(ctx context.Context) {
	api := l.theirs.SQS
	for ctx.Err() == nil {
		out, err := api.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &l.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 20})
		if err != nil {
			time.Sleep(time.Second)
			continue
		}
		for _, m := range out.Messages {
			if json.Valid([]byte(*m.Body)) {
				_, _ = api.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &l.url, ReceiptHandle: m.ReceiptHandle})
			}
		}
	}
}

func (l *poisoned) prepare() bool {
	f, err := l.process()[inject.KindPoison].New(json.RawMessage(`{"queue":"orders","messages":2}`))
	if err != nil {
		l.Fatal(err)
	}
	l.fault = f
	mark := testMark()
	mark.Until = l.now().Add(time.Hour).UTC().Truncate(time.Second)
	l.step("prepare", func(ctx context.Context) { l.undo, err = f.Prepare(ctx, mark, l.now()) })
	return err == nil
}

// stranded says that a queue whose DLQ is gone really holds something.
func (l *poisoned) stranded(err error) bool {
	for _, m := range l.cloud.Messages() {
		if m.Queue == "orders" {
			return l.gone && strings.Contains(err.Error(), "ours may be among them until there is a DLQ of that name again")
		}
	}
	return false
}

// letters are the bodies that are there, strangers' and ours.
func (l *poisoned) letters() (strangers []string, ours int) {
	for _, m := range l.cloud.Messages() {
		if strings.Contains(m.Body, "[firedrill ") {
			ours++
		} else {
			strangers = append(strangers, m.Body)
		}
	}
	sort.Strings(strangers)
	return strangers, ours
}

// watch is the audit of our writes: tags of ours and messages of ours, and nobody else's.
func (l *poisoned) watch(operation string, was, is map[string]string) {
	for _, p := range changed(was, is) {
		if !strings.Contains(p, "/tags/firedrill:") {
			l.Fatalf("our %s (on the way out: %v) changed %s from %q to %q", operation, l.back, p, was[p], is[p])
		}
	}
	switch operation {
	case "PurgeQueue", "SetQueueAttributes", "DeleteQueue", "StartMessageMoveTask", "DeleteMessage":
		l.Fatalf("we called %s", operation)
	case "SendMessageBatch":
		l.sent = true
		if l.back {
			l.Fatal("sent on the way out")
		}
	case "DeleteMessageBatch":
		l.swept = true
		if !l.back {
			l.Fatal("swept on the way in")
		}
	}
}

func (*poisoned) edits() []string {
	return []string{"send", "redrive", "redrive by a script", "purge the DLQ", "purge the queue", "delete ours", "hold", "untag", "slower", "delete the queue", "delete the DLQ"}
}

// respond is one edit; afterwards strangers' messages are conserved but for what the responder did to them.
func (l *poisoned) respond(what string, _ bool) {
	api, ctx := l.theirs.SQS, l.ctx
	switch what {
	case "send":
		l.send(l.url, `{"order":1}`)
	case "redrive":
		_, _ = api.StartMessageMoveTask(ctx, &sqs.StartMessageMoveTaskInput{SourceArn: aws.String("arn:aws:sqs:eu-west-1:111122223333:orders-dlq")})
	case "redrive by a script", "delete ours", "hold":
		l.take(what)
	case "purge the DLQ":
		l.touched, l.purged = true, true
		_, _ = api.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: &l.dlq})
	case "purge the queue":
		l.touched, l.purged = true, true
		_, _ = api.PurgeQueue(ctx, &sqs.PurgeQueueInput{QueueUrl: &l.url})
	case "untag":
		l.touched, l.untagged = true, true
		keys := []string{"firedrill:run", "firedrill:fault", "firedrill:until", "firedrill:undo", "firedrill:state", "firedrill:sent", "firedrill:swept", "firedrill:looked"}
		for _, q := range []string{l.url, l.dlq} {
			_, _ = api.UntagQueue(ctx, &sqs.UntagQueueInput{QueueUrl: &q, TagKeys: keys})
		}
	case "slower":
		_, _ = api.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &l.url, Attributes: map[string]string{"VisibilityTimeout": "8"}})
	case "delete the queue":
		l.gone = true
		_, _ = api.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &l.url})
	case "delete the DLQ":
		l.gone = true
		_, _ = api.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: &l.dlq})
	}
}

// take receives one message from the DLQ, and sends it back without its attributes, deletes it if it is ours, or keeps it
// for a while.
func (l *poisoned) take(what string) {
	api := l.theirs.SQS
	out, err := api.ReceiveMessage(l.ctx, &sqs.ReceiveMessageInput{QueueUrl: &l.dlq, MaxNumberOfMessages: 1, VisibilityTimeout: 5})
	if err != nil || what == "hold" {
		return
	}
	for _, m := range out.Messages {
		ours := strings.Contains(*m.Body, "[firedrill ")
		if what == "delete ours" && !ours {
			_, _ = api.ChangeMessageVisibility(l.ctx, &sqs.ChangeMessageVisibilityInput{QueueUrl: &l.dlq, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: 0})
			continue
		}
		if what != "delete ours" {
			l.send(l.url, *m.Body)
		}
		l.touched = true
		_, _ = api.DeleteMessage(l.ctx, &sqs.DeleteMessageInput{QueueUrl: &l.dlq, ReceiptHandle: m.ReceiptHandle})
	}
}

// told compares the outcome with what was done.
func (l *poisoned) told(u undoing) {
	if l.gone {
		if u.why == "" {
			l.Fatalf("outcome %s, and settled does not say that a queue is gone", u.how)
		}
		return
	}
	if u.how == inject.Diverged || u.why != "" {
		l.Fatalf("outcome %s, settled says %q", u.how, u.why)
	}
	if !u.first || l.killed || l.touched {
		return
	}
	want := inject.NeverApplied
	if l.sent {
		want = inject.Restored
	}
	if u.how != want || l.sent != l.swept {
		l.Fatalf("outcome %s, want %s (sent %v, swept %v)", u.how, want, l.sent, l.swept)
	}
}

// end wants nothing of ours left, however long one waits.
func (l *poisoned) end() {
	time.Sleep(time.Minute)
	strangers, ours := l.letters()
	if len(strangers) != l.strangers && !l.purged && !l.gone {
		l.Fatalf("strangers' messages: %d, now %v", l.strangers, strangers)
	}
	if l.gone && l.untagged {
		return // without DLQ and tags nobody can know that ours were sent; Diverged has told
	}
	if ours > 0 {
		l.Fatalf("%d messages of ours are left: %v", ours, l.cloud.Messages())
	}
	if left := marks(l.state()); len(left) > 0 {
		l.Fatalf("left: %v", left)
	}
}
