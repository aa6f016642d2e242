package observe

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"
)

const (
	lookAhead    = 6 * time.Hour    // how far ahead maintenance windows are told
	pagerPreTime = 60 * time.Second // a whole check: it is up to checkCalls looks, one after another
	checkCalls   = 14               // looks of one check at most
	tooLate      = 2 * time.Minute  // a page that is held back for so long is of no use to a drill
	tooSlow      = 10 * time.Minute // nor is a person who is notified only then
	supportAhead = 2 * time.Hour    // how far ahead support hours are looked at
)

// preflight is one check of a service: what it has learned, and what it looks with.
type preflight struct {
	p       *PagerDuty
	op      string
	service string
	policy  string // id of the escalation policy
	now     time.Time
	severe  bool // the urgency follows the alert's severity
	check   ServiceCheck
	learned map[string]setting // by path
}

// Check reads what may swallow a page, delay it, send it elsewhere, or set something off that is no drill, before
// anybody is paged: one call after another, 14 at most. What surely would makes a risk that refuses; what would only
// where some condition holds, or where another incident opens meanwhile, makes one that is told; what may not be read
// makes one that is Unread. A service, its windows or its on-call that cannot be read is an error.
func (p *PagerDuty) Check(ctx context.Context, service string) (ServiceCheck, error) {
	if err := checkID("check PagerDuty service", "service", service); err != nil {
		return ServiceCheck{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, pagerPreTime)
	defer cancel()
	f := &preflight{p: p, op: "check PagerDuty service " + service, service: service, now: p.now(), learned: map[string]setting{}}
	for _, look := range []func(context.Context) error{
		f.base, f.maintenance, f.onCall, f.rules, f.orchestration, f.grouping, f.workflows, f.global,
	} {
		if err := look(ctx); err != nil {
			return ServiceCheck{}, err
		}
	}
	check := f.told()
	if len(check.Problems) == 0 { // who mends something asks again at once
		p.settings.put(f.learned)
	}
	return check, nil
}

// base reads the service itself.
func (f *preflight) base(ctx context.Context) error {
	var got struct {
		Service pd.Service `json:"service"`
	}
	q := url.Values{"include[]": {"escalation_policies", "auto_pause_notifications_parameters"}}
	if err := f.p.wire.get(ctx, f.op, f.p.api+"/services/"+f.service+"?"+q.Encode(), &got); err != nil {
		return err
	}
	s := got.Service
	if s.ID != f.service {
		return &Problem{Op: f.op, Why: "the answer is about another service"}
	}
	f.check.Name, f.check.Status, f.check.URL, f.policy = cmp.Or(s.Name, s.Summary), s.Status, s.HTMLURL, s.EscalationPolicy.ID
	f.status(s)
	f.urgency(s)
	return nil
}

// refuse notes a reason not to page into this service.
func (f *preflight) refuse(v Verdict, text string, args ...any) { f.risk(v, true, text, args...) }

// tell notes what may happen to a page, and is no reason not to send it.
func (f *preflight) tell(v Verdict, text string, args ...any) { f.risk(v, false, text, args...) }

// risk notes one risk once. Where the same was only told before and now refuses, it refuses.
func (f *preflight) risk(v Verdict, refuses bool, text string, args ...any) {
	r := Risk{Verdict: v, Why: fmt.Sprintf(text, args...), Refuses: refuses}
	for i, known := range f.check.Risks {
		if known.Verdict == r.Verdict && known.Why == r.Why {
			f.check.Risks[i].Refuses = known.Refuses || refuses
			return
		}
	}
	f.check.Risks = append(f.check.Risks, r)
}

// optional reads what not every account has and not every token may read. False: it could not be, and that is noted.
// What is broken for the moment is an error: a drill can wait.
func (f *preflight) optional(ctx context.Context, what, path string, v any) (bool, error) {
	got, known := f.p.settings.get(path, f.now)
	if !known {
		var err error
		if got, err = f.ask(ctx, path); err != nil {
			return false, err
		}
		f.learned[path] = got
	}
	if got.why != "" {
		f.tell(Unread, "%s could not be looked at (%s)", what, got.why)
		return false, nil
	}
	if err := json.Unmarshal(got.body, v); err != nil {
		return false, &Problem{Op: f.op, Why: "the answer is not what PagerDuty documents: " + f.p.wire.redact(plain(err.Error())), Status: http.StatusOK}
	}
	return true, nil
}

// ask asks for one setting.
func (f *preflight) ask(ctx context.Context, path string) (setting, error) {
	a, err := f.p.wire.do(ctx, call{op: f.op, method: http.MethodGet, url: f.p.api + path, again: true})
	var no *Problem
	switch {
	case err == nil:
		return setting{body: a.body, at: f.now}, nil
	case errors.As(err, &no) && slices.Contains([]int{http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound}, no.Status):
		return setting{why: no.Why, at: f.now}, nil
	}
	return setting{}, err
}

// told is the check as callers see it.
func (f *preflight) told() ServiceCheck {
	slices.SortStableFunc(f.check.Risks, func(a, b Risk) int {
		switch {
		case a.Refuses == b.Refuses:
			return 0
		case a.Refuses:
			return -1
		}
		return 1
	})
	for _, r := range f.check.Risks {
		switch {
		case r.Refuses:
			f.check.Problems = append(f.check.Problems, r.Why)
		case r.Verdict == Unread:
			f.check.Unknown = append(f.check.Unknown, r.Why)
		}
	}
	return f.check
}
