package cmd

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// TestATargetOfAnotherRunIsTold: what a fault finds strange is often what another run has left there.
func TestATargetOfAnotherRunIsTold(t *testing.T) {
	const table = "arn:aws:dynamodb:eu-west-1:111122223333:table/orders"
	no := &drills.Refusal{Code: "fault", Why: "writes of table orders are already at 1"}
	for _, c := range []struct {
		name   string
		params string
		err    error
		held   bool
	}{
		{"by its name", `{"table": "orders", "writes": 1}`, no, true},
		{"by its ARN", `{"table": "` + table + `"}`, no, true},
		{"by the address of a queue", `{"queue": "https://sqs.eu-west-1.amazonaws.com/111122223333/orders"}`, no, true},
		{"another table", `{"table": "stock"}`, no, false},
		{"a longer name", `{"table": "old-orders"}`, no, false},
		{"no parameters", `null`, no, false},
		{"something else went wrong", `{"table": "orders"}`, errors.New("no route to host"), false},
		{"nothing went wrong", `{"table": "orders"}`, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			store, err := d.store(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			for _, name := range []string{journal.RunLease("01kaaa"), table} {
				if _, err := store.Take(t.Context(), name, "01kaaa", journal.Holder{Host: "elsewhere"}, time.Minute, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			spec := &drills.Spec{Faults: []drills.FaultSpec{{Kind: "any", Params: json.RawMessage(c.params)}}}
			got := d.ratherHeld(t.Context(), spec, c.err)
			var refusal *drills.Refusal
			switch {
			case !c.held && got != c.err: //nolint:errorlint // the very error, not one that wraps it
				t.Errorf("got %v, want %v as it was", got, c.err)
			case c.held && (codeOf(got) != exitLater || !errors.As(got, &refusal) || refusal.Try != "firedrill recover 01kaaa" || !strings.Contains(refusal.Why, table)):
				t.Errorf("got %v", got)
			}
		})
	}
}
