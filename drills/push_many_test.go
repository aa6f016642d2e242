package drills

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
)

// counted is a journal that counts what is read of it.
type counted struct {
	journal.Store
	loads int
}

func (c *counted) Load(ctx context.Context, run string, after int64) ([]journal.Event, error) {
	c.loads++
	return c.Store.Load(ctx, run, after)
}

// TestPushAmongManyRuns: with hundreds of drills on one service a webhook costs what it costs with one, and so does a
// note on an incident that is nobody's drill.
func TestPushAmongManyRuns(t *testing.T) {
	h := newHooks(t)
	const n = 500
	reads := &counted{Store: h.store}
	h.Webhooks.store = reads
	for i := range n {
		h.begin(t, fmt.Sprintf("01k%03d", i), nil)
	}
	for i := range 50 {
		run := fmt.Sprintf("01k%03d", i*7)
		if i == 1 {
			reads.loads = 0 // the first one reads the plans
		}
		got := h.send(t, hook{id: fmt.Sprint("e", i), kind: "incident.triggered", key: Dedup(run), incident: fmt.Sprint("PINC", i)})
		if !slices.Equal(got.Runs, []string{run}) {
			t.Fatalf("%+v, want %s", got, run)
		}
	}
	if reads.loads > 100 {
		t.Errorf("%d reads for 49 webhooks", reads.loads)
	}
	for i := range n {
		h.end(t, fmt.Sprintf("01k%03d", i))
	}
	note := hook{kind: "incident.annotated", agent: "PADA", client: "PagerDuty", text: "elsewhere", incident: "PELSE"}
	note.id = "n1"
	h.send(t, note)
	reads.loads = 0
	note.id = "n2"
	if h.send(t, note); reads.loads > 0 {
		t.Errorf("%d reads of runs that have ended", reads.loads)
	}
	note.id, note.incident = "n3", "PINC3"
	if got := h.send(t, note); !slices.Equal(got.Runs, []string{"01k021"}) {
		t.Errorf("%+v", got)
	}
}

// TestPushBesideAnEngine: the engine writes on, also at the same moment, and neither loses anything.
func TestPushBesideAnEngine(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	const n = 40
	var wg sync.WaitGroup
	wg.Go(func() {
		at := journal.Position{Run: "01ka", After: journal.Start, Gen: 1}
		for i := range n {
			var err error
			b := journal.Batch{Action: fmt.Sprintf("poll/%d", i), Events: []journal.Event{{Kind: journal.LoadRead, At: h.Now()}}}
			if at, _, err = journal.Record(t.Context(), h.store, at, b); err != nil {
				t.Error(err)
			}
		}
	})
	for i := range n {
		w := hook{id: fmt.Sprint("e", i), kind: "incident.acknowledged", key: "firedrill/01ka", agent: "PADA", client: "PagerDuty"}
		body := h.body(w)
		for range 2 {
			wg.Go(func() {
				if _, err := h.Receive(t.Context(), sign(pushSecret, body), body); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	acks := map[string]int{}
	for _, e := range h.about(t, "01ka") {
		if e.Kind == journal.IncidentAcknowledged {
			acks[e.Fact.Entry]++
		}
	}
	for entry, times := range acks {
		if times != 1 {
			t.Errorf("%s stands %d times", entry, times)
		}
	}
	if len(acks) != n {
		t.Errorf("%d of %d", len(acks), n)
	}
}

// torn is a journal in which one run makes no sense.
type torn struct {
	journal.Store
	run string
}

func (s *torn) Load(ctx context.Context, run string, after int64) ([]journal.Event, error) {
	if run == s.run {
		var v any
		return nil, fmt.Errorf("read run %s at 3: %w", run, json.Unmarshal([]byte("{"), &v))
	}
	return s.Store.Load(ctx, run, after)
}

// TestPushBesideATornRun: a run whose record is damaged keeps no webhook from the others.
func TestPushBesideATornRun(t *testing.T) {
	h := newHooks(t)
	h.begin(t, "01ka", nil)
	h.begin(t, "01kb", nil)
	h.Webhooks.store = &torn{h.store, "01kb"}
	if got := h.send(t, hook{id: "e1", kind: "incident.triggered", key: Dedup("01ka"), incident: "PINC"}); !slices.Equal(got.Runs, []string{"01ka"}) {
		t.Errorf("%+v", got)
	}
}
