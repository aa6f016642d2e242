package conformance

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
)

// world is a target in somebody else's account.
type world struct {
	kind, params string
	catalog      func() inject.Catalog
	state        func(t *testing.T) string                // everything that must be as before
	during       func(t *testing.T, u inject.Undo) string // what is wrong with it while the fault is in place; empty is nothing
}

// conforms prepares, applies, applies twice, never applies and puts back, each from the record alone. What it cannot
// show is whether the fault is felt: nothing that others wrote throttles, or carries traffic.
func conforms(t *testing.T, w world) {
	for name, times := range map[string]int{"never applied": 0, "applied": 1, "applied twice": 2} {
		t.Run(name, func(t *testing.T) {
			before := w.state(t)
			f := must(w.catalog()[w.kind].New(json.RawMessage(w.params)))(t)
			m := inject.Mark{Run: "01jd0000000000000000000000", Fault: "one", Until: time.Now().Add(10 * time.Minute).Truncate(time.Second)}
			u := must(f.Prepare(t.Context(), m, time.Now()))(t)
			if now := w.state(t); now != before {
				t.Errorf("prepare wrote: before\n%s\nnow\n%s", before, now)
			}
			want := inject.NeverApplied
			for range times {
				want = inject.Restored
				w.apply(t, f, &u)
			}
			k := w.catalog()[w.kind]
			if ok, why := settled(t, k, u); times > 0 && (ok || why == "") {
				t.Errorf("settled while applied: %q", why)
			}
			if how := must(k.Revert(t.Context(), u))(t); how != want {
				t.Errorf("reverted: %s, want %s", how, want)
			}
			if ok, why := settled(t, k, u); !ok {
				t.Errorf("not settled: %s", why)
			}
			if how := must(k.Revert(t.Context(), u))(t); how == inject.Diverged {
				t.Errorf("reverted again: %s", how)
			}
			if now := w.state(t); now != before {
				t.Errorf("put back, and not as before:\n%s\nnow\n%s", before, now)
			}
			arn, tags, err := k.Identity(t.Context(), u.Target)
			if err != nil || arn != u.Target.ARN || tags["environment"] != "staging" {
				t.Errorf("identity: %s %v %v", arn, tags, err)
			}
		})
	}
}

// apply stages, where there are stages, and applies; the undo goes through the journal's JSON.
func (w world) apply(t *testing.T, f inject.Fault, u *inject.Undo) {
	t.Helper()
	if s, ok := f.(inject.Staged); ok {
		*u = must(s.Stage(t.Context(), *u))(t)
	}
	raw := must(json.Marshal(u))(t)
	*u = inject.Undo{}
	if err := json.Unmarshal(raw, u); err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(t.Context(), *u); err != nil {
		t.Fatalf("apply: %v", err)
	}
	if wrong := w.during(t, *u); wrong != "" {
		t.Errorf("applied, and %s", wrong)
	}
}

func settled(t *testing.T, k inject.Kind, u inject.Undo) (bool, string) {
	t.Helper()
	ok, why, err := k.Settled(t.Context(), u)
	if err != nil {
		t.Fatalf("settled: %v", err)
	}
	return ok, why
}
