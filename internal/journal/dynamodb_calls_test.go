package journal_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// calls are the operations that the sandbox has seen of us, but for those of the first n.
func calls(t testing.TB, box *sandbox.Sandbox, n int) []string {
	t.Helper()
	res, err := http.Get(box.World().URL + "/_sandbox/calls")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var all []struct{ By, Service, Operation string }
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range all {
		if c.By == "firedrill" && c.Service == "dynamodb" {
			out = append(out, c.Operation)
		}
	}
	return out[n:]
}

// What the store asks of its table, call by call: an append alone is one, and so is a look at what is new.
func TestDynamoDBCalls(t *testing.T) {
	box, client := cloud(t)
	s := openDynamoDB(t, client, newTable(t, client))
	now := time.Date(2026, 8, 25, 12, 0, 0, 0, time.UTC)
	at := journal.Position{Run: "r1", After: journal.Start, Gen: 1}
	var l journal.Lease
	record := func(kind journal.Kind) func() error {
		return func() (err error) {
			at, _, err = journal.Record(t.Context(), s, at, journal.Batch{Action: string(kind), Events: []journal.Event{{Kind: kind, At: now}}})
			return err
		}
	}
	for _, row := range []struct {
		name string
		do   func() error
		want string
	}{
		{"take", func() (err error) {
			l, err = s.Take(t.Context(), journal.RunLease("r1"), "r1", journal.Holder{Host: "h"}, time.Minute, now)
			return err
		}, "GetItem PutItem"},
		{"begin", record(journal.RunPlanned), "UpdateItem PutItem"},
		{"append", record(journal.ProbeRead), "PutItem"},
		{"tail", func() error { _, _, err := journal.Tail(t.Context(), s, at); return err }, "Query"},
		{"renew", func() (err error) { l, err = s.Renew(t.Context(), l, time.Minute, now); return err }, "UpdateItem"},
		{"held", func() error { _, err := s.Held(t.Context(), "r1"); return err }, "GetItem Query"},
		{"runs while one is on", func() error { _, err := s.Runs(t.Context(), journal.Filter{}); return err }, "Query Query"},
		{"finish", record(journal.RunFinished), "PutItem UpdateItem"},
		{"runs", func() error { _, err := s.Runs(t.Context(), journal.Filter{}); return err }, "Query"},
		{"release", func() error { return s.Release(t.Context(), l) }, "UpdateItem"},
	} {
		before := len(calls(t, box, 0))
		if err := row.do(); err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if got := strings.Join(calls(t, box, before), " "); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// A head that lies in the one way it may (it says that a run goes on) is seen through, and mended by who may write.
func TestDynamoDBHeads(t *testing.T) {
	box, client := cloud(t)
	name := newTable(t, client)
	s := openDynamoDB(t, client, name)
	batch := func(kind journal.Kind) journal.Batch {
		return journal.Batch{Action: string(kind), Events: []journal.Event{{Kind: kind, Fact: journal.Fact{Outcome: "met", Brief: &journal.Brief{Drill: "d", Environment: "e"}}}}}
	}
	// The runner dies between the head and the batch that begins the run: there is no run.
	turn(t, box, map[string]any{"operation": "PutItem", "effect": "deny", "count": 1})
	if err := s.Append(t.Context(), "ghost", journal.Start, 1, batch(journal.RunPlanned)); err == nil {
		t.Fatal("the batch was written")
	}
	// The table is away for a moment just when the run has ended.
	for i, kind := range []journal.Kind{journal.RunPlanned, journal.RunFinished} {
		if kind == journal.RunFinished {
			turn(t, box, map[string]any{"operation": "UpdateItem", "effect": "deny", "count": 1})
		}
		if err := s.Append(t.Context(), "r1", int64(i)-1, 1, batch(kind)); err != nil {
			t.Fatal(err)
		}
	}
	reader, err := journal.OpenDynamoDB(journal.DynamoDBOptions{Client: client, Table: name, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		store journal.Store
		want  string
	}{{reader, "Query Query Query"}, {s, "Query Query Query UpdateItem"}, {reader, "Query Query"}} {
		before := len(calls(t, box, 0))
		sums, err := row.store.Runs(t.Context(), journal.Filter{})
		if err != nil || len(sums) != 1 || sums[0].Run != "r1" || !sums[0].Finished || sums[0].Outcome != "met" {
			t.Errorf("runs = %+v, %v", sums, err)
		}
		if got := strings.Join(calls(t, box, before), " "); got != row.want {
			t.Errorf("runs took %s, want %s", got, row.want)
		}
	}
	if sums, err := s.Runs(t.Context(), journal.Filter{Unfinished: true}); err != nil || len(sums) != 0 {
		t.Errorf("unfinished = %v, %v", sums, err)
	}
	if err := reader.Append(t.Context(), "r2", journal.Start, 1, batch(journal.RunPlanned)); err == nil {
		t.Error("a reader wrote")
	}
}

// A batch beyond what an item holds is packed; one that cannot be packed is refused in words, before anything is sent.
func TestDynamoDBLargeBatch(t *testing.T) {
	_, client := cloud(t)
	s := openDynamoDB(t, client, newTable(t, client))
	large := note("a")
	large.Events[0].Fact.Text = strings.Repeat("the same again; ", 64<<10)
	if err := s.Append(t.Context(), "r1", journal.Start, 1, large); err != nil {
		t.Fatal(err)
	}
	events, err := s.Load(t.Context(), "r1", journal.Start)
	if err != nil || len(events) != 1 || events[0].Fact.Text != large.Events[0].Fact.Text {
		t.Errorf("%d events, %v", len(events), err)
	}
	noise := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 600<<10)
	for i := range b {
		b[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[noise.IntN(64)]
	}
	large.Events[0].Fact.Text = string(b)
	if err := s.Append(t.Context(), "r1", 0, 1, large); err == nil || !strings.Contains(err.Error(), "400 KB") {
		t.Errorf("a batch too big: %v", err)
	}
}

// BenchmarkDynamoDBAppend appends one batch at a time, alone. calls/append must be 1.
func BenchmarkDynamoDBAppend(b *testing.B) {
	box, client := cloud(b)
	if _, err := journal.CreateDynamoDB(b.Context(), journal.TableOptions{Client: client, Table: "journal"}); err != nil {
		b.Fatal(err)
	}
	s, err := journal.OpenDynamoDB(journal.DynamoDBOptions{Client: client, Table: "journal"})
	if err != nil {
		b.Fatal(err)
	}
	at := journal.Position{Run: "r1", After: journal.Start, Gen: 1}
	if at, _, err = journal.Record(b.Context(), s, at, note("begin")); err != nil {
		b.Fatal(err)
	}
	before, n := len(calls(b, box, 0)), 0
	for b.Loop() {
		n++
		if at, _, err = journal.Record(b.Context(), s, at, note(fmt.Sprintf("poll/%d", n))); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(calls(b, box, before)))/float64(n), "calls/append")
}
