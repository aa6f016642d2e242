package inject

import (
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// ThrottleParams are the parameters of dynamodb.throttle: the table's reads or writes, or both, are held down to
// a few units a second, and our own load makes it felt.
type ThrottleParams struct {
	Table  string `json:"table" jsonschema:"description=Name of the table"`
	Writes *int64 `json:"writes,omitempty" jsonschema:"minimum=1,description=Write units a second that are left"`
	Reads  *int64 `json:"reads,omitempty" jsonschema:"minimum=1,description=Read units a second that are left"`
	Load   string `json:"load,omitempty" jsonschema:"description=Requests a second that we send ourselves: for instance 50/s"`
}

// throttling is the kind dynamodb.throttle.
type throttling struct {
	tables  Tables
	items   Items
	scaling Scaling
	now     func() time.Time
	timing  Timing
	raised  sync.Map // the undos whose write was ours, where no tag can tell: only this process knows
}

func newThrottling(c *Clients, t Timing) *throttling {
	return &throttling{tables: c.DynamoDB, items: c.Items, scaling: c.AutoScaling, now: c.now, timing: t}
}

func (k *throttling) kind() Kind {
	return Kind{New: k.new, Revert: k.revert, Settled: k.settled, Describe: k.describe, ByHand: k.byHand, Identity: k.identity}
}

// throttle is one throttle, about to be made.
type throttle struct {
	*throttling
	params ThrottleParams
	rate   float64
}

var (
	_ Fault        = (*throttle)(nil)
	_ Verifier     = (*throttle)(nil)
	_ Loader       = (*throttle)(nil)
	_ LastResorter = (*throttle)(nil)
	_ Permitter    = (*throttle)(nil)
	_ Mover        = (*throttle)(nil)
	_ Floored      = (*throttle)(nil)
	_ Costed       = (*throttle)(nil)
)

func (k *throttling) new(raw json.RawMessage) (Fault, error) {
	f := &throttle{throttling: k}
	if err := decodeParams(KindThrottle, raw, &f.params); err != nil {
		return nil, err
	}
	p := f.params
	switch {
	case p.Table == "":
		return nil, Refuse("write table: NAME", "%s names no table", KindThrottle)
	case p.Writes == nil && p.Reads == nil:
		return nil, Refuse("write writes: 1 or reads: 1", "%s of table %s says neither writes nor reads", KindThrottle, p.Table)
	case p.Writes != nil && *p.Writes < 1 || p.Reads != nil && *p.Reads < 1:
		return nil, Refuse("write 1: DynamoDB knows no smaller maximum", "%s of table %s goes below 1 unit a second", KindThrottle, p.Table)
	}
	rate, err := parseRate(p.Load)
	if err != nil {
		return nil, err
	}
	f.rate = rate
	for _, left := range []*int64{p.Writes, p.Reads} {
		if left != nil && rate > 0 && rate <= float64(*left) {
			return nil, Refuse(fmt.Sprintf("write load: %d/s or more", *left*10),
				"a load of %s stays within the %d units a second that are left: nothing would throttle", p.Load, *left)
		}
	}
	return f, nil
}
