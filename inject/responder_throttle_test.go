package inject_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

func TestRespondersAreFreeWhileATableIsThrottled(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := newThrottled(t, r)
		l.draw(r, l.edits(), "prepare", "apply 1", "apply 2")
		applies := rapid.IntRange(1, 2).Draw(r, "applies")
		if !l.prepare() {
			return
		}
		for i := range applies {
			l.step(fmt.Sprintf("apply %d", i+1), func(ctx context.Context) { _ = l.fault.Apply(ctx, l.undo) })
		}
		l.run(func(ctx context.Context) {
			if _, err := l.fault.(inject.Verifier).Verify(ctx, l.undo); err != nil && l.there {
				r.Logf("verify: %v", err)
			}
		})
		l.told(l.undone(inject.KindThrottle))
		l.end()
	})
}

// throttled is a table's life.
type throttled struct {
	*life
	fault    inject.Fault
	onDemand bool
	scaled   bool
	there    bool             // the table the undo was made of
	retagged bool             // somebody took our tags off
	before   map[string]int64 // by side
	during   map[string]int64
	free     map[string]bool // switches of auto scaling that were off, by path
	applied  bool            // a write of ours took it down
	raised   bool            // a write of ours put it back
}

const atTable = "/dynamodb/orders/"

func newThrottled(t *testing.T, r *rapid.T) *throttled {
	h := newHouse(t, sandbox.Options{UpdateDelay: 250_000_000})
	l := &throttled{life: &life{judge: r, house: h, ctx: t.Context()}, there: true, free: map[string]bool{}}
	l.audit, l.edit = l.watch, l.respond
	l.onDemand = rapid.Bool().Draw(r, "on-demand")
	l.before = map[string]int64{"writes": 100, "reads": 100}
	if l.onDemand && rapid.Bool().Draw(r, "unbounded") {
		l.before = map[string]int64{"writes": -1, "reads": -1}
	}
	l.scaled = !l.onDemand && rapid.Bool().Draw(r, "auto scaling")
	l.during = map[string]int64{"writes": 1}
	if rapid.Bool().Draw(r, "both") {
		l.during["reads"] = 2
	}
	l.create()
	if l.scaled {
		l.register(aastypes.SuspendedState{DynamicScalingInSuspended: aws.Bool(rapid.Bool().Draw(r, "in suspended"))})
		was := l.state()
		for side := range l.during {
			for _, s := range switches() {
				if p := switchPath(side, s); was[p] == "" {
					l.free[p] = true
				}
			}
		}
	}
	h.life.Store(l.life)
	return l
}

func (l *throttled) create() {
	in := &dynamodb.CreateTableInput{TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		Tags:                 declared()}
	if l.onDemand {
		in.OnDemandThroughput = l.maximum(l.before)
	} else {
		in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, capacity(l.before)
	}
	if _, err := l.theirs.DynamoDB.CreateTable(l.ctx, in); err != nil {
		l.Fatal(err)
	}
	l.settle()
}

func declared() []types.Tag {
	return []types.Tag{{Key: aws.String("environment"), Value: aws.String("sandbox")}}
}

func (*throttled) maximum(n map[string]int64) *types.OnDemandThroughput {
	return &types.OnDemandThroughput{MaxWriteRequestUnits: aws.Int64(n["writes"]), MaxReadRequestUnits: aws.Int64(n["reads"])}
}

func capacity(n map[string]int64) *types.ProvisionedThroughput {
	return &types.ProvisionedThroughput{WriteCapacityUnits: aws.Int64(max(1, n["writes"])), ReadCapacityUnits: aws.Int64(max(1, n["reads"]))}
}

func (l *throttled) register(s aastypes.SuspendedState) {
	for _, d := range dimensions() {
		_, _ = l.theirs.AutoScaling.RegisterScalableTarget(l.ctx, &applicationautoscaling.RegisterScalableTargetInput{
			ServiceNamespace: aastypes.ServiceNamespaceDynamodb, ResourceId: aws.String("table/orders"), ScalableDimension: d,
			MinCapacity: aws.Int32(50), MaxCapacity: aws.Int32(400), SuspendedState: &s})
	}
}

// settle lets time go by until no change of the table is on its way.
func (l *throttled) settle() { l.pass(300_000_000) }

func (l *throttled) prepare() bool {
	params := fmt.Sprintf(`{"table":"orders","writes":1,"reads":%d}`, l.during["reads"])
	if l.during["reads"] == 0 {
		params = `{"table":"orders","writes":1}`
	}
	f, err := l.process()[inject.KindThrottle].New(json.RawMessage(params))
	if err != nil {
		l.Fatal(err)
	}
	l.fault = f
	l.step("prepare", func(ctx context.Context) {
		if l.undo, err = f.Prepare(ctx, testMark(), l.now()); err != nil {
			return
		}
		l.learn()
	})
	return err == nil
}

