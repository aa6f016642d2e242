package aws

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	sqssdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
)

// queueTest is a cloud on a clock that stands still, and a client of its queues.
type queueTest struct {
	*testing.T
	cloud *Cloud
	clock *testClock
	api   *sqssdk.Client
	url   string
}

func newQueueTest(t *testing.T, o Options) *queueTest {
	q := &queueTest{T: t, clock: newTestClock()}
	o.Now = q.clock.now
	q.cloud, q.url = testCloud(t, o)
	q.api = q.as("other")
	return q
}

func (q *queueTest) as(by string) *sqssdk.Client { return sqssdk.NewFromConfig(testConfig(q.url, by)) }

// create makes a queue of attribute pairs and answers its URL.
func (q *queueTest) create(name string, attributes ...string) string {
	q.Helper()
	out, err := q.api.CreateQueue(q.Context(), &sqssdk.CreateQueueInput{QueueName: &name, Attributes: pairs(attributes)})
	must(q.T, err)
	return *out.QueueUrl
}

// redriven makes a queue and its dead-letter queue.
func (q *queueTest) redriven(maxReceives int) (queue, dlq string) {
	q.Helper()
	dlq = q.create("orders-dlq")
	return q.create("orders", "VisibilityTimeout", "1", "RedrivePolicy",
		fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, arnOf("orders-dlq"), maxReceives)), dlq
}

func arnOf(queue string) string { return "arn:aws:sqs:eu-west-1:111122223333:" + queue }

func (q *queueTest) send(url, body string) string {
	q.Helper()
	out, err := q.api.SendMessage(q.Context(), &sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: &body})
	must(q.T, err)
	return *out.MessageId
}

// receive takes up to ten messages with everything told about them.
func (q *queueTest) receive(url string) []types.Message {
	q.Helper()
	out, err := q.api.ReceiveMessage(q.Context(), &sqssdk.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10,
		MessageAttributeNames: []string{"All"}, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	must(q.T, err)
	return out.Messages
}

func (q *queueTest) attributes(url string) map[string]string {
	q.Helper()
	out, err := q.api.GetQueueAttributes(q.Context(), &sqssdk.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})
	must(q.T, err)
	return out.Attributes
}

// depth is visible/in flight/delayed.
func (q *queueTest) depth(url string) string {
	q.Helper()
	a := q.attributes(url)
	return a["ApproximateNumberOfMessages"] + "/" + a["ApproximateNumberOfMessagesNotVisible"] + "/" + a["ApproximateNumberOfMessagesDelayed"]
}

func (q *queueTest) wantDepth(url, want string) {
	q.Helper()
	if got := q.depth(url); got != want {
		q.Errorf("depth of %s: %s, want %s", lastSegment(url), got, want)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantRefusal wants the API's refusal with this code.
func wantRefusal(t *testing.T, err error, code string) {
	t.Helper()
	var refused smithy.APIError
	if !errors.As(err, &refused) || refused.ErrorCode() != code {
		t.Errorf("error %v, want code %s", err, code)
	}
}

func pairs(list []string) map[string]string {
	out := map[string]string{}
	for i := 0; i+1 < len(list); i += 2 {
		out[list[i]] = list[i+1]
	}
	return out
}

func ref[T any](v T) *T { return &v }

// tape is a meter that remembers.
type tape struct {
	mu      sync.Mutex
	samples []sample
}

func (m *tape) observe(s sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples = append(m.samples, s)
}

// sum adds up a metric over all dimensions of the given number.
func (m *tape) sum(metric string, dimensions int) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	total := 0.0
	for _, s := range m.samples {
		if s.Metric == metric && len(s.Dimensions) == dimensions {
			total += s.Value
		}
	}
	return total
}

func TestQueueAttributes(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders", "VisibilityTimeout", "1")
	if want := q.url + "/111122223333/orders"; url != want {
		t.Errorf("queue URL %s, want %s", url, want)
	}
	for name, want := range map[string]string{
		"VisibilityTimeout": "1", "DelaySeconds": "0", "MessageRetentionPeriod": "345600", "MaximumMessageSize": "1048576",
		"QueueArn": arnOf("orders"), "ApproximateNumberOfMessages": "0", "CreatedTimestamp": fmt.Sprint(q.clock.now().Unix()),
	} {
		if got := q.attributes(url)[name]; got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	q.clock.move(time.Minute)
	_, err := q.api.SetQueueAttributes(t.Context(), &sqssdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: pairs([]string{"DelaySeconds", "5"})})
	must(t, err)
	got := q.attributes(url)
	if got["DelaySeconds"] != "5" || got["VisibilityTimeout"] != "1" {
		t.Errorf("after SetQueueAttributes %v: want only the delay changed", got)
	}
	if got["LastModifiedTimestamp"] == got["CreatedTimestamp"] {
		t.Error("LastModifiedTimestamp did not move")
	}
	one, err := q.api.GetQueueAttributes(t.Context(), &sqssdk.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"DelaySeconds", "RedrivePolicy"}})
	must(t, err)
	if len(one.Attributes) != 1 || one.Attributes["DelaySeconds"] != "5" {
		t.Errorf("asked for two, one of them unset: %v", one.Attributes)
	}
}

