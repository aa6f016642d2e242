package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestRedrive(t *testing.T) {
	q := newQueueTest(t, Options{})
	url, dlq := q.redriven(2)
	id := q.send(url, "poison")
	sent := q.clock.now()
	for n := 1; n <= 2; n++ {
		if got := q.receive(url); len(got) != 1 {
			t.Fatalf("receive %d: %d messages", n, len(got))
		}
		q.clock.move(2 * time.Second)
		q.wantDepth(dlq, "0/0/0")
	}
	// Its count reaches the maximum now and exceeds it with the next receive, which does not get it.
	if got := q.receive(url); len(got) != 0 {
		t.Fatalf("received a third time: %v", got)
	}
	q.wantDepth(url, "0/0/0")
	q.wantDepth(dlq, "1/0/0")
	m := q.receive(dlq)[0]
	if *m.MessageId != id {
		t.Errorf("dead-lettered under a new id %s, was %s", *m.MessageId, id)
	}
	for name, want := range map[string]string{
		"SentTimestamp": fmt.Sprint(sent.UnixMilli()), "DeadLetterQueueSourceArn": arnOf("orders"), "ApproximateReceiveCount": "3",
	} {
		if m.Attributes[name] != want {
			t.Errorf("%s = %q, want %q", name, m.Attributes[name], want)
		}
	}
	sources, err := q.api.ListDeadLetterSourceQueues(t.Context(), &sqssdk.ListDeadLetterSourceQueuesInput{QueueUrl: &dlq})
	must(t, err)
	if len(sources.QueueUrls) != 1 || sources.QueueUrls[0] != url {
		t.Errorf("sources of the dead-letter queue: %v", sources.QueueUrls)
	}
}

func TestRedriveUnderALongPoll(t *testing.T) {
	q := &queueTest{T: t}
	q.cloud, q.url = testCloud(t, Options{Now: time.Now})
	q.api = q.as("other")
	url, dlq := q.redriven(1)
	q.send(url, "poison")
	q.receive(url)
	// One poll stays with the queue while the visibility lapses: that is the receive too many.
	_, err := q.api.ReceiveMessage(t.Context(), &sqssdk.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 2})
	must(t, err)
	q.wantDepth(dlq, "1/0/0")
}

func TestLookingPromotesStrangersWhenTheDeadLetterQueueHasARedriveOfItsOwn(t *testing.T) {
	q := newQueueTest(t, Options{})
	last := q.create("last")
	dlq := q.create("dlq", "VisibilityTimeout", "1", "RedrivePolicy", fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, arnOf("last")))
	url := q.create("orders", "VisibilityTimeout", "1", "RedrivePolicy", fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":1}`, arnOf("dlq")))
	q.send(url, "stranger")
	q.receive(url)
	q.clock.move(2 * time.Second)
	q.receive(url)
	q.receive(dlq) // the second receive in all: counts go across queues
	q.clock.move(2 * time.Second)
	q.receive(dlq)
	q.wantDepth(last, "1/0/0")
}

func TestRedriveToADeletedQueueKeepsTheMessage(t *testing.T) {
	q := newQueueTest(t, Options{})
	url, dlq := q.redriven(1)
	q.send(url, "poison")
	_, err := q.api.DeleteQueue(t.Context(), &sqssdk.DeleteQueueInput{QueueUrl: &dlq})
	must(t, err)
	for range 3 {
		if n := len(q.receive(url)); n != 1 {
			t.Fatalf("received %d, want the message to go round", n)
		}
		q.clock.move(2 * time.Second)
	}
}

// deadLetters puts n messages into the dead-letter queue by way of the queue.
func (q *queueTest) deadLetters(url string, n int) {
	q.Helper()
	for i := range n {
		q.send(url, fmt.Sprint("m", i))
	}
	for range 2 {
		for len(q.receive(url)) > 0 {
		}
		q.clock.move(2 * time.Second)
	}
}

func (q *queueTest) move(in *sqssdk.StartMessageMoveTaskInput) (*sqssdk.StartMessageMoveTaskOutput, error) {
	in.SourceArn = ref(arnOf("orders-dlq"))
	return q.api.StartMessageMoveTask(q.Context(), in)
}

func (q *queueTest) moves() []types.ListMessageMoveTasksResultEntry {
	q.Helper()
	out, err := q.api.ListMessageMoveTasks(q.Context(), &sqssdk.ListMessageMoveTasksInput{SourceArn: ref(arnOf("orders-dlq")), MaxResults: ref(int32(10))})
	must(q.T, err)
	return out.Results
}

