package pager

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// subscription is a V3 webhook subscription.
type subscription struct {
	id, method    string
	url           string
	secret        string
	description   string
	events        []string
	filter        hookFilter
	headers       []hookHeader
	active        bool
	disabledUntil time.Time
	drops         int              // in a row
	lanes         map[string]*lane // by incident
}

type hookFilter struct {
	ID   string `json:"id,omitempty"`
	Type string `json:"type"`
}

type hookHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (s *subscription) wants(i *incident, event string) bool {
	if !s.active || !slices.Contains(s.events, event) {
		return false
	}
	switch s.filter.Type {
	case "service_reference":
		return i.service.ID == s.filter.ID
	case "team_reference":
		return i.service.Team == s.filter.ID
	}
	return true
}

// disable stops a subscription whose server keeps refusing; what is queued is lost.
func (s *subscription) disable(now time.Time) {
	s.disabledUntil, s.drops = now.Add(hookDisabled), 0
	for _, l := range s.lanes {
		l.queue = nil
	}
}

type subscriptionShape struct {
	ID          string      `json:"id"`
	Type        string      `json:"type"`
	Active      bool        `json:"active"`
	Description string      `json:"description"`
	Events      []string    `json:"events"`
	Filter      hookFilter  `json:"filter"`
	Method      methodShape `json:"delivery_method"`
}

type methodShape struct {
	ID       string       `json:"id"`
	Type     string       `json:"type"`
	URL      string       `json:"url"`
	Secret   *string      `json:"secret"` // told once, when the subscription is made
	Disabled bool         `json:"temporarily_disabled"`
	Headers  []hookHeader `json:"custom_headers"`
}

type subscriptionAnswer struct {
	Subscription subscriptionShape `json:"webhook_subscription"`
}

func (s *subscription) shape(now time.Time) subscriptionShape {
	out := subscriptionShape{ID: s.id, Type: "webhook_subscription", Active: s.active, Description: s.description, Events: s.events,
		Filter: s.filter, Method: methodShape{ID: s.method, Type: "http_delivery_method", URL: s.url,
			Disabled: now.Before(s.disabledUntil), Headers: []hookHeader{}}}
	for _, h := range s.headers {
		out.Method.Headers = append(out.Method.Headers, hookHeader{h.Name, "-- redacted --"})
	}
	return out
}

// subscriptionInput is what POST and PUT take; PUT changes what it names.
type subscriptionInput struct {
	Subscription struct {
		Active      *bool       `json:"active"`
		Description *string     `json:"description"`
		Events      []string    `json:"events"`
		Filter      *hookFilter `json:"filter"`
		Method      *struct {
			Type    string       `json:"type"`
			URL     string       `json:"url"`
			Headers []hookHeader `json:"custom_headers"`
		} `json:"delivery_method"`
	} `json:"webhook_subscription"`
}

func (p *Pager) subscriptionRoutes() {
	p.rest("GET /webhook_subscriptions", p.listSubscriptions)
	p.rest("POST /webhook_subscriptions", p.addSubscription)
	p.rest("GET /webhook_subscriptions/{id}", p.subscribed(func(q *query, s *subscription) (int, any, *problem) {
		return http.StatusOK, subscriptionAnswer{s.shape(q.now)}, nil
	}))
	p.rest("PUT /webhook_subscriptions/{id}", p.subscribed(func(q *query, s *subscription) (int, any, *problem) {
		if bad := p.readSubscription(q, s); bad != nil {
			return 0, nil, bad
		}
		return http.StatusOK, subscriptionAnswer{s.shape(q.now)}, nil
	}))
	p.rest("DELETE /webhook_subscriptions/{id}", p.subscribed(func(q *query, s *subscription) (int, any, *problem) {
		s.active = false
		s.disable(q.now)
		p.subscriptions = slices.DeleteFunc(p.subscriptions, func(o *subscription) bool { return o == s })
		return http.StatusNoContent, nil, nil
	}))
	p.rest("POST /webhook_subscriptions/{id}/enable", p.subscribed(func(q *query, s *subscription) (int, any, *problem) {
		s.active, s.drops, s.disabledUntil = true, 0, time.Time{}
		return http.StatusOK, subscriptionAnswer{s.shape(q.now)}, nil
	}))
	p.rest("POST /webhook_subscriptions/{id}/ping", p.subscribed(p.ping))
}

