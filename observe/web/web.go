// Package web is what programs, and later people, look at while drills run: metrics, and whether the store answers.
package web

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Store is what is read of a journal.Store.
type Store interface {
	Runs(ctx context.Context, f journal.Filter) ([]journal.Summary, error)
	Load(ctx context.Context, run string, after int64) ([]journal.Event, error)
}

// patience bounds one request: a scrape waits ten seconds by default.
const patience = 8 * time.Second

// Handler answers /metrics, in Prometheus' text format, and /healthz: 200 while the store can be read, else 503. It
// only reads. Runs are kept between requests, without their events, so that a request reads only what is new.
func Handler(s Store, now func() time.Time) http.Handler {
	h := &handler{store: s, now: now, kept: map[string]kept{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", h.metrics)
	mux.HandleFunc("GET /healthz", h.healthz)
	return mux
}

type handler struct {
	store Store
	now   func() time.Time

	mu   sync.Mutex // one request folds at a time: the others find the work done
	kept map[string]kept
}

// kept is a run as it was told last.
type kept struct {
	t    timeline.Timeline
	last int64 // position of the last batch in it
}

func (h *handler) healthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	if _, err := h.store.Runs(ctx, journal.Filter{Limit: 1}); err != nil {
		http.Error(w, "the store cannot be read", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n")
}

func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	text, err := h.collect(ctx)
	if err != nil {
		http.Error(w, "the runs cannot be read", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(text) // whoever asked has gone: nobody is left to tell
}

func (h *handler) collect(ctx context.Context) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list, err := h.store.Runs(ctx, journal.Filter{})
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	there := map[string]bool{}
	runs := make([]timeline.Timeline, 0, len(list))
	for _, one := range list {
		there[one.Run] = true
		t, err := h.timeline(ctx, one.Run)
		if err != nil {
			return nil, err
		}
		runs = append(runs, t)
	}
	for run := range h.kept {
		if !there[run] {
			delete(h.kept, run)
		}
	}
	registry, err := debrief.Collect(runs)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = debrief.Textfile(&b, registry)
	return b.Bytes(), err
}

// timeline tells a run; one that has had no new events since is told as before.
func (h *handler) timeline(ctx context.Context, run string) (timeline.Timeline, error) {
	if k, ok := h.kept[run]; ok {
		events, err := h.store.Load(ctx, run, k.last)
		if err != nil {
			return k.t, fmt.Errorf("read run %s: %w", run, err)
		}
		if len(events) == 0 {
			return k.t, nil
		}
	}
	events, err := h.store.Load(ctx, run, journal.Start)
	if err != nil {
		return timeline.Timeline{}, fmt.Errorf("read run %s: %w", run, err)
	}
	k := kept{t: timeline.Of(events, h.now()), last: journal.Start}
	k.t.Events = nil
	for _, e := range events {
		k.last = max(k.last, e.Seq)
	}
	h.kept[run] = k
	return k.t, nil
}
