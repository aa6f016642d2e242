package aws

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func text(v string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: ref("String"), StringValue: &v}
}

func TestMessageCarriesItsAttributes(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	sent, err := q.api.SendMessage(t.Context(), &sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref(`{"order":"1"}`),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"firedrill.run": text("01j"), "firedrill.seq": {DataType: ref("Number"), StringValue: ref("3")}, "firedrillother": text("x"),
			"blob": {DataType: ref("Binary"), BinaryValue: []byte{0, 1, 2}},
		}})
	must(t, err)
	for _, c := range []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{"firedrill.*"}, "firedrill.run firedrill.seq"},
		{[]string{"blob", "absent"}, "blob"},
		{[]string{"All"}, "blob firedrill.run firedrill.seq firedrillother"},
		{[]string{".*"}, "blob firedrill.run firedrill.seq firedrillother"},
	} {
		out, err := q.api.ReceiveMessage(t.Context(), &sqssdk.ReceiveMessageInput{QueueUrl: &url, MessageAttributeNames: c.names, VisibilityTimeout: 1})
		must(t, err)
		if len(out.Messages) != 1 {
			t.Fatalf("%v: %d messages", c.names, len(out.Messages))
		}
		m := out.Messages[0]
		if got := strings.Join(keysOf(m.MessageAttributes), " "); got != c.want {
			t.Errorf("asked for %v: got %q, want %q", c.names, got, c.want)
		}
		if (m.MD5OfMessageAttributes != nil) != (c.want != "") {
			t.Errorf("asked for %v: digest of attributes %v", c.names, m.MD5OfMessageAttributes)
		}
		if c.want == "blob firedrill.run firedrill.seq firedrillother" && *m.MD5OfMessageAttributes != *sent.MD5OfMessageAttributes {
			t.Errorf("digest of all attributes changed on the way: %s, sent %s", *m.MD5OfMessageAttributes, *sent.MD5OfMessageAttributes)
		}
		q.clock.move(2 * time.Second)
	}
}

func keysOf[V any](m map[string]V) []string {
	out := []string{}
	for k := range m {
		out = append(out, k)
	}
	return sortedBy(out, func(s string) string { return s })
}

// The digests are those of AWS's own documentation of the algorithm, computed apart.
func TestDigests(t *testing.T) {
	if got := md5Of("hello"); got != "5d41402abc4b2a76b9719d911017c592" {
		t.Errorf("body: %s", got)
	}
	value := "value"
	// md5(00000004 "name" 00000006 "String" 01 00000005 "value")
	if got, want := md5OfAttributes(map[string]messageAttribute{"name": {DataType: "String", StringValue: &value}}),
		md5Of("\x00\x00\x00\x04name\x00\x00\x00\x06String\x01\x00\x00\x00\x05value"); got != want {
		t.Errorf("attributes: %s, want %s", got, want)
	}
	if got := md5OfAttributes(nil); got != "" {
		t.Errorf("no attributes: %q", got)
	}
}

