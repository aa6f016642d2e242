package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzJournalFile cuts a journal's file short, or writes over some of it: then it is whole, or one clear error; never a
// panic, and never fewer batches than there were without a word.
func FuzzJournalFile(f *testing.F) {
	const batches = 40
	path := filepath.Join(f.TempDir(), "firedrill.db")
	s, err := OpenSQLite(f.Context(), path)
	if err != nil {
		f.Fatal(err)
	}
	for i := range int64(batches) {
		if err := s.Append(f.Context(), "r1", i-1, 1, aNote(fmt.Sprint("note ", i))); err != nil {
			f.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint32(len(whole)), uint32(0), []byte(nil))
	for _, cut := range []int{0, 1, 99, 100, 512, 4096, len(whole) / 2, len(whole) - 4096, len(whole) - 1} {
		f.Add(uint32(cut), uint32(0), []byte(nil))
	}
	for _, at := range []int{0, 16, 18, 24, 28, 40, 100, 4096, 4099, 8192, len(whole) / 2, len(whole) - 20} {
		f.Add(uint32(len(whole)), uint32(at), []byte{0xff, 0, 1})
	}
	f.Fuzz(func(t *testing.T, cut, at uint32, over []byte) {
		data := append([]byte(nil), whole[:min(int(cut), len(whole))]...)
		if int(at) < len(data) {
			copy(data[at:], over)
		}
		path := filepath.Join(t.TempDir(), "firedrill.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := ReadSQLite(t.Context(), path)
		if err == nil {
			defer s.Close()
			err = readWhole(t, s, batches, len(data) == 0)
		}
		var clear *Error
		if err != nil && (!errors.As(err, &clear) || strings.Contains(err.Error(), "\n")) {
			t.Fatalf("no clear error: %T %q", err, err)
		}
	})
}

// readWhole reads everything. An empty file is a journal that nobody has begun.
func readWhole(t *testing.T, s *SQLite, batches int, empty bool) error {
	t.Helper()
	if _, err := s.Runs(t.Context(), Filter{}); err != nil {
		return err
	}
	if _, err := s.Held(t.Context(), ""); err != nil {
		return err
	}
	events, err := s.Load(t.Context(), "r1", Start)
	if err != nil {
		return err
	}
	for i, e := range events {
		if e.Seq != int64(i) {
			t.Fatalf("batch %d stands where %d should", e.Seq, i)
		}
	}
	if len(events) != batches && !empty {
		t.Fatalf("%d batches without a word, there were %d", len(events), batches)
	}
	return nil
}
