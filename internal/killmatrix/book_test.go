package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func cell(append, when string) Cell {
	return Cell{Point{Drill: "error", Phase: wayIn, Append: append}, when}
}

// A matrix that was interrupted goes on; a result counts for its own build, and one torn line for nothing.
func TestTheBookIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results")
	b, err := openBook(path, "one")
	if err != nil {
		t.Fatal(err)
	}
	if err := b.add(Result{Cell: cell("plan", "before"), OK: true, Recovery: 1.5}, 2); err != nil {
		t.Fatal(err)
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"drill":"err`); err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if b, err = openBook(path, "one"); err != nil || !b.results[cell("plan", "before").Name()].OK || len(b.results) != 1 {
		t.Errorf("read again: %v, %v", b.results, err)
	}
	if b, err = openBook(path, "two"); err != nil || len(b.results) != 0 {
		t.Errorf("another build's: %v, %v", b.results, err)
	}
}

// A cell that is not ok fails the matrix, and so does one where hardly a run came to its point.
func TestVerdict(t *testing.T) {
	cells := []Cell{cell("a", "before"), cell("a", "after"), cell("b", "before"), cell("b", "after")}
	for _, row := range []struct {
		results []Result
		want    string
	}{
		{[]Result{{OK: true}, {OK: true}, {OK: true}, {OK: true, Missed: true}}, ""},
		{[]Result{{OK: true}, {OK: true}, {OK: true}, {OK: false}}, "1 cells are not ok"},
		{[]Result{{OK: true}, {OK: true}, {OK: true, Missed: true}, {OK: true, Missed: true}}, "2 of 4 cells never came"},
		{nil, "no cell was tried"},
	} {
		b := &book{results: map[string]Result{}}
		for i, r := range row.results {
			r.Cell = cells[i]
			b.results[r.Name()] = r
		}
		err := b.verdict(cells)
		if got := errText(err); (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%v: %q, want %q", row.results, got, row.want)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The page tells every cell, the bad and the missing ones too.
func TestTable(t *testing.T) {
	read := Cell{Point{Drill: "error", Phase: wayIn, Call: "sts GetCallerIdentity", Nth: 1, Reads: true, Of: 3}, "before"}
	cells := []Cell{cell("plan", "before"), cell("plan", "after"), read, cell("late", "before"), cell("late", "after")}
	b := &book{results: map[string]Result{}}
	for _, r := range []Result{{Cell: cells[0], OK: true, Recovery: 1.25}, {Cell: cells[1]}, {Cell: read, OK: true, Recovery: 2}, {Cell: cells[3], OK: true, Missed: true}} {
		b.results[r.Name()] = r
	}
	path := filepath.Join(t.TempDir(), "proofs", "crash-matrix.md")
	if err := writeTable(path, cells, b, about{build: "abc", took: time.Minute, when: second(0)}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 5 | 2 | 1 | 2 |", "| way in | append `plan` | ok 1.2 | **NOT OK** |", "sts `GetCallerIdentity` #1 of 3 | ok 2.0 | = |", "| late | **not tried** |", "2026-01-01", "`make crash-matrix`"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page does not say %q:\n%s", want, text)
		}
	}
}
