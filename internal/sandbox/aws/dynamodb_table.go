package aws

import (
	"fmt"
	"time"
)

const (
	provisionedMode = "PROVISIONED"
	onDemandMode    = "PAY_PER_REQUEST"
	// tableQuota is AWS's default for the capacity of one table.
	tableQuota = 40_000
)

// capacities are what people configure about a table's throughput.
type capacities struct {
	mode        string
	provisioned capacity
	// maxRead and maxWrite bound an on-demand table; -1 is no bound.
	maxRead, maxWrite int64
}

// table is one table with what is in it.
type table struct {
	name, arn, tableID string
	created            time.Time
	keys               []keyElement
	attributes         []attributeDefinition
	protected          bool
	now                capacities
	// billed says that the mode was ever chosen: BillingModeSummary is nil before.
	billed     bool
	onDemandAt time.Time
	switches   []time.Time
	// boundOnce says that a maximum was ever set: OnDemandThroughput is nil before.
	boundOnce bool

	// status is what it says; at the end of changing, next becomes now.
	status   string
	changing time.Time
	next     capacities

	lowered                    decreases
	lastDecrease, lastIncrease time.Time
	reads, writes              bucket
	items                      map[string]item
	// bytes is the size of all items together.
	bytes  int
	tags   map[string]string
	policy tablePolicy

	// recoverable is since when the table can be restored to any moment, for recoveryDays; zero for never.
	recoverable  time.Time
	recoveryDays int64
}

// settle ends a change whose time has come. It says whether the table is still there.
func (t *table) settle(now time.Time, o Options) bool {
	if t.status == "ACTIVE" || now.Before(t.changing) {
		return true
	}
	if t.status == "DELETING" {
		return false
	}
	t.status, t.now = "ACTIVE", t.next
	t.meterOut(t.changing, o)
	return true
}

// meterOut gives the buckets the table's present rates.
func (t *table) meterOut(now time.Time, o Options) {
	set := func(b *bucket, provisioned, most int64) {
		switch {
		case t.now.mode == provisionedMode:
			b.limit(float64(provisioned), o.ProvisionedBurst, now)
		case most > 0:
			b.limit(float64(most), o.OnDemandBurst, now)
		default:
			*b = bucket{}
		}
	}
	set(&t.reads, t.now.provisioned.ReadCapacityUnits, t.now.maxRead)
	set(&t.writes, t.now.provisioned.WriteCapacityUnits, t.now.maxWrite)
}

// wanted is what people last asked for, whether it has come into force or not.
func (t *table) wanted() capacities {
	if t.status == "ACTIVE" {
		return t.now
	}
	return t.next
}

// change starts to bring in new capacities.
func (t *table) change(status string, c capacities, now time.Time, o Options) {
	t.status, t.next, t.changing = status, c, now.Add(o.UpdateDelay)
	t.settle(now, o)
}

// update checks what UpdateTable asks for and starts it.
func (t *table) update(in *updateTableInput, now time.Time, o Options) error {
	if t.status != "ACTIVE" {
		return inUse("Attempt to change a resource which is still in use: Table is being " + t.busy() + ": " + t.name)
	}
	if p := in.DeletionProtectionEnabled; p != nil && in.BillingMode == "" && in.ProvisionedThroughput == nil && in.OnDemandThroughput == nil {
		t.protected = *p
		t.change("UPDATING", t.now, now, o)
		return nil
	}
	c, err := t.proposal(in)
	if err != nil {
		return err
	}
	if c == t.now {
		// AWS documents no answer for this; refusing is the harder one to live with.
		return invalid(fmt.Sprintf("The provisioned throughput or on-demand maximum for the table will not change. The requested values equal the current ones. Table: %s", t.name))
	}
	if c.mode == provisionedMode && t.now.mode == provisionedMode {
		was, is := t.now.provisioned, c.provisioned
		if is.ReadCapacityUnits < was.ReadCapacityUnits || is.WriteCapacityUnits < was.WriteCapacityUnits {
			if !t.lowered.spend(now) {
				return &apiError{Code: "LimitExceededException", Message: fmt.Sprintf("Subscriber limit exceeded: Provisioned throughput decreases are limited within a given UTC day. After the first %d decreases, each subsequent decrease in the same UTC day can be performed at most once every 3600 seconds. Number of decreases today: %d.", bankedDecreases, t.lowered.today)}
			}
			t.lastDecrease = now
		}
		if is.ReadCapacityUnits > was.ReadCapacityUnits || is.WriteCapacityUnits > was.WriteCapacityUnits {
			t.lastIncrease = now
		}
	}
	if c.mode != t.now.mode {
		if err := t.switchMode(c.mode, now); err != nil {
			return err
		}
	}
	t.boundOnce = t.boundOnce || in.OnDemandThroughput != nil
	t.protected = t.protected && in.DeletionProtectionEnabled == nil || deref(in.DeletionProtectionEnabled)
	t.change("UPDATING", c, now, o)
	return nil
}

// proposal is the capacities a table would have after an update.
func (t *table) proposal(in *updateTableInput) (capacities, error) {
	c := t.now
	if in.BillingMode != "" {
		c.mode = in.BillingMode
	}
	if in.BillingMode == "" && in.ProvisionedThroughput == nil && in.OnDemandThroughput == nil {
		return c, invalid("At least one of ProvisionedThroughput, BillingMode, OnDemandThroughput is required")
	}
	switched := c.mode != t.now.mode
	if switched && c.mode == onDemandMode {
		c.provisioned = capacity{}
	}
	if switched && c.mode == provisionedMode {
		c.maxRead, c.maxWrite = -1, -1
	}
	return c.with(in.ProvisionedThroughput, in.OnDemandThroughput)
}

