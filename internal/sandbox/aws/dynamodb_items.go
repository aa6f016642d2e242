package aws

import (
	"context"
	"time"
)

// keyInput is PutItem, GetItem, UpdateItem and DeleteItem at once; each refuses members it does not have.
type keyInput struct {
	TableName                           string
	Key, Item                           item
	ConditionExpression                 string
	UpdateExpression                    string
	ExpressionAttributeNames            map[string]string
	ExpressionAttributeValues           map[string]attr
	ConsistentRead                      bool
	ReturnValues                        string
	ReturnValuesOnConditionCheckFailure string
	ReturnConsumedCapacity              string
	ReturnItemCollectionMetrics         string
}

type consumed struct {
	TableName     string
	CapacityUnits float64
}

type itemOutput struct {
	Item, Attributes item
	ConsumedCapacity *consumed
}

// write is one conditional change of one item.
type write struct {
	op     string
	in     *keyInput
	key    string
	holds  condition
	change func(old item) (item, error)
}

func (s *dynamodbService) putItem(_ context.Context, c caller, in *keyInput) (*itemOutput, error) {
	return s.write(c, write{op: "PutItem", in: in, change: func(item) (item, error) { return in.Item, nil }})
}

func (s *dynamodbService) deleteItem(_ context.Context, c caller, in *keyInput) (*itemOutput, error) {
	return s.write(c, write{op: "DeleteItem", in: in, change: func(item) (item, error) { return nil, nil }})
}

func (s *dynamodbService) updateItem(_ context.Context, c caller, in *keyInput) (*itemOutput, error) {
	return s.write(c, write{op: "UpdateItem", in: in})
}

// prepare checks a write against the table and reads its expressions.
func (t *table) prepare(w *write) error {
	in := w.in
	p := newPlaceholders(in.ExpressionAttributeNames, in.ExpressionAttributeValues)
	subject := in.Key
	if w.op == "PutItem" {
		subject = in.Item
	}
	for _, a := range subject {
		if err := a.check(); err != nil {
			return err
		}
	}
	var err error
	if w.op == "PutItem" {
		w.key, err = t.keyOf(subject)
	} else {
		w.key, err = t.onlyKey(subject)
	}
	if err != nil {
		return err
	}
	if w.op == "UpdateItem" {
		var edits []edit
		if in.UpdateExpression != "" {
			if edits, err = parseUpdate(in.UpdateExpression, p); err != nil {
				return err
			}
		}
		w.change = func(old item) (item, error) { return t.changed(edits, old, in.Key) }
	}
	if w.holds, err = parseCondition(in.ConditionExpression, p); err != nil {
		return err
	}
	return p.unused()
}

// changed applies an update; the key itself cannot be updated.
func (t *table) changed(edits []edit, old, key item) (item, error) {
	it, err := apply(edits, old, key)
	if err != nil {
		return nil, err
	}
	for _, k := range t.keys {
		if a, ok := it[k.AttributeName]; !ok || !a.equal(key[k.AttributeName]) {
			return nil, invalid("One or more parameter values were invalid: Cannot update attribute " + k.AttributeName + ". This attribute is part of the key")
		}
	}
	return it, nil
}

// write carries out a change of one item: policy, expressions, capacity, condition, change, in this order. A
// write whose condition fails has consumed its capacity all the same.
func (s *dynamodbService) write(c caller, w write) (*itemOutput, error) {
	now := s.d.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.open(c, w.op, w.in.TableName, now)
	if err != nil {
		return nil, err
	}
	if err := t.prepare(&w); err != nil {
		return nil, err
	}
	old := t.items[w.key]
	it, changeErr := w.change(old)
	size := max(sizeOf(old), sizeOf(it))
	if size > 400<<10 {
		return nil, invalid("Item size has exceeded the maximum allowed size")
	}
	units := unitsOf(size, writeBlock)
	if !t.writes.take(units, now) {
		return nil, s.throttled(t, w.op, "Write", now)
	}
	s.measure(t, "ConsumedWriteCapacityUnits", units, now)
	if ok, err := w.holds(old); err != nil || !ok {
		if err == nil {
			err = conditionFailed(w.in, old)
		}
		return nil, err
	}
	if changeErr != nil {
		return nil, changeErr
	}
	t.bytes += sizeOf(it) - sizeOf(old)
	if it == nil {
		delete(t.items, w.key)
	} else {
		t.items[w.key] = it
	}
	return w.answer(t, old, it, units)
}