func TestSystemAttributes(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	q.send(url, "a")
	sent := q.clock.now()
	q.clock.move(5 * time.Second)
	first := q.clock.now()
	q.receive(url)
	q.clock.move(31 * time.Second)
	got := q.receive(url)[0].Attributes
	for name, want := range map[string]string{
		"ApproximateReceiveCount": "2", "SentTimestamp": fmt.Sprint(sent.UnixMilli()),
		"ApproximateFirstReceiveTimestamp": fmt.Sprint(first.UnixMilli()), "SenderId": "other",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	none, err := q.api.ReceiveMessage(t.Context(), &sqssdk.ReceiveMessageInput{QueueUrl: &url})
	must(t, err)
	if len(none.Messages) != 0 {
		t.Error("received although it is in flight")
	}
	_, err = q.cloud.Turn(Knob{Service: "sqs", Effect: effectSkew, SkewS: 5})
	must(t, err)
	q.clock.move(31 * time.Second)
	if at := q.receive(url)[0].Attributes["SentTimestamp"]; at != fmt.Sprint(sent.Add(5*time.Second).UnixMilli()) {
		t.Errorf("under a skew of 5 s it was sent at %s", at)
	}
}

func TestSendRefusals(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	small := q.create("small", "MaximumMessageSize", "1024")
	fifo := q.create("line.fifo", "FifoQueue", "true")
	many := map[string]types.MessageAttributeValue{}
	for i := range 11 {
		many[fmt.Sprintf("a%d", i)] = text("x")
	}
	for _, c := range []struct {
		name string
		in   sqssdk.SendMessageInput
		code string
	}{
		{"empty body", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("")}, "MissingParameter"},
		{"control character", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("a\x01")}, "InvalidMessageContents"},
		{"too long", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref(strings.Repeat("x", maxMessageSize+1))}, "InvalidParameterValue"},
		{"too long for its queue", sqssdk.SendMessageInput{QueueUrl: &small, MessageBody: ref(strings.Repeat("x", 1025))}, "InvalidParameterValue"},
		{"too long with attributes", sqssdk.SendMessageInput{QueueUrl: &small, MessageBody: ref(strings.Repeat("x", 1020)), MessageAttributes: map[string]types.MessageAttributeValue{"a": text("b")}}, "InvalidParameterValue"},
		{"delay over 15 min", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("a"), DelaySeconds: 901}, "InvalidParameterValue"},
		{"eleven attributes", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("a"), MessageAttributes: many}, "InvalidParameterValue"},
		{"attribute of AWS's", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("a"), MessageAttributes: map[string]types.MessageAttributeValue{"AWS.x": text("y")}}, "InvalidParameterValue"},
		{"attribute name", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("a"), MessageAttributes: map[string]types.MessageAttributeValue{"a b": text("y")}}, "InvalidParameterValue"},
		{"empty attribute", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("a"), MessageAttributes: map[string]types.MessageAttributeValue{"a": text("")}}, "InvalidParameterValue"},
		{"no number", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("a"), MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: ref("Number"), StringValue: ref("x")}}}, "InvalidParameterValue"},
		{"attribute type", sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("a"), MessageAttributes: map[string]types.MessageAttributeValue{"a": {DataType: ref("Bool"), StringValue: ref("x")}}}, "InvalidParameterValue"},
		{"FIFO without group", sqssdk.SendMessageInput{QueueUrl: &fifo, MessageBody: ref("a")}, "MissingParameter"},
		{"FIFO", sqssdk.SendMessageInput{QueueUrl: &fifo, MessageBody: ref("a"), MessageGroupId: ref("g")}, "AWS.SimpleQueueService.UnsupportedOperation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := q.api.SendMessage(t.Context(), &c.in)
			wantRefusal(t, err, c.code)
		})
	}
	if left := q.cloud.Messages(); len(left) != 0 {
		t.Errorf("refused, and sent: %v", left)
	}
}

func TestBatchRefusals(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	entries := func(ids ...string) []types.SendMessageBatchRequestEntry {
		out := []types.SendMessageBatchRequestEntry{}
		for _, id := range ids {
			out = append(out, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: ref("a")})
		}
		return out
	}
	heavy := entries("a", "b")
	for i := range heavy {
		heavy[i].MessageBody = ref(strings.Repeat("x", maxMessageSize/2+1))
	}
	for _, c := range []struct {
		name    string
		entries []types.SendMessageBatchRequestEntry
		code    string
	}{
		{"empty", entries(), "EmptyBatchRequest"},
		{"eleven", entries(strings.Split("abcdefghijk", "")...), "TooManyEntriesInBatchRequest"},
		{"same id", entries("a", "a"), "BatchEntryIdsNotDistinct"},
		{"bad id", entries("a b"), "InvalidBatchEntryId"},
		{"over 1 MiB in all", heavy, "BatchRequestTooLong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := q.api.SendMessageBatch(t.Context(), &sqssdk.SendMessageBatchInput{QueueUrl: &url, Entries: c.entries})
			wantRefusal(t, err, "AWS.SimpleQueueService."+c.code)
			q.wantDepth(url, "0/0/0")
		})
	}
}

