package inject_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func (a *account) inventory() *inject.Inventory {
	return inject.NewInventory(a.clients("AKIAFIREDRILL00000"), 20*time.Second)
}

// What a person chooses from says beside each thing what it is and what rules it out. Nothing is written for it.
func TestInventoryTellsWhatRulesATargetOut(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{}).queues()
	q.create("orders.fifo", map[string]string{"FifoQueue": "true"})
	q.create("abroad", map[string]string{"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:111122223333:orders-dlq","maxReceiveCount":5}`})
	list, err := q.inventory().List(t.Context(), inject.ServiceQueues)
	if err != nil || list.More {
		t.Fatal(list.More, err)
	}
	got := map[string]inject.Candidate{}
	for _, c := range list.Candidates {
		got[c.Name] = c
	}
	for name, row := range map[string]struct{ says, out, mend string }{
		"abroad":      {says: "dead letters go to orders-dlq after 5 receives"},
		"orders":      {says: "dead letters go to orders-dlq after 2 receives"},
		"orders-dlq":  {"no dead-letter queue", "has no redrive policy", "give it a redrive policy"},
		"orders.fifo": {"no dead-letter queue", "is FIFO", "use a standard queue"},
	} {
		c, known := got[name]
		if !known || c.Says != row.says || c.Mend != row.mend || !strings.Contains(c.Out, row.out) || (row.out == "") != (c.Out == "") || c.Unread != "" {
			t.Errorf("%s: %+v", name, c)
		}
	}
	if n := q.writes(); n != 0 || len(got) != 4 {
		t.Errorf("%d writes, %d queues", n, len(got))
	}
	// Tags are missing on the queue and on its DLQ alike; one of another value is missing too.
	want := map[string]string{"environment": "staging", "firedrill": "allowed"}
	lines := got["orders"].Untagged(want)
	if len(lines) != 2 || lines[0] != "aws sqs tag-queue --queue-url "+q.url+" --tags environment=staging,firedrill=allowed --region eu-west-1" ||
		!strings.Contains(lines[1], "/orders-dlq --tags ") {
		t.Errorf("%q", lines)
	}
	if lines := got["orders"].Untagged(map[string]string{"environment": "sandbox"}); len(lines) != 0 {
		t.Errorf("%q, and it carries them", lines)
	}
}

func TestInventoryOfTables(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.onDemand("orders", nil)
	a.provisioned("stock", 5, 7)
	_, err := a.owner().DynamoDB.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: a.tableARN("stock"), Tags: []types.Tag{
		{Key: aws.String(inject.TagRun), Value: aws.String("01k9zzzzzzzzzzzzzzzzzzzzzz")}, {Key: aws.String(inject.TagFault), Value: aws.String("throttle")}}})
	must(t, 0, err)
	list, err := a.inventory().List(t.Context(), inject.ServiceTables)
	if err != nil || len(list.Candidates) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	orders, stock := list.Candidates[0], list.Candidates[1]
	if orders.Says != "on demand" || orders.Writes != 0 || orders.Out != "" || stock.Says != "provisioned, 7 writes a second" || stock.Writes != 7 {
		t.Errorf("%+v", list.Candidates)
	}
	if !strings.Contains(stock.Out, "still carries run 01k9zzzzzzzzzzzzzzzzzzzzzz") || !strings.Contains(stock.Mend, "firedrill recover") {
		t.Errorf("marked: %q, %q", stock.Out, stock.Mend)
	}
	lines := orders.Untagged(map[string]string{"environment": "staging", "two words": "it's"})
	want := []string{`aws dynamodb tag-resource --resource-arn ` + orders.ARN + ` --tags Key=environment,Value=staging 'Key=two words,Value=it'\''s' --region eu-west-1`}
	if len(lines) != 1 || lines[0] != want[0] {
		t.Errorf("%q, want %q", lines, want)
	}
}

// One thing is found by its name; what is not there is answered with what comes nearest.
func TestInventoryFinds(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{}).queues()
	q.onDemand("orders", nil)
	for _, row := range []struct{ service, name, why, try string }{
		{"dynamodb", "orders", "", ""},
		{"sqs", "orders", "", ""},
		{"dynamodb", "order", "there is no table order in region eu-west-1", "dynamodb:orders"},
		{"dynamodb", "carts", "there is no table carts", "mend the name"},
		{"sqs", "dlq", "there is no queue dlq", "sqs:orders-dlq"},
		{"alb", "orders", "there is no load balancer orders", "mend the name"},
	} {
		c, err := q.inventory().Find(t.Context(), row.service, row.name)
		var no *inject.Refusal
		switch {
		case row.why == "":
			if err != nil || c.Name != row.name || c.ARN == "" {
				t.Errorf("%s %s: %+v %v", row.service, row.name, c, err)
			}
		case !errors.As(err, &no) || !strings.Contains(no.Why, row.why) || !strings.Contains(no.Try, row.try):
			t.Errorf("%s %s: %v", row.service, row.name, err)
		}
	}
	if _, err := q.inventory().Find(t.Context(), "lambda", "orders"); err == nil || errors.As(err, new(*inject.Refusal)) {
		t.Errorf("an unknown service: %v", err)
	}
}

// A list that is too long for the time there is, or that cannot be read in part, is a list all the same.
func TestInventoryIsBounded(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{}).queues()
	for n := range 520 {
		_, err := q.owner().SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(fmt.Sprintf("q%03d", n))})
		must(t, 0, err)
	}
	list, err := inject.NewInventory(q.clients("AKIAFIREDRILL00000"), time.Nanosecond).List(t.Context(), inject.ServiceQueues)
	if err != nil || !list.More || len(list.Candidates) != 500 {
		t.Fatalf("%d of them, more %t, %v", len(list.Candidates), list.More, err)
	}
	for _, c := range list.Candidates {
		if c.Name == "" || strings.Contains(c.Name, "/") || !strings.Contains(c.Unread, "looked at when it is chosen") {
			t.Fatalf("%+v", c)
		}
	}
}
