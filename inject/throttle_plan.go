package inject

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// describe tells what is done to the table, dimension by dimension.
func (k *throttling) describe(u Undo) []Change {
	d, err := readThrottleUndo(u)
	if err != nil {
		return []Change{{What: u.Target.ARN, Before: "unknown: " + err.Error()}}
	}
	var changes []Change
	for _, x := range d.dimensions() {
		what := fmt.Sprintf("%s of table %s", x.name, d.Table)
		if d.Mode == modeOnDemand {
			what = fmt.Sprintf("on-demand maximum of %s of table %s", x.name, d.Table)
		}
		before := units(x.Before, d.Mode)
		changes = append(changes, Change{What: what, Before: before, During: units(x.During, d.Mode), After: before})
	}
	for _, s := range d.Scaling {
		before := "acting"
		if s.Before != (suspension{}) {
			before = "partly suspended (" + s.Before.String() + ")"
		}
		changes = append(changes, Change{What: "auto scaling of " + s.Dimension + " of table " + d.Table,
			Before: before, During: "suspended", After: before})
	}
	return append(changes, Change{What: "tags of table " + d.Table, Before: "none of ours", During: "firedrill:run, …", After: "none of ours"})
}

// LastResort is the calls that put the captured values back unconditionally: the table first, auto scaling five
// minutes later, for any update of a scalable target pulls the capacity into its bounds. The tags stay: no call knows
// whether the ones before it were refused, and the old values in them are then the last that are left.
func (f *throttle) LastResort(u Undo) []Call {
	d, err := readThrottleUndo(u)
	if err != nil {
		return nil
	}
	update := map[string]any{"TableName": d.Table}
	if d.Mode == modeProvisioned {
		update["ProvisionedThroughput"] = map[string]int64{"ReadCapacityUnits": d.Seen.Reads, "WriteCapacityUnits": d.Seen.Writes}
	} else {
		most := map[string]int64{}
		if d.Writes != nil {
			most["MaxWriteRequestUnits"] = d.Writes.Before
		}
		if d.Reads != nil {
			most["MaxReadRequestUnits"] = d.Reads.Before
		}
		update["OnDemandThroughput"] = most
	}
	calls := []Call{{Service: "dynamodb", Action: "updateTable", Input: asJSON(update)}}
	for i, s := range d.Scaling {
		c := Call{Service: "applicationautoscaling", Action: "registerScalableTarget", Input: asJSON(map[string]any{
			"ServiceNamespace": "dynamodb", "ResourceId": "table/" + d.Table, "ScalableDimension": s.Dimension,
			"SuspendedState": map[string]bool{"DynamicScalingInSuspended": s.Before.In, "DynamicScalingOutSuspended": s.Before.Out,
				"ScheduledScalingSuspended": s.Before.Scheduled}})}
		if i == 0 {
			c.After = 5 * time.Minute
		}
		calls = append(calls, c)
	}
	return calls
}

var _ Residuer = (*throttle)(nil)

// Residue is every value that the calls set without a look, also where somebody has set it since, and our tags.
func (f *throttle) Residue(u Undo) (overwrites, leaves []string) {
	d, err := readThrottleUndo(u)
	if err != nil {
		return nil, nil
	}
	if d.Mode == modeProvisioned {
		overwrites = append(overwrites, fmt.Sprintf("reads and writes of table %s: set to %s and %s, whatever they are then (the API takes both or none)",
			d.Table, units(d.Seen.Reads, d.Mode), units(d.Seen.Writes, d.Mode)))
	} else {
		for _, x := range d.dimensions() {
			overwrites = append(overwrites, fmt.Sprintf("on-demand maximum of %s of table %s: set to %s, whatever it is then", x.name, d.Table, units(x.Before, d.Mode)))
		}
	}
	for _, s := range d.Scaling {
		now := "acting"
		if s.Before != (suspension{}) {
			now = "partly suspended (" + s.Before.String() + ")"
		}
		overwrites = append(overwrites, fmt.Sprintf("auto scaling of %s of table %s: %s, whatever of it is suspended then", s.Dimension, d.Table, now))
	}
	return overwrites, []string{fmt.Sprintf("the tags firedrill:… of table %s, which hold the old values, until `firedrill recover` takes them off", d.Table)}
}

// asJSON writes what is made of strings, numbers and maps only.
func asJSON(v any) json.RawMessage {
	raw, _ := json.Marshal(v)
	return raw
}

