package observe

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

const (
	testToken = "y_NbAkKc66ryYTWUXYEu"
	testKey   = "0123456789abcdef0123456789abcdef"
	testPage  = "firedrill/01jdrun"
)

// seen is one request that a fake got.
type seen struct {
	Method, Path string
	Query        map[string][]string
	Header       http.Header
	Body         string
}

// fakePager answers as a test says, and remembers.
type fakePager struct {
	mu    sync.Mutex
	calls []seen
	waits []time.Duration
	do    http.HandlerFunc
	url   string
}

func (f *fakePager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.calls = append(f.calls, seen{r.Method, r.URL.Path, r.URL.Query(), r.Header, string(body)})
	f.mu.Unlock()
	f.do(w, r)
}

// count is how many requests came.
func (f *fakePager) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.calls)
}

// newFake starts a fake and a client of it that never really waits.
func newFake(t *testing.T, do http.HandlerFunc) (*PagerDuty, *fakePager) {
	t.Helper()
	f := &fakePager{do: do}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	f.url = srv.URL
	p, err := NewPagerDuty(PagerOptions{
		Region: "us", API: srv.URL + "/pagerduty", Events: srv.URL + "/events", Token: testToken,
		From: "drills@example.com", Bots: []string{"PBOT"}, Now: time.Now,
		Wait: func(ctx context.Context, d time.Duration) error {
			f.waits = append(f.waits, d)
			return ctx.Err()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, f
}

// reply writes JSON.
func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// jsonOf writes a value as JSON.
func jsonOf(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