func TestBatchFailsInPart(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	out, err := q.api.SendMessageBatch(t.Context(), &sqssdk.SendMessageBatchInput{QueueUrl: &url, Entries: []types.SendMessageBatchRequestEntry{
		{Id: ref("good"), MessageBody: ref("a"), MessageAttributes: map[string]types.MessageAttributeValue{"firedrill.run": text("r")}},
		{Id: ref("bad"), MessageBody: ref("a\x01")},
		{Id: ref("late"), MessageBody: ref("b"), DelaySeconds: 60},
	}})
	must(t, err)
	if len(out.Successful) != 2 || len(out.Failed) != 1 || *out.Failed[0].Id != "bad" || *out.Failed[0].Code != "InvalidMessageContents" || !out.Failed[0].SenderFault {
		t.Fatalf("successful %v, failed %v", out.Successful, out.Failed)
	}
	q.wantDepth(url, "1/0/1")
	handle := *q.receive(url)[0].ReceiptHandle
	gone, err := q.api.DeleteMessageBatch(t.Context(), &sqssdk.DeleteMessageBatchInput{QueueUrl: &url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: ref("a"), ReceiptHandle: &handle}, {Id: ref("b"), ReceiptHandle: ref("nonsense")},
	}})
	must(t, err)
	if len(gone.Successful) != 1 || len(gone.Failed) != 1 || *gone.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("deleted %v, failed %v", gone.Successful, gone.Failed)
	}
	q.clock.move(61 * time.Second)
	q.wantDepth(url, "1/0/0")
	handle = *q.receive(url)[0].ReceiptHandle
	shown, err := q.api.ChangeMessageVisibilityBatch(t.Context(), &sqssdk.ChangeMessageVisibilityBatchInput{QueueUrl: &url, Entries: []types.ChangeMessageVisibilityBatchRequestEntry{
		{Id: ref("a"), ReceiptHandle: &handle, VisibilityTimeout: 0}, {Id: ref("b"), ReceiptHandle: &handle, VisibilityTimeout: 50000},
	}})
	must(t, err)
	if len(shown.Successful) != 1 || len(shown.Failed) != 1 {
		t.Errorf("shown %v, failed %v", shown.Successful, shown.Failed)
	}
	q.wantDepth(url, "1/0/0")
}

func TestVisibility(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders", "VisibilityTimeout", "10")
	q.send(url, "a")
	first := *q.receive(url)[0].ReceiptHandle
	q.wantDepth(url, "0/1/0")
	hide := func(handle string, seconds int32) error {
		_, err := q.api.ChangeMessageVisibility(t.Context(), &sqssdk.ChangeMessageVisibilityInput{QueueUrl: &url, ReceiptHandle: &handle, VisibilityTimeout: seconds})
		return err
	}
	must(t, hide(first, 20))
	q.clock.move(15 * time.Second)
	q.wantDepth(url, "0/1/0")
	must(t, hide(first, 0))
	q.wantDepth(url, "1/0/0")
	wantRefusal(t, hide(first, 5), "AWS.SimpleQueueService.MessageNotInflight")
	again := q.receive(url)[0]
	if again.Attributes["ApproximateReceiveCount"] != "2" {
		t.Errorf("returning a message undid its receive: count %s", again.Attributes["ApproximateReceiveCount"])
	}
	wantRefusal(t, hide(first, 5), "AWS.SimpleQueueService.MessageNotInflight") // an older handle
	wantRefusal(t, hide(*again.ReceiptHandle, 43201), "InvalidParameterValue")
	must(t, hide(*again.ReceiptHandle, 43200))
	q.clock.move(time.Hour)
	wantRefusal(t, hide(*again.ReceiptHandle, 43200), "InvalidParameterValue") // 13 h in all
	wantRefusal(t, hide("nonsense", 5), "ReceiptHandleIsInvalid")
}