// Permissions lists the actions a throttle needs: to raise and lower the dimensions it is about, and to ask for keys that
// nobody has. Application Auto Scaling names its targets by numbers of its own, so its calls are narrowed by dimension.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsapplicationautoscaling.html
func (f *throttle) Permissions(t Target) []Permission {
	var dims, items []string
	if f.params.Writes != nil {
		dims, items = append(dims, scalableDimension("writes")), append(items, "dynamodb:UpdateItem")
	}
	if f.params.Reads != nil {
		dims, items = append(dims, scalableDimension("reads")), append(items, "dynamodb:GetItem")
	}
	scaling := map[string]string{"application-autoscaling:service-namespace": "dynamodb",
		"application-autoscaling:scalable-dimension": strings.Join(dims, "|")}
	return slices.Concat(
		grant(looking, t.ARN, "dynamodb:DescribeTable", "dynamodb:ListTagsOfResource"),
		grant(looking, "*", "application-autoscaling:DescribeScalableTargets"),
		grantIf(ourTagsOnly(), undoing, t.ARN, "dynamodb:TagResource", "dynamodb:UntagResource"),
		grant(undoing+" "+ForDeadman, t.ARN, "dynamodb:UpdateTable"),
		grantIf(scaling, undoing+" "+ForDeadman, "*", "application-autoscaling:RegisterScalableTarget"),
		grantIf(ourKeysOnly(), ForRun, t.ARN, items...))
}

// Moves lists the metrics a throttle moves. ThrottledRequests exists only with an Operation; our own load sends
// UpdateItem and GetItem, the rest comes from the team's application.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
func (f *throttle) Moves(u Undo) []Metric {
	d, err := readThrottleUndo(u)
	if err != nil {
		return nil
	}
	var moved []Metric
	add := func(name, operation string) {
		dims := map[string]string{"TableName": d.Table}
		if operation != "" {
			dims["Operation"] = operation
		}
		moved = append(moved, Metric{Namespace: "AWS/DynamoDB", Name: name, Dimensions: dims, Delay: f.timing.MetricDelay, By: "a throttle"})
	}
	for _, x := range d.dimensions() {
		side, operations := "Write", []string{"UpdateItem", "PutItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"}
		if x.name == "reads" {
			side, operations = "Read", []string{"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"}
		}
		add(side+"ThrottleEvents", "")
		if d.Mode == modeOnDemand {
			add(side+"MaxOnDemandThroughputThrottleEvents", "")
		} else {
			add(side+"ProvisionedThroughputThrottleEvents", "")
		}
		for _, o := range operations {
			add("ThrottledRequests", o)
		}
	}
	return moved
}

// Floor is how long unused capacity may hide a provisioned table's throttle from our load: burst·C/(L−c), for
// the dimension felt first. How much an on-demand table may burst is undocumented.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
func (f *throttle) Floor(u Undo) (time.Duration, bool) {
	d, err := readThrottleUndo(u)
	if err != nil || d.Mode == modeOnDemand || d.Load <= 0 {
		return 0, false
	}
	var soonest time.Duration
	for i, x := range d.dimensions() {
		drained := time.Duration(f.timing.Burst.Seconds() * float64(x.Before) / (d.Load - float64(x.During)) * float64(time.Second))
		if i == 0 || drained < soonest {
			soonest = drained
		}
	}
	return soonest, true
}

// Costs says what a throttle takes: one decrease of a provisioned table, and a wait for its update.
func (f *throttle) Costs(u Undo) Costs {
	d, err := readThrottleUndo(u)
	if err != nil {
		return Costs{}
	}
	c := Costs{Undo: f.timing.UndoTime, Money: "our requests: at most one unit each"}
	if d.Mode == modeProvisioned {
		c.Quotas = []string{fmt.Sprintf("at most %d of %d decreases of table %s left", d.decreasesLeft(f.now()), decreasesAtOnce, d.Table)}
		c.Notes = append(c.Notes, "capacity that was banked before the change may hide it for a while")
	} else {
		c.Notes = append(c.Notes, "how long an on-demand table bursts past its maximum is not documented")
	}
	if d.Load <= 0 {
		c.Notes = append(c.Notes, "without load of ours nothing throttles unless the application sends enough")
	}
	if len(d.Scaling) > 0 {
		c.Notes = append(c.Notes, "a responder's capacity outside the bounds of auto scaling stands only until auto scaling is resumed, which pulls it into them")
		c.Notes = append(c.Notes, "whoever updates the table's auto scaling meanwhile ends the fault: capacity is pulled into its bounds")
	}
	c.Notes = append(c.Notes, "an application that gives up on a throttled request loses it: the table itself loses nothing")
	return c
}