func TestQueueIsFoundByAccountAndName(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	q.create("other")
	got, err := q.api.GetQueueUrl(t.Context(), &sqssdk.GetQueueUrlInput{QueueName: ref("orders")})
	must(t, err)
	if *got.QueueUrl != url {
		t.Errorf("GetQueueUrl %s, want %s", *got.QueueUrl, url)
	}
	list, err := q.api.ListQueues(t.Context(), &sqssdk.ListQueuesInput{QueueNamePrefix: ref("ord")})
	must(t, err)
	if len(list.QueueUrls) != 1 || list.QueueUrls[0] != url {
		t.Errorf("ListQueues ord*: %v", list.QueueUrls)
	}
	_, err = q.api.GetQueueUrl(t.Context(), &sqssdk.GetQueueUrlInput{QueueName: ref("orders"), QueueOwnerAWSAccountId: ref("999999999999")})
	wantRefusal(t, err, "AWS.SimpleQueueService.NonExistentQueue")
	var typed *types.QueueDoesNotExist
	if !errors.As(err, &typed) {
		t.Errorf("%T is not the SDK's QueueDoesNotExist", err)
	}
}

func TestQueueDeletion(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	q.send(url, "a")
	_, err := q.api.DeleteQueue(t.Context(), &sqssdk.DeleteQueueInput{QueueUrl: &url})
	must(t, err)
	_, err = q.api.SendMessage(t.Context(), &sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("b")})
	wantRefusal(t, err, "AWS.SimpleQueueService.NonExistentQueue")
	_, err = q.api.CreateQueue(t.Context(), &sqssdk.CreateQueueInput{QueueName: ref("orders")})
	wantRefusal(t, err, "AWS.SimpleQueueService.QueueDeletedRecently")
	q.clock.move(61 * time.Second)
	q.wantDepth(q.create("orders"), "0/0/0")
}

func TestCreateQueueTwice(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders", "VisibilityTimeout", "1")
	if again := q.create("orders", "VisibilityTimeout", "1"); again != url {
		t.Errorf("the same queue again: %s, want %s", again, url)
	}
	_, err := q.api.CreateQueue(t.Context(), &sqssdk.CreateQueueInput{QueueName: ref("orders"), Attributes: pairs([]string{"VisibilityTimeout", "2"})})
	wantRefusal(t, err, "QueueAlreadyExists")
}

func TestQueueTags(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	_, err := q.api.TagQueue(t.Context(), &sqssdk.TagQueueInput{QueueUrl: &url, Tags: map[string]string{"firedrill": "allowed", "team": "orders"}})
	must(t, err)
	_, err = q.api.UntagQueue(t.Context(), &sqssdk.UntagQueueInput{QueueUrl: &url, TagKeys: []string{"team", "never"}})
	must(t, err)
	out, err := q.api.ListQueueTags(t.Context(), &sqssdk.ListQueueTagsInput{QueueUrl: &url})
	must(t, err)
	if len(out.Tags) != 1 || out.Tags["firedrill"] != "allowed" {
		t.Errorf("tags %v", out.Tags)
	}
	_, err = q.api.TagQueue(t.Context(), &sqssdk.TagQueueInput{QueueUrl: &url, Tags: map[string]string{"aws:x": "y"}})
	wantRefusal(t, err, "InvalidParameterValue")
}

