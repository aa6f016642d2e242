package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// However a text with secrets in it is cut into writes, none comes out, and everything else does.
func TestClearWriterLeavesNoSecret(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9+/="<&]{8,24}`).Draw(r, "secret")
		other := rapid.SampledFrom([]string{secret + "more", secret[:len(secret)-1] + "~tail", "another-secret"}).Draw(r, "other")
		var s secrecy
		s.learn(secret, other)
		words := rapid.SliceOfN(rapid.SampledFrom([]string{secret, other, "a word ", "\n", secret[:4], `{"a":"`}), 1, 12).Draw(r, "words")
		text := strings.Join(words, "|")
		var out bytes.Buffer
		w := s.writer(&out)
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(r, "cut")
			if wrote, err := w.Write([]byte(rest[:n])); wrote != n || err != nil {
				r.Fatal(wrote, err)
			}
			rest = rest[n:]
		}
		if err := w.flush(); err != nil {
			r.Fatal(err)
		}
		if strings.Contains(out.String(), secret) || strings.Contains(out.String(), other) {
			r.Fatalf("a secret in %q", out.String())
		}
		if want := s.clean(text); out.String() != want {
			r.Fatalf("%q became %q, want %q", text, out.String(), want)
		}
	})
}

func TestSecrecyKnowsEveryForm(t *testing.T) {
	t.Parallel()
	var s secrecy
	if s.clean("nothing known") != "nothing known" {
		t.Error("it knows what it was not told")
	}
	secret := `p+&"w\ö r/d<1>`
	s.learn(secret, "short", "")
	quoted, err := json.Marshal(secret)
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{secret, string(quoted), fmt.Sprintf("%q", secret), url.QueryEscape(secret), url.PathEscape(secret)} {
		if got := s.clean("a " + form + " b"); !strings.Contains(got, redacted) || strings.Contains(got, strings.Trim(form, `"`)) {
			t.Errorf("%s became %s", form, got)
		}
	}
	if got := s.clean("in short"); got != "in short" {
		t.Errorf("a word is no secret: %s", got)
	}
}

// Words for people lose the secret, and nothing else of an event changes: names and ids are what folds live on.
func TestJournalKeepsTheRest(t *testing.T) {
	t.Parallel()
	var s secrecy
	s.learn("throttle", "12345678", "n canary")
	store := &clearStore{Store: journal.NewMemory(), secrecy: &s}
	human := true
	event := journal.Event{Kind: journal.FaultApplyFailed, Fact: journal.Fact{Fault: "throttle", Human: &human, OffsetS: 12345678,
		Err: "Bad token throttle.\n canary", Left: []string{"key throttle"}, Facts: map[string]string{"throttle": "12345678"},
		Brief: &journal.Brief{Drill: "throttle", Scenario: "throttle"}}}
	at := journal.Position{Run: "r1", After: journal.Start, Gen: 1}
	if _, _, err := journal.Record(t.Context(), store, at, journal.Batch{Action: "apply/throttle/0", Events: []journal.Event{event}}); err != nil {
		t.Fatal(err)
	}
	events, err := store.Load(t.Context(), "r1", journal.Start)
	if err != nil || len(events) != 1 {
		t.Fatal(events, err)
	}
	e, f := events[0], events[0].Fact
	if e.Action != "apply/throttle/0" || f.Fault != "throttle" || f.OffsetS != 12345678 || f.Err != "Bad token [redacted].\n canary" ||
		f.Left[0] != "key [redacted]" || f.Facts["throttle"] != redacted || f.Brief.Drill != "throttle" || f.Brief.Scenario != redacted || !*f.Human {
		t.Errorf("%+v %+v", f, f.Brief)
	}
	if event.Fact.Err != "Bad token throttle.\n canary" || event.Fact.Facts["throttle"] != "12345678" {
		t.Error("the event itself was changed")
	}
}

// Every text of an event loses a secret, unless it is a name, an id or a code. A field that is new is one or the other.
func TestEveryTextOfAnEventIsCleared(t *testing.T) {
	t.Parallel()
	names := strings.Fields("Fault Probe Role Reading Alarm Incident Entry User Channel Key Service How Reason Outcome Source Urgency Into Type Note Thread " +
		"Target Kind PlanHash Instant" +
		" Brief.Drill Brief.Team Brief.Environment Brief.Account Brief.Sandbox Brief.SandboxURL Brief.PageWhen Brief.PageService Brief.Announce")
	var s secrecy
	s.learn("canary-of-a-secret")
	f := journal.Fact{Brief: &journal.Brief{Risks: []journal.Risk{{Why: "rule canary-of-a-secret suppresses"}}}}
	check := func(prefix string, v reflect.Value, visit func(string, reflect.Value)) {
		for i := range v.NumField() {
			if v.Field(i).Kind() == reflect.String {
				visit(prefix+v.Type().Field(i).Name, v.Field(i))
			}
		}
	}
	plant := func(_ string, v reflect.Value) { v.SetString("canary-of-a-secret") }
	check("", reflect.ValueOf(&f).Elem(), plant)
	check("Brief.", reflect.ValueOf(f.Brief).Elem(), plant)
	s.fact(&f)
	look := func(name string, v reflect.Value) {
		if cleared := v.String() == redacted; cleared == slices.Contains(names, name) {
			t.Errorf("%s: %q: it is words, and fact clears it, or a name, and stands in this list", name, v)
		}
	}
	check("", reflect.ValueOf(&f).Elem(), look)
	check("Brief.", reflect.ValueOf(f.Brief).Elem(), look)
	if why := f.Brief.Risks[0].Why; why != "rule "+redacted+" suppresses" {
		t.Errorf("a risk tells %q", why)
	}
}

// What puts things back is never touched: where a secret stands in it, nothing is recorded, and so nothing is changed.
func TestNoRecordOfAnUndoWithASecret(t *testing.T) {
	t.Parallel()
	var s secrecy
	s.learn("localstack")
	for what, fact := range map[string]journal.Fact{
		"undo": {Undo: json.RawMessage(`{"target":{"arn":"arn:aws:dynamodb:eu-west-1:1:table/localstack-orders"}}`)},
		"plan": {Plan: json.RawMessage(`{"endpoint":"http://localstack:4566"}`)},
	} {
		store := &clearStore{Store: journal.NewMemory(), secrecy: &s}
		err := store.Append(t.Context(), "r1", journal.Start, 1, journal.Batch{Action: "prepare/a/0", Events: []journal.Event{{Kind: journal.FaultPrepared, Fact: fact}}})
		if err == nil || !strings.Contains(err.Error(), "the value of a secret stands in its "+what) || strings.Contains(err.Error(), "localstack") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// A page loses it however deep it stands.
func TestPageWithoutSecrets(t *testing.T) {
	t.Parallel()
	var s secrecy
	s.learn("canary-canary")
	told := &toldPager{}
	p := &clearPager{Pager: told, secrecy: &s}
	page := observe.Page{Title: "left: canary-canary", Details: map[string]any{"left": []string{"canary-canary"}, "deep": map[string]any{"a": []any{"canary-canary", 7}}}}
	if err := p.Send(t.Context(), "key", page); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(told.page); strings.Contains(text, "canary") || !strings.Contains(text, "7") {
		t.Error(text)
	}
}

type toldPager struct {
	observe.Pager
	page observe.Page
}

func (p *toldPager) Send(_ context.Context, _ string, page observe.Page) error {
	p.page = page
	return nil
}
