package observe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

func TestRedactorLeavesNoSecret(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		secret := rapid.StringMatching(`[A-Za-z0-9+/="<&]{8,40}`).Draw(r, "secret")
		before, after := rapid.String().Draw(r, "before"), rapid.String().Draw(r, "after")
		quoted, err := json.Marshal(secret)
		if err != nil {
			r.Fatal(err)
		}
		clean := redactor("", secret)
		for _, form := range []string{secret, string(quoted), url.QueryEscape(secret), url.PathEscape(secret)} {
			got := clean(before + form + after)
			if strings.Contains(got, strings.Trim(form, `"`)) && !strings.Contains(before+after, strings.Trim(form, `"`)) {
				r.Fatalf("%q is still in %q", form, got)
			}
		}
	})
}

func TestRedactorKnowsTheFormOfKeys(t *testing.T) {
	clean := redactor()
	for text, want := range map[string]string{
		"key " + testKey + ".":            "key [redacted].",
		"KEY=" + strings.ToUpper(testKey): "KEY=[redacted]",
		"run 01jdrun0000000000000000000":  "run 01jdrun0000000000000000000",
		testKey + testKey:                 testKey + testKey, // a sha256 is no key
		"":                                "",
	} {
		if got := clean(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestHiddenKeepsIdentityAndNothingElse(t *testing.T) {
	cause := fmt.Errorf("token %s: %w", testToken, io.ErrUnexpectedEOF)
	err := error(&Problem{Op: "read", Why: "x", Err: &hidden{text: "x", cause: cause}})
	if !errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled) {
		t.Error("the cause is not told apart")
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		if strings.Contains(fmt.Sprintf("%v %s", e, e.Error()), testToken) {
			t.Errorf("%v tells the token", e)
		}
	}
}

func TestPlainIsOneShortPrintableLine(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		got := plain(rapid.String().Draw(r, "said"))
		if strings.ContainsFunc(got, func(c rune) bool { return !unicode.IsPrint(c) }) || len([]rune(got)) > 302 {
			r.Fatalf("%q", got)
		}
		if plain(got) != got && len([]rune(got)) <= 300 {
			r.Fatalf("%q changes again", got)
		}
	})
	if got := plain("a\r\n\tb\x1b[31m \u202ec"); got != "a b[31m c" {
		t.Errorf("%q", got)
	}
}
