package inject_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/inject"
	sandbox "github.com/firedrill/firedrill/internal/sandbox/aws"
)

// A process falls asleep in the middle of its Apply, another puts everything back, the sleeper goes on where it was:
// once it has put back what it did, not even a tag is left.
func TestApplyGoesOnAfterAnotherHasRevertedIt(t *testing.T) {
	for _, row := range []struct{ kind, params, operation string }{
		{inject.KindThrottle, `{"table":"stock","writes":1}`, "UpdateTable"},
		{inject.KindPoison, `{"queue":"orders"}`, "SendMessageBatch"},
		{inject.KindDeny, `{"table":"stock","writes":true}`, "PutResourcePolicy"},
		{inject.KindStall, `{"queue":"orders"}`, "SetQueueAttributes"},
	} {
		t.Run(row.kind, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, sandbox.Options{})
			switch row.kind {
			case inject.KindPoison:
				a.queues().consume()
			case inject.KindStall:
				a.queues().attended()
			default:
				a.provisioned("stock", 100, 100)
			}
			before := a.config()
			k, _, u := a.prepared(row.kind, row.params)
			// A process that is asleep does not notice that its client has waited for too long.
			sleeper, err := inject.Open(t.Context(), inject.Options{Endpoint: a.url, Region: "eu-west-1", AccessKey: "AKIAFIREDRILL00000",
				Secret: "secret", Now: time.Now, HTTPClient: &http.Client{}})
			must(t, sleeper, err)
			f, err := inject.NewCatalog(sleeper, inject.CatalogOptions{Timing: inject.SandboxTiming()})[row.kind].New(json.RawMessage(row.params))
			must(t, f, err)
			id, err := a.cloud.Turn(sandbox.Knob{Operation: row.operation, By: "firedrill", Effect: "hold", When: "after"})
			must(t, id, err)
			woken := make(chan error, 1)
			go func() { woken <- f.Apply(t.Context(), u) }()
			for a.cloud.KnobList()[0].State != "holding" {
				pauseTest(a)
			}
			how, err := k.Revert(t.Context(), u)
			must(t, how, err)
			if now := a.config(); now != before {
				t.Fatalf("the other did not put everything back:\n%s", now)
			}
			a.cloud.Release(id)
			must(t, 0, <-woken)
			how, err = k.Revert(t.Context(), u)
			must(t, how, err)
			if now := a.config(); strings.Contains(now, "firedrill:") || now != before {
				t.Errorf("left (%s):\n%s", how, now)
			}
			ok, why, err := k.Settled(t.Context(), u)
			if !must(t, ok, err) {
				t.Errorf("not settled: %s", why)
			}
		})
	}
}

// The sleeper wakes while a later run holds the target: that run's mark stays, and so does its way back.
func TestSleeperLeavesALaterRunsMark(t *testing.T) {
	for _, row := range []struct{ kind, params, operation string }{
		{inject.KindThrottle, `{"table":"stock","writes":1}`, "UpdateTable"},
		{inject.KindPoison, `{"queue":"orders"}`, "SendMessageBatch"},
		{inject.KindDeny, `{"table":"stock","writes":true}`, "PutResourcePolicy"},
		{inject.KindStall, `{"queue":"orders"}`, "SetQueueAttributes"},
	} {
		t.Run(row.kind, func(t *testing.T) {
			t.Parallel()
			a := newAccount(t, sandbox.Options{})
			switch row.kind {
			case inject.KindPoison:
				a.queues().consume()
			case inject.KindStall:
				a.queues().attended()
			default:
				a.provisioned("stock", 100, 100)
			}
			k, later, u := a.prepared(row.kind, row.params)
			sleeper, err := inject.Open(t.Context(), inject.Options{Endpoint: a.url, Region: "eu-west-1", AccessKey: "AKIAFIREDRILL00000",
				Secret: "secret", Now: time.Now, HTTPClient: &http.Client{}})
			must(t, sleeper, err)
			f, err := inject.NewCatalog(sleeper, inject.CatalogOptions{Timing: inject.SandboxTiming()})[row.kind].New(json.RawMessage(row.params))
			must(t, f, err)
			id, err := a.cloud.Turn(sandbox.Knob{Operation: row.operation, By: "firedrill", Effect: "hold", When: "after", Nth: 1})
			must(t, id, err)
			woken := make(chan error, 1)
			go func() { woken <- f.Apply(t.Context(), u) }()
			for a.cloud.KnobList()[0].State != "holding" {
				pauseTest(a)
			}
			how, err := k.Revert(t.Context(), u)
			must(t, how, err)
			m := testMark()
			m.Run = "01jd3333333333333333333333"
			theirs, err := later.Prepare(t.Context(), m, time.Now())
			must(t, 0, err)
			must(t, 0, later.Apply(t.Context(), theirs))
			held := a.config()
			a.cloud.Release(id)
			must(t, 0, <-woken)
			if now := a.config(); now != held {
				t.Errorf("the sleeper wrote over it:\n%s", cmp.Diff(held, now))
			}
		})
	}
}
