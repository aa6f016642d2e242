package pager

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// knob is one thing that goes wrong until it is deleted, or has been used Count times.
//
// Requests: down (the connection breaks), lost (the request takes effect, then the connection breaks), 429, 401,
// 403, 500, 502 (any three digits), slow (after delay_s), skew (Date and all times told are off by skew_s), hold (it
// waits until the knob is deleted or its client has gone, before or after it takes effect, which it does all the same).
// Events of a service: never, merge, low, mute (assigned, nobody notified), disabled,
// odd (its log has entries against the schema), anonymous (entries have no agent), null_channel (nor a channel),
// autoack and autoresolve (a machine does it, delay_s after the incident opened).
// Webhooks of a service: duplicate (sent twice), reorder (delay_s later, others overtake it), replay (sent again delay_s
// later), trim (notes are cut), forge (signed with a wrong secret), rotate (signed with the knob's secret too).
type knob struct {
	ID     string  `json:"id"`
	Effect string  `json:"effect"`
	Path   string  `json:"path,omitempty"`    // only requests whose path begins so: /events, /pagerduty/incidents
	Method string  `json:"method,omitempty"`  // only these
	Token  string  `json:"token,omitempty"`   // only requests with this REST key
	Nth    int     `json:"nth,omitempty"`     // from the n-th such request on
	Count  int     `json:"count,omitempty"`   // so many of them; 0: all
	Delay  float64 `json:"delay_s,omitempty"` // of slow, autoack, autoresolve, reorder, replay
	Skew   float64 `json:"skew_s,omitempty"`  // of skew
	Bare   bool    `json:"bare,omitempty"`    // 429 as plain text without headers
	When   string  `json:"when,omitempty"`    // of hold: before (which is the default) or after
	// Service limits the effects on events to one service.
	Service string `json:"service,omitempty"`
	Secret  string `json:"secret,omitempty"` // of rotate
	Used    int    `json:"used"`
	Holding int    `json:"holding"` // how many requests wait right now

	seen int
	over chan struct{} // closed when it is deleted
}

// Backstage serves what the real pager has not: GET /truth, /deliveries and /requests, the knobs at /knobs and /knobs/ID, what an administrator
// sets up (PUT /services/ID, /users/ID, /policies/ID, /account), and entries and notes that nothing caused (POST
// /incidents/ID/log and /incidents/ID/bot-notes).
func (p *Pager) Backstage() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /truth", p.truth)
	mux.HandleFunc("GET /requests", p.tellRequests)
	mux.HandleFunc("DELETE /requests", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.requests = nil
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /deliveries", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		answer(w, http.StatusOK, append([]attempt{}, p.attempts...))
	})
	mux.HandleFunc("POST /incidents/{id}/log", p.forge)
	mux.HandleFunc("POST /incidents/{id}/bot-notes", p.botNote)
	p.setupRoutes(mux)
	mux.HandleFunc("GET /knobs", func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		answer(w, http.StatusOK, append([]*knob{}, p.knobs...))
	})
	mux.HandleFunc("POST /knobs", p.addKnob)
	mux.HandleFunc("DELETE /knobs/{id}", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		n := len(p.knobs)
		p.knobs = slices.DeleteFunc(p.knobs, func(k *knob) bool {
			if k.ID == r.PathValue("id") {
				close(k.over)
			}
			return k.ID == r.PathValue("id")
		})
		if len(p.knobs) == n {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return unhurried(mux)
}

// ofEvents says whether a knob changes what becomes of events, rather than requests.
func (k *knob) ofEvents() bool {
	switch k.Effect {
	case "never", "merge", "low", "mute", "disabled", "odd", "anonymous", "null_channel", "autoack", "autoresolve",
		"duplicate", "reorder", "replay", "trim", "forge", "rotate":
		return true
	}
	return false
}

func (k *knob) known() bool {
	switch k.Effect {
	case "down", "lost", "slow", "skew", "hold":
		return true
	}
	if k.ofEvents() {
		return true
	}
	n, err := strconv.Atoi(k.Effect)
	return err == nil && n >= 400 && n < 600
}

func (p *Pager) addKnob(w http.ResponseWriter, r *http.Request) {
	var k knob
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&k); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !k.known() {
		http.Error(w, "unknown effect "+strconv.Quote(k.Effect), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.knobCount++
	k.ID = strconv.Itoa(p.knobCount)
	k.Used, k.Holding, k.over = 0, 0, make(chan struct{})
	p.knobs = append(p.knobs, &k)
	answer(w, http.StatusCreated, k)
}

// knobFor finds a knob that changes what happens to a service. The lock is held.
func (p *Pager) knobFor(effect, service string) *knob {
	for _, k := range p.knobs {
		if k.Effect == effect && (k.Service == "" || k.Service == service) && (k.Count == 0 || k.Used < k.Count) {
			k.Used++
			return k
		}
	}
	return nil
}

// hasKnob looks without using the knob up. The lock is held.
func (p *Pager) hasKnob(effect, service string) bool {
	return slices.ContainsFunc(p.knobs, func(k *knob) bool {
		return k.Effect == effect && (k.Service == "" || k.Service == service) && (k.Count == 0 || k.Used < k.Count)
	})
}

// trouble is what the knobs have in store for one request.
type trouble struct {
	down, lost bool
	status     int
	bare       bool
	delay      time.Duration
	skew       time.Duration
	hold       *knob
}

func (p *Pager) troubleFor(r *http.Request) trouble {
	p.mu.Lock()
	defer p.mu.Unlock()
	var t trouble
	for _, k := range p.knobs {
		if k.ofEvents() || !k.hits(r) {
			continue
		}
		switch k.Effect {
		case "down":
			t.down = true
		case "lost":
			t.lost = true
		case "slow":
			t.delay = max(t.delay, seconds(k.Delay))
		case "skew":
			t.skew += seconds(k.Skew)
		case "hold":
			t.hold = k
		default:
			if n, err := strconv.Atoi(k.Effect); err == nil {
				t.status, t.bare = n, k.Bare
			}
		}
	}
	return t
}

// hits says whether a knob is meant for a request, and counts. The phones are never meant, unless named.
func (k *knob) hits(r *http.Request) bool {
	switch {
	case k.Path != "" && !strings.HasPrefix(r.URL.Path, k.Path),
		k.Path == "" && strings.HasPrefix(r.URL.Path, "/app/"),
		k.Method != "" && k.Method != r.Method,
		k.Token != "" && k.Token != credential(r):
		return false
	}
	k.seen++
	if k.seen < k.Nth || k.Count > 0 && k.Used >= k.Count {
		return false
	}
	k.Used++
	return true
}

// wait holds a request until its knob is deleted or its client has gone.
func (p *Pager) wait(client context.Context, k *knob) {
	count := func(by int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		k.Holding += by
	}
	count(1)
	defer count(-1)
	select {
	case <-k.over:
	case <-client.Done():
	}
}

func seconds(f float64) time.Duration { return time.Duration(f * float64(time.Second)) }
