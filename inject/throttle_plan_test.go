package inject

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const tableARN = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"

// throttleOf is a throttle at AWS's pace, and an undo of it, without an account.
func throttleOf(t *testing.T, d throttleUndo) (*throttle, Undo) {
	t.Helper()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	k := newThrottling(&Clients{now: func() time.Time { return now }}, AWSTiming())
	if d.Table == "" {
		d.Table = "orders"
	}
	u, err := newUndo(KindThrottle, Mark{Run: "01jd", Fault: "one"}, Target{ARN: tableARN}, d)
	if err != nil {
		t.Fatal(err)
	}
	return &throttle{throttling: k}, u
}

func TestThrottleFloorIsTheTimeBankedCapacityLasts(t *testing.T) {
	f, u := throttleOf(t, throttleUndo{Mode: modeProvisioned, Writes: &unitsUndo{100, 1}, Load: 201})
	if d, sure := f.Floor(u); d != 150*time.Second || !sure {
		t.Errorf("%s %v, want 150s: 300 s of 100 units, drained by 200 more than are left", d, sure)
	}
	f, u = throttleOf(t, throttleUndo{Mode: modeProvisioned, Writes: &unitsUndo{100, 1}, Reads: &unitsUndo{10, 1}, Load: 201})
	if d, sure := f.Floor(u); d != 15*time.Second || !sure {
		t.Errorf("%s %v, want that of the reads", d, sure)
	}
	f, u = throttleOf(t, throttleUndo{Mode: modeOnDemand, Writes: &unitsUndo{-1, 1}, Load: 50})
	if d, sure := f.Floor(u); d != 0 || sure {
		t.Errorf("%s %v: how long on-demand bursts is not documented", d, sure)
	}
	f, u = throttleOf(t, throttleUndo{Mode: modeProvisioned, Writes: &unitsUndo{100, 1}})
	if _, sure := f.Floor(u); sure {
		t.Error("sure without any load")
	}
}

func TestThrottleMovesWhatAnAlarmCanSee(t *testing.T) {
	f, u := throttleOf(t, throttleUndo{Mode: modeOnDemand, Writes: &unitsUndo{-1, 1}})
	var names []string
	for _, m := range f.Moves(u) {
		if m.Namespace != "AWS/DynamoDB" || m.Dimensions["TableName"] != "orders" || m.Delay != time.Minute {
			t.Errorf("%+v", m)
		}
		if (m.Name == "ThrottledRequests") != (m.Dimensions["Operation"] != "") {
			t.Errorf("ThrottledRequests exists with an operation only: %+v", m)
		}
		names = append(names, m.Name+m.Dimensions["Operation"])
	}
	all := strings.Join(names, " ")
	for _, want := range []string{"WriteThrottleEvents", "WriteMaxOnDemandThroughputThrottleEvents", "ThrottledRequestsUpdateItem"} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is missing: %s", want, all)
		}
	}
	if strings.Contains(all, "Read") || strings.Contains(all, "Provisioned") {
		t.Errorf("moves too much: %s", all)
	}
}

func TestThrottleLastResortComesInTheOnlySafeOrder(t *testing.T) {
	f, u := throttleOf(t, throttleUndo{Mode: modeProvisioned, Writes: &unitsUndo{100, 1}, Seen: capacitySeen{Reads: 80, Writes: 100},
		Scaling: []scalingUndo{{Dimension: "dynamodb:table:WriteCapacityUnits", Before: suspension{In: true}}}})
	calls := f.LastResort(u)
	if len(calls) != 2 || calls[0].Action != "updateTable" || calls[1].Action != "registerScalableTarget" {
		t.Fatalf("%+v", calls)
	}
	if calls[1].After != 5*time.Minute {
		t.Errorf("auto scaling after %s: it would act on a table that is still low", calls[1].After)
	}
	if want := `{"ProvisionedThroughput":{"ReadCapacityUnits":80,"WriteCapacityUnits":100},"TableName":"orders"}`; string(calls[0].Input) != want {
		t.Errorf("%s, want %s", calls[0].Input, want)
	}
	f, u = throttleOf(t, throttleUndo{Mode: modeOnDemand, Reads: &unitsUndo{-1, 1}})
	if want := `{"OnDemandThroughput":{"MaxReadRequestUnits":-1},"TableName":"orders"}`; string(f.LastResort(u)[0].Input) != want {
		t.Errorf("%s, want %s", f.LastResort(u)[0].Input, want)
	}
}

