package inject

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"pgregory.net/rapid"
)

// inputs are the SDK's own shapes of the calls that a last resort may make. Scheduler looks into none of them until it is
// too late.
func inputs() map[string]any {
	return map[string]any{
		"dynamodb updateTable":                          &dynamodb.UpdateTableInput{},
		"applicationautoscaling registerScalableTarget": &applicationautoscaling.RegisterScalableTargetInput{},
		"elasticloadbalancingv2 deleteRule":             &elb.DeleteRuleInput{},
	}
}

// understood puts JSON into a shape as Scheduler would: by the members' own names, in their own case, and of their own
// kind. It says what it could not put anywhere.
func understood(v reflect.Value, tree any) error {
	switch {
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return understood(v.Elem(), tree)
	case v.Kind() == reflect.Struct:
		members, ok := tree.(map[string]any)
		if !ok {
			return fmt.Errorf("%v is no structure", tree)
		}
		for name, sub := range members {
			f := v.FieldByName(name)
			if !f.IsValid() || !f.CanSet() {
				return fmt.Errorf("%s has no member %s", v.Type(), name)
			}
			if err := understood(f, sub); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, v.Addr().Interface()); err != nil {
		return err
	}
	if values := v.MethodByName("Values"); values.IsValid() && v.Kind() == reflect.String {
		known := fmt.Sprint(values.Call(nil)[0].Interface())
		if !slices.Contains(strings.Fields(strings.Trim(known, "[]")), v.String()) {
			return fmt.Errorf("%q is none of %s", v.String(), known)
		}
	}
	return nil
}

func checkCalls(t interface{ Errorf(string, ...any) }, calls []Call) {
	for _, c := range calls {
		in := inputs()[c.Service+" "+c.Action]
		if in == nil {
			t.Errorf("no shape for %s %s", c.Service, c.Action)
			continue
		}
		d := json.NewDecoder(strings.NewReader(string(c.Input)))
		d.UseNumber()
		var tree any
		if err := d.Decode(&tree); err != nil {
			t.Errorf("%s: %v", c.Input, err)
			continue
		}
		if err := understood(reflect.ValueOf(in).Elem(), tree); err != nil {
			t.Errorf("%s %s: %v in %s", c.Service, c.Action, err, c.Input)
		}
	}
}

// Every input of every last resort is one that the SDK's own shapes can take in: no member in another case, none that
// they do not know, no value of another kind.
func TestLastResortsAreUnderstood(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		units := rapid.Int64Range(1, 40_000)
		maybe := func(label string, before *rapid.Generator[int64]) *unitsUndo {
			if !rapid.Bool().Draw(r, label) {
				return nil
			}
			return &unitsUndo{Before: before.Draw(r, label+" before"), During: 1}
		}
		d := throttleUndo{Table: rapid.StringMatching(`[a-zA-Z0-9_.-]{3,40}`).Draw(r, "table"), Mode: modeOnDemand}
		before := rapid.OneOf(units, rapid.Just(int64(noMaximum)))
		if rapid.Bool().Draw(r, "provisioned") {
			d.Mode, before = modeProvisioned, units
			d.Seen = capacitySeen{Reads: units.Draw(r, "reads seen"), Writes: units.Draw(r, "writes seen")}
		}
		if d.Writes, d.Reads = maybe("writes", before), maybe("reads", before); d.Writes == nil && d.Reads == nil {
			d.Writes = &unitsUndo{Before: before.Draw(r, "writes after all"), During: 1}
		}
		if d.Mode == modeProvisioned {
			for _, dimension := range []string{"dynamodb:table:WriteCapacityUnits", "dynamodb:table:ReadCapacityUnits"}[rapid.IntRange(0, 2).Draw(r, "scaled"):] {
				d.Scaling = append(d.Scaling, scalingUndo{dimension, suspension{rapid.Bool().Draw(r, "in"), rapid.Bool().Draw(r, "out"), rapid.Bool().Draw(r, "scheduled")}})
			}
		}
		f, u := throttleOf(t, d)
		calls := f.LastResort(u)
		if len(calls) != 1+len(d.Scaling) {
			r.Fatalf("%d calls for %+v", len(calls), d)
		}
		checkCalls(r, calls)
		overwrites, leaves := f.Residue(u)
		if len(overwrites) == 0 || len(leaves) != 1 {
			r.Errorf("overwrites %v, leaves %v", overwrites, leaves)
		}
	})
	k := newReplying(&Clients{}, AWSTiming())
	u, err := newUndo(KindError, Mark{Run: "01jd", Fault: "one"}, Target{ARN: tableARN}, replyUndo{Rule: "arn:aws:elasticloadbalancing:eu-west-1:1:listener-rule/app/x/1/2/3"})
	if err != nil {
		t.Fatal(err)
	}
	checkCalls(t, (&reply{replying: k}).LastResort(u))
}

// heard remembers what a check complains of.
type heard struct{ said []string }

