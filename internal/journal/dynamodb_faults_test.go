package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// turn makes the calls of one operation go wrong in one way, from the n-th on, count times.
func turn(t *testing.T, box *sandbox.Sandbox, knob map[string]any) {
	t.Helper()
	knob["service"], knob["by"] = "dynamodb", "firedrill"
	body, err := json.Marshal(knob)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(box.World().URL+"/_sandbox/knobs", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		t.Fatalf("turn %s: %s", body, res.Status)
	}
}

// essentials is what a run asks of its store, from its planning to its end: each step once, as the engine would.
func essentials(t *testing.T, s journal.Store) {
	t.Helper()
	ctx, now := t.Context(), time.Date(2026, 8, 25, 12, 0, 0, 0, time.UTC)
	far := journal.Holder{Host: "elsewhere", Boot: "b", PID: 1, Start: "1"}
	run, err := s.Take(ctx, journal.RunLease("r1"), "r1", far, 15*time.Second, now)
	if err != nil || run.Gen != 1 {
		t.Fatalf("take the run: %+v, %v", run, err)
	}
	at := journal.Position{Run: "r1", After: journal.Start, Gen: run.Gen}
	record := func(action string, kinds ...journal.Kind) {
		t.Helper()
		b := journal.Batch{Action: action}
		for _, k := range kinds {
			b.Events = append(b.Events, journal.Event{Kind: k, At: now, Fact: journal.Fact{Outcome: "met", Brief: &journal.Brief{Drill: "d", Environment: "e"}}})
		}
		if at, _, err = journal.Record(ctx, s, at, b); err != nil {
			t.Fatalf("record %s: %v", action, err)
		}
	}
	record("plan", journal.RunPlanned)
	target, err := s.Take(ctx, "arn:table", "r1", far, 15*time.Second, now)
	if err != nil || target.Gen != 1 {
		t.Fatalf("take the target: %+v, %v", target, err)
	}
	record("prepare", journal.FaultPrepared)
	if run, err = s.Renew(ctx, run, 15*time.Second, now.Add(5*time.Second)); err != nil || !run.Expires.Equal(now.Add(20*time.Second)) {
		t.Fatalf("renew: %+v, %v", run, err)
	}
	record("revert", journal.FaultReverted, journal.FaultSettled)
	record("finish", journal.RunFinished)
	for _, l := range []journal.Lease{target, run} {
		if err := s.Release(ctx, l); err != nil {
			t.Fatalf("release %s: %v", l.Name, err)
		}
	}
	if held, err := s.Held(ctx, ""); err != nil || len(held) > 0 {
		t.Errorf("still held: %v, %v", held, err)
	}
	events, err := s.Load(ctx, "r1", journal.Start)
	got := ""
	for _, e := range events {
		got += fmt.Sprintf(" %d.%d %s", e.Seq, e.N, e.Action)
	}
	if want := " 0.0 plan 1.0 prepare 2.0 revert 2.1 revert 3.0 finish"; got != want || err != nil {
		t.Errorf("the run holds%s, %v, want%s", got, err, want)
	}
	if sums, err := s.Runs(ctx, journal.Filter{}); err != nil || len(sums) != 1 || sums[0].Outcome != "met" || !sums[0].Finished || sums[0].Drill != "d" {
		t.Errorf("runs = %+v, %v", sums, err)
	}
	if next, err := s.Take(ctx, "arn:table", "r2", far, 15*time.Second, now); err != nil || next.Gen != 2 {
		t.Errorf("take the target after all: %+v, %v", next, err)
	}
}

// Whatever the table does to one call, or to two in a row, the run goes on as if nothing had been: throttling, an error
// of the service, and a call that is carried out and whose answer is lost.
func TestDynamoDBTrouble(t *testing.T) {
	box, client := cloud(t)
	open := tables(t, client, 3*(7+5+3+4)+1)
	essentials(t, openDynamoDB(t, client, <-open)) // with no trouble at all
	for operation, calls := range map[string]int{"PutItem": 7, "UpdateItem": 5, "GetItem": 3, "Query": 4} {
		for _, effect := range []string{"throttle", "5xx", "partial"} {
			for nth := 1; nth <= calls; nth++ {
				t.Run(fmt.Sprintf("%s %s %d", effect, operation, nth), func(t *testing.T) {
					s := openDynamoDB(t, client, <-open)
					turn(t, box, map[string]any{"operation": operation, "effect": effect, "nth": nth, "count": 2})
					essentials(t, s)
					touched(t, box)
				})
			}
		}
	}
}

// touched fails where the last knob met no call: then nothing was tried.
func touched(t *testing.T, box *sandbox.Sandbox) {
	t.Helper()
	res, err := http.Get(box.World().URL + "/_sandbox/knobs")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var knobs []struct {
		ID      string
		Touched int
	}
	if err := json.NewDecoder(res.Body).Decode(&knobs); err != nil || len(knobs) == 0 {
		t.Fatal(knobs, err)
	}
	if last := knobs[len(knobs)-1]; last.Touched == 0 {
		t.Errorf("the knob met no call: %+v", last)
	}
}

// A table that stays away is an error within the patience, with a next step; so is one that is not there.
func TestDynamoDBAway(t *testing.T) {
	box, client := cloud(t)
	name := newTable(t, client)
	s, err := journal.OpenDynamoDB(journal.DynamoDBOptions{Client: client, Table: name, Patience: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	turn(t, box, map[string]any{"effect": "5xx"})
	began := time.Now()
	err = s.Append(t.Context(), "r1", journal.Start, 1, note("a"))
	var told *journal.Error
	if !errors.As(err, &told) || told.Try == "" || time.Since(began) > 5*time.Second {
		t.Errorf("append to a table that is away: %v after %s", err, time.Since(began))
	}
	_, client = cloud(t)
	nowhere := openDynamoDB(t, client, "nowhere")
	if _, err := nowhere.Runs(t.Context(), journal.Filter{}); !errors.As(err, &told) || told.Try == "" {
		t.Errorf("read a table that is not there: %v", err)
	}
}
