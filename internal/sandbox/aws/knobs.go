package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What a knob can do to a call.
const (
	effectDelay    = "delay"
	effectThrottle = "throttle"
	effect5xx      = "5xx"
	effectPartial  = "partial"
	effectIgnore   = "ignore"
	effectStale    = "stale"
	effectDeny     = "deny"
	effectHold     = "hold"
	effectSkew     = "skew"
)

// Knob makes some calls go wrong in one way.
type Knob struct {
	ID string `json:"id"`
	// Service, Operation and By choose the calls, as the call log spells them; empty ones match all.
	Service   string `json:"service,omitempty"`
	Operation string `json:"operation,omitempty"`
	By        string `json:"by,omitempty"`
	// Nth is the first matching call it touches, from 1; 0 means 1.
	Nth int `json:"nth,omitempty"`
	// Count is how many calls it touches from there; 0 means all, but one for a hold or where Nth is given.
	Count int `json:"count,omitempty"`
	// Effect is what happens:
	//	delay     the call waits DelayS seconds, before or after it takes effect (When)
	//	hold      it waits until the knob is deleted or its client has gone, before or after it takes effect
	//	throttle, 5xx, deny   it is refused and does nothing (Status and Code say otherwise how)
	//	ignore    it is answered as done, and does nothing
	//	partial   it takes effect, then the connection breaks, or Status is answered
	//	stale     a read asked before the last write is answered as then, for DelayS seconds after that write
	//	skew      the service's clock is SkewS seconds off, in the Date header and every time told or taken
	// A delayed or held call takes effect all the same when its client has gone.
	Effect string  `json:"effect"`
	When   string  `json:"when,omitempty"`
	DelayS float64 `json:"delay_s,omitempty"`
	SkewS  float64 `json:"skew_s,omitempty"`
	Status int     `json:"status,omitempty"`
	Code   string  `json:"code,omitempty"`

	// State is waiting (touched nothing yet), active, holding, or done (it touches nothing any more).
	State string `json:"state"`
	// Matched and Touched count calls.
	Matched int `json:"matched"`
	Touched int `json:"touched"`
	// Holding are the calls that wait right now.
	Holding []Call `json:"holding,omitempty"`
}

// knobs are those turned on at the moment.
type knobs struct {
	mu   sync.Mutex
	next int
	on   []*turned
}

// turned is a knob at work.
type turned struct {
	Knob
	over chan struct{}
}

// hit is one knob's grip on one call. It keeps a copy of what the knob says.
type hit struct {
	Knob
	t *turned
}

func newKnobs() *knobs { return &knobs{} }

// Turn adds a knob and returns its id; it refuses one that makes no sense.
func (c *Cloud) Turn(k Knob) (string, error) {
	if err := k.check(); err != nil {
		return "", err
	}
	c.knobs.mu.Lock()
	defer c.knobs.mu.Unlock()
	c.knobs.next++
	k.ID, k.State, k.Matched, k.Touched, k.Holding = "k"+strconv.Itoa(c.knobs.next), "", 0, 0, nil
	if k.Count == 0 && (k.Nth > 0 || k.Effect == effectHold) {
		k.Count = 1
	}
	k.Nth = max(k.Nth, 1)
	c.knobs.on = append(c.knobs.on, &turned{Knob: k, over: make(chan struct{})})
	return k.ID, nil
}

// Release ends a knob, and lets go of what it holds. It says whether there was one.
func (c *Cloud) Release(id string) bool {
	c.knobs.mu.Lock()
	defer c.knobs.mu.Unlock()
	for i, t := range c.knobs.on {
		if t.ID == id {
			close(t.over)
			c.knobs.on = append(c.knobs.on[:i:i], c.knobs.on[i+1:]...)
			return true
		}
	}
	return false
}

// KnobList lists the knobs in the order they were turned, with their state.
func (c *Cloud) KnobList() []Knob {
	c.knobs.mu.Lock()
	defer c.knobs.mu.Unlock()
	list := []Knob{}
	for _, t := range c.knobs.on {
		k := t.Knob
		k.Holding = append([]Call(nil), k.Holding...)
		switch {
		case len(k.Holding) > 0:
			k.State = "holding"
		case k.Count > 0 && k.Touched >= k.Count:
			k.State = "done"
		case k.Touched > 0:
			k.State = "active"
		default:
			k.State = "waiting"
		}
		list = append(list, k)
	}
	return list
}

func (k Knob) check() error {
	switch k.Effect {
	case effectDelay, effectStale:
		if k.DelayS <= 0 {
			return fmt.Errorf("%s needs delay_s above 0", k.Effect)
		}
	case effectSkew:
		if k.SkewS == 0 {
			return fmt.Errorf("skew needs skew_s")
		}
	case effectThrottle, effect5xx, effectPartial, effectIgnore, effectDeny, effectHold:
	default:
		return fmt.Errorf("no effect %q. Try: delay, throttle, 5xx, partial, ignore, stale, deny, hold or skew", k.Effect)
	}
	if k.When != "" && k.When != "before" && k.When != "after" {
		return fmt.Errorf("when is before or after, not %q", k.When)
	}
	if k.Nth < 0 || k.Count < 0 || k.DelayS < 0 {
		return fmt.Errorf("nth, count and delay_s are not negative")
	}
	return nil
}