func TestThrottleCountsDecreases(t *testing.T) {
	for _, row := range []struct {
		hour       int
		used, left int64
	}{{0, 0, 4}, {0, 3, 1}, {0, 4, 0}, {1, 4, 1}, {10, 4, 4}, {23, 26, 1}, {23, 27, 0}} {
		now := time.Date(2026, 11, 22, row.hour, 30, 0, 0, time.UTC)
		if left := (throttleUndo{Seen: capacitySeen{Decreases: row.used}}).decreasesLeft(now); left != row.left {
			t.Errorf("at %d h with %d used: %d left, want %d", row.hour, row.used, left, row.left)
		}
	}
}

// Only our own table's own limit is our fault: a hot key or an account's quota is not.
func TestThrottleIsProvenByTheReasonAlone(t *testing.T) {
	_, u := throttleOf(t, throttleUndo{Mode: modeOnDemand, Writes: &unitsUndo{-1, 1}})
	d, err := readThrottleUndo(u)
	if err != nil {
		t.Fatal(err)
	}
	because := func(reason, resource string) error {
		return &types.ThrottlingException{ThrottlingReasons: []types.ThrottlingReason{{Reason: &reason, Resource: &resource}}}
	}
	for _, row := range []struct {
		err  error
		want Tri
	}{
		{nil, No},
		{&types.ConditionalCheckFailedException{}, No},
		{because("TableWriteMaxOnDemandThroughputExceeded", tableARN), Yes},
		{because("TableWriteMaxOnDemandThroughputExceeded", tableARN+"-other"), Unknown},
		{because("TableReadMaxOnDemandThroughputExceeded", tableARN), Unknown},
		{because("TableWriteKeyRangeThroughputExceeded", tableARN), Unknown},
		{because("TableWriteAccountLimitExceeded", tableARN), Unknown},
		{&types.ThrottlingException{}, Unknown},
		{&types.RequestLimitExceeded{}, Unknown},
		{&types.ResourceNotFoundException{Message: aws.String("gone")}, Unknown},
	} {
		if r := d.judge(u, "writes", row.err); r.Felt != row.want || r.Why == "" {
			t.Errorf("%v: %+v, want %s", row.err, r, row.want)
		}
	}
}

func TestThrottleAbsentKeyHasEachAttributesType(t *testing.T) {
	d := throttleUndo{Keys: []keyAttribute{{"id", "S"}, {"at", "N"}, {"raw", "B"}}}
	key := d.absentKey(Mark{Run: "01jd", Fault: "one"}, 7)
	if s, ok := key["id"].(*types.AttributeValueMemberS); !ok || s.Value != "firedrill/01jd/one/7" {
		t.Errorf("%+v", key["id"])
	}
	if _, ok := key["at"].(*types.AttributeValueMemberN); !ok {
		t.Errorf("%+v", key["at"])
	}
	if _, ok := key["raw"].(*types.AttributeValueMemberB); !ok {
		t.Errorf("%+v", key["raw"])
	}
}

func TestThrottleTellsBeforeDuringAndAfter(t *testing.T) {
	f, u := throttleOf(t, throttleUndo{Mode: modeOnDemand, Writes: &unitsUndo{-1, 1}})
	c := f.describe(u)[0]
	if c.What != "on-demand maximum of writes of table orders" || c.Before != "no maximum" || c.During != "1 units/s" || c.After != "no maximum" {
		t.Errorf("%+v", c)
	}
	if costs := f.Costs(u); costs.Undo != 5*time.Minute || len(costs.Notes) == 0 {
		t.Errorf("%+v", costs)
	}
	f, scaled := throttleOf(t, throttleUndo{Mode: modeProvisioned, Scaling: []scalingUndo{{Dimension: "d"}}})
	if notes := strings.Join(f.Costs(scaled).Notes, " "); !strings.Contains(notes, "stands only until auto scaling is resumed") {
		t.Error(notes)
	}
	u.Data = json.RawMessage(`{`)
	if c := f.describe(u)[0]; !strings.HasPrefix(c.Before, "unknown") {
		t.Errorf("a broken undo: %+v", c)
	}
}

func TestCatalogNamesItsKinds(t *testing.T) {
	all := NewCatalog(nil, CatalogOptions{})
	for _, name := range []string{KindThrottle, KindError, KindPoison, KindDeny, KindStall} {
		k, ok := all[name]
		if !ok || k.New == nil || k.Revert == nil || k.Settled == nil || k.Describe == nil || k.Identity == nil || ParamsOf(name) == nil {
			t.Errorf("%s is incomplete", name)
		}
		if _, err := k.Revert(t.Context(), Undo{Kind: name, V: 99}); err == nil {
			t.Errorf("%s reads a version nobody has written", name)
		}
	}
	if len(all) != 5 || ParamsOf("lambda.disable") != nil {
		t.Errorf("%d kinds", len(all))
	}
}
