package drills

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/observe"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// small is a drill of few lines, to be bent by tests.
const small = `drill: small
title: A title
scenario: A scenario
team: orders
faults: [{dynamodb.throttle: {table: "${orders_table}", writes: 1}}]
page: {when: direct}
limit: 5m
`

func mustDrill(t *testing.T, src string) *Spec {
	t.Helper()
	s, err := ReadDrill("d.yaml", []byte(src), testKinds())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReadsEverythingOfADrill(t *testing.T) {
	src, err := shipped.ReadFile("library/orders-write-throttle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got := mustDrill(t, string(src))
	alarm := func(name observe.AlarmProbe) []observe.ProbeSpec { return []observe.ProbeSpec{{Alarm: &name}} }
	want := &Spec{
		Drill: "orders-write-throttle", Title: "Order writes are throttled", Team: "orders",
		Scenario: got.Scenario, Tags: []string{"dynamodb", "capacity"}, Runbook: "https://wiki.example.com/orders/throttling",
		Look: []Look{{"dashboard", "https://dash.example.com/orders"}, {"logs", "https://logs.example.com/orders?level=error"}},
		Evidence: []Evidence{{"slack", "checkout is slow, anyone else?"},
			{"log", "ThrottlingException: throughput exceeds the maximum OnDemandThroughput configured on table"}},
		Hints: []Hint{{5 * time.Minute, "Look at the throttle metrics of the orders table"},
			{15 * time.Minute, "Compare the table's maximum write throughput with what it was an hour ago"}},
		SteadyState: []observe.ProbeSpec{{HTTP: &observe.HTTPProbe{URL: "${orders_url}/health", Status: 200}}},
		Faults: []FaultSpec{{ID: "throttle", Kind: "dynamodb.throttle",
			Params: json.RawMessage(`{"load":"50/s","table":"${orders_table}","writes":1}`)}},
		Watch: alarm("orders-write-throttled"), Ripples: []string{"orders-api-5xx", "orders-dlq-*"},
		Page: PageSpec{When: PageAlarm, Fallback: 12 * time.Minute}, Announce: AnnouncePage,
		StopConditions: alarm("checkout-customers-hurt"),
		Expect: Expect{Effective: 8 * time.Minute, Detect: 12 * time.Minute, Acknowledge: 5 * time.Minute,
			Mitigate: 30 * time.Minute, Resolve: 40 * time.Minute},
		Limit: time.Hour,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Spec{})); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(got.Scenario, "An alarm for DynamoDB write capacity has triggered, indicating") || strings.Contains(got.Scenario, "\n") {
		t.Errorf("scenario %q", got.Scenario)
	}
}

func TestFaultsWithoutAnIDAreNamedByTheirKind(t *testing.T) {
	s := mustDrill(t, strings.Replace(small, "[{dynamodb.throttle:", `[{sqs.poison: {queue: a}}, {sqs.poison: {queue: b}}, {id: throttle, sqs.poison: {queue: c}}, {dynamodb.throttle:`, 1))
	var ids []string
	for _, f := range s.Faults {
		ids = append(ids, f.ID)
	}
	if diff := cmp.Diff([]string{"poison", "poison-2", "throttle", "throttle-2"}, ids); diff != "" {
		t.Error(diff)
	}
}

func TestFallbackIsTheDetectionExpected(t *testing.T) {
	src := strings.Replace(small, "page: {when: direct}", "page: {when: alarm}\nwatch: [{alarm: a}]\nexpect: {detect: 3m}", 1)
	if s := mustDrill(t, src); s.Page.Fallback != 3*time.Minute {
		t.Errorf("fallback %s, want that of expect.detect", s.Page.Fallback)
	}
}

func TestTellsEveryMistakeInOneGo(t *testing.T) {
	src := "drill: Orders\ntitel: x\nscenario: 3\nteam: orders\nfaults:\n  - {after: 5, dynamodb.throttle: {tabel: x, writes: many}}\npage: {when: never}\nexpect: {resolve: -1s}\n"
	_, err := ReadDrill("d.yaml", []byte(src), testKinds())
	var found *Mistakes
	if !errors.As(err, &found) {
		t.Fatal(err)
	}
	var at []string
	for _, m := range found.All {
		at = append(at, strings.Join(strings.SplitN(m.String(), ":", 4)[:3], ":"))
	}
	want := []string{"d.yaml:1:1", "d.yaml:1:8", "d.yaml:2:1", "d.yaml:3:11", "d.yaml:6:13", "d.yaml:6:36", "d.yaml:6:54", "d.yaml:7:14", "d.yaml:8:19"}
	if diff := cmp.Diff(want, at); diff != "" {
		t.Errorf("%s\n%v", diff, err)
	}
}

func TestTooManyMistakesAreCutShort(t *testing.T) {
	_, err := ReadDrill("d.yaml", []byte(small+strings.Repeat("x: 1\n", 300)), testKinds())
	if lines := strings.Split(err.Error(), "\n"); len(lines) != mostMistakes+1 || !strings.Contains(lines[mostMistakes], "more mistakes") {
		t.Errorf("%d lines, the last %q", len(lines), lines[len(lines)-1])
	}
}

func TestRefusesWhatIsTooMuch(t *testing.T) {
	for name, c := range map[string]struct{ src, want string }{
		"huge":        {"title: " + strings.Repeat("x", 1<<20), "1 MiB is the most"},
		"many words":  {strings.Repeat("a: b\n", 10_000), "over 20000 words"},
		"deep flow":   {strings.Repeat("[", 10_000), "too deep"},
		"deep lists":  {strings.Repeat("- ", 5_000), "too deep"},
		"empty":       {" \n", "the file is empty"},
		"nothing":     {"", "the file is empty"},
		"a zero byte": {"title: \x00", "control character"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			for _, err := range []error{readError(ReadDrill("d", []byte(c.src), nil)), readError(ReadEnvironments("e", []byte(c.src)))} {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v, want %q", err, c.want)
				}
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %s", took)
			}
		})
	}
}