// match counts a call on every knob that it concerns and returns the grips it is in.
func (ks *knobs) match(call Call) []*hit {
	ks.mu.Lock()
	defer ks.mu.Unlock()
	var hits []*hit
	for _, t := range ks.on {
		if !chosen(t.Service, call.Service) || !chosen(t.Operation, call.Operation) || !chosen(t.By, call.By) {
			continue
		}
		t.Matched++
		if t.Matched < t.Nth || t.Count > 0 && t.Touched >= t.Count {
			continue
		}
		t.Touched++
		hits = append(hits, &hit{Knob: t.Knob, t: t})
	}
	return hits
}

// chosen says whether a knob's choice, where empty means all, takes in what a call has.
func chosen(want, got string) bool { return want == "" || want == got }

func (h *hit) delay() time.Duration { return time.Duration(h.DelayS * float64(time.Second)) }

func (h *hit) skew() time.Duration {
	if h.Effect != effectSkew {
		return 0
	}
	return time.Duration(h.SkewS * float64(time.Second))
}

// waits says whether the call waits at this point; before is the default.
func (h *hit) waits(when string) bool {
	return (h.Effect == effectDelay || h.Effect == effectHold) && (h.When == when || h.When == "" && when == "before")
}

// wait keeps a call until its knob lets go, its client has gone or the cloud ends.
func (c *Cloud) wait(client context.Context, h *hit, call Call) {
	var timeout <-chan time.Time
	if h.Effect == effectDelay {
		t := time.NewTimer(h.delay())
		defer t.Stop()
		timeout = t.C
	} else {
		c.knobs.hold(h.t, call)
		defer c.knobs.letGo(h.t, call)
	}
	select {
	case <-timeout:
	case <-h.t.over:
	case <-client.Done():
	case <-c.gone:
	}
}

func (ks *knobs) hold(t *turned, call Call) {
	ks.mu.Lock()
	defer ks.mu.Unlock()
	t.Holding = append(t.Holding, call)
}

func (ks *knobs) letGo(t *turned, call Call) {
	ks.mu.Lock()
	defer ks.mu.Unlock()
	for i := range t.Holding {
		if t.Holding[i].N == call.N {
			t.Holding = append(t.Holding[:i:i], t.Holding[i+1:]...)
			return
		}
	}
}

// refusal is how the service itself would say what the knob says.
func (h *hit) refusal(q *request) *apiError {
	_, query := q.wire.(queryWire)
	_, rest := q.wire.(restWire)
	e := &apiError{}
	switch h.Effect {
	case effectThrottle:
		e.Code, e.Message = "ThrottlingException", "Rate exceeded"
		if query {
			e.Code = "Throttling"
		}
		if rest {
			e.Status = http.StatusTooManyRequests
		}
	case effectDeny:
		e.Code = "AccessDeniedException"
		e.Message = fmt.Sprintf("User: %s is not authorized to perform: %s:%s because no identity-based policy allows it", q.who.ARN, q.service, q.operation)
		if query {
			e.Code, e.Status = "AccessDenied", http.StatusForbidden
		}
		if rest {
			e.Status = http.StatusForbidden
		}
	case effect5xx:
		e.Code, e.Message, e.Status = "InternalServerError", "Internal server error", http.StatusInternalServerError
		if query {
			e.Code = "InternalFailure"
		}
	}
	if h.Code != "" {
		e.Code = h.Code
	}
	if h.Status != 0 {
		e.Status = h.Status
	}
	return e
}

// Knobs serves /_sandbox/knobs: GET lists, POST turns one on and answers {"id"}, DELETE …/<id> ends it.
func (c *Cloud) Knobs(w http.ResponseWriter, r *http.Request) {
	_, id, _ := strings.Cut(r.URL.Path, "/knobs/")
	switch r.Method {
	case http.MethodGet:
		writeJSON(w, http.StatusOK, c.KnobList())
	case http.MethodPost:
		var k Knob
		d := json.NewDecoder(io.LimitReader(r.Body, 1<<16))
		d.DisallowUnknownFields()
		if err := d.Decode(&k); err != nil {
			http.Error(w, "read knob: "+err.Error(), http.StatusBadRequest)
			return
		}
		id, err := c.Turn(k)
		if err != nil {
			http.Error(w, "turn knob: "+err.Error(), http.StatusBadRequest)
			return
		}
		writeJSON(w, http.StatusCreated, map[string]string{"id": id})
	case http.MethodDelete:
		if !c.Release(id) {
			http.Error(w, "no knob "+strconv.Quote(id), http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "Try: GET, POST or DELETE", http.StatusMethodNotAllowed)
	}
}
