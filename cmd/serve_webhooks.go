package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/firedrill/firedrill/drills"
)

// webhookPath is where PagerDuty's webhooks come in.
const webhookPath = "/webhooks/pagerduty"

// webhookTime is how long one may take: PagerDuty takes five seconds of silence for a failure.
// https://developer.pagerduty.com/docs/webhooks-behavior
const webhookTime = 4 * time.Second

// webhooks is the door of serve, and counts who came.
type webhooks struct {
	door  *drills.Webhooks
	warn  io.Writer
	mu    sync.Mutex
	count map[string]int // by result
	told  map[string]bool
}

// The results of a webhook, as they are counted.
const (
	hookRecorded  = "recorded"  // a run's journal tells it now
	hookDuplicate = "duplicate" // it told it already
	hookOther     = "other"     // it is about no run that is on
	hookFailed    = "failed"    // the journal could not be written: PagerDuty sends it again
	hookTooLong   = "too_long"
)

func hookResults() []string {
	return []string{hookRecorded, hookDuplicate, hookOther, hookFailed, hookTooLong, drills.WebhookUnsigned, drills.WebhookMalformed, drills.WebhookTime}
}

func newWebhooks(door *drills.Webhooks, warn io.Writer) *webhooks {
	return &webhooks{door: door, warn: warn, count: map[string]int{}, told: map[string]bool{}}
}

// ServeHTTP takes one delivery. PagerDuty repeats what it gets a 5xx for, and after three 4xx in a row it turns the
// subscription off for a day: so only what is no webhook of ours gets one.
func (h *webhooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), webhookTime)
	defer cancel()
	_ = http.NewResponseController(w).SetReadDeadline(deadline(ctx)) // where it cannot be set, the server's own holds
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, drills.WebhookLimit))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		h.counted(hookTooLong, err)
		http.Error(w, "too long for a webhook", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		h.counted(hookFailed, err)
		http.Error(w, "the webhook broke off", http.StatusBadRequest)
		return
	}
	got, err := h.door.Receive(ctx, r.Header, body)
	var no *drills.Declined
	switch {
	case errors.As(err, &no) && no.Reason == drills.WebhookUnsigned:
		h.counted(no.Reason, err)
		http.Error(w, "not signed with a secret of this firedrill's subscription", http.StatusUnauthorized)
	case errors.As(err, &no) && no.Reason == drills.WebhookMalformed:
		h.counted(no.Reason, err)
		http.Error(w, "not a webhook as PagerDuty documents it", http.StatusBadRequest)
	case errors.As(err, &no): // signed and of another time: a replay, or our own clock is wrong
		h.counted(no.Reason, err)
		w.WriteHeader(http.StatusAccepted)
	case err != nil:
		h.counted(hookFailed, err)
		http.Error(w, "the journal cannot be written now", http.StatusServiceUnavailable)
	default:
		h.counted(resultOf(got), nil)
		w.WriteHeader(http.StatusAccepted)
	}
}

func deadline(ctx context.Context) time.Time {
	end, _ := ctx.Deadline()
	return end
}

func resultOf(got drills.Received) string {
	switch {
	case len(got.Runs) > 0:
		return hookRecorded
	case len(got.Again) > 0:
		return hookDuplicate
	}
	return hookOther
}

// counted counts a result; the first of each reason is told, for strangers may send many.
func (h *webhooks) counted(result string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count[result]++
	if err != nil && !h.told[result] {
		h.told[result] = true
		fmt.Fprintf(h.warn, "firedrill: webhook not taken (%s): %v; further ones are counted on /metrics\n", result, err)
	}
}

// metrics writes the counters as Prometheus reads them.
func (h *webhooks) metrics(w io.Writer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	const name = "firedrill_webhooks_received_total"
	fmt.Fprintf(w, "# HELP %s PagerDuty webhooks that came in, by what became of them.\n# TYPE %s counter\n", name, name)
	results := hookResults()
	slices.Sort(results)
	for _, result := range results {
		fmt.Fprintf(w, "%s{result=%q} %d\n", name, result, h.count[result])
	}
}
