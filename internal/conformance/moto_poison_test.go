package conformance

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/inject/injecttest"
)

// poison is a queue with a DLQ that already holds strangers' messages. Visibility, receive counts and redrive are
// moto's. Its consumer is ours, and tells CloudWatch of its receives itself: moto's SQS publishes no metrics.
func (m *moto) poison(t *testing.T) {
	run(t, inject.KindPoison, func(t *testing.T) injecttest.World {
		q := m.queues(t)
		q.send(q.dlq, "a letter of somebody's", "another")
		q.consume()
		return injecttest.World{
			Catalog: func() inject.Catalog { return m.catalog(t) },
			Params:  `{"queue":"` + q.name + `","messages":2}`,
			State:   q.state,
			PutBack: func(_ *testing.T, u inject.Undo) { q.deleteOurs(u, 2) },
			Change: func(*testing.T) {
				must(q.SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: &q.url, Attributes: map[string]string{"ReceiveMessageWaitTimeSeconds": "3"}}))(t)
			},
		}
	})
}

// queues is a queue of moto's and its DLQ.
type queues struct {
	*testing.T
	*inject.Clients
	name     string
	url, dlq string
}

func (m *moto) queues(t *testing.T) *queues {
	t.Helper()
	q := &queues{T: t, Clients: m.clients(t), name: m.name("orders")}
	q.dlq = q.create(q.name+"-dlq", nil)
	q.url = q.create(q.name, map[string]string{"VisibilityTimeout": "1",
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":2}`, q.arn()+"-dlq")})
	return q
}

func (q *queues) arn() string { return "arn:aws:sqs:eu-west-1:" + motoAccount + ":" + q.name }

func (q *queues) create(name string, attributes map[string]string) string {
	q.Helper()
	return *must(q.SQS.CreateQueue(q.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes, Tags: map[string]string{"environment": "sandbox"}}))(q).QueueUrl
}

func (q *queues) send(url string, bodies ...string) {
	q.Helper()
	for _, b := range bodies {
		must(q.SQS.SendMessage(q.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &b}))(q)
	}
}

// consume runs a consumer that deletes what is JSON and leaves the rest, and writes the metric of its receives. It
// returns once the first has been written.
func (q *queues) consume() {
	q.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan struct{})
	var done sync.WaitGroup
	done.Go(func() {
		told := sync.OnceFunc(func() { close(first) })
		for ctx.Err() == nil {
			out, err := q.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &q.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
			if err != nil {
				continue
			}
			metric := "NumberOfEmptyReceives"
			for _, m := range out.Messages {
				metric = "NumberOfMessagesReceived"
				if json.Valid([]byte(*m.Body)) {
					_, _ = q.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &q.url, ReceiptHandle: m.ReceiptHandle})
				}
			}
			if q.publish(ctx, metric) == nil {
				told()
			}
		}
	})
	q.Cleanup(func() { cancel(); done.Wait() })
	select {
	case <-first:
	case <-time.After(patience):
		q.Fatalf("the consumer has told of no receive after %s", patience)
	}
}

func (q *queues) publish(ctx context.Context, metric string) error {
	_, err := queried(q.Clients).PutMetricData(ctx, &cloudwatch.PutMetricDataInput{Namespace: aws.String("AWS/SQS"), MetricData: []cwtypes.MetricDatum{{
		MetricName: &metric, Value: aws.Float64(1), Dimensions: []cwtypes.Dimension{{Name: aws.String("QueueName"), Value: &q.name}}}}})
	return err
}

// state is what people configured of both queues, and every message of the DLQ.
func (q *queues) state() string {
	q.Helper()
	all := map[string]any{}
	for what, url := range map[string]string{"queue": q.url, "dlq": q.dlq} {
		kept := map[string]string{}
		for name, value := range must(q.SQS.GetQueueAttributes(q.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}}))(q).Attributes {
			if !strings.HasPrefix(name, "Approximate") && !strings.HasSuffix(name, "Timestamp") {
				kept[name] = value
			}
		}
		all[what] = []any{kept, must(q.SQS.ListQueueTags(q.Context(), &sqs.ListQueueTagsInput{QueueUrl: &url}))(q).Tags}
	}
	var bodies []string
	q.leaf(func(message types.Message) bool {
		bodies = append(bodies, *message.Body)
		return false
	})
	slices.Sort(bodies)
	all["letters"] = bodies
	return spelled(q, all, q.name)
}

