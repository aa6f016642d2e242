package inject_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// Responders are free: whatever they do between any two of our calls, what they wrote stands, what is ours goes, and what
// diverged is told. Each life is a fault from Prepare to the end of its undo on an account in this process, with edits of a
// responder's drawn in between, our process killed at drawn calls, and every write of ours audited: it may change nothing but
// what the undo names, from before to during on the way in, and back on the way out. `make properties` draws 100000 lives.

// house is an account whose clock moves a tenth of a second with every call.
type house struct {
	mu     sync.Mutex
	at     time.Time // zero in a bubble, where time is synctest's
	cloud  *sandbox.Cloud
	ours   *inject.Clients
	theirs *inject.Clients
	life   atomic.Pointer[life] // who watches the calls: consumers call, too, from goroutines of their own
}

// judge ends a life that broke a rule.
type judge interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// life is one fault in that house.
type life struct {
	judge
	*house
	ctx      context.Context
	undo     inject.Undo
	back     bool              // on the way out
	scripts  map[string]script // by step
	undos    int               // before the last one
	calls    int               // of ours, in this step
	points   []point
	cut      int // our process dies before this call of the step, or after it took effect; 0 lives on
	late     bool
	patience int // how many more times the last undo may be tried
	kill     context.CancelFunc
	dead     bool // in this step, from here on
	killed   bool // in some step
	// excuse says that the last undo may fail so: something of ours is where we may not reach, and the error says it.
	excuse func(err error) bool
	audit  func(operation string, was, is map[string]string)
	edit   func(what string, closely bool)
}

// point is where a responder acts: before our call of that number in a step, or at the end of the step.
type point struct {
	Call int
	Edit string
}

func newHouse(t testing.TB, o sandbox.Options) *house {
	t.Helper()
	h := &house{at: time.Now()}
	o.Tick = time.Hour
	return h.build(t, o)
}

// build makes the account.
func (h *house) build(t testing.TB, o sandbox.Options) *house {
	t.Helper()
	o.Now = h.now
	o.Keys = map[string]string{"AKIAFIREDRILL00000": "firedrill", "AKIARESPONDER00000": "responder"}
	h.cloud = sandbox.New(o)
	h.cloud.SetBase("http://house/aws")
	t.Cleanup(func() { _ = h.cloud.Close() })
	h.ours, h.theirs = h.open(t, "AKIAFIREDRILL00000", true), h.open(t, "AKIARESPONDER00000", false)
	return h
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at.IsZero() {
		return time.Now()
	}
	return h.at
}

// pass lets time go by.
func (h *house) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.at.IsZero() {
		h.at = h.at.Add(d)
	}
}

func (h *house) open(t testing.TB, key string, ours bool) *inject.Clients {
	t.Helper()
	c, err := inject.Open(context.Background(), inject.Options{Endpoint: "http://house/aws", Region: "eu-west-1", AccessKey: key, Secret: "secret",
		Now: h.now, HTTPClient: &http.Client{Transport: wire{h, ours}}})
	return must(t, c, err)
}

// process is our catalog as a process that has just been started has it.
func (h *house) process() inject.Catalog {
	pace := inject.SandboxTiming()
	if !h.at.IsZero() {
		pace.Poll, pace.Again = time.Microsecond, time.Microsecond
	}
	return inject.NewCatalog(h.ours, inject.CatalogOptions{Timing: pace})
}

// wire hands requests to the account without a network.
type wire struct {
	house *house
	ours  bool
}

func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}
	in := r.Clone(r.Context())
	in.Host, in.RequestURI, in.Body = r.URL.Host, r.URL.RequestURI(), io.NopCloser(bytes.NewReader(body))
	w.house.pass(100 * time.Millisecond)
	out := httptest.NewRecorder()
	if l := w.house.life.Load(); w.ours && l != nil {
		if err := l.call(operationOf(r, body), func() { w.house.cloud.ServeHTTP(out, in) }); err != nil {
			return nil, err
		}
	} else {
		w.house.cloud.ServeHTTP(out, in)
	}
	answer := out.Result()
	answer.Request = r
	return answer, nil
}

func operationOf(r *http.Request, body []byte) string {
	if _, name, ok := strings.Cut(r.Header.Get("X-Amz-Target"), "."); ok {
		return name
	}
	form, _ := url.ParseQuery(string(body))
	return form.Get("Action")
}

// call is one call of ours, with what falls right before it.
func (l *life) call(operation string, serve func()) error {
	l.calls++
	if l.dead {
		return context.Canceled
	}
	if strings.HasSuffix(operation, "Item") {
		serve()
		return nil
	}
	if !unguarded(operation) {
		l.act(l.calls, operation == "UpdateTable")
	}
	if l.cut == l.calls && !l.late {
		return l.die()
	}
	if reads := strings.HasPrefix(operation, "Describe") || strings.HasPrefix(operation, "List") || strings.HasPrefix(operation, "Get"); reads {
		serve()
	} else {
		was := l.state()
		serve()
		l.audit(operation, was, l.state())
	}
	if l.cut == l.calls {
		return l.die()
	}
	return nil
}

// unguarded names the writes that take no condition and are refused by no state of what they change: whoever acts between our
// look and the call is overtaken, and AWS gives no way to prevent it. A table is UPDATING after anybody's UpdateTable, and
// refuses ours.
func unguarded(operation string) bool {
	return operation == "RegisterScalableTarget" || operation == "DeleteRule" || operation == "ModifyRule" ||
		operation == "SetQueueAttributes"
}