// with checks and fills in the throughput asked for.
func (c capacities) with(p *capacity, m *onDemandMax) (capacities, error) {
	switch c.mode {
	case provisionedMode:
		if m != nil {
			return c, invalid("One or more parameter values were invalid: OnDemandThroughput can only be specified when BillingMode is PAY_PER_REQUEST")
		}
		if p != nil {
			c.provisioned = *p
		}
		for _, n := range []int64{c.provisioned.ReadCapacityUnits, c.provisioned.WriteCapacityUnits} {
			if n < 1 || n > tableQuota {
				return c, invalid(fmt.Sprintf("One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be between 1 and %d", tableQuota))
			}
		}
	case onDemandMode:
		if p != nil {
			return c, invalid("One or more parameter values were invalid: Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")
		}
		if m == nil {
			break
		}
		if m.MaxReadRequestUnits == nil && m.MaxWriteRequestUnits == nil {
			return c, invalid("One or more parameter values were invalid: OnDemandThroughput needs MaxReadRequestUnits or MaxWriteRequestUnits")
		}
		for to, n := range map[*int64]*int64{&c.maxRead: m.MaxReadRequestUnits, &c.maxWrite: m.MaxWriteRequestUnits} {
			if n == nil {
				continue
			}
			if *n != -1 && (*n < 1 || *n > tableQuota) {
				return c, invalid(fmt.Sprintf("One or more parameter values were invalid: the on-demand maximum must be -1, or between 1 and %d", tableQuota))
			}
			*to = *n
		}
	default:
		return c, invalid(fmt.Sprintf("1 validation error detected: Value '%s' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]", c.mode))
	}
	return c, nil
}

// switchMode counts a change of billing mode; to on-demand it is allowed four times in 24 hours.
func (t *table) switchMode(mode string, now time.Time) error {
	t.billed = true
	if mode != onDemandMode {
		return nil
	}
	recent := t.switches[:0]
	for _, at := range t.switches {
		if now.Sub(at) < 24*time.Hour {
			recent = append(recent, at)
		}
	}
	if t.switches = recent; len(recent) >= 4 {
		return &apiError{Code: "LimitExceededException", Message: "Subscriber limit exceeded: Update to PayPerRequest mode are limited to 4 times in 24 hours"}
	}
	t.switches, t.onDemandAt = append(t.switches, now), now
	return nil
}

func (t *table) busy() string {
	return map[string]string{"CREATING": "created", "DELETING": "deleted", "UPDATING": "updated"}[t.status]
}

func (t *table) describe(now time.Time) *tableDescription {
	t.lowered.roll(now)
	d := &tableDescription{TableName: t.name, TableArn: t.arn, TableId: t.tableID, TableStatus: t.status, CreationDateTime: t.created,
		AttributeDefinitions: t.attributes, KeySchema: t.keys, ItemCount: int64(len(t.items)), TableSizeBytes: int64(t.bytes), DeletionProtectionEnabled: t.protected,
		ProvisionedThroughput: provisionedDescription{
			ReadCapacityUnits: t.now.provisioned.ReadCapacityUnits, WriteCapacityUnits: t.now.provisioned.WriteCapacityUnits,
			NumberOfDecreasesToday: int64(t.lowered.today), LastDecreaseDateTime: t.lastDecrease, LastIncreaseDateTime: t.lastIncrease}}
	if t.billed {
		d.BillingModeSummary = &billingModeSummary{BillingMode: t.now.mode, LastUpdateToPayPerRequestDateTime: t.onDemandAt}
	}
	if t.boundOnce && t.now.mode == onDemandMode {
		r, w := t.now.maxRead, t.now.maxWrite
		d.OnDemandThroughput = &onDemandMax{MaxReadRequestUnits: &r, MaxWriteRequestUnits: &w}
	}
	return d
}

// config is what people configured about the table; no bound and -1 are one.
func (t *table) config() any {
	c := t.wanted()
	out := map[string]any{"BillingMode": c.mode, "KeySchema": t.keys, "DeletionProtectionEnabled": t.protected,
		"AttributeDefinitions": sortedBy(t.attributes, func(a attributeDefinition) string { return a.AttributeName }), "Tags": t.tags}
	if c.mode == provisionedMode {
		out["ProvisionedThroughput"] = c.provisioned
	} else {
		out["OnDemandThroughput"] = map[string]int64{"MaxReadRequestUnits": c.maxRead, "MaxWriteRequestUnits": c.maxWrite}
	}
	if !t.recoverable.IsZero() {
		out["PointInTimeRecoveryDays"] = t.recoveryDays
	}
	if t.policy.text != "" {
		out["ResourcePolicy"] = t.policy.text
	}
	return out
}

func invalid(message string) *apiError {
	return &apiError{Code: "ValidationException", Message: message}
}

func inUse(message string) *apiError {
	return &apiError{Code: "ResourceInUseException", Message: message}
}

func notFound(message string) *apiError {
	return &apiError{Code: "ResourceNotFoundException", Message: message}
}