func TestQueueRefusals(t *testing.T) {
	q := newQueueTest(t, Options{})
	url := q.create("orders")
	q.create("closed", "RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`)
	q.create("picky", "RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["`+arnOf("else")+`"]}`)
	q.create("line.fifo", "FifoQueue", "true")
	redrive := func(name string, count any) string {
		return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%v}`, arnOf(name), count)
	}
	for _, c := range []struct{ name, attribute, value, code string }{
		{"unknown attribute", "Colour", "red", "InvalidAttributeName"},
		{"visibility over 12 h", "VisibilityTimeout", "43201", "InvalidAttributeValue"},
		{"not a number", "DelaySeconds", "soon", "InvalidAttributeValue"},
		{"retention under a minute", "MessageRetentionPeriod", "59", "InvalidAttributeValue"},
		{"wait over 20 s", "ReceiveMessageWaitTimeSeconds", "21", "InvalidAttributeValue"},
		{"becomes FIFO", "FifoQueue", "true", "InvalidAttributeName"},
		{"redrive is no JSON", "RedrivePolicy", "{", "InvalidParameterValue"},
		{"redrive without count", "RedrivePolicy", `{"deadLetterTargetArn":"` + arnOf("closed") + `"}`, "InvalidParameterValue"},
		{"redrive count 0", "RedrivePolicy", redrive("orders", 0), "InvalidParameterValue"},
		{"redrive count 1001", "RedrivePolicy", redrive("orders", 1001), "InvalidParameterValue"},
		{"redrive to nowhere", "RedrivePolicy", redrive("nowhere", 2), "InvalidParameterValue"},
		{"redrive to FIFO", "RedrivePolicy", redrive("line.fifo", 2), "InvalidParameterValue"},
		{"redrive denied to all", "RedrivePolicy", redrive("closed", 2), "InvalidParameterValue"},
		{"redrive allowed to others", "RedrivePolicy", redrive("picky", 2), "InvalidParameterValue"},
		{"allow policy without sources", "RedriveAllowPolicy", `{"redrivePermission":"byQueue"}`, "InvalidParameterValue"},
		{"allow policy of no kind", "RedriveAllowPolicy", `{"redrivePermission":"some"}`, "InvalidParameterValue"},
		{"policy with an unknown operator", "Policy", `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`, "InvalidAttributeValue"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := fmt.Sprint(q.attributes(url))
			_, err := q.api.SetQueueAttributes(t.Context(), &sqssdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{c.attribute: c.value, "DelaySeconds": "7"}})
			if c.attribute == "DelaySeconds" {
				_, err = q.api.SetQueueAttributes(t.Context(), &sqssdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{c.attribute: c.value}})
			}
			wantRefusal(t, err, c.code)
			if after := fmt.Sprint(q.attributes(url)); after != before {
				t.Errorf("refused, and changed: %s", after)
			}
		})
	}
	for _, name := range []string{"", "a b", strings.Repeat("x", 81), "x.fifo"} {
		_, err := q.api.CreateQueue(t.Context(), &sqssdk.CreateQueueInput{QueueName: &name})
		wantRefusal(t, err, "InvalidParameterValue")
	}
	must(t, errors.Join(redriveSet(q, url, redrive("orders", `"5"`)))) // AWS takes the count in quotes too
}

func redriveSet(q *queueTest, url, policy string) error {
	_, err := q.api.SetQueueAttributes(q.Context(), &sqssdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"RedrivePolicy": policy}})
	return err
}

func TestQueuePolicyDenies(t *testing.T) {
	q := newQueueTest(t, Options{PolicyPropagation: -1})
	url := q.create("orders")
	q.send(url, "a")
	until := q.clock.now().Add(time.Minute).Format(time.RFC3339)
	_, err := q.api.SetQueueAttributes(t.Context(), &sqssdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":[{"Sid":"stall","Effect":"Deny",
		"Principal":{"AWS":"arn:aws:iam::111122223333:user/orders"},"Action":"sqs:ReceiveMessage","Resource":"` + arnOf("orders") + `",
		"Condition":{"DateLessThan":{"aws:CurrentTime":"` + until + `"}}}]}`}})
	must(t, err)
	orders := q.as("orders")
	_, err = orders.ReceiveMessage(t.Context(), &sqssdk.ReceiveMessageInput{QueueUrl: &url})
	wantRefusal(t, err, "AccessDenied")
	if _, err := orders.SendMessage(t.Context(), &sqssdk.SendMessageInput{QueueUrl: &url, MessageBody: ref("b")}); err != nil {
		t.Errorf("sending is not denied: %v", err)
	}
	if got := q.receive(url); len(got) != 2 {
		t.Errorf("others receive %d messages, want 2", len(got))
	}
	q.clock.move(2 * time.Minute)
	if _, err := orders.ReceiveMessage(t.Context(), &sqssdk.ReceiveMessageInput{QueueUrl: &url}); err != nil {
		t.Errorf("after the deny has run out: %v", err)
	}
}

func TestQueueConfigIsNotTraffic(t *testing.T) {
	q := newQueueTest(t, Options{})
	url, dlq := q.redriven(1)
	before, err := q.cloud.ConfigJSON()
	must(t, err)
	for range 3 {
		q.send(url, "poison")
		q.receive(url)
		q.clock.move(2 * time.Second)
	}
	q.receive(url)
	if n := len(q.receive(dlq)); n == 0 {
		t.Fatal("nothing dead-lettered: the traffic proves nothing")
	}
	after, err := q.cloud.ConfigJSON()
	must(t, err)
	if string(before) != string(after) {
		t.Errorf("traffic changed the configuration:\n%s\n%s", before, after)
	}
	// What means the same reads the same: the count in quotes, and a default spelled out.
	must(t, redriveSet(q, url, fmt.Sprintf(`{"maxReceiveCount":"1","deadLetterTargetArn":%q}`, arnOf("orders-dlq"))))
	_, err = q.api.SetQueueAttributes(t.Context(), &sqssdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"DelaySeconds": "0"}})
	must(t, err)
	if after, _ = q.cloud.ConfigJSON(); string(before) != string(after) {
		t.Errorf("the same in other words:\n%s\n%s", before, after)
	}
	_, err = q.api.SetQueueAttributes(t.Context(), &sqssdk.SetQueueAttributesInput{QueueUrl: &url, Attributes: map[string]string{"DelaySeconds": "1"}})
	must(t, err)
	if after, _ = q.cloud.ConfigJSON(); string(before) == string(after) {
		t.Error("a changed delay is not in the configuration")
	}
}
