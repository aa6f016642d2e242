package inject_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// A target has room for fifty tags: one on which ours, or those of its undo, would find none is refused.
func TestRefusesATargetFullOfTags(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{Tick: 100 * time.Millisecond})
	a.provisioned("stock", 100, 100) // with two tags
	for n := range 44 {
		must(t, 0, tagTable(a, "stock", fmt.Sprintf("k%d", n), "v"))
	}
	a.refused(inject.KindThrottle, `{"table":"stock","writes":1}`, "no room for 5 of ours", false)
	q := a.queues()
	q.consume()
	many := map[string]string{}
	for n := range 42 {
		many[fmt.Sprintf("k%d", n)] = "v"
	}
	_, err := q.owner().SQS.TagQueue(t.Context(), &sqs.TagQueueInput{QueueUrl: &q.dlq, Tags: many})
	must(t, 0, err)
	a.refused(inject.KindPoison, `{"queue":"orders"}`, "queue orders-dlq has 43 tags, and no room for 8 of ours", false)
}
