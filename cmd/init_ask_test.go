package cmd

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestFormsAreDrawnOnATerminal: on what has no file behind it a form learns no size, and draws nothing at all; and what it
// draws goes the way of all words, without secrets.
func TestFormsAreDrawnOnATerminal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terminal")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := newDesk(t)
	d.known.learn("a-token-of-somebody")
	drawn, ok := screenOf(d.known.writer(f)).(interface {
		io.ReadWriteCloser
		Fd() uintptr
	})
	if !ok || drawn.Fd() != f.Fd() {
		t.Fatal("a form would not find its terminal")
	}
	if _, err := io.WriteString(drawn, "Orders a-token-of-somebody\n"); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "Orders [redacted]\n" {
		t.Errorf("%q %v", b, err)
	}
	if w := screenOf(&d.err); w != &d.err {
		t.Errorf("%T", w)
	}
}

// TestAnswersAreCheckedWhenTheyAreGiven: what would not be valid is asked again, not refused at the end.
func TestAnswersAreCheckedWhenTheyAreGiven(t *testing.T) {
	for _, row := range []struct {
		q    question
		s    string
		fine bool
	}{
		{question{}, " ", false},
		{question{open: true}, " ", true},
		{question{open: true, valid: digits}, "", true},
		{question{valid: digits}, " 123456789012 ", true},
		{question{valid: digits}, "1234567890123", false},
		{question{valid: digits}, "12345678901x", false},
		{question{valid: isTarget}, "sqs:orders", true},
		{question{valid: isTarget}, "orders", false},
		{question{valid: isTarget}, "sqs:two words", false},
	} {
		if err := row.q.check(row.s); (err == nil) != row.fine {
			t.Errorf("%+v %q: %v", row.q.open, row.s, err)
		}
	}
}
