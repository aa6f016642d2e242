package observe

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestRateLimitIsWaitedOut(t *testing.T) {
	for name, c := range map[string]struct {
		header  string
		bare    bool
		at, not time.Duration
	}{
		"with headers":    {header: "7", at: 7 * time.Second, not: 8 * time.Second},
		"without headers": {bare: true, at: 5 * time.Second, not: 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			var n atomic.Int32
			p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
				if n.Add(1) > 1 {
					reply(w, 200, `{"note":{}}`)
					return
				}
				if c.bare {
					http.Error(w, "slow down", http.StatusTooManyRequests)
					return
				}
				w.Header().Set("ratelimit-reset", c.header)
				reply(w, http.StatusTooManyRequests, `{"error":{"message":"Rate Limit Exceeded","code":2020}}`)
			})
			if err := p.Note(t.Context(), "P1", "we look at the table"); err != nil {
				t.Fatal(err)
			}
			if len(f.waits) != 1 || f.waits[0] < c.at || f.waits[0] >= c.not {
				t.Errorf("waited %v", f.waits)
			}
			if f.count() != 2 || f.calls[0].Body != f.calls[1].Body || f.calls[1].Body == "" {
				t.Errorf("the body was not sent again whole: %+v", f.calls)
			}
		})
	}
}

func TestARateLimitBeyondTheTimeThereIsIsToldAtOnce(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ratelimit-reset", "50")
		reply(w, http.StatusTooManyRequests, ``)
	})
	_, err := p.Log(t.Context(), "P1")
	var problem *Problem
	if !errors.As(err, &problem) || problem.Status != http.StatusTooManyRequests || problem.Try == "" || len(f.waits) != 0 {
		t.Errorf("%v, waited %v", err, f.waits)
	}
}

func TestOnlyHarmlessCallsAreRepeated(t *testing.T) {
	trouble := map[string]http.HandlerFunc{
		"500": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>oops</html>", http.StatusBadGateway)
		},
		"reset": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, do := range trouble {
		p, f := newFake(t, do)
		if err := p.Send(t.Context(), testKey, Page{Key: testPage, Title: "[DRILL] x"}); err == nil || f.count() != pagerTries {
			t.Errorf("%s: send: %v after %d requests, want %d", name, err, f.count(), pagerTries)
		}
		p, f = newFake(t, do)
		if _, err := p.Log(t.Context(), "P1"); err == nil || f.count() != pagerTries {
			t.Errorf("%s: log: %v after %d requests, want %d", name, err, f.count(), pagerTries)
		}
		p, f = newFake(t, do)
		if err := p.Note(t.Context(), "P1", "hello"); err == nil || f.count() != 1 {
			t.Errorf("%s: note: %v after %d requests, want 1", name, err, f.count())
		}
	}
}

func TestRefusalsAreToldInPlainWords(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   []string
	}{
		"wrong token":  {401, `{"error":{"message":"Unauthorized","code":2006}}`, []string{"token is wrong", "region us"}},
		"no right":     {403, `{"error":{"message":"Forbidden"}}`, []string{"may not do this"}},
		"not there":    {404, `{"error":{"message":"Not Found","code":2100}}`, []string{"no such thing"}},
		"bad From":     {400, `{"error":{"message":"Invalid Input Provided","code":1008,"errors":["Requester User Not Found"]}}`, []string{"From address", "Requester User Not Found"}},
		"odd errors":   {400, `{"error":{"message":"Bad","errors":{"a":["b"]}}}`, []string{"Bad"}},
		"text error":   {400, `{"error":"no good"}`, []string{"no good"}},
		"html":         {502, "<html>\x1b[31mBad Gateway</html>", []string{"502", "in trouble"}},
		"control code": {400, `{"error":{"message":"a\u001b[2Jb"}}`, []string{"a[2Jb"}},
	} {
		p, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, c.status, c.body) })
		err := p.Note(t.Context(), "P1", "hello")
		var problem *Problem
		if !errors.As(err, &problem) || problem.Status != c.status {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q does not say %q", name, err, want)
			}
		}
		if strings.ContainsAny(err.Error(), "\x1b\n<") {
			t.Errorf("%s: %q holds what a terminal may act on", name, err)
		}
	}
}

