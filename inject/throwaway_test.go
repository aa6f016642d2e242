package inject_test

import (
	"context"
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

const selftestID = "01k9yyyyyyyyyyyyyyyyyyyyyy"

// throwaway makes a selftest's own things.
func (a *account) throwaway(until time.Time) *inject.Throwaway {
	a.Helper()
	w := inject.NewThrowaway(a.clients("AKIAFIREDRILL00000"), selftestID)
	must(a, 0, w.Allowed(a.Context()))
	must(a, 0, w.Make(a.Context(), map[string]string{"environment": "sandbox", "firedrill": "allowed"}, until))
	return w
}

// What a selftest makes is gone after it, and the account as before.
func TestThrowawayIsDeleted(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{}).queues()
	q.onDemand("orders", nil)
	before := q.config()
	w := q.throwaway(time.Now().Add(time.Hour))
	lines, err := w.State(t.Context())
	if text := strings.Join(must(t, lines, err), "\n"); !strings.Contains(text, "table tag firedrill=allowed") || !strings.Contains(text, "queue policy: none") || !strings.Contains(text, "DLQ: 0 messages") {
		t.Errorf("its state is %s", text)
	}
	must(t, 0, w.Delete(t.Context()))
	must(t, 0, w.Delete(t.Context())) // what is gone is no error
	if q.config() != before {
		t.Errorf("not as before: %s", q.config())
	}
}

// A selftest that died is found by the next, and by a sweep, but only once its time is over.
func TestThrowawayIsFoundAgain(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	before := a.config()
	a.throwaway(time.Now().Add(time.Hour))
	c := a.clients("AKIAFIREDRILL00000")
	for after, want := range map[time.Duration]int{0: 0, 2 * time.Hour: 1} {
		old, err := inject.Forgotten(t.Context(), c, time.Now().Add(after))
		if must(t, len(old), err) != want {
			t.Errorf("%s later %d are forgotten, want %d", after, len(old), want)
		}
	}
	found := a.survey().Leftovers
	if len(found) != 3 {
		t.Fatalf("found %+v", found)
	}
	for _, l := range found {
		if l.Selftest != selftestID || l.Mark.Until.IsZero() || len(l.ByHand) != 1 {
			t.Errorf("found %+v", l)
		}
		_, _, err := a.sweeper().PutBack(t.Context(), l)
		must(t, 0, err)
	}
	if a.config() != before {
		t.Errorf("not as before: %s", a.config())
	}
}

// firedrill deletes nobody's table and nobody's queue: name and tag must both say that this very selftest made it.
func TestThrowawayDeletesNoStranger(t *testing.T) {
	t.Parallel()
	const name, other = "firedrill-selftest-" + selftestID, "01k9xxxxxxxxxxxxxxxxxxxxxx"
	for what, c := range map[string]struct {
		name, tag string
		id        string // whose Delete is called
	}{
		"no tag":              {name, "", selftestID},
		"another selftest's":  {name, other, selftestID},
		"a tag of some word":  {name, "yes", selftestID},
		"a name that goes on": {name + "-copy", selftestID, selftestID + "-copy"},
		"no id":               {"firedrill-selftest-orders", "orders", "orders"},
		"a capital id":        {"firedrill-selftest-" + strings.ToUpper(selftestID), strings.ToUpper(selftestID), strings.ToUpper(selftestID)},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, sandbox.Options{})
			a.onDemand(c.name, nil)
			tags := map[string]string{"environment": "sandbox", inject.TagThrowawayUntil: "2026-01-01T00:00:00Z"}
			if c.tag != "" {
				tags[inject.TagThrowaway] = c.tag
			}
			for k, v := range tags {
				_, err := a.owner().DynamoDB.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: a.tableARN(c.name),
					Tags: []types.Tag{{Key: &k, Value: &v}}})
				must(t, 0, err)
			}
			for _, queue := range []string{c.name, c.name + "-dlq"} {
				_, err := a.owner().SQS.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String(queue), Tags: tags})
				must(t, 0, err)
			}
			before := a.config()
			w := inject.NewThrowaway(a.clients("AKIAFIREDRILL00000"), c.id)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if err := w.Delete(ctx); err == nil || !strings.Contains(err.Error(), "no selftest has made it") {
				t.Errorf("deleted: %v", err)
			}
			if err := w.Allowed(ctx); err == nil {
				t.Error("it would make what is there already")
			}
			if old, err := inject.Forgotten(ctx, a.clients("AKIAFIREDRILL00000"), time.Now()); len(old) != 0 {
				t.Errorf("%d are forgotten (%v)", len(old), err)
			}
			for _, l := range a.survey().Leftovers {
				if l.Selftest != "" {
					t.Errorf("a sweep would delete %+v", l)
				}
			}
			if n := a.writes(); a.config() != before || n > 0 {
				t.Errorf("%d writes; changed: %v", n, a.config() != before)
			}
		})
	}
}
