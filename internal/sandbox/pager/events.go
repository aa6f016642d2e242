package pager

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// The limits of an event, as the Events API v2 documents them.
const (
	maxEvent   = 512 << 10 // bytes of the whole event
	maxSummary = 1024      // characters
	maxDedup   = 255       // characters
	keyLength  = 32        // characters of a routing key
)

// event is what a source sends; the CloudWatch integration makes one of an alarm's message.
type event struct {
	RoutingKey string  `json:"routing_key"`
	Action     string  `json:"event_action"`
	DedupKey   string  `json:"dedup_key"`
	Payload    payload `json:"payload"`
	Client     string  `json:"client"`
	ClientURL  string  `json:"client_url"`
	Links      []struct {
		Href string `json:"href"`
		Text string `json:"text"`
	} `json:"links"`
}

type payload struct {
	Summary   string          `json:"summary"`
	Source    string          `json:"source"`
	Severity  string          `json:"severity"`
	Timestamp string          `json:"timestamp"`
	Component string          `json:"component"`
	Group     string          `json:"group"`
	Class     string          `json:"class"`
	Details   json.RawMessage `json:"custom_details"`
}

// receipt is the truth about one accepted event.
type receipt struct {
	at      time.Time
	key     string
	action  string
	dedup   string
	due     time.Time
	outcome string // pending until it took effect
}

type eventAnswer struct {
	Status   string   `json:"status"`
	Message  string   `json:"message"`
	DedupKey string   `json:"dedup_key,omitempty"`
	Errors   []string `json:"errors,omitempty"`
}

func (p *Pager) eventRoutes() {
	p.mux.HandleFunc("POST /events/v2/enqueue", p.enqueue)
	p.mux.HandleFunc("POST /integration/{key}/enqueue", p.enqueueAlarm)
}

// mistakes says all that is wrong with an event, in the API's manner.
func (e *event) mistakes() []string {
	var wrong []string
	if e.RoutingKey == "" {
		wrong = append(wrong, "'routing_key' is missing or blank")
	} else if len(e.RoutingKey) != keyLength {
		wrong = append(wrong, fmt.Sprintf("Length of 'routing_key' is incorrect (should be %d characters)", keyLength))
	}
	if len([]rune(e.DedupKey)) > maxDedup {
		wrong = append(wrong, fmt.Sprintf("'dedup_key' is too long (maximum is %d characters)", maxDedup))
	}
	switch e.Action {
	case "trigger":
		wrong = append(wrong, e.Payload.mistakes()...)
	case "acknowledge", "resolve":
		if e.DedupKey == "" {
			wrong = append(wrong, "'dedup_key' is missing or blank")
		}
	default:
		wrong = append(wrong, "'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge' or 'resolve')")
	}
	return wrong
}

func (l *payload) mistakes() []string {
	var wrong []string
	if l.Summary == "" {
		wrong = append(wrong, "'payload.summary' is missing or blank")
	}
	if len([]rune(l.Summary)) > maxSummary {
		wrong = append(wrong, fmt.Sprintf("'payload.summary' is too long (maximum is %d characters)", maxSummary))
	}
	if l.Source == "" {
		wrong = append(wrong, "'payload.source' is missing or blank")
	}
	switch l.Severity {
	case "critical", "error", "warning", "info":
	default:
		wrong = append(wrong, "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
	}
	return wrong
}

func (p *Pager) enqueue(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxEvent+1))
	if err != nil {
		return
	}
	if len(body) > maxEvent {
		answer(w, http.StatusRequestEntityTooLarge, eventAnswer{Status: "invalid event",
			Message: "Event object is invalid", Errors: []string{"Event is too large (maximum is 512 KB)"}})
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		answer(w, http.StatusBadRequest, eventAnswer{Status: "invalid event", Message: "Invalid JSON in body",
			Errors: []string{err.Error()}})
		return
	}
	if wrong := e.mistakes(); len(wrong) > 0 {
		answer(w, http.StatusBadRequest, eventAnswer{Status: "invalid event", Message: "Event object is invalid", Errors: wrong})
		return
	}
	p.accept(w, e)
}

// accept queues a well-formed event. A key that nobody here owns, such as one of another region, is accepted as
// well: a 202 proves nothing.
func (p *Pager) accept(w http.ResponseWriter, e event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.o.Now()
	q := p.spend("event "+e.RoutingKey, p.o.EventsPerMinute, now)
	if !q.ok {
		answer(w, http.StatusTooManyRequests, eventAnswer{Status: "throttle exceeded",
			Message: "Requests for this service are arriving too quickly. Please retry later."})
		return
	}
	if e.DedupKey == "" {
		e.DedupKey = strings.ToLower(p.id("", 32))
	}
	due := now.Add(p.delay(e))
	if last := p.lastDue[e.RoutingKey]; due.Before(last) {
		due = last
	}
	p.lastDue[e.RoutingKey] = due
	rc := &receipt{at: now, key: e.RoutingKey, action: e.Action, dedup: e.DedupKey, due: due, outcome: "pending"}
	p.received = append(p.received, rc)
	p.later(due, func(now time.Time) { rc.outcome = p.take(e, now) })
	answer(w, http.StatusAccepted, eventAnswer{Status: "success", Message: "Event processed", DedupKey: e.DedupKey})
}

