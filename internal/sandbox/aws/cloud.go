// Package aws pretends to be the few AWS services that firedrill's drills touch: small state machines with the
// physics that matter (token buckets, visibility, rules that carry traffic), spoken to over the real wire
// protocols by the real SDKs. It is a sandbox: it checks no signatures and keeps everything in memory.
package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// maxBody bounds a request: the largest AWS one we serve is a megabyte of SQS batch, in base64 and JSON.
const maxBody = 8 << 20

// Options say what the cloud is like; the zero value of each field means its default.
type Options struct {
	// Now is the clock. It is required.
	Now func() time.Time
	// Account is the twelve digits of the account (111122223333).
	Account string
	// Alias is the account's alias (firedrill-sandbox).
	Alias string
	// Region is where everything lives (eu-west-1); requests signed for another are refused.
	Region string
	// Keys tells callers apart: access key id to firedrill, orders, responder or alarm; all others are "other".
	Keys map[string]string
	// UpdateDelay is how long a table stays UPDATING or CREATING (500 ms; negative means not at all).
	UpdateDelay time.Duration
	// ProvisionedBurst is how much unused provisioned capacity a table banks, in seconds of it (3 s; AWS: 300 s).
	ProvisionedBurst time.Duration
	// OnDemandBurst is the same under an on-demand maximum (1 s; AWS does not document it).
	OnDemandBurst time.Duration
	// ScalingWindow is how long consumption must stay over its target before auto scaling acts (2 s; AWS: 2 min).
	ScalingWindow time.Duration
	// Mappings are the event source mappings that Lambda lists.
	Mappings []Mapping
	// InFlight is how many messages of one queue may be received and not yet deleted (120000).
	InFlight int
	// RulePropagation is how long a load balancer's data plane takes to see a changed rule (200 ms; negative means
	// not at all).
	RulePropagation time.Duration
	// TargetSettling is how long a target that joins others is initial, and TargetDraining how long one that left drains (1 s
	// and 10 s; AWS: by its health checks, and five minutes; negative means not at all).
	TargetSettling, TargetDraining time.Duration
	// Schedules is how many schedules there may be (10 million, as many as AWS allows at first).
	Schedules int
	// PolicyLock is how long a table's policy may not be changed again after a change (1 s; AWS: 15 s; negative means
	// not at all).
	PolicyLock time.Duration
	// PolicyPropagation is how long a changed policy of a table or queue takes until it is enforced (200 ms; AWS: up to
	// a minute for a queue; negative means not at all).
	PolicyPropagation time.Duration
	// TrailDelay is how late CloudTrail tells of a call (2 s; AWS: about five minutes; negative means at once).
	TrailDelay time.Duration
	// Tick is how often the services act by themselves (1 s).
	Tick time.Duration
}

// Cloud is the account: an http.Handler for everything under /aws.
type Cloud struct {
	options Options
	ops     map[string]map[string]operation
	list    []service
	calls   *callLog
	knobs   *knobs
	stale   *staleReads
	base    atomic.Pointer[string]
	gone    chan struct{}
	once    sync.Once
}

// New makes an account with nothing in it.
func New(o Options) *Cloud {
	o = o.withDefaults()
	c := &Cloud{options: o, ops: map[string]map[string]operation{}, calls: &callLog{}, knobs: newKnobs(),
		stale: newStaleReads(), gone: make(chan struct{})}
	c.SetBase("http://127.0.0.1/aws")
	d := deps{now: o.Now, account: o.Account, region: o.Region, options: o, meter: c, acted: c.acted, others: c, log: c.CallLog,
		base: func() string { return *c.base.Load() }}
	c.list = newServices(d)
	for _, s := range c.list {
		c.ops[s.id()] = s.operations()
	}
	return c
}

// newServices lists what the account has; one line each.
func newServices(d deps) []service {
	tables := newDynamoDB(d)
	topics := newSNS(d)
	return []service{
		newSTS(d),
		newIAM(d),
		newLambda(d),
		tables,
		newAutoScaling(d, tables),
		topics,
		newCloudWatch(d, topics),
		newSQS(d),
		newELB(d),
		newScheduler(d),
		newFIS(d),
		newSSM(d),
		newSecrets(d),
		newCloudTrail(d),
	}
}

func (o Options) withDefaults() Options {
	text := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	span := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
		*d = max(*d, 0)
	}
	text(&o.Account, "111122223333")
	text(&o.Alias, "firedrill-sandbox")
	text(&o.Region, "eu-west-1")
	span(&o.UpdateDelay, 500*time.Millisecond)
	span(&o.ProvisionedBurst, 3*time.Second)
	span(&o.OnDemandBurst, time.Second)
	span(&o.ScalingWindow, 2*time.Second)
	span(&o.RulePropagation, 200*time.Millisecond)
	span(&o.TargetSettling, time.Second)
	span(&o.TargetDraining, 10*time.Second)
	span(&o.PolicyLock, time.Second)
	span(&o.PolicyPropagation, 200*time.Millisecond)
	span(&o.TrailDelay, 2*time.Second)
	if o.Schedules == 0 {
		o.Schedules = 10_000_000
	}
	if o.Tick <= 0 {
		o.Tick = time.Second
	}
	return o
}

// SetBase tells the cloud under which URL clients reach it, /aws included; queue URLs are made of it.
func (c *Cloud) SetBase(url string) { c.base.Store(&url) }

// Run lets the services act by themselves (gauges, auto scaling, redrive) until ctx ends, and returns nil then.
func (c *Cloud) Run(ctx context.Context) error {
	t := time.NewTicker(c.options.Tick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.gone:
			return nil
		case <-t.C:
			c.tick()
		}
	}
}

func (c *Cloud) tick() {
	now := c.options.Now()
	for _, s := range c.list {
		if t, ok := s.(ticker); ok {
			t.tick(now)
		}
	}
}

// Close ends every held call and every goroutine of the services, and waits for them.
func (c *Cloud) Close() error {
	c.once.Do(func() { close(c.gone) })
	var errs []error
	for _, s := range c.list {
		if s, ok := s.(closer); ok {
			if err := s.close(); err != nil {
				errs = append(errs, fmt.Errorf("close %s: %w", s.(service).id(), err))
			}
		}
	}
	return errors.Join(errs...)
}

// observe hands a metric to the service that keeps them, if the account has one.
func (c *Cloud) observe(s sample) {
	for _, sv := range c.list {
		if m, ok := sv.(meter); ok {
			m.observe(s)
		}
	}
}

// ServeHTTP answers one AWS request.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "read request: "+err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	q, err := c.parse(r, body)
	if err != nil {
		c.refuse(w, q, err)
		return
	}
	c.serve(w, r, q)
}

// acted does what one service does to another: logged like a client's call, but no knob touches it.
func (c *Cloud) acted(call Call, do func() error) error {
	call.At = c.options.Now()
	n := c.calls.begin(call)
	err := do()
	c.calls.end(n, statusOf(err), codeOf(err))
	return err
}

// statusOf is the HTTP status a result is answered with.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	var e *apiError
	if !errors.As(err, &e) {
		return http.StatusInternalServerError
	}
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}
