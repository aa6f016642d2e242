package inject_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// Each kind on the whole sandbox, with its shop, consumer and alarms at work and nobody on call: felt within seconds
// of a start, and everything as before at the end.
func TestFaultsOnTheWholeSandbox(t *testing.T) {
	for _, row := range []struct {
		kind   string
		params func(w sandbox.World) string
	}{
		{inject.KindThrottle, func(w sandbox.World) string {
			return fmt.Sprintf(`{"table":%q,"writes":1,"load":"50/s"}`, w.Vars["orders_table"])
		}},
		{inject.KindThrottle, func(w sandbox.World) string {
			return fmt.Sprintf(`{"table":%q,"writes":1,"load":"60/s"}`, w.Vars["stock_table"]) // too little for auto scaling to act on
		}},
		{inject.KindError, func(w sandbox.World) string {
			return fmt.Sprintf(`{"listener":%q,"path":"/users*"}`, w.Vars["listener"])
		}},
		{inject.KindPoison, func(w sandbox.World) string {
			return fmt.Sprintf(`{"queue":%q,"messages":3}`, w.Vars["orders_queue"])
		}},
		{inject.KindDeny, func(w sandbox.World) string {
			return fmt.Sprintf(`{"table":%q,"writes":true}`, w.Vars["orders_table"])
		}},
		{inject.KindStall, func(w sandbox.World) string {
			return fmt.Sprintf(`{"queue":%q}`, w.Vars["orders_queue"])
		}},
	} {
		t.Run(row.kind, func(t *testing.T) {
			t.Parallel()
			s, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
			w := must(t, s, err).World()
			t.Cleanup(func() { _ = s.Close() })
			key := w.Keys["firedrill"]
			c, err := inject.Open(t.Context(), inject.Options{Endpoint: w.AWS, Region: w.Region, AccessKey: key.ID, Secret: key.Secret, ExpectAccount: w.Account, Now: time.Now})
			who, err := must(t, c, err).Identity(t.Context())
			must(t, who, err)
			k := inject.NewCatalog(c, inject.CatalogOptions{Timing: inject.SandboxTiming()})[row.kind]
			before := configOf(t, w)
			f, err := k.New(json.RawMessage(row.params(w)))
			u, err := must(t, f, err).Prepare(t.Context(), testMark(), time.Now())
			must(t, u, err)
			_, tags, err := k.Identity(t.Context(), u.Target)
			if must(t, tags, err); tags["environment"] != "sandbox" || tags["firedrill"] != "allowed" {
				t.Errorf("the guard would refuse: %v", tags)
			}
			if staged, ok := f.(inject.Staged); ok {
				u, err = staged.Stage(t.Context(), u)
				must(t, u, err)
			}
			must(t, 0, f.Apply(t.Context(), u))
			feel(t, f, u)
			began := time.Now()
			how, err := k.Revert(t.Context(), u)
			if must(t, how, err) != inject.Restored {
				t.Errorf("reverted: %s", how)
			}
			t.Logf("put back in %s", time.Since(began).Round(time.Millisecond))
			if ok, why, err := k.Settled(t.Context(), u); !ok || err != nil {
				t.Errorf("not settled: %s %v", why, err)
			}
			if after := configOf(t, w); after != before {
				t.Errorf("not as before: %s", cmp.Diff(before, after))
			}
		})
	}
}

// feel loads and looks until the fault is felt.
func feel(t *testing.T, f inject.Fault, u inject.Undo) {
	t.Helper()
	began := time.Now()
	for time.Since(began) < 30*time.Second {
		if l, ok := f.(inject.Loader); ok {
			_, err := l.Load(t.Context(), u, 300*time.Millisecond)
			must(t, 0, err)
		}
		r, err := f.(inject.Verifier).Verify(t.Context(), u)
		if must(t, r, err).Felt == inject.Yes {
			t.Logf("felt after %s", time.Since(began).Round(time.Millisecond))
			return
		}
	}
	t.Fatal("never felt")
}

func configOf(t *testing.T, w sandbox.World) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.URL+"/_sandbox/config", nil)
	answer, err := http.DefaultClient.Do(must(t, request, err))
	defer func() { _ = must(t, answer, err).Body.Close() }()
	body, err := io.ReadAll(must(t, answer, err).Body)
	return string(must(t, body, err))
}