func TestErrorsTellNoSecret(t *testing.T) {
	echo := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			reply(w, status, `{"message":"bad `+testKey+` and `+testToken+`","errors":["`+r.Header.Get("Authorization")+`"],"error":{"message":"`+testToken+` `+testKey+`"}}`)
		}
	}
	var all []error
	for _, status := range []int{302, 400, 401, 403, 404, 429, 500} {
		p, _ := newFake(t, echo(status))
		ctx := t.Context()
		all = append(all, p.Send(ctx, testKey, Page{Key: testPage, Title: "x"}), p.Resolve(ctx, testKey, testPage), p.Note(ctx, "P1", "x"))
		_, err := p.Log(ctx, "P1")
		all = append(all, err)
		_, err = p.Find(ctx, "PS", testPage, time.Now())
		all = append(all, err)
		_, err = p.Check(ctx, "PS")
		all = append(all, err)
		_, err = p.Notes(ctx, "P1")
		all = append(all, err, p.Mark(ctx, "P1", "drill"))
		_, err = p.RealIncidents(ctx, "PS", time.Now(), time.Now())
		all = append(all, err)
		_, err = p.entriesSince(ctx, time.Now(), time.Now(), 1)
		all = append(all, err)
		if _, err = p.HasType(ctx, "drill"); status != 404 { // where there are no types, there is none of this name
			all = append(all, err)
		}
	}
	p, _ := newFake(t, nil)
	p.wire.client.Transport = leaky{}
	_, err := p.Log(t.Context(), "P1")
	all = append(all, err, p.Send(t.Context(), testKey, Page{Key: testPage, Title: "x"}), p.Send(t.Context(), testKey[:31], Page{Key: testPage, Title: "x"}))
	for _, err := range all {
		if err == nil {
			t.Error("no error")
		}
		for ; err != nil; err = errors.Unwrap(err) {
			if text := err.Error(); strings.Contains(text, testToken) || strings.Contains(text, testKey[:31]) {
				t.Errorf("tells a secret: %s", text)
			}
		}
	}
}

// leaky is a transport whose errors quote everything.
type leaky struct{}

func (leaky) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, errors.New("proxy says: " + r.Header.Get("Authorization") + " key " + testKey)
}

func TestNoAnswerInTime(t *testing.T) {
	release := make(chan struct{})
	p, _ := newFake(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	p.wire.attempt = 30 * time.Millisecond
	err := p.Note(t.Context(), "P1", "hello")
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no answer within 30ms") {
		t.Errorf("slow: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Send(ctx, testKey, Page{Key: testPage, Title: "x"}); !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	p, _ := newFake(t, nil)
	p.api, p.wire.hosts[srv.URL] = srv.URL, true
	err := p.Note(t.Context(), "P1", "hello")
	var problem *Problem
	if !errors.As(err, &problem) || problem.Try == "" || problem.Status != 0 {
		t.Errorf("%v", err)
	}
}

func TestRequestsWithATokenGoOneByOne(t *testing.T) {
	var on, most atomic.Int32
	p, _ := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		if n := on.Add(1); n > most.Load() {
			most.Store(n)
		}
		time.Sleep(5 * time.Millisecond)
		on.Add(-1)
		reply(w, 200, `{"log_entries":[]}`)
	})
	done := make(chan error)
	for range 5 {
		go func() { _, err := p.Log(context.Background(), "P1"); done <- err }()
	}
	for range 5 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if most.Load() != 1 {
		t.Errorf("%d at once", most.Load())
	}
}