// subscribed finds the subscription that a path names.
func (p *Pager) subscribed(do func(q *query, s *subscription) (int, any, *problem)) restHandler {
	return func(q *query) (int, any, *problem) {
		for _, s := range p.subscriptions {
			if s.id == q.r.PathValue("id") {
				return do(q, s)
			}
		}
		return 0, nil, notFound()
	}
}

func (p *Pager) listSubscriptions(q *query) (int, any, *problem) {
	all := []subscriptionShape{}
	for _, s := range p.subscriptions {
		kind, id := q.view.q.Get("filter_type"), q.view.q.Get("filter_id")
		if kind != "" && s.filter.Type != kind+"_reference" || id != "" && s.filter.ID != id {
			continue
		}
		all = append(all, s.shape(q.now))
	}
	g, bad := q.view.page(len(all))
	if bad != nil {
		return 0, nil, bad
	}
	return http.StatusOK, struct {
		Subscriptions []subscriptionShape `json:"webhook_subscriptions"`
		page
	}{all[g.from:g.to], g}, nil
}

// addSubscription is the only answer that tells the secret.
func (p *Pager) addSubscription(q *query) (int, any, *problem) {
	s := &subscription{id: p.id("P", 14), method: p.id("P", 14), secret: p.id("", 64), active: true, lanes: map[string]*lane{}}
	if bad := p.readSubscription(q, s); bad != nil {
		return 0, nil, bad
	}
	p.subscriptions = append(p.subscriptions, s)
	out := s.shape(q.now)
	out.Method.Secret = &s.secret
	return http.StatusOK, subscriptionAnswer{out}, nil
}

// readSubscription takes over what a request names, if all of it is right.
func (p *Pager) readSubscription(q *query, s *subscription) *problem {
	var in subscriptionInput
	if err := json.NewDecoder(q.r.Body).Decode(&in); err != nil {
		return invalid(err.Error())
	}
	want, next := in.Subscription, *s
	if want.Method != nil {
		next.url, next.headers = want.Method.URL, want.Method.Headers
	}
	if want.Events != nil {
		next.events = want.Events
	}
	if want.Filter != nil {
		next.filter = *want.Filter
	}
	if want.Description != nil {
		next.description = *want.Description
	}
	if want.Active != nil {
		next.active = *want.Active
	}
	if bad := next.check(&p.o.Account); bad != nil {
		return bad
	}
	*s = next
	return nil
}

func (s *subscription) check(a *Account) *problem {
	u, err := url.Parse(s.url)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return invalid("Delivery method url must be an absolute http or https address")
	case len(s.events) == 0:
		return invalid("Events cannot be empty")
	case s.filter.Type == "service_reference" && a.service(s.filter.ID) == nil,
		s.filter.Type != "service_reference" && s.filter.Type != "team_reference" && s.filter.Type != "account_reference":
		return invalid("Filter is invalid")
	}
	for n, e := range s.events {
		if !strings.HasPrefix(e, "incident.") && !strings.HasPrefix(e, "service.") || slices.Contains(s.events[:n], e) {
			return invalid("Event " + e + " is invalid")
		}
	}
	return nil
}

// ping sends a webhook that means nothing, whatever the subscription is about.
func (p *Pager) ping(q *query, s *subscription) (int, any, *problem) {
	e := hookEvent{ID: p.id("01", 26), Type: "pagey.ping", Resource: "pagey", OccurredAt: p.hookView().precisely(q.now),
		Data: struct {
			Message string `json:"message"`
			Type    string `json:"type"`
		}{"Hello from your friend Pagey!", "ping"}}
	p.enqueueHook(p.laneOf(s, ""), &delivery{id: p.id("", 32), event: e.ID, kind: e.Type, body: hookBody(e), secrets: []string{s.secret}, made: q.now})
	p.later(q.now, func(time.Time) {}) // wakes Run
	return http.StatusAccepted, nil, nil
}