// learn takes the values of before from the undo: what somebody wrote before it was made was captured.
func (l *throttled) learn() {
	var d struct {
		Writes, Reads *struct{ Before, During int64 }
		Mode          string
		Scaling       []struct {
			Dimension string
			Before    struct{ In, Out, Scheduled bool }
		}
	}
	if err := json.Unmarshal(l.undo.Data, &d); err != nil {
		l.Fatal(err)
	}
	l.onDemand = d.Mode == "on-demand"
	l.before["writes"] = d.Writes.Before
	if d.Reads != nil {
		l.before["reads"] = d.Reads.Before
	}
	l.free = map[string]bool{}
	for _, s := range d.Scaling {
		at := "/application-autoscaling/table/orders " + s.Dimension + "/SuspendedState/"
		l.free[at+switches()[0]], l.free[at+switches()[1]], l.free[at+switches()[2]] = !s.Before.In, !s.Before.Out, !s.Before.Scheduled
	}
}

func switches() []string {
	return []string{"DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"}
}

func switchPath(side, name string) string {
	dimension := "dynamodb:table:ReadCapacityUnits"
	if side == "writes" {
		dimension = "dynamodb:table:WriteCapacityUnits"
	}
	return "/application-autoscaling/table/orders " + dimension + "/SuspendedState/" + name
}

// unitsPath is where a side's throughput stands, in the mode of the undo.
func (l *throttled) unitsPath(side string) string {
	name := map[string]string{"writes": "Write", "reads": "Read"}[side]
	if l.onDemand {
		return atTable + "OnDemandThroughput/Max" + name + "RequestUnits"
	}
	return atTable + "ProvisionedThroughput/" + name + "CapacityUnits"
}

func number(s string) int64 {
	n, _ := strconv.ParseFloat(s, 64)
	return int64(n)
}

// watch is the audit of our writes.
func (l *throttled) watch(operation string, was, is map[string]string) {
	for _, p := range changed(was, is) {
		if strings.HasPrefix(p, atTable+"Tags/firedrill:") || l.throughput(operation, p, was[p], is[p]) {
			continue
		}
		if on := is[p] == "true"; l.free[p] && on != l.back {
			continue
		}
		l.Fatalf("our %s (on the way out: %v) changed %s from %q to %q", operation, l.back, p, was[p], is[p])
	}
}

// throughput says whether a change of capacity is our own, or auto scaling's, which keeps its bounds whenever it is touched.
func (l *throttled) throughput(operation, path, was, is string) bool {
	if operation == "RegisterScalableTarget" && strings.Contains(path, "ProvisionedThroughput") {
		return number(is) >= 50
	}
	for side, n := range l.during {
		if path != l.unitsPath(side) {
			continue
		}
		from, to := l.before[side], n
		if l.back {
			from, to = to, from
			l.raised = true
		} else {
			l.applied = true
		}
		return number(was) == from && number(is) == to
	}
	return false
}

func (l *throttled) edits() []string {
	all := []string{"raise", "lower", "put back", "as ours", "mode", "tag", "untag", "terraform", "delete", "delete and make anew"}
	if l.scaled {
		all = append(all, "resume scaling", "deregister scaling", "bounds")
	}
	return all
}

// respond is one edit. Where it falls right before our UpdateTable no time may pass: after theirs the table is UPDATING.
func (l *throttled) respond(what string, closely bool) {
	if !closely {
		l.settle()
	}
	api := l.theirs.DynamoDB
	switch what {
	case "raise":
		l.set(map[string]int64{"writes": 700, "reads": 700})
	case "lower":
		l.set(map[string]int64{"writes": 60, "reads": 60})
	case "put back":
		l.set(l.before)
	case "as ours":
		l.set(map[string]int64{"writes": 1, "reads": 2})
	case "mode":
		mode := types.BillingModePayPerRequest
		in := &dynamodb.UpdateTableInput{TableName: aws.String("orders"), BillingMode: mode}
		if l.state()[atTable+"BillingMode"] == string(mode) {
			in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, capacity(map[string]int64{"writes": 70, "reads": 70})
		}
		_, _ = api.UpdateTable(l.ctx, in)
	case "tag":
		_, _ = api.TagResource(l.ctx, &dynamodb.TagResourceInput{ResourceArn: l.arn(), Tags: []types.Tag{{Key: aws.String("owner"), Value: aws.String("them")}}})
	case "untag":
		l.retag()
	case "terraform":
		l.retag()
		l.set(l.before)
		if l.scaled {
			l.register(aastypes.SuspendedState{DynamicScalingInSuspended: aws.Bool(false), DynamicScalingOutSuspended: aws.Bool(false), ScheduledScalingSuspended: aws.Bool(false)})
		}
	case "delete", "delete and make anew":
		if l.undo.Kind == "" {
			return
		}
		_, _ = api.DeleteTable(l.ctx, &dynamodb.DeleteTableInput{TableName: aws.String("orders")})
		l.there = false
		if what != "delete" && !closely {
			l.settle()
			l.create()
		}
	default:
		l.scaling(what)
	}
	if !closely {
		l.settle()
	}
}