func (l *life) die() error {
	l.killed, l.dead, l.cut = true, true, 0
	l.kill()
	return context.Canceled
}

// act does what a responder does before a call; closely means that no time may pass.
func (l *life) act(call int, closely bool) {
	left := l.points[:0:0]
	for _, p := range l.points {
		if p.Call <= call {
			l.edit(p.Edit, closely)
		} else {
			left = append(left, p)
		}
	}
	l.points = left
}

// script is what befalls one step of ours.
type script struct {
	Points  []point
	Cut     int  // our process dies at this call; 0 lives on
	Late    bool // after it took effect
	Another bool // the next undo is another process
}

// draw draws a script for every step there may be, before the first: what is drawn must not depend on what happens.
func (l *life) draw(r *rapid.T, edits []string, steps ...string) {
	l.scripts = map[string]script{}
	one := rapid.Custom(func(r *rapid.T) script {
		s := script{Points: rapid.SliceOfN(rapid.Custom(func(r *rapid.T) point {
			return point{rapid.IntRange(1, 14).Draw(r, "before call"), rapid.SampledFrom(edits).Draw(r, "edit")}
		}), 0, 2).Draw(r, "edits")}
		cut := rapid.IntRange(1, 40).Draw(r, "killed at call")
		s.Late, s.Another = rapid.Bool().Draw(r, "after it took effect"), rapid.Bool().Draw(r, "another process")
		if cut <= 10 {
			s.Cut = cut
		}
		return s
	})
	for _, name := range append(steps, "undo 1", "undo 2") {
		l.scripts[name] = one.Draw(r, name)
	}
	l.undos = rapid.IntRange(0, 2).Draw(r, "undos")
}

// step runs one step of ours with edits in it and after it; it may be killed.
func (l *life) step(name string, do func(ctx context.Context)) {
	s := l.scripts[name]
	l.points, l.cut, l.late = s.Points, s.Cut, s.Late
	l.run(do)
	l.act(1<<30, false)
}

// run is one step without draws.
func (l *life) run(do func(ctx context.Context)) {
	ctx, kill := context.WithCancel(l.ctx)
	defer kill()
	l.calls, l.dead, l.kill = 0, false, kill
	do(ctx)
}

// undoing is how the undos of a life went.
type undoing struct {
	how   inject.Outcome    // of the last one, which was left alone
	first bool              // it was the first one that came to its end
	found map[string]string // what it found
	why   string            // what Settled said after it
	left  error             // it could not be done, and why
}

// undone runs undos, some with edits in them or killed, each in a process of its own or not, and then one that is left alone.
func (l *life) undone(kind string) undoing {
	l.back = true
	k := l.process()[kind]
	u := undoing{first: true}
	for i := range l.undos {
		name := fmt.Sprintf("undo %d", i+1)
		l.step(name, func(ctx context.Context) {
			if _, err := k.Revert(ctx, l.undo); err == nil {
				u.first = false
			}
		})
		if l.killed || l.scripts[name].Another {
			k = l.process()[kind]
		}
	}
	l.points, l.cut = nil, 0
	u.found = l.state()
	l.run(func(ctx context.Context) {
		how, err := k.Revert(ctx, l.undo)
		for range l.patience {
			if err != nil {
				u.found = l.state()
				how, err = k.Revert(ctx, l.undo)
			}
		}
		if err != nil && l.excuse != nil && l.excuse(err) {
			u.left = err
			return
		}
		if err != nil {
			l.Fatalf("the last undo: %v", err)
		}
		ok, why, err := k.Settled(ctx, l.undo)
		if !ok || err != nil {
			l.Fatalf("after %s not settled: %s %v", how, why, err)
		}
		u.how, u.why = how, why
	})
	return u
}

// state is what people configured, by path; rules go by their priority.
func (h *house) state() map[string]string {
	raw, err := h.cloud.ConfigJSON()
	if err != nil {
		panic(err)
	}
	var all any
	if err := json.Unmarshal(raw, &all); err != nil {
		panic(err)
	}
	flat := map[string]string{}
	flatten(flat, "", all)
	return flat
}

func flatten(into map[string]string, at string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, one := range v {
			flatten(into, at+"/"+name, one)
		}
	case []any:
		for i, one := range v {
			name := fmt.Sprint(i)
			if o, ok := one.(map[string]any); ok && o["priority"] != nil {
				name = fmt.Sprint(o["priority"])
			}
			flatten(into, at+"/"+name, one)
		}
	case nil:
	case bool:
		if v {
			into[at] = "true" // an absent switch and one that is off are one
		}
	default:
		into[at] = fmt.Sprint(v)
	}
}

// changed lists the paths that differ.
func changed(was, is map[string]string) []string {
	var paths []string
	for p, v := range was {
		if now, ok := is[p]; !ok || now != v {
			paths = append(paths, p)
		}
	}
	for p := range is {
		if _, ok := was[p]; !ok {
			paths = append(paths, p)
		}
	}
	return paths
}

// marks lists what carries our mark.
func marks(state map[string]string) []string {
	var left []string
	for p, v := range state {
		if strings.Contains(p, "firedrill:") || strings.Contains(v, "firedrill ") {
			left = append(left, p+" = "+v)
		}
	}
	return left
}