func TestOldHandleDeletesNothing(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders", "VisibilityTimeout", "1")
	q.send(url, "a")
	old := *q.receive(url)[0].ReceiptHandle
	q.clock.move(2 * time.Second)
	latest := *q.receive(url)[0].ReceiptHandle
	drop := func(handle string) {
		t.Helper()
		_, err := q.api.DeleteMessage(t.Context(), &sqssdk.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: &handle})
		must(t, err)
	}
	drop(old)
	q.wantDepth(url, "0/1/0")
	q.clock.move(2 * time.Second) // lapsed, but nobody has received it since
	drop(latest)
	q.wantDepth(url, "0/0/0")
	drop(latest) // once more succeeds
}

func TestInFlightLimit(t *testing.T) {
	q := newQueueTest(t, Options{InFlight: 2})
	url := q.create("orders")
	for range 3 {
		q.send(url, "a")
	}
	if n := len(q.receive(url)); n != 2 {
		t.Fatalf("received %d, want as many as may be in flight", n)
	}
	_, err := q.api.ReceiveMessage(t.Context(), &sqssdk.ReceiveMessageInput{QueueUrl: &url})
	wantRefusal(t, err, "OverLimit")
	long, err := q.api.ReceiveMessage(t.Context(), &sqssdk.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 1})
	must(t, err)
	if len(long.Messages) != 0 {
		t.Errorf("a long poll over the limit got %d messages", len(long.Messages))
	}
}

func TestReceiveRefusals(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	for _, in := range []sqssdk.ReceiveMessageInput{
		{QueueUrl: &url, MaxNumberOfMessages: 11}, {QueueUrl: &url, MaxNumberOfMessages: -1},
		{QueueUrl: &url, WaitTimeSeconds: 21}, {QueueUrl: &url, VisibilityTimeout: 43201},
	} {
		_, err := q.api.ReceiveMessage(t.Context(), &in)
		wantRefusal(t, err, "InvalidParameterValue")
	}
}

func TestLongPoll(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	got := make(chan []types.Message, 1)
	go func() {
		out, err := q.api.ReceiveMessage(context.WithoutCancel(t.Context()), &sqssdk.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 10})
		if err != nil {
			t.Error(err)
			out = &sqssdk.ReceiveMessageOutput{}
		}
		got <- out.Messages
	}()
	until(t, "the long poll has begun", func() bool { return len(q.cloud.CallLog()) == 2 })
	start := time.Now()
	q.send(url, "a")
	// Without being woken it would look again after a second.
	if m := <-got; len(m) != 1 || time.Since(start) > 800*time.Millisecond {
		t.Errorf("%d messages after %s", len(m), time.Since(start))
	}
}

func TestLongPollEnds(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders", "ReceiveMessageWaitTimeSeconds", "1")
	start := time.Now()
	if n := len(q.receive(url)); n != 0 || time.Since(start) < 900*time.Millisecond {
		t.Errorf("%d messages after %s: the queue's own wait is a second", n, time.Since(start))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := q.api.ReceiveMessage(ctx, &sqssdk.ReceiveMessageInput{QueueUrl: &url, WaitTimeSeconds: 20})
	if err == nil {
		t.Fatal("a client that left got an answer")
	}
	q.send(url, "a") // whoever has left takes nothing along
	q.wantDepth(url, "1/0/0")
}

func TestRetention(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders", "MessageRetentionPeriod", "60")
	q.send(url, "a")
	q.clock.move(59 * time.Second)
	q.wantDepth(url, "1/0/0")
	q.clock.move(2 * time.Second)
	q.wantDepth(url, "0/0/0")
}
