// Package pager pretends to be PagerDuty: the Events API v2, the CloudWatch integration, the part of the REST
// API that a drill needs, and the phone app of its users. It answers 202 first and makes the incident later,
// notifies, escalates, and tells times in whole seconds and entries in no order, as the real one does.
package pager

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Options say how the pager behaves. Zero durations and limits take the defaults named beside them.
type Options struct {
	Account Account
	// URL is the base of the pager as its links tell it, without a slash at the end.
	URL string
	// Now is the pager's clock; required.
	Now func() time.Time
	// Seed makes delays, ids and the order of log entries repeatable.
	Seed uint64

	// MinDelay and MaxDelay bound the time between a 202 and its effect: 200 ms and 2 s.
	MinDelay, MaxDelay time.Duration
	// NotifyAfter is the time between an assignment and the first notification: 200 ms.
	NotifyAfter time.Duration
	// EscalateAfter is how long a level has to acknowledge: 30 s.
	EscalateAfter time.Duration
	// AckTimeout is how long an acknowledgement holds: 30 minutes.
	AckTimeout time.Duration

	// AutoResolve is how long an incident stays open before the service resolves it; 0: for ever.
	AutoResolve time.Duration

	// EventsPerMinute is the limit of each integration key: 120, as PagerDuty documents.
	EventsPerMinute int
	// RequestsPerMinute is the limit of each REST key or user: 960, as PagerDuty documents.
	RequestsPerMinute int
	// OperationPerMinute is the limit of an operation that has its own: 300. PagerDuty has such limits, unpublished.
	OperationPerMinute int
	// HookTimeout is how long a webhook waits for its answer: 5 s, as PagerDuty documents.
	HookTimeout time.Duration
	// Zone is the account's time zone, in which log entries are told unless asked otherwise: UTC+2.
	Zone *time.Location
}

func (o *Options) defaults() {
	for _, d := range []struct {
		p *time.Duration
		v time.Duration
	}{
		{&o.MinDelay, 200 * time.Millisecond},
		{&o.MaxDelay, 2 * time.Second},
		{&o.NotifyAfter, 200 * time.Millisecond},
		{&o.EscalateAfter, 30 * time.Second},
		{&o.AckTimeout, 30 * time.Minute},
		{&o.HookTimeout, 5 * time.Second},
	} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
	if o.MaxDelay < o.MinDelay {
		o.MaxDelay = o.MinDelay
	}
	if o.EventsPerMinute == 0 {
		o.EventsPerMinute = 120
	}
	if o.RequestsPerMinute == 0 {
		o.RequestsPerMinute = 960
	}
	if o.OperationPerMinute == 0 {
		o.OperationPerMinute = 300
	}
	if o.Zone == nil {
		o.Zone = time.FixedZone("account", 2*3600)
	}
}

// Pager is the pretended PagerDuty. It serves /pagerduty (REST), /events/v2/enqueue, /integration/KEY/enqueue and
// /app (the users' phones). Everything that happens by itself happens in Run.
type Pager struct {
	o   Options
	mux *http.ServeMux

	mu        sync.Mutex
	rng       *rand.Rand
	agenda    agenda
	wake      chan struct{}
	incidents []*incident
	windows   []*window
	paused    []*paused
	knobs     []*knob
	knobCount int
	received  []*receipt
	quotas    map[string]*quota
	requests  []*request
	lastDue   map[string]time.Time // by routing key: events of one source keep their order

	subscriptions []*subscription
	outbox        []*lane // with something to send
	attempts      []attempt
	hooks         *http.Client
	sending       sync.WaitGroup // of goroutines that Run waits for
}

// New makes a pager with nothing open. It does nothing by itself until Run.
func New(o Options) *Pager {
	o.defaults()
	o.Account.settle()
	p := &Pager{
		o:       o,
		mux:     http.NewServeMux(),
		rng:     rand.New(rand.NewPCG(o.Seed, 0x70616765)),
		wake:    make(chan struct{}, 1),
		quotas:  map[string]*quota{},
		lastDue: map[string]time.Time{},
		hooks:   newHooks(),
	}
	p.eventRoutes()
	p.incidentRoutes()
	p.directoryRoutes()
	p.subscriptionRoutes()
	p.phoneRoutes()
	return p
}

// Run makes incidents of accepted events, notifies, escalates, lets acknowledgements run out and delivers webhooks, until
// ctx ends.
func (p *Pager) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	defer p.hooks.CloseIdleConnections()
	defer p.sending.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-p.wake:
		case <-timer.C:
		}
		wait := p.work()
		p.deliver(ctx)
		timer.Reset(wait)
	}
}

// work does what is due and says how long nothing will be.
func (p *Pager) work() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		now := p.o.Now()
		do, wait := p.agenda.next(now)
		if do == nil {
			return min(wait, time.Second)
		}
		do(now)
	}
}

// later puts do on the agenda. The lock is held here and in do.
func (p *Pager) later(at time.Time, do func(now time.Time)) {
	p.agenda.add(at, do)
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// id makes an identifier in PagerDuty's alphabet. The lock is held.
func (p *Pager) id(prefix string, n int) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := []byte(prefix)
	for len(b) < n {
		b = append(b, letters[p.rng.IntN(len(letters))])
	}
	return string(b)
}