func readError[T any](_ T, err error) error { return err }

func TestReadsWhatOtherEditorsWrite(t *testing.T) {
	for name, src := range map[string]string{
		"CRLF": strings.ReplaceAll(small, "\n", "\r\n"), "BOM": "\ufeff" + small, "document start": "---\n" + small + "...\n",
	} {
		if s, err := ReadDrill("d", []byte(src), testKinds()); err != nil || s.Drill != "small" || s.Limit != 5*time.Minute {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWithoutKindsAnyKindIsTaken(t *testing.T) {
	s, err := ReadDrill("d", []byte(strings.Replace(small, "dynamodb.throttle", "lambda.stop", 1)), nil)
	if err != nil || s.Faults[0].ID != "stop" || string(s.Faults[0].Params) != `{"table":"${orders_table}","writes":1}` {
		t.Errorf("%v %+v", err, s)
	}
	if _, err := ReadDrill("d", []byte(strings.Replace(small, "dynamodb.throttle", "throttle", 1)), nil); err == nil {
		t.Error("a kind without a dot was taken")
	}
}

// The first line of a bad file may differ, but no bad file may be read, whatever the kinds.
func TestNoBadFileIsReadWithoutKinds(t *testing.T) {
	files, _ := filepath.Glob("testdata/bad/drill-*.yaml")
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		needsKind := strings.Contains(file, "-param") || strings.Contains(file, "unknown-kind") || strings.Contains(file, "huge-number")
		if _, err := ReadDrill(file, src, nil); err == nil && !needsKind {
			t.Errorf("%s was read", file)
		}
	}
}

func TestSuggestions(t *testing.T) {
	known := []string{"limit", "watch", "hints", "page"}
	for written, want := range map[string]string{"limt": "limit", "wathc": "watch", "Limit": "limit", "hint": "hints", "blast": "", "x": ""} {
		if got, ok := nearest(written, known); got != want || ok != (want != "") {
			t.Errorf("nearest(%q) = %q, want %q", written, got, want)
		}
	}
	if slices.Contains(known, suggest("x", known)) {
		t.Error("something was suggested for nothing")
	}
}

func FuzzReadDrill(f *testing.F) {
	seed(f, "drill")
	f.Fuzz(func(t *testing.T, src []byte) {
		s, err := ReadDrill("d", src, testKinds())
		onlyMistakes(t, err)
		if err != nil {
			return
		}
		if s.Limit <= 0 || len(s.Faults) == 0 || s.Drill == "" {
			t.Errorf("read a drill without limit, fault or name: %+v", s)
		}
		_, err = s.Resolve(map[string]string{"orders_table": "orders"})
		onlyMistakes(t, err)
	})
}

func FuzzReadEnvironments(f *testing.F) {
	seed(f, "env")
	f.Fuzz(func(t *testing.T, src []byte) {
		_, err := ReadEnvironments("e", src)
		onlyMistakes(t, err)
	})
}

func seed(f *testing.F, prefix string) {
	files, _ := filepath.Glob("testdata/bad/" + prefix + "-*.yaml")
	more, _ := filepath.Glob("library/*.yaml")
	for _, file := range append(files, more...) {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
}

func onlyMistakes(t *testing.T, err error) {
	t.Helper()
	var found *Mistakes
	if err == nil {
		return
	}
	if !errors.As(err, &found) || len(found.All) == 0 {
		t.Fatalf("not a list of mistakes: %v", err)
	}
	for _, m := range found.All {
		if m.Line < 1 || m.Col < 1 || m.What == "" || strings.Contains(m.What, "\n") {
			t.Errorf("mistake %+v", m)
		}
	}
}