func TestMoveTaskMovesEverythingAsNew(t *testing.T) {
	q := newQueueTest(t, Options{})
	url, dlq := q.redriven(1)
	q.deadLetters(url, 3)
	q.wantDepth(dlq, "3/0/0")
	old := map[string]bool{}
	for _, m := range q.cloud.Messages() {
		old[m.ID] = true
	}
	out, err := q.move(&sqssdk.StartMessageMoveTaskInput{})
	must(t, err)
	if task := q.moves()[0]; *task.Status != "RUNNING" || *task.TaskHandle != *out.TaskHandle {
		t.Errorf("just started: %s %v", *task.Status, task.TaskHandle)
	}
	q.wantDepth(dlq, "3/0/0")
	q.clock.move(time.Second)
	q.wantDepth(dlq, "0/0/0")
	q.wantDepth(url, "3/0/0")
	for _, m := range q.cloud.Messages() {
		if old[m.ID] || m.Receives != 0 || m.Queue != "orders" {
			t.Errorf("moved as %+v: want a new id and no receives", m)
		}
	}
	task := q.moves()[0]
	if *task.Status != "COMPLETED" || task.ApproximateNumberOfMessagesMoved != 3 || *task.ApproximateNumberOfMessagesToMove != 3 || task.TaskHandle != nil {
		t.Errorf("task %+v", task)
	}
}

func TestMoveTaskKeepsItsPaceAndCanBeCancelled(t *testing.T) {
	q := newQueueTest(t, Options{})
	url, dlq := q.redriven(1)
	q.deadLetters(url, 5)
	out, err := q.move(&sqssdk.StartMessageMoveTaskInput{MaxNumberOfMessagesPerSecond: ref(int32(1))})
	must(t, err)
	q.clock.move(2 * time.Second)
	q.wantDepth(dlq, "3/0/0")
	_, err = q.move(&sqssdk.StartMessageMoveTaskInput{})
	wantRefusal(t, err, "InvalidParameterValue") // one at a time
	stopped, err := q.api.CancelMessageMoveTask(t.Context(), &sqssdk.CancelMessageMoveTaskInput{TaskHandle: out.TaskHandle})
	must(t, err)
	if stopped.ApproximateNumberOfMessagesMoved != 2 {
		t.Errorf("moved %d before it was cancelled, want 2", stopped.ApproximateNumberOfMessagesMoved)
	}
	q.clock.move(time.Minute)
	q.wantDepth(dlq, "3/0/0")
	_, err = q.api.CancelMessageMoveTask(t.Context(), &sqssdk.CancelMessageMoveTaskInput{TaskHandle: out.TaskHandle})
	wantRefusal(t, err, "InvalidParameterValue")
}

func TestMoveTaskOfAMessageSentStraightToTheDeadLetterQueueFails(t *testing.T) {
	q := newQueueTest(t, Options{})
	_, dlq := q.redriven(1)
	q.send(dlq, "from nowhere")
	_, err := q.move(&sqssdk.StartMessageMoveTaskInput{})
	must(t, err)
	q.clock.move(time.Second)
	task := q.moves()[0]
	if *task.Status != "FAILED" || *task.FailureReason != "CouldNotDetermineMessageSource" {
		t.Errorf("task %s %v", *task.Status, task.FailureReason)
	}
	q.wantDepth(dlq, "1/0/0")
	target := q.create("elsewhere")
	_, err = q.move(&sqssdk.StartMessageMoveTaskInput{DestinationArn: ref(arnOf("elsewhere"))})
	must(t, err)
	q.clock.move(time.Second)
	q.wantDepth(target, "1/0/0")
}

func TestMoveTaskRefusals(t *testing.T) {
	q := newQueueTest(t, Options{})
	q.redriven(1)
	start := func(source, destination string) error {
		in := &sqssdk.StartMessageMoveTaskInput{SourceArn: &source}
		if destination != "" {
			in.DestinationArn = &destination
		}
		_, err := q.api.StartMessageMoveTask(t.Context(), in)
		return err
	}
	wantRefusal(t, start(arnOf("nowhere"), ""), "ResourceNotFoundException")
	wantRefusal(t, start(arnOf("orders-dlq"), arnOf("nowhere")), "ResourceNotFoundException")
	wantRefusal(t, start(arnOf("orders"), ""), "InvalidParameterValue") // nobody's dead-letter queue
	_, err := q.api.CancelMessageMoveTask(t.Context(), &sqssdk.CancelMessageMoveTaskInput{TaskHandle: ref("x")})
	wantRefusal(t, err, "ResourceNotFoundException")
}

func TestPurge(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	q.send(url, "a")
	q.send(url, "b")
	_, err := q.api.ReceiveMessage(t.Context(), &sqssdk.ReceiveMessageInput{QueueUrl: &url})
	must(t, err)
	_, err = q.api.PurgeQueue(t.Context(), &sqssdk.PurgeQueueInput{QueueUrl: &url})
	must(t, err)
	q.wantDepth(url, "0/0/0")
	_, err = q.api.PurgeQueue(t.Context(), &sqssdk.PurgeQueueInput{QueueUrl: &url})
	wantRefusal(t, err, "AWS.SimpleQueueService.PurgeQueueInProgress")
}