// leaf goes through the DLQ, deletes what it is told to, and gives the rest back at once.
func (q *queues) leaf(remove func(types.Message) bool) {
	q.Helper()
	for _, message := range must(q.SQS.ReceiveMessage(q.Context(), &sqs.ReceiveMessageInput{QueueUrl: &q.dlq, MaxNumberOfMessages: 10, VisibilityTimeout: 5}))(q).Messages {
		if remove(message) {
			must(q.SQS.DeleteMessage(q.Context(), &sqs.DeleteMessageInput{QueueUrl: &q.dlq, ReceiptHandle: message.ReceiptHandle}))(q)
		} else {
			must(q.SQS.ChangeMessageVisibility(q.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &q.dlq, ReceiptHandle: message.ReceiptHandle}))(q)
		}
	}
}

// deleteOurs waits for the poison in the DLQ and deletes it, as a responder who knows what it is.
func (q *queues) deleteOurs(u inject.Undo, left int) {
	q.Helper()
	eventually(q.Context(), q.T, "the responder finds our messages", func() bool {
		q.leaf(func(message types.Message) bool {
			ours := strings.Contains(*message.Body, u.Mark.Run)
			if ours {
				left--
			}
			return ours
		})
		return left <= 0
	})
}

// digested is poison for a Lambda function. Whole batches that fail would drag good messages along: refused. Then a
// function that takes one at a time is accepted, on the word of its event source mapping alone. moto's function, run
// without a container, digests whatever comes: every message is accounted for as gone, none as swept.
func (m *moto) digested(t *testing.T) {
	if status, answer := post(t, m.url+"/moto-api/config", `{"lambda":{"use_docker":false}}`, nil); status >= 300 {
		t.Fatalf("tell moto to use no containers: %d %s", status, answer)
	}
	q := m.queues(t)
	k := m.catalog(t)[inject.KindPoison]
	f := must(k.New(json.RawMessage(`{"queue":"` + q.name + `","messages":3}`)))(t)
	refused := func(why string) {
		t.Helper()
		var no *inject.Refusal
		if _, err := f.Prepare(t.Context(), mark("run"), time.Now()); !errors.As(err, &no) || !strings.Contains(no.Why, why) {
			t.Errorf("want a refusal that says %q: %v", why, err)
		}
	}
	refused("nobody is known to consume")
	mapping := q.feed(m.name("digest"), 10)
	refused("good messages would dead-letter along")
	must(lambda.NewFromConfig(q.Config).UpdateEventSourceMapping(t.Context(), &lambda.UpdateEventSourceMappingInput{UUID: &mapping, BatchSize: aws.Int32(1)}))(t)
	before := q.state()
	u := must(f.Prepare(t.Context(), mark("run"), time.Now()))(t)
	must(0, f.Apply(t.Context(), u))(t)
	how, items, err := k.Account(t.Context(), u)
	if must(how, err)(t) != inject.AlreadyRestored || len(items) != 3 {
		t.Errorf("%s %+v", how, items)
	}
	for _, i := range items {
		if i.End != inject.Gone {
			t.Errorf("%+v, want it gone", i)
		}
	}
	if now := q.state(); now != before {
		t.Errorf("not as before: %s\nnow\n%s", before, now)
	}
}

// feed makes a function that takes messages from the queue.
func (q *queues) feed(function string, batch int32) (mapping string) {
	q.Helper()
	role := must(iam.NewFromConfig(q.Config).CreateRole(q.Context(), &iam.CreateRoleInput{RoleName: &function, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)}))(q).Role
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	must(must(z.Create("main.py"))(q).Write([]byte("def handle(event, context): return {}\n")))(q)
	must(0, z.Close())(q)
	must(lambda.NewFromConfig(q.Config).CreateFunction(q.Context(), &lambda.CreateFunctionInput{FunctionName: &function, Role: role.Arn, Handler: aws.String("main.handle"),
		Runtime: lambdatypes.RuntimePython312, Code: &lambdatypes.FunctionCode{ZipFile: code.Bytes()}}))(q)
	return *must(lambda.NewFromConfig(q.Config).CreateEventSourceMapping(q.Context(), &lambda.CreateEventSourceMappingInput{FunctionName: &function,
		EventSourceArn: aws.String(q.arn()), BatchSize: &batch, Enabled: aws.Bool(true)}))(q).UUID
}
