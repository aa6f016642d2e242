package inject_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// A file under testdata/undo is what some release wrote into a journal. None is ever changed or deleted: every
// later release must put back by it. Each row makes by hand what that release had made.
func TestUndosOfEveryReleaseArePutBack(t *testing.T) {
	rows := map[string]func(g *golden){
		"dynamodb.throttle-on-demand.v1.json":   goldenOnDemand,
		"dynamodb.throttle-provisioned.v1.json": goldenProvisioned,
		"http.error.v1.json":                    goldenError,
		"http.error-metric.v1.json":             goldenError,
		"sqs.poison.v1.json":                    goldenPoison,
		"dynamodb.deny.v1.json":                 goldenDeny,
		"sqs.stall.v1.json":                     goldenStall,
	}
	files, err := filepath.Glob("testdata/undo/*.json")
	must(t, 0, err)
	if len(files) != len(rows) {
		t.Errorf("%d undos, and %d rows", len(files), len(rows))
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			raw, err := os.ReadFile(file)
			g := &golden{account: newAccount(t, sandbox.Options{}), text: string(must(t, raw, err))}
			must(t, 0, json.Unmarshal(raw, &g.undo))
			g.mark = map[string]string{inject.TagRun: g.undo.Mark.Run, inject.TagFault: g.undo.Mark.Fault, inject.TagState: "applied"}
			rows[filepath.Base(file)](g)
			g.putBack()
		})
	}
}

// golden is one old undo, and an account in which its change is in place.
type golden struct {
	*account
	text   string
	undo   inject.Undo
	mark   map[string]string
	before string
}

// meanHere makes the undo speak of this account's ids.
func (g *golden) meanHere(pairs ...string) {
	g.Helper()
	must(g, 0, json.Unmarshal([]byte(strings.NewReplacer(pairs...).Replace(g.text)), &g.undo))
}

func (g *golden) putBack() {
	g.Helper()
	if g.config() == g.before {
		g.Fatal("nothing is in place")
	}
	k := g.catalog()[g.undo.Kind]
	if ok, why, err := k.Settled(g.Context(), g.undo); ok || err != nil || why == "" {
		g.Errorf("settled before it is put back: %v %q %v", ok, why, err)
	}
	how, err := k.Revert(g.Context(), g.undo)
	if must(g, how, err) != inject.Restored {
		g.Errorf("reverted: %s", how)
	}
	if ok, why, err := k.Settled(g.Context(), g.undo); !ok || err != nil {
		g.Errorf("not settled: %s %v", why, err)
	}
	if g.config() != g.before {
		g.Errorf("before\n%s\nnow\n%s", g.before, g.config())
	}
	for _, m := range g.cloud.Messages() {
		if strings.Contains(m.Body, g.undo.Mark.Run) {
			g.Errorf("left in %s: %s", m.Queue, m.Body)
		}
	}
}

func (g *golden) tagTable(name string) {
	g.Helper()
	for k, v := range g.mark {
		must(g, 0, tagTable(g.account, name, k, v))
	}
}

func goldenOnDemand(g *golden) {
	g.onDemand("orders", nil)
	g.before = g.config()
	g.meanHere("4f1c9d3a-6a0e-4c55-9f0e-2f8d3f6f2b11", aws.ToString(g.table("orders").TableId))
	g.tagTable("orders")
	g.maximum("orders", "writes", 1)
}

func goldenProvisioned(g *golden) {
	g.provisioned("stock", 80, 100)
	g.scaled("stock", 50, 400, aastypes.SuspendedState{ScheduledScalingSuspended: aws.Bool(true)})
	g.before = g.config()
	g.tagTable("stock")
	on := aws.Bool(true)
	g.suspend("stock", aastypes.SuspendedState{DynamicScalingInSuspended: on, DynamicScalingOutSuspended: on, ScheduledScalingSuspended: on})
	g.capacity("stock", 2, 1)
	if p := g.table("stock").ProvisionedThroughput; *p.WriteCapacityUnits != 1 || g.table("stock").TableStatus != types.TableStatusActive {
		g.Fatalf("not in place: %+v", p)
	}
}

func goldenError(g *golden) {
	b := g.balancer()
	b.rule(10, "/users*")
	g.before = g.config()
	g.meanHere("arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/orders/50dc6c495c0c9188/f2f7dc8efc522ab2", b.listener)
	in := &elb.CreateRuleInput{ListenerArn: &b.listener, Priority: aws.Int32(9), Conditions: paths("/users*"),
		Actions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("500")}}}}
	for k, v := range g.mark {
		in.Tags = append(in.Tags, elbtypes.Tag{Key: &k, Value: &v})
	}
	_, err := g.owner().ELB.CreateRule(g.Context(), in)
	must(g, 0, err)
}

func goldenPoison(g *golden) {
	q := g.queues()
	q.send(q.dlq, "a letter of somebody's")
	g.before = g.config()
	g.meanHere("https://sqs.eu-west-1.amazonaws.com/111122223333/orders", q.url)
	g.undo.Data = json.RawMessage(strings.ReplaceAll(string(g.undo.Data), q.url+"-dlq", q.dlq))
	api, text := g.owner().SQS, func(s string) sqstypes.MessageAttributeValue {
		return sqstypes.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
	}
	for _, url := range []string{q.url, q.dlq} {
		_, err := api.TagQueue(g.Context(), &sqs.TagQueueInput{QueueUrl: &url, Tags: g.mark})
		must(g, 0, err)
	}
	// One as it was sent, and one that a script of somebody's sent on: of the mark only the body's is left.
	_, err := api.SendMessage(g.Context(), &sqs.SendMessageInput{QueueUrl: &q.dlq, MessageBody: aws.String("not an order"), MessageAttributes: map[string]sqstypes.MessageAttributeValue{
		"firedrill.run": text(g.undo.Mark.Run), "firedrill.fault": text("poison"), "firedrill.seq": text("1")}})
	must(g, 0, err)
	q.send(q.dlq, "not an order, but poison [firedrill "+g.undo.Mark.Run+"/poison/2]")
}

// statements are those of an old undo.
func (g *golden) statements() []any {
	g.Helper()
	var data struct {
		Policy struct{ Statements []any }
	}
	must(g, 0, json.Unmarshal(g.undo.Data, &data))
	return data.Policy.Statements
}

func goldenDeny(g *golden) {
	g.onDemand("orders", nil)
	g.setPolicy("orders", `{"Statement":`+theirStatement+`,"Version":"2012-10-17"}`)
	g.before = g.config()
	g.meanHere("4f1c9d3a-6a0e-4c55-9f0e-2f8d3f6f2b11", aws.ToString(g.table("orders").TableId))
	g.tagTable("orders")
	// As it was merged: their statement byte for byte, ours behind it.
	ours, err := json.Marshal(g.statements())
	g.setPolicy("orders", `{"Statement":[`+theirStatement+`,`+strings.TrimPrefix(string(must(g, ours, err)), "[")+`,"Version":"2012-10-17"}`)
}

func goldenStall(g *golden) {
	q := g.queues()
	q.send(q.url, "an order of somebody's")
	g.before = g.config()
	g.meanHere("https://sqs.eu-west-1.amazonaws.com/111122223333/orders", q.url)
	_, err := g.owner().SQS.TagQueue(g.Context(), &sqs.TagQueueInput{QueueUrl: &q.url, Tags: g.mark})
	must(g, 0, err)
	q.editPolicy(func([]any) []any { return g.statements() })
}