// delay is how long an event takes to have its effect. An alarm's recovery comes the long way: people who fix
// something are usually quicker to say so than the integration.
func (p *Pager) delay(e event) time.Duration {
	least, spread := p.o.MinDelay, p.o.MaxDelay-p.o.MinDelay
	if _, door := p.o.Account.door(e.RoutingKey); door != nil && door.Type == CloudWatch && e.Action == "resolve" {
		spread /= 2
		least += spread
	}
	if spread <= 0 {
		return least
	}
	return least + time.Duration(p.rng.Int64N(int64(spread)))
}

// take lets an accepted event have its effect and says what that was.
func (p *Pager) take(e event, now time.Time) string {
	s, door := p.o.Account.door(e.RoutingKey)
	switch {
	case s == nil:
		return "dropped: no such integration"
	case p.knobFor("never", s.ID) != nil:
		return "dropped: suppressed"
	case p.disabled(s):
		return "dropped: service is disabled"
	case p.inMaintenance(s, now):
		return "dropped: service is in maintenance"
	}
	r := p.route(s, e)
	switch {
	case r.drop:
		return "dropped: by a rule"
	case r.event.Action == "trigger":
		return p.trigger(s, door, r, now)
	case e.Action == "trigger": // a rule makes a resolve of it
		return "dropped: a rule resolved it"
	}
	return p.settle(door, e, now)
}

// settle lets an acknowledge or a resolve have its effect on the open alert that it names.
func (p *Pager) settle(door *Integration, e event, now time.Time) string {
	i, a := p.openAlert(door, e.DedupKey)
	if a == nil {
		if h := p.heldBack(door, e.DedupKey); h != nil && e.Action == "resolve" {
			h.over, h.alert.status = true, resolved
			return "resolved while it was held back"
		}
		return "dropped: no open alert with this key from this integration"
	}
	by := actor{as: integrationRef(door), channel: channel{Type: "api"}}
	if e.Action == "acknowledge" {
		p.acknowledge(i, by, now)
		return "acknowledged " + i.id
	}
	a.status = resolved
	for _, other := range i.alerts {
		if other.status != resolved {
			return "resolved an alert of " + i.id
		}
	}
	p.close(i, by, "", now)
	return "resolved " + i.id
}

// trigger makes an alert of an event, and of the alert an incident, unless something keeps it from that.
func (p *Pager) trigger(s *Service, door *Integration, r routed, now time.Time) string {
	e := r.event
	if i, a := p.openAlert(door, e.DedupKey); a != nil {
		a.event = e
		p.logTrigger(i, a, now)
		return "repeated in " + i.id
	}
	if h := p.heldBack(door, e.DedupKey); h != nil {
		return "repeated while it is held back"
	}
	if r.suppress {
		return "suppressed by a rule"
	}
	a := &alert{id: p.id("Q", 14), key: e.DedupKey, integration: door, event: e, created: now, status: triggered}
	by, wait := "rules", r.suspend
	if wait == 0 && s.Pause.Enabled {
		by, wait = "auto_pause", s.Pause.After.Duration()
	}
	if wait > 0 {
		p.holdBack(&paused{service: s, alert: a, by: by}, wait, func(now time.Time) { p.raiseAlert(s, a, r, now) }, now)
		return "held back by " + by
	}
	return p.raiseAlert(s, a, r, now)
}

// raiseAlert puts an alert into an open incident that takes it, or into one of its own.
func (p *Pager) raiseAlert(s *Service, a *alert, r routed, now time.Time) string {
	if i := p.joins(s, a, now); i != nil {
		i.alerts = append(i.alerts, a)
		p.logTrigger(i, a, now)
		return "grouped into " + i.id
	}
	policy := r.policy
	if policy == nil {
		policy = p.o.Account.policy(s.Policy)
	}
	if policy == nil || len(policy.Levels) == 0 || len(policy.Levels[0]) == 0 {
		return "dropped: nobody is on call"
	}
	return "opened " + p.open(s, a, r, now).id
}

// openAlert finds the alert an event belongs to: the same key from the same integration, and not resolved.
func (p *Pager) openAlert(door *Integration, key string) (*incident, *alert) {
	for _, i := range p.incidents {
		for _, a := range i.alerts {
			if a.integration.ID == door.ID && a.key == key && a.status != resolved && i.status != resolved {
				return i, a
			}
		}
	}
	return nil, nil
}
