package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
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

// What is journaled and told to people stays what it was but for the secret.
func TestCleanedKeepsTheRest(t *testing.T) {
	t.Parallel()
	var s secrecy
	s.learn("canary-canary")
	human := true
	event := journal.Event{Kind: journal.FaultApplyFailed, Fact: journal.Fact{Fault: "throttle", Human: &human, Err: "Bad token canary-canary.",
		Undo: json.RawMessage(`{"kind":"x","data":{"a":"canary-canary","n":12345678901234567890}}`)}}
	b, err := cleaned(&s, journal.Batch{Action: "apply/throttle/0", Events: []journal.Event{event}})
	if err != nil {
		t.Fatal(err)
	}
	got := b.Events[0].Fact
	if b.Action != "apply/throttle/0" || got.Err != "Bad token [redacted]." || !*got.Human || string(got.Undo) != `{"kind":"x","data":{"a":"[redacted]","n":12345678901234567890}}` {
		t.Errorf("%+v %s", b, got.Undo)
	}
	p, err := cleaned(&s, observe.Page{Title: "left: canary-canary"})
	if err != nil || p.Title != "left: [redacted]" {
		t.Errorf("%+v %v", p, err)
	}
}