func TestMessagesAreListedWithoutTouchingThem(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	_, err := q.api.SendMessage(t.Context(), &sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("a"),
		MessageAttributes: map[string]types.MessageAttributeValue{"firedrill.run": text("r")}})
	must(t, err)
	q.receive(url)
	for range 2 {
		w := httptest.NewRecorder()
		q.cloud.MessagesPage(w, httptest.NewRequest("GET", "/_sandbox/messages", nil))
		var got []Message
		must(t, json.Unmarshal(w.Body.Bytes(), &got))
		if len(got) != 1 || got[0].Queue != "orders" || got[0].Body != "a" || got[0].Receives != 1 || got[0].Attributes["firedrill.run"] != "r" || got[0].State != "in_flight" {
			t.Errorf("messages %s", w.Body)
		}
	}
	w := httptest.NewRecorder()
	q.cloud.MessagesPage(w, httptest.NewRequest("DELETE", "/_sandbox/messages", nil))
	if w.Code != 405 {
		t.Errorf("DELETE: %d", w.Code)
	}
}

func TestQueueMetrics(t *testing.T) {
	clock, tape := newTestClock(), &tape{}
	s := newSQS(deps{now: clock.now, account: "111122223333", region: "eu-west-1", base: func() string { return "http://x/aws" }, meter: tape})
	ctx, who := context.Background(), caller{By: "other"}
	_, err := s.createQueue(ctx, who, &createQueueInput{QueueName: "orders"})
	must(t, err)
	url := "http://x/aws/111122223333/orders"
	for range 3 {
		_, err = s.send(ctx, who, &sendInput{QueueUrl: url, MessageBody: "a"})
		must(t, err)
	}
	clock.move(7 * time.Second)
	got, err := s.receive(ctx, who, &receiveInput{QueueUrl: url, MaxNumberOfMessages: ref(2)})
	must(t, err)
	_, err = s.deleteMessage(ctx, who, &deleteInput{QueueUrl: url, ReceiptHandle: got.Messages[0].ReceiptHandle})
	must(t, err)
	s.tick(clock.now())
	_, _ = s.receive(ctx, who, &receiveInput{QueueUrl: url})
	_, _ = s.receive(ctx, who, &receiveInput{QueueUrl: url})
	for metric, want := range map[string]float64{
		"NumberOfMessagesSent": 3, "NumberOfMessagesReceived": 3, "NumberOfMessagesDeleted": 1, "NumberOfEmptyReceives": 1,
		"ApproximateNumberOfMessagesVisible": 1, "ApproximateNumberOfMessagesNotVisible": 1, "ApproximateAgeOfOldestMessage": 7,
	} {
		if got := tape.sum(metric, 1); got != want {
			t.Errorf("%s = %v, want %v", metric, got, want)
		}
	}
	if d := tape.samples[0]; d.Namespace != "AWS/SQS" || d.Dimensions["QueueName"] != "orders" {
		t.Errorf("sample %+v", d)
	}
}

func TestAgeIgnoresPoisonAndRedriveIsNotSent(t *testing.T) {
	clock, tape := newTestClock(), &tape{}
	s := newSQS(deps{now: clock.now, account: "111122223333", region: "eu-west-1", base: func() string { return "http://x/aws" }, meter: tape})
	ctx, who := context.Background(), caller{By: "other"}
	for _, in := range []createQueueInput{{QueueName: "dlq"}, {QueueName: "orders", Attributes: map[string]string{
		"VisibilityTimeout": "0", "RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":3}`, arnOf("dlq"))}}} {
		_, err := s.createQueue(ctx, who, &in)
		must(t, err)
	}
	url := "http://x/aws/111122223333/orders"
	_, err := s.send(ctx, who, &sendInput{QueueUrl: url, MessageBody: "poison"})
	must(t, err)
	clock.move(time.Hour)
	for range 3 {
		_, err = s.receive(ctx, who, &receiveInput{QueueUrl: url})
		must(t, err)
	}
	s.tick(clock.now())
	if age := tape.sum("ApproximateAgeOfOldestMessage", 1); age != 0 {
		t.Errorf("age %v: a message received three times counts no more", age)
	}
	_, err = s.receive(ctx, who, &receiveInput{QueueUrl: url})
	must(t, err)
	if dead := s.queues["dlq"].counts(clock.now()).visible; dead != 1 || tape.sum("NumberOfMessagesSent", 1) != 1 {
		t.Errorf("%d dead letters, %v sent: a redrive is no send", dead, tape.sum("NumberOfMessagesSent", 1))
	}
}
