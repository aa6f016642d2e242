package observe_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/firedrill/firedrill/observe"
)

// counted is a registry with one counter of two drills.
func counted(t *testing.T, drills ...string) *prometheus.Registry {
	t.Helper()
	r := prometheus.NewRegistry()
	runs := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "firedrill_runs_total", Help: "Runs."}, []string{"drill", "environment", "outcome"})
	if err := r.Register(runs); err != nil {
		t.Fatal(err)
	}
	for _, d := range drills {
		runs.WithLabelValues(d, "staging", "met").Add(3)
	}
	return r
}

// gateway answers every push with a status, and keeps the last one.
func gateway(t *testing.T, status int, answer string) (at string, last *http.Request, body *string) {
	t.Helper()
	last, body = &http.Request{}, new(string)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		*last, *body = *r, string(b)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL, last, body
}

var group = map[string]string{"drill": "orders", "environment": "staging"}

func TestPushMetrics(t *testing.T) {
	at, last, body := gateway(t, http.StatusOK, "")
	metrics := counted(t, "orders")
	for range 2 { // what is pushed is left as it was
		if err := observe.PushMetrics(t.Context(), observe.Pushgateway{URL: strings.Replace(at, "//", "//ben:correct-horse@", 1), Group: group}, metrics); err != nil {
			t.Fatal(err)
		}
		if last.Method != http.MethodPut || !strings.HasPrefix(last.URL.Path, "/metrics/job/firedrill/") || !strings.Contains(last.URL.Path, "/drill/orders") || !strings.Contains(last.URL.Path, "/environment/staging") {
			t.Errorf("%s %s", last.Method, last.URL)
		}
		if user, password, ok := last.BasicAuth(); !ok || user != "ben" || password != "correct-horse" {
			t.Errorf("%s %s %v", user, password, ok)
		}
		if !strings.Contains(*body, "firedrill_runs_total") || strings.Contains(*body, "staging") {
			t.Errorf("%q", *body)
		}
	}
}

func TestPushMetricsSaysNo(t *testing.T) {
	if err := observe.PushMetrics(t.Context(), observe.Pushgateway{URL: "http://127.0.0.1:1", Group: group}, counted(t, "orders", "payments")); err == nil || !strings.Contains(err.Error(), `drill is "payments"`) {
		t.Errorf("series of another drill: %v", err)
	}
	at, _, _ := gateway(t, http.StatusBadRequest, "text format parsing error")
	err := observe.PushMetrics(t.Context(), observe.Pushgateway{URL: strings.Replace(at, "//", "//ben:correct-horse@", 1), Group: group}, counted(t, "orders"))
	if err == nil || !strings.Contains(err.Error(), "400") || strings.Contains(err.Error(), "correct-horse") {
		t.Errorf("%v", err)
	}
	moved := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	defer moved.Close()
	if err := observe.PushMetrics(t.Context(), observe.Pushgateway{URL: moved.URL, Group: group}, counted(t, "orders")); err == nil || !strings.Contains(err.Error(), "302") {
		t.Errorf("%v", err)
	}
	if err := observe.PushMetrics(t.Context(), observe.Pushgateway{URL: "http://ben:correct-horse@%zz", Group: group}, counted(t, "orders")); err == nil || strings.Contains(err.Error(), "correct-horse") {
		t.Errorf("%v", err)
	}
}

// A gateway that takes a push in and never answers is given up when its time is over, and the error says whose time it was.
func TestPushMetricsIsBounded(t *testing.T) {
	hangs := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hangs:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(hangs)
	slow := errors.New("it took longer than 50ms")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, slow)
	defer cancel()
	began := time.Now()
	if err := observe.PushMetrics(ctx, observe.Pushgateway{URL: s.URL, Group: group}, counted(t, "orders")); !errors.Is(err, slow) {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}
