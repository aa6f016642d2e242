package aws

import (
	"context"
	"fmt"
	"testing"
	"time"

	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestEveryOperationWantsAQueueThatExists(t *testing.T) {
	q := newQueueTest(t, Options{})
	q.create("orders")
	ctx := t.Context()
	for _, url := range []string{q.url + "/111122223333/nobody", q.url + "/999999999999/orders"} {
		for name, call := range map[string]func() error{
			"DeleteQueue": func() error { _, err := q.api.DeleteQueue(ctx, &sqssdk.DeleteQueueInput{QueueUrl: &url}); return err },
			"GetQueueAttributes": func() error {
				_, err := q.api.GetQueueAttributes(ctx, &sqssdk.GetQueueAttributesInput{QueueUrl: &url})
				return err
			},
			"SetQueueAttributes": func() error { return redriveSet(q, url, "") },
			"PurgeQueue":         func() error { _, err := q.api.PurgeQueue(ctx, &sqssdk.PurgeQueueInput{QueueUrl: &url}); return err },
			"TagQueue": func() error {
				_, err := q.api.TagQueue(ctx, &sqssdk.TagQueueInput{QueueUrl: &url, Tags: map[string]string{"a": "b"}})
				return err
			},
			"UntagQueue": func() error {
				_, err := q.api.UntagQueue(ctx, &sqssdk.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"a"}})
				return err
			},
			"ListQueueTags": func() error {
				_, err := q.api.ListQueueTags(ctx, &sqssdk.ListQueueTagsInput{QueueUrl: &url})
				return err
			},
			"ListDeadLetterSourceQueues": func() error {
				_, err := q.api.ListDeadLetterSourceQueues(ctx, &sqssdk.ListDeadLetterSourceQueuesInput{QueueUrl: &url})
				return err
			},
			"SendMessageBatch": func() error {
				_, err := q.api.SendMessageBatch(ctx, &sqssdk.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{{Id: ref("a"), MessageBody: ref("b")}}})
				return err
			},
			"ReceiveMessage": func() error {
				_, err := q.api.ReceiveMessage(ctx, &sqssdk.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
				return err
			},
			"DeleteMessage": func() error {
				_, err := q.api.DeleteMessage(ctx, &sqssdk.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: ref("a")})
				return err
			},
			"DeleteMessageBatch": func() error {
				_, err := q.api.DeleteMessageBatch(ctx, &sqssdk.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{{Id: ref("a"), ReceiptHandle: ref("b")}}})
				return err
			},
			"ChangeMessageVisibility": func() error {
				_, err := q.api.ChangeMessageVisibility(ctx, &sqssdk.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: ref("a")})
				return err
			},
			"ChangeMessageVisibilityBatch": func() error {
				_, err := q.api.ChangeMessageVisibilityBatch(ctx, &sqssdk.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{{Id: ref("a"), ReceiptHandle: ref("b")}}})
				return err
			},
		} {
			t.Run(name, func(t *testing.T) { wantRefusal(t, call(), "AWS.SimpleQueueService.NonExistentQueue") })
		}
	}
	_, err := q.api.ListMessageMoveTasks(ctx, &sqssdk.ListMessageMoveTasksInput{SourceArn: ref(arnOf("nobody"))})
	wantRefusal(t, err, "ResourceNotFoundException")
}

