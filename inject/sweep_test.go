package inject_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// sweptRun is a run whose journal is lost.
const sweptRun = "01k9zzzzzzzzzzzzzzzzzzzzzz"

// lost makes a fault, stages and applies it, and forgets its undo.
func (a *account) lost(kind, params string) {
	a.Helper()
	f, err := a.catalog()[kind].New(json.RawMessage(params))
	must(a, f, err)
	now := time.Now()
	u, err := f.Prepare(a.Context(), inject.Mark{Run: sweptRun, Fault: "broken", Until: now.Add(time.Minute)}, now)
	must(a, u, err)
	if s, ok := f.(inject.Staged); ok {
		u, err = s.Stage(a.Context(), u)
		must(a, u, err)
	}
	must(a, 0, f.Apply(a.Context(), u))
}

func (a *account) sweeper() *inject.Sweeper {
	return inject.NewSweeper(a.clients("AKIAFIREDRILL00000"), inject.CatalogOptions{Timing: inject.SandboxTiming()})
}

// survey looks through the account, which must be readable everywhere.
func (a *account) survey() inject.Survey {
	a.Helper()
	found, err := a.sweeper().Find(a.Context())
	must(a, found, err)
	for _, u := range found.Unread {
		a.Errorf("%s unread: %v", u.What, u.Err)
	}
	return found
}

// sweep puts everything back that was found, and sees that nothing is found any more.
func (a *account) sweep(want inject.Outcome) []inject.Item {
	a.Helper()
	var all []inject.Item
	found := a.survey()
	if len(found.Leftovers) != 1 {
		a.Fatalf("found %+v", found.Leftovers)
	}
	s, l := a.sweeper(), found.Leftovers[0]
	if l.Mark.Run != sweptRun || l.Mark.Fault != "broken" || l.Mark.Until.IsZero() || l.Undo == nil || l.Finds == "" || len(l.ByHand) == 0 {
		a.Fatalf("found %+v", l)
	}
	how, items, err := s.PutBack(a.Context(), l)
	if must(a, how, err) != want {
		a.Errorf("put back: %s, want %s", how, want)
	}
	all = append(all, items...)
	ok, why, err := s.Settled(a.Context(), l)
	if !must(a, ok, err) {
		a.Errorf("not settled: %s", why)
	}
	if again := a.survey(); len(again.Leftovers) > 0 {
		a.Errorf("still there: %+v", again.Leftovers)
	}
	return all
}

// A table's tags suffice to put it back: no journal is asked.
func TestSweepPutsTablesBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ params, finds string }{
		"on-demand":   {`{"table":"orders","writes":1}`, "writes: 1 units/s, before no maximum"},
		"both":        {`{"table":"orders","writes":1,"reads":2}`, "reads: 2 units/s, before no maximum"},
		"provisioned": {`{"table":"stock","writes":1}`, "auto scaling of WriteCapacityUnits suspended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, sandbox.Options{})
			a.onDemand("orders", nil)
			a.provisioned("stock", 100, 100)
			a.scaled("stock", 50, 400, aastypes.SuspendedState{DynamicScalingInSuspended: aws.Bool(true)})
			before := a.config()
			a.lost(inject.KindThrottle, c.params)
			a.awaitTable("orders")
			a.awaitTable("stock")
			if l := a.survey().Leftovers; len(l) != 1 || !strings.Contains(l[0].Finds, c.finds) {
				t.Errorf("found %+v", l)
			}
			a.sweep(inject.Restored)
			if a.config() != before {
				t.Errorf("not as before: %s", a.config())
			}
		})
	}
}

// What a responder made of a table since stands.
func TestSweepKeepsARespondersValue(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	a.provisioned("stock", 100, 100)
	a.lost(inject.KindThrottle, `{"table":"stock","writes":1}`)
	a.capacity("stock", 100, 250)
	a.sweep(inject.Diverged)
	if p := a.table("stock").ProvisionedThroughput; *p.WriteCapacityUnits != 250 {
		t.Errorf("writes are %d", *p.WriteCapacityUnits)
	}
}

func TestSweepDeletesOurRules(t *testing.T) {
	t.Parallel()
	b := newAccount(t, sandbox.Options{}).balancer()
	b.rule(10, "/users*")
	before := b.config()
	b.lost(inject.KindError, fmt.Sprintf(`{"listener":%q,"path":"/users*","status":503,"body":"no"}`, b.listener))
	b.sweep(inject.Restored)
	if b.config() != before {
		t.Errorf("not as before: %s", b.config())
	}
}

// A schedule is known by its name alone; one that only resembles ours stays.
func TestSweepDeletesSchedules(t *testing.T) {
	t.Parallel()
	a := newAccount(t, sandbox.Options{})
	m := inject.Mark{Run: sweptRun, Fault: "broken-twice"}
	call := inject.Call{Service: "dynamodb", Action: "updateTable", Input: json.RawMessage(`{"TableName":"orders"}`)}
	for _, mark := range []inject.Mark{m, {Run: "nightly", Fault: "backup"}} {
		list := inject.Schedules(mark, time.Now().Add(time.Hour), []inject.Call{call, call})
		must(t, 0, a.deadman().Arm(t.Context(), list))
	}
	found := a.survey().Leftovers
	if len(found) != 2 || found[0].Mark.Run != m.Run || found[0].Mark.Fault != m.Fault || found[0].Mark.Until.IsZero() || !strings.Contains(found[0].Finds, "dynamodb:updateTable") {
		t.Fatalf("found %+v", found)
	}
	for _, l := range found { // the second is gone with the first
		how, _, err := a.sweeper().PutBack(t.Context(), l)
		if must(t, how, err) != inject.Restored {
			t.Errorf("put back: %s", how)
		}
	}
	if left := a.survey(); len(left.Leftovers) != 0 || left.Looked["schedules"] != 2 {
		t.Errorf("left %+v", left)
	}
}