func (h *heard) Errorf(format string, args ...any) {
	h.said = append(h.said, fmt.Sprintf(format, args...))
}

// The check above can fail: camelCase, unknown members, other kinds and other words.
func TestMisspelledCallsAreNotUnderstood(t *testing.T) {
	for _, bad := range []Call{
		{Service: "dynamodb", Action: "updateTable", Input: json.RawMessage(`{"tableName":"orders"}`)},
		{Service: "dynamodb", Action: "updateTable", Input: json.RawMessage(`{"TableName":"orders","OnDemandThroughput":{"MaxWrites":1}}`)},
		{Service: "dynamodb", Action: "updateTable", Input: json.RawMessage(`{"TableName":7}`)},
		{Service: "applicationautoscaling", Action: "registerScalableTarget", Input: json.RawMessage(`{"ServiceNamespace":"dynamo"}`)},
		{Service: "dynamodb", Action: "purgeTable", Input: json.RawMessage(`{}`)},
		{Service: "dynamodb", Action: "updateTable", Input: json.RawMessage(`[]`)},
	} {
		h := &heard{}
		if checkCalls(h, []Call{bad}); len(h.said) != 1 {
			t.Errorf("%s %s: %v", bad.Action, bad.Input, h.said)
		}
	}
}

func TestResidueTellsWhatNoCallCompares(t *testing.T) {
	f, u := throttleOf(t, throttleUndo{Mode: modeProvisioned, Writes: &unitsUndo{100, 1}, Seen: capacitySeen{Reads: 80, Writes: 100},
		Scaling: []scalingUndo{{Dimension: "dynamodb:table:WriteCapacityUnits", Before: suspension{In: true}}}})
	overwrites, leaves := f.Residue(u)
	want := []string{
		"reads and writes of table orders: set to 80 units/s and 100 units/s, whatever they are then (the API takes both or none)",
		"auto scaling of dynamodb:table:WriteCapacityUnits of table orders: partly suspended (100), whatever of it is suspended then",
	}
	if !slices.Equal(overwrites, want) || !slices.Equal(leaves, []string{"the tags firedrill:… of table orders, which hold the old values, until `firedrill recover` takes them off"}) {
		t.Errorf("%q\n%q", overwrites, leaves)
	}
	f, u = throttleOf(t, throttleUndo{Mode: modeOnDemand, Writes: &unitsUndo{-1, 1}})
	if overwrites, _ := f.Residue(u); !slices.Equal(overwrites, []string{"on-demand maximum of writes of table orders: set to no maximum, whatever it is then"}) {
		t.Errorf("%q", overwrites)
	}
	k := &reply{replying: newReplying(&Clients{}, AWSTiming())}
	u, err := newUndo(KindError, Mark{Run: "01jd", Fault: "one"}, Target{ARN: tableARN}, replyUndo{Listener: "L", Priority: 9})
	if err != nil {
		t.Fatal(err)
	}
	overwrites, leaves = k.Residue(u)
	if !slices.Equal(overwrites, []string{"the rule that the drill makes at priority 9 of listener L: deleted, whatever somebody has made of it by then"}) || leaves != nil {
		t.Errorf("%q %q", overwrites, leaves)
	}
}

func TestSwitchPermissionsAreOfOurNamesOnly(t *testing.T) {
	p := Place{"aws", "111122223333", "eu-west-1"}
	if got := SwitchPermissions(p, SwitchOptions{}, true); got != nil {
		t.Errorf("without a role: %v", got)
	}
	roles := map[string][]string{}
	for _, x := range SwitchPermissions(p, SwitchOptions{Role: "arn:aws:iam::111122223333:role/d", DLQ: "arn:aws:sqs:eu-west-1:111122223333:q"}, true) {
		roles[x.Action] = append(roles[x.Action], x.When)
		if strings.HasPrefix(x.Action, "scheduler:") && x.Action != "scheduler:ListSchedules" && x.Resource != "arn:aws:scheduler:eu-west-1:111122223333:schedule/default/firedrill-*" {
			t.Errorf("%+v", x)
		}
		if x.Action == "iam:PassRole" && (x.Condition["iam:PassedToService"] != "scheduler.amazonaws.com" || x.Resource != "arn:aws:iam::111122223333:role/d") {
			t.Errorf("%+v", x)
		}
	}
	if fmt.Sprint(roles) != "map[iam:PassRole:[run] scheduler:CreateSchedule:[run] scheduler:DeleteSchedule:[run recover] scheduler:GetSchedule:[plan run recover] scheduler:ListSchedules:[plan run recover] sqs:SendMessage:[deadman]]" {
		t.Error(roles)
	}
	for _, x := range SwitchPermissions(p, SwitchOptions{Role: "arn:aws:iam::111122223333:role/d"}, false) {
		if x.Action != "scheduler:GetSchedule" && x.Action != "scheduler:ListSchedules" {
			t.Errorf("a drill that arms none needs %+v", x)
		}
	}
}