func TestAnEmptyValueRemovesAnAttribute(t *testing.T) {
	q := newQueueTest(t, Options{PolicyPropagation: -1})
	url, dlq := q.redriven(1)
	allow := `{"redrivePermission":"byQueue","sourceQueueArns":["` + arnOf("orders") + `"]}`
	set := func(url, name, value string) {
		t.Helper()
		_, err := q.api.SetQueueAttributes(t.Context(), &sqssdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{name: value}})
		must(t, err)
	}
	set(dlq, "RedriveAllowPolicy", allow)
	if got := q.attributes(dlq)["RedriveAllowPolicy"]; got != allow {
		t.Errorf("allow policy %q, want it as it was set", got)
	}
	must(t, redriveSet(q, url, q.attributes(url)["RedrivePolicy"])) // this source is on the list
	set(dlq, "Policy", `{"Statement":{"Effect":"Deny","Principal":"*","Action":"sqs:SendMessage","Resource":"*"}}`)
	_, err := q.api.SendMessage(t.Context(), &sqssdk.SendMessageInput{QueueUrl: &dlq, MessageBody: ref("a")})
	wantRefusal(t, err, "AccessDenied")
	for _, name := range []string{"RedriveAllowPolicy", "Policy"} {
		set(dlq, name, "")
		if got, ok := q.attributes(dlq)[name]; ok {
			t.Errorf("%s is still %q", name, got)
		}
	}
	q.send(dlq, "a")
	set(url, "RedrivePolicy", "")
	q.send(url, "poison")
	for range 3 {
		if n := len(q.receive(url)); n != 1 {
			t.Fatalf("without a redrive policy: %d messages, want it to go round", n)
		}
		q.clock.move(2 * time.Second)
	}
}

func TestHandlesOfAnotherQueueAreNoHandles(t *testing.T) {
	q := newQueueTest(t, Options{})
	url, other := q.create("orders"), q.create("other")
	q.send(url, "a")
	handle := *q.receive(url)[0].ReceiptHandle
	_, err := q.api.DeleteMessage(t.Context(), &sqssdk.DeleteMessageInput{QueueUrl: &other, ReceiptHandle: &handle})
	wantRefusal(t, err, "ReceiptHandleIsInvalid")
	_, err = q.api.DeleteMessage(t.Context(), &sqssdk.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: ref("")})
	wantRefusal(t, err, "MissingParameter")
	_, err = q.api.DeleteMessage(t.Context(), &sqssdk.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &handle})
	must(t, err)
	_, err = q.api.ChangeMessageVisibility(t.Context(), &sqssdk.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: &handle, VisibilityTimeout: 1})
	wantRefusal(t, err, "InvalidParameterValue") // gone
}

func TestMessagesMayBeDelayed(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders", "DelaySeconds", "10")
	q.send(url, "a")
	_, err := q.api.SendMessage(t.Context(), &sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("b"), DelaySeconds: 30})
	must(t, err)
	for _, want := range []string{"0/0/2", "1/0/1", "1/0/1", "2/0/0"} {
		q.wantDepth(url, want)
		q.clock.move(10 * time.Second)
	}
}

func TestCloseEndsLongPolls(t *testing.T) {
	s := newSQS(deps{now: time.Now, account: "111122223333", region: "eu-west-1", base: func() string { return "http://x/aws" }, meter: &tape{}})
	who := caller{By: "other"}
	_, err := s.createQueue(t.Context(), who, &createQueueInput{QueueName: "orders"})
	must(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := s.receive(context.WithoutCancel(t.Context()), who, &receiveInput{QueueUrl: "x/111122223333/orders", WaitTimeSeconds: ref(20)})
		ended <- err
	}()
	must(t, s.close())
	must(t, s.close()) // twice is once
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(5 * time.Second):
		t.Fatal("a long poll outlives the sandbox")
	}
}

func TestDeletingAQueueEndsItsLongPolls(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	ended := make(chan error, 1)
	go func() {
		_, err := q.api.ReceiveMessage(context.WithoutCancel(t.Context()), &sqssdk.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 10})
		ended <- err
	}()
	until(t, "the long poll has begun", func() bool { return len(q.cloud.CallLog()) == 2 })
	_, err := q.api.DeleteQueue(t.Context(), &sqssdk.DeleteQueueInput{QueueUrl: &url})
	must(t, err)
	wantRefusal(t, <-ended, "AWS.SimpleQueueService.NonExistentQueue")
}

func TestAtMostFiftyTags(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	tags := map[string]string{}
	for i := range 51 {
		tags[fmt.Sprint("k", i)] = "v"
	}
	_, err := q.api.TagQueue(t.Context(), &sqssdk.TagQueueInput{QueueUrl: &url, Tags: tags})
	wantRefusal(t, err, "InvalidParameterValue")
}
