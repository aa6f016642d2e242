package cmd

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

func TestEveryErrorHasItsCodeAndItsWords(t *testing.T) {
	held := &journal.HeldError{Lease: journal.Lease{Name: "run/01k", Run: "01k", Holder: journal.Holder{Host: "ci", PID: 7}}}
	mistakes := &drills.Mistakes{All: []drills.Mistake{{File: "a.yaml", Line: 1, Col: 2, What: "wrong", Try: "right"}}}
	for _, c := range []struct {
		name string
		err  error
		code int
		says string
	}{
		{"nothing", nil, 0, ""},
		{"a plain one", errors.New("it broke"), 1, "firedrill: it broke\n"},
		{"usage", usage("format %q. Try: -o text", "x"), 2, "firedrill: format \"x\". Try: -o text\n"},
		{"a mistake in a file begins with the file", fmt.Errorf("%w", mistakes), 2, "a.yaml:1:2: wrong. Try: right\n"},
		{"files", &exitError{exitUsage, &badFiles{[]string{"a.yaml:1:1: x.", "b.yaml:2:1: y."}}}, 2, "a.yaml:1:1: x.\nb.yaml:2:1: y.\n"},
		{"a refusal", &drills.Refusal{Why: "no tag", Try: "tag it"}, 4, "firedrill: not injecting: no tag\nTry: tag it\n"},
		{"a refusal for now", fmt.Errorf("plan: %w", &drills.Refusal{Why: "night", Later: true, Try: "wait"}), 75, "firedrill: plan: not injecting: night; next: when that has passed\nTry: wait\n"},
		{"held", held, 75, "firedrill: " + held.Error() + "\nTry: firedrill abort 01k, or wait until it has ended\n"},
		{"a hint", &hinted{errors.New("no sandbox is running"), "firedrill sandbox"}, 1, "firedrill: no sandbox is running\nTry: firedrill sandbox\n"},
		{"a code alone says nothing", &exitError{exitMissed, nil}, 3, ""},
		{"dirty stands before what caused it", &exitError{exitDirty, &hinted{fmt.Errorf("left: %w", held), "firedrill status"}}, 5, "firedrill: left: " + held.Error() + "\nTry: firedrill status\n"},
		{"of many the first code", errors.Join(errors.New("one broke"), &exitError{exitDirty, errors.New("one is left")}), 5, "firedrill: one broke\none is left\n"},
		{"bad input", badInput(errors.New("no drill x")), 2, "firedrill: no drill x\n"},
		{"bad input that is a list of mistakes", badInput(mistakes), 2, mistakes.Error() + "\n"},
		{"no bad input", badInput(nil), 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := codeOf(c.err); got != c.code {
				t.Errorf("exit code %d, want %d", got, c.code)
			}
			var b bytes.Buffer
			if c.err != nil {
				tell(&b, c.err)
			}
			if b.String() != c.says {
				t.Errorf("got  %q\nwant %q", b.String(), c.says)
			}
		})
	}
}