func (l *throttled) arn() *string {
	return aws.String("arn:aws:dynamodb:eu-west-1:111122223333:table/orders")
}

func (l *throttled) retag() {
	l.retagged = true
	keys := []string{"firedrill:run", "firedrill:fault", "firedrill:until", "firedrill:undo", "firedrill:state"}
	_, _ = l.theirs.DynamoDB.UntagResource(l.ctx, &dynamodb.UntagResourceInput{ResourceArn: l.arn(), TagKeys: keys})
}

// set writes both sides, whatever the mode is now.
func (l *throttled) set(n map[string]int64) {
	in := &dynamodb.UpdateTableInput{TableName: aws.String("orders")}
	if l.state()[atTable+"BillingMode"] == string(types.BillingModePayPerRequest) {
		in.OnDemandThroughput = l.maximum(n)
	} else {
		in.ProvisionedThroughput = capacity(n)
	}
	_, _ = l.theirs.DynamoDB.UpdateTable(l.ctx, in)
}

func (l *throttled) scaling(what string) {
	api, d := applicationautoscaling.NewFromConfig(l.theirs.Config), dimensions()[0]
	in := &applicationautoscaling.RegisterScalableTargetInput{ServiceNamespace: aastypes.ServiceNamespaceDynamodb,
		ResourceId: aws.String("table/orders"), ScalableDimension: d}
	switch what {
	case "resume scaling":
		in.SuspendedState = &aastypes.SuspendedState{DynamicScalingInSuspended: aws.Bool(false), DynamicScalingOutSuspended: aws.Bool(false), ScheduledScalingSuspended: aws.Bool(false)}
	case "bounds":
		in.MinCapacity, in.MaxCapacity = aws.Int32(80), aws.Int32(900)
	default:
		_, _ = api.DeregisterScalableTarget(l.ctx, &applicationautoscaling.DeregisterScalableTargetInput{ServiceNamespace: in.ServiceNamespace, ResourceId: in.ResourceId, ScalableDimension: d})
		return
	}
	if _, known := l.state()["/application-autoscaling/table/orders "+string(d)+"/MinCapacity"]; known {
		_, _ = api.RegisterScalableTarget(l.ctx, in)
	}
}

// told compares the outcome with what the last undo, which was left alone, found.
func (l *throttled) told(u undoing) {
	diverged := !l.there || u.found[atTable+"BillingMode"] == string(types.BillingModePayPerRequest) != l.onDemand
	for side, n := range l.during {
		now := number(u.found[l.unitsPath(side)])
		diverged = diverged || now != n && now != l.before[side]
	}
	if diverged != (u.how == inject.Diverged) || diverged != (u.why != "") {
		l.Fatalf("outcome %s, settled says %q, and somebody's change stands: %v", u.how, u.why, diverged)
	}
	if diverged || !u.first || l.killed || l.retagged {
		return
	}
	want := inject.NeverApplied
	switch {
	case l.raised:
		want = inject.Restored
	case l.applied:
		want = inject.AlreadyRestored
	}
	if u.how != want {
		l.Fatalf("outcome %s, want %s", u.how, want)
	}
}

// end wants nothing of ours left.
func (l *throttled) end() {
	l.settle()
	is := l.state()
	if left := marks(is); len(left) > 0 {
		l.Fatalf("left: %v", left)
	}
	for side, n := range l.during {
		if v, ok := is[l.unitsPath(side)]; ok && l.there && number(v) == n {
			l.Fatalf("%s are still %d", side, n)
		}
	}
	if _, exists := is[atTable+"BillingMode"]; !exists {
		return // without its table nobody can set auto scaling; settled has told
	}
	for _, p := range slices.Sorted(maps.Keys(l.free)) {
		if l.free[p] && is[p] == "true" {
			l.Fatalf("%s is still on", p)
		}
	}
}
