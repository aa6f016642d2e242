package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	pagerAttempt = 10 * time.Second // one request
	pagerTries   = 4                // of one call
	pagerAnswer  = 8 << 20          // bytes of an answer that are read
)

// wire carries calls to PagerDuty: to its own hosts only, one at a time with a token (as PagerDuty asks), waiting out
// rate limits, repeating after a broken connection or a 5xx only what may safely be done twice, and letting no secret
// out through an error.
type wire struct {
	client    *http.Client
	hosts     map[string]bool
	authorize func(http.Header) // the token lives in this closure
	redact    func(string) string
	secrets   func(more string) func(string) string
	region    string
	now       func() time.Time
	wait      func(context.Context, time.Duration) error
	attempt   time.Duration
	tries     int          // of one call, at most
	gate      func() error // asked before each request with the token; nil lets all through
	turn      chan struct{}
	told      *atomic.Pointer[toldFunc]
}

// toldFunc hears of every request that was made of the REST API: when it was sent, when its answer was there, by our
// clock, and the answer's header, whatever its status; nil where no answer came.
type toldFunc func(sent, received time.Time, header http.Header)

func newWire(o PagerOptions, api, events string) *wire {
	token := o.Token
	w := &wire{
		hosts:   map[string]bool{},
		redact:  redactor(token),
		secrets: func(more string) func(string) string { return redactor(token, more) },
		authorize: func(h http.Header) {
			switch {
			case token == "":
			case strings.HasPrefix(token, "pdus+") || strings.HasPrefix(token, "pdeu+"):
				h.Set("Authorization", "Bearer "+token)
			default:
				h.Set("Authorization", "Token token="+token)
			}
		},
		region: o.Region, now: o.Now, wait: o.Wait, attempt: pagerAttempt, tries: pagerTries, turn: make(chan struct{}, 1),
		told: &atomic.Pointer[toldFunc]{},
	}
	for _, base := range []string{api, events} {
		if u, err := url.Parse(base); err == nil {
			w.hosts[u.Scheme+"://"+u.Host] = true
		}
	}
	var client http.Client
	if o.HTTP != nil {
		client = *o.HTTP
	}
	client.Jar = nil
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.client = &client
	return w
}

// call is one question or order.
type call struct {
	op     string // what we are about to do, for errors
	method string
	url    string
	body   []byte
	from   string // the From header
	secret string // the routing key in the body; without it the token is sent
	again  bool   // may be repeated after a broken connection or a 5xx
	most   int    // pages of a list that are read; 0 is as many as PagerDuty lists
}

// answer is what came back, whatever its status.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do makes a call until it is answered with a 2xx, or there is no use in trying further.
func (w *wire) do(ctx context.Context, c call) (*answer, error) {
	for try := 1; ; try++ {
		a, err := w.once(ctx, c)
		if err == nil && a.status/100 == 2 {
			return a, nil
		}
		delay, again := w.again(c, a, try)
		if !again || ctx.Err() != nil || try == w.tries || w.late(ctx, delay) {
			return nil, w.complain(c, a, err)
		}
		if w.wait(ctx, delay) != nil {
			return nil, w.complain(c, a, err)
		}
	}
}

// once makes one request.
func (w *wire) once(ctx context.Context, c call) (*answer, error) {
	if c.secret == "" {
		select {
		case w.turn <- struct{}{}:
			defer func() { <-w.turn }()
		case <-ctx.Done():
			return nil, &Problem{Op: c.op, Why: "called off", Err: ctx.Err()}
		}
		if w.gate != nil {
			if err := w.gate(); err != nil {
				return nil, &Problem{Op: c.op, Why: err.Error(), Err: err}
			}
		}
	}
	inner, cancel := context.WithTimeout(ctx, w.attempt)
	defer cancel()
	sent := w.now()
	a, err := w.send(inner, c)
	if told := w.told.Load(); told != nil && c.secret == "" {
		var header http.Header
		if err == nil {
			header = a.header
		}
		(*told)(sent, w.now(), header)
	}
	switch {
	case err == nil:
		return a, nil
	case ctx.Err() != nil:
		return nil, &Problem{Op: c.op, Why: "no answer in the time there was", Err: ctx.Err()}
	case inner.Err() != nil:
		return nil, &Problem{Op: c.op, Why: fmt.Sprintf("no answer within %s", w.attempt), Err: inner.Err(), Try: reach}
	default:
		why := w.secrets(c.secret)(notReached(err))
		return nil, &Problem{Op: c.op, Why: why, Err: &hidden{text: why, cause: err}, Try: reach}
	}
}

// notReached is an error of the network without the address of the call: that says nothing which its operation does not say.
func notReached(err error) string {
	var u *url.Error
	var n net.Error
	if !errors.As(err, &u) || !errors.As(u.Err, &n) {
		return err.Error()
	}
	at, _ := url.Parse(u.URL)
	if at == nil || at.Host == "" {
		return err.Error()
	}
	return at.Host + " is not reached: " + u.Err.Error()
}

const reach = "check the network, and that this machine may reach PagerDuty"

func (w *wire) send(ctx context.Context, c call) (*answer, error) {
	req, err := http.NewRequestWithContext(ctx, c.method, c.url, bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	if !w.hosts[req.URL.Scheme+"://"+req.URL.Host] {
		return nil, fmt.Errorf("%s is not a host of this PagerDuty region: nothing was sent", req.URL.Host)
	}
	req.Header.Set("User-Agent", "firedrill")
	req.Header.Set("Content-Type", "application/json")
	if c.secret == "" {
		req.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
		w.authorize(req.Header)
	}
	if c.from != "" {
		req.Header.Set("From", c.from)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, pagerAnswer))
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	return &answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

// again says whether a call may be repeated, and after how long. A 429 was not carried out, so anything may be
// repeated after it; its headers say when, but it may come without them:
// https://developer.pagerduty.com/docs/rest-api-rate-limits
func (w *wire) again(c call, a *answer, try int) (time.Duration, bool) {
	jitter := time.Duration(rand.Int64N(int64(500 * time.Millisecond)))
	switch {
	case a != nil && a.status == http.StatusTooManyRequests:
		if s, err := strconv.Atoi(strings.TrimSpace(a.header.Get("ratelimit-reset"))); err == nil && s >= 0 {
			return time.Duration(min(s, 3600))*time.Second + jitter, true
		}
		return min(5*time.Second<<(try-1), 30*time.Second) + jitter, true
	case a == nil || a.status >= 500:
		return 500*time.Millisecond<<(try-1) + jitter, c.again
	default:
		return 0, false
	}
}

// late says that a delay would outlast the time there is.
func (w *wire) late(ctx context.Context, delay time.Duration) bool {
	end, ok := ctx.Deadline()
	return ok && w.now().Add(delay).After(end)
}

// complain makes the error of a call that did not succeed.
func (w *wire) complain(c call, a *answer, err error) error {
	if err != nil {
		return err
	}
	clean := *a
	clean.body = []byte(w.secrets(c.secret)(string(a.body))) // before it is cut short: half a secret is one too
	p := explain(&clean, w.region, c.secret != "")
	p.Op, p.Why = c.op, w.secrets(c.secret)(p.Why)
	return p
}

// get reads JSON into v.
func (w *wire) get(ctx context.Context, op, at string, v any) error {
	a, err := w.do(ctx, call{op: op, method: http.MethodGet, url: at, again: true})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return &Problem{Op: op, Why: "the answer is not what PagerDuty documents: " + w.redact(plain(err.Error())), Status: a.status}
	}
	return nil
}