func (w write) answer(t *table, old, it item, units float64) (*itemOutput, error) {
	out := &itemOutput{}
	switch w.in.ReturnValues {
	case "", "NONE":
	case "ALL_OLD":
		out.Attributes = old
	case "ALL_NEW":
		out.Attributes = it
	case "UPDATED_NEW", "UPDATED_OLD":
		from, other := it, old
		if w.in.ReturnValues == "UPDATED_OLD" {
			from, other = old, it
		}
		out.Attributes = item{}
		for k, v := range from {
			if was, ok := other[k]; !ok || !was.equal(v) {
				out.Attributes[k] = v
			}
		}
	}
	if r := w.in.ReturnConsumedCapacity; r == "TOTAL" || r == "INDEXES" {
		out.ConsumedCapacity = &consumed{TableName: t.name, CapacityUnits: units}
	}
	return out, nil
}

func conditionFailed(in *keyInput, old item) error {
	e := &apiError{Code: "ConditionalCheckFailedException", Message: "The conditional request failed"}
	if in.ReturnValuesOnConditionCheckFailure == "ALL_OLD" && old != nil {
		e.Fields = map[string]any{"Item": old}
	}
	return e
}

func (s *dynamodbService) getItem(_ context.Context, c caller, in *keyInput) (*itemOutput, error) {
	now := s.d.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	t, err := s.open(c, "GetItem", in.TableName, now)
	if err != nil {
		return nil, err
	}
	key, err := t.onlyKey(in.Key)
	if err != nil {
		return nil, err
	}
	it := t.items[key]
	units, err := s.read(t, "GetItem", sizeOf(it), in.ConsistentRead, now)
	if err != nil {
		return nil, err
	}
	out := &itemOutput{Item: it}
	if r := in.ReturnConsumedCapacity; r == "TOTAL" || r == "INDEXES" {
		out.ConsumedCapacity = &consumed{TableName: t.name, CapacityUnits: units}
	}
	return out, nil
}

// open finds a table for its data: it must be past its creation, and its policy must not deny.
func (s *dynamodbService) open(c caller, op, name string, now time.Time) (*table, error) {
	t, err := s.find(name, now)
	if err != nil {
		return nil, err
	}
	if t.status == "CREATING" || t.status == "DELETING" {
		return nil, notFound("Requested resource not found")
	}
	if evaluate(t.policy.enforced(now, s.d.options.PolicyPropagation), c, "dynamodb:"+op, t.arn, now) == denied {
		return nil, s.denied(t, c, op, now)
	}
	return t, nil
}

// read takes the capacity for reading so many bytes.
func (s *dynamodbService) read(t *table, op string, bytes int, consistent bool, now time.Time) (float64, error) {
	units := unitsOf(bytes, readBlock)
	if !consistent {
		units /= 2
	}
	if !t.reads.take(units, now) {
		return 0, s.throttled(t, op, "Read", now)
	}
	s.measure(t, "ConsumedReadCapacityUnits", units, now)
	return units, nil
}

// throttled counts a throttled request and says why, as throttling-diagnosing-workflow.html lists the reasons.
func (s *dynamodbService) throttled(t *table, op, direction string, now time.Time) error {
	s.measure(t, direction+"ThrottleEvents", 1, now)
	s.d.meter.observe(sample{Namespace: "AWS/DynamoDB", Metric: "ThrottledRequests", Value: 1, At: now,
		Dimensions: map[string]string{"TableName": t.name, "Operation": op}})
	if t.now.mode == provisionedMode {
		s.measure(t, direction+"ProvisionedThroughputThrottleEvents", 1, now)
		return &apiError{Code: "ProvisionedThroughputExceededException",
			Message: "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning level with the UpdateTable API.",
			Fields:  map[string]any{"ThrottlingReasons": reasons("Table"+direction+"ProvisionedThroughputExceeded", t.arn)}}
	}
	s.measure(t, direction+"MaxOnDemandThroughputThrottleEvents", 1, now)
	return &apiError{Code: "ThrottlingException",
		Message: "Throughput exceeds the maximum OnDemandThroughput configured on table or index. Consider increasing the maximum on-demand throughput for this table or index.",
		Fields:  map[string]any{"throttlingReasons": reasons("Table"+direction+"MaxOnDemandThroughputExceeded", t.arn)}}
}

func reasons(reason, arn string) []map[string]string {
	return []map[string]string{{"reason": reason, "resource": arn}}
}

func (s *dynamodbService) measure(t *table, metric string, v float64, now time.Time) {
	s.d.meter.observe(sample{Namespace: "AWS/DynamoDB", Metric: metric, Value: v, At: now, Dimensions: map[string]string{"TableName": t.name}})
}