// Messages are ours where attributes and body say so. One that only quotes our mark, or only carries our attributes, stays.
func TestSweepTakesOurMessagesAlone(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 200 * time.Millisecond}).queues()
	q.send(q.dlq, "a letter of somebody's", "failed: [firedrill "+sweptRun+"/broken/1]")
	text := func(s string) sqstypes.MessageAttributeValue {
		return sqstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
	}
	_, err := q.owner().SQS.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &q.dlq, MessageBody: aws.String("attributes copied"),
		MessageAttributes: map[string]sqstypes.MessageAttributeValue{"firedrill.run": text(sweptRun), "firedrill.fault": text("broken"), "firedrill.seq": text("1")}})
	must(t, 0, err)
	q.consume()
	before := q.state()
	q.lost(inject.KindPoison, `{"queue":"orders","messages":2,"body":"own words {mark}"}`)
	items := q.sweep(inject.Restored)
	if len(items) != 2 || items[0].End != inject.Swept || items[1].End != inject.Swept {
		t.Errorf("accounted: %+v", items)
	}
	if now := q.state(); now != before {
		t.Errorf("not as before:\n%s\n%s", before, now)
	}
}

// The source was deleted: its DLQ is swept all the same.
func TestSweepOfADLQAlone(t *testing.T) {
	t.Parallel()
	q := newAccount(t, sandbox.Options{Tick: 200 * time.Millisecond}).queues()
	q.send(q.dlq, "a letter of somebody's")
	q.consume()
	q.lost(inject.KindPoison, `{"queue":"orders","messages":2}`)
	for deadline := time.Now().Add(20 * time.Second); q.in("orders-dlq") < 3; pauseTest(q.account) {
		if time.Now().After(deadline) {
			t.Fatal("nothing dead-letters")
		}
	}
	_, err := q.owner().SQS.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &q.url})
	must(t, 0, err)
	q.sweep(inject.Diverged)
	if n := q.in("orders-dlq"); n != 1 {
		t.Errorf("the DLQ holds %d messages, want the stranger's", n)
	}
}

// Tags of strangers that only look like ours are nobody's mark; one of our names that we cannot have written is listed,
// and nothing is changed.
func TestSweepLeavesStrangersAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tags map[string]string
		why  string
	}{
		"a guard's tag":        {map[string]string{"firedrill": "allowed"}, ""},
		"another key":          {map[string]string{"firedrill:allowed": "yes", "firedrill:undo": "mode=on-demand writes=5"}, ""},
		"no run of ours":       {map[string]string{"firedrill:run": "nightly", "firedrill:fault": "x"}, "not a mark"},
		"no fault":             {map[string]string{"firedrill:run": sweptRun}, "not a mark"},
		"no time":              {map[string]string{"firedrill:run": sweptRun, "firedrill:fault": "x", "firedrill:until": "soon"}, "no time"},
		"nothing to undo":      {marked(map[string]string{}), "does not say what was there"},
		"another's words":      {marked(map[string]string{"firedrill:undo": "delete everything"}), "not one of ours"},
		"a strange mode":       {marked(map[string]string{"firedrill:undo": "mode=free writes=5"}), "does not say what was there"},
		"impossible before":    {marked(map[string]string{"firedrill:undo": "mode=provisioned writes=-1"}), "cannot have been"},
		"zero before":          {marked(map[string]string{"firedrill:undo": "mode=on-demand writes=0 writes-during=1"}), "cannot have been"},
		"no number":            {marked(map[string]string{"firedrill:undo": "mode=on-demand writes=many"}), "writes=many"},
		"half a switch":        {marked(map[string]string{"firedrill:undo": "mode=provisioned writes=5 WriteCapacityUnits=0"}), "not three switches"},
		"an old mark":          {marked(map[string]string{"firedrill:undo": "mode=on-demand writes=50"}), "does not say whether that is ours"},
		"a mark of a queue's":  {marked(map[string]string{"firedrill:undo": "sweep 3 messages"}), "not one of ours"},
		"a mark of a rule's":   {marked(map[string]string{"firedrill:undo": "delete-rule"}), "not one of ours"},
		"a shell's dangers 'x": {marked(map[string]string{"firedrill:undo": "mode=on-demand writes=50 $(rm)"}), "not one of ours"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, sandbox.Options{})
			a.onDemand("orders", nil)
			for k, v := range c.tags {
				_, err := a.owner().DynamoDB.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: a.table("orders").TableArn,
					Tags: []types.Tag{{Key: &k, Value: &v}}})
				must(t, 0, err)
			}
			found := a.survey().Leftovers
			switch {
			case c.why == "" && len(found) > 0, c.why != "" && (len(found) != 1 || !strings.Contains(found[0].Why, c.why)):
				t.Errorf("found %+v, want %q", found, c.why)
			}
			for _, l := range found {
				if _, _, err := a.sweeper().PutBack(t.Context(), l); err == nil || l.Undo != nil || len(l.ByHand) == 0 {
					t.Errorf("put back: %v, %+v", err, l)
				}
			}
			if n := a.writes(); n > 0 {
				t.Errorf("%d writes", n)
			}
		})
	}
}

// marked completes a mark.
func marked(tags map[string]string) map[string]string {
	tags["firedrill:run"], tags["firedrill:fault"], tags["firedrill:until"] = sweptRun, "broken", "2026-01-01T00:00:00Z"
	return tags
}
