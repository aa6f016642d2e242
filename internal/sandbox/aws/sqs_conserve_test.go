package aws

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Whatever happens to a queue and its dead-letter queue, every message sent and not deleted is in exactly one of
// them, with the body it was sent with.
func TestNoMessageIsLostOrDoubled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := newTestClock()
		s := newSQS(deps{now: clock.now, account: "111122223333", region: "eu-west-1", base: func() string { return "http://x/aws" }, meter: &tape{}})
		ctx, who := context.Background(), caller{By: "other"}
		for _, in := range []createQueueInput{{QueueName: "dlq"}, {QueueName: "orders", Attributes: map[string]string{
			"VisibilityTimeout": "1", "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, arnOf("dlq"))}}} {
			if _, err := s.createQueue(ctx, who, &in); err != nil {
				t.Fatal(err)
			}
		}
		urls := []string{"http://x/aws/111122223333/orders", "http://x/aws/111122223333/dlq"}
		bodyOf := map[string]string{} // of every handle ever given out
		handles := map[string][]string{}
		living := map[string]bool{} // bodies sent and not deleted
		has := func(body string) int {
			n := 0
			for _, m := range s.all() {
				if m.Body == body {
					n++
				}
			}
			return n
		}
		sent := 0
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				sent++
				body := fmt.Sprint("m", sent)
				if _, err := s.send(ctx, who, &sendInput{QueueUrl: urls[0], MessageBody: body}); err != nil {
					t.Fatal(err)
				}
				living[body] = true
			},
			"receive": func(t *rapid.T) {
				url := rapid.SampledFrom(urls).Draw(t, "queue")
				out, err := s.receive(ctx, who, &receiveInput{QueueUrl: url, MaxNumberOfMessages: ref(rapid.IntRange(1, 10).Draw(t, "most"))})
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range out.Messages {
					bodyOf[m.ReceiptHandle] = m.Body
					handles[url] = append(handles[url], m.ReceiptHandle)
				}
			},
			"delete": func(t *rapid.T) {
				url := rapid.SampledFrom(urls).Draw(t, "queue")
				if len(handles[url]) == 0 {
					t.Skip("nothing received yet")
				}
				handle := rapid.SampledFrom(handles[url]).Draw(t, "handle")
				if _, err := s.deleteMessage(ctx, who, &deleteInput{QueueUrl: url, ReceiptHandle: handle}); err != nil {
					t.Fatal(err)
				}
				// An old handle deletes nothing; the message behind it is then still there, once.
				if has(bodyOf[handle]) == 0 {
					delete(living, bodyOf[handle])
				}
			},
			"redrive": func(t *rapid.T) {
				// One at a time: a refusal is as good.
				_, _ = s.startMove(ctx, who, &startMoveInput{SourceArn: arnOf("dlq"), MaxNumberOfMessagesPerSecond: ref(rapid.IntRange(1, 500).Draw(t, "pace"))})
			},
			"wait": func(t *rapid.T) {
				clock.move(time.Duration(rapid.IntRange(1, 40_000).Draw(t, "ms")) * time.Millisecond)
			},
			"": func(t *rapid.T) {
				seen := map[string]bool{}
				for _, m := range s.all() {
					if seen[m.Body] || !living[m.Body] {
						t.Fatalf("%s is there twice, or was deleted", m.Body)
					}
					seen[m.Body] = true
				}
				if len(seen) != len(living) {
					t.Fatalf("%d messages in the queues, %d sent and not deleted", len(seen), len(living))
				}
			},
		})
	})
}
