package drills

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// oncePager asks PagerDuty each thing once: a doctor and every plan that it makes want to know the same of a service, and
// a key has some hundred questions a minute.
// https://developer.pagerduty.com/docs/rest-api-rate-limits
type oncePager struct {
	observe.Pager

	mu        sync.Mutex
	checks    map[string]checkAnswer
	incidents map[string]incidentsAnswer
}

type checkAnswer struct {
	check observe.ServiceCheck
	err   error
}

type incidentsAnswer struct {
	list []observe.Incident
	err  error
}

func newOncePager(p observe.Pager) *oncePager {
	return &oncePager{Pager: p, checks: map[string]checkAnswer{}, incidents: map[string]incidentsAnswer{}}
}

// Check is the pager's, asked once for each service. What a time-out of who asks has cut short is asked again.
func (o *oncePager) Check(ctx context.Context, service string) (observe.ServiceCheck, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	a, known := o.checks[service]
	if !known {
		if a.check, a.err = o.Pager.Check(ctx, service); ctx.Err() == nil {
			o.checks[service] = a
		}
	}
	check := a.check
	check.Risks = slices.Clone(check.Risks) // whoever reads them marks what is accepted
	return check, a.err
}

// Incidents is the pager's, asked once for each service.
func (o *oncePager) Incidents(ctx context.Context, services []string, since time.Time) ([]observe.Incident, error) {
	if len(services) != 1 {
		return o.Pager.Incidents(ctx, services, since)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	a, known := o.incidents[services[0]]
	if !known {
		if a.list, a.err = o.Pager.Incidents(ctx, services, since); ctx.Err() == nil {
			o.incidents[services[0]] = a
		}
	}
	return slices.Clone(a.list), a.err
}
