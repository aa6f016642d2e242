package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/web"
)

// counted is a store that counts whole reads, and can be down.
type counted struct {
	*journal.Memory
	whole int
	err   error
}

func (c *counted) Runs(ctx context.Context, f journal.Filter) ([]journal.Summary, error) {
	if c.err != nil {
		return nil, c.err
	}
	return c.Memory.Runs(ctx, f)
}

func (c *counted) Load(ctx context.Context, run string, after int64) ([]journal.Event, error) {
	if after == journal.Start {
		c.whole++
	}
	return c.Memory.Load(ctx, run, after)
}

func (c *counted) write(t *testing.T, after int64, events ...journal.Event) {
	t.Helper()
	if err := c.Append(context.Background(), "01run", after, 1, journal.Batch{Action: "test", Events: events}); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, url string) (int, string, http.Header) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b), r.Header
}

func TestHandler(t *testing.T) {
	zero := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	s := &counted{Memory: journal.NewMemory()}
	srv := httptest.NewServer(web.Handler(s, func() time.Time { return zero.Add(time.Hour) }))
	defer srv.Close()
	if code, text, _ := get(t, srv.URL+"/metrics"); code != 200 || strings.Contains(text, "runs_total{") {
		t.Errorf("no runs: %d %s", code, text)
	}
	s.write(t, journal.Start, journal.Event{Kind: journal.RunPlanned, At: zero, Fact: journal.Fact{Brief: &journal.Brief{Drill: "d", Environment: "e",
		Faults: []journal.BriefFault{{ID: "a", Kind: "http.error"}}}}})
	s.write(t, 0, journal.Event{Kind: journal.FaultPrepared, At: zero, Fact: journal.Fact{Fault: "a"}})
	in := `firedrill_fault_in_place{drill="d",environment="e",kind="http.error"} `
	code, text, head := get(t, srv.URL+"/metrics")
	if code != 200 || !strings.Contains(text, in+"1\n") || !strings.HasPrefix(head.Get("Content-Type"), "text/plain; version=0.0.4") {
		t.Errorf("%d %s %v", code, text, head)
	}
	s.write(t, 1, journal.Event{Kind: journal.FaultSettled, At: zero, Fact: journal.Fact{Fault: "a"}}, journal.Event{Kind: journal.RunFinished, At: zero})
	for range 3 {
		if _, text, _ = get(t, srv.URL+"/metrics"); !strings.Contains(text, in+"0\n") || !strings.Contains(text, `outcome="invalid"`) {
			t.Error(text)
		}
	}
	if s.whole != 2 {
		t.Errorf("the run was read %d times", s.whole)
	}
}

func TestHealth(t *testing.T) {
	s := &counted{Memory: journal.NewMemory()}
	srv := httptest.NewServer(web.Handler(s, time.Now))
	defer srv.Close()
	if code, text, _ := get(t, srv.URL+"/healthz"); code != 200 || text != "ok\n" {
		t.Errorf("%d %q", code, text)
	}
	s.err = errors.New("disk /secret/path is gone")
	for _, path := range []string{"/healthz", "/metrics"} {
		if code, text, _ := get(t, srv.URL+path); code != 503 || strings.Contains(text, "secret") {
			t.Errorf("%s: %d %q", path, code, text)
		}
	}
	if code, _, _ := get(t, srv.URL+"/"); code != 404 {
		t.Error(code)
	}
}
