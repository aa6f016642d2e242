package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// build names the two programs: a result counts for them alone.
func (l lab) build() (string, error) {
	sum := sha256.New()
	for _, path := range []string{l.shipped, l.planted} {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		sum.Write(b)
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:6]), nil
}

// book keeps results on disk, so that a matrix which was interrupted goes on.
type book struct {
	mu      sync.Mutex
	build   string
	file    *os.File
	results map[string]Result
	fresh   int // added by this process
}

func openBook(path, build string) (*book, error) {
	b := &book{build: build, results: map[string]Result{}}
	if path == "" {
		return b, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	b.file = f
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r Result
		if json.Unmarshal(lines.Bytes(), &r) == nil && r.Build == build { // a torn line is tried again
			b.results[r.Name()] = r
		}
	}
	return b, lines.Err()
}

// add keeps a result and prints it.
func (b *book) add(r Result, of int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.Build = b.build
	b.results[r.Name()] = r
	b.fresh++
	word := "ok  "
	switch {
	case !r.OK:
		word = "FAIL"
	case r.Missed:
		word = "late" // the process had ended
	}
	fmt.Printf("%4d/%d %s %s  %.1fs\n", b.fresh, of, word, r.Name(), r.Took)
	if !r.OK {
		fmt.Println(r.Why)
	}
	if b.file == nil {
		return nil
	}
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = b.file.Write(append(line, '\n'))
	return err
}

// verdict is an error unless every cell is ok, or was not reached by its time.
func (b *book) verdict(cells []Cell) error {
	bad, late, tried := 0, 0, 0
	for _, c := range cells {
		r, known := b.results[c.Name()]
		switch {
		case !known:
			continue
		case !r.OK:
			bad++
		case r.Missed:
			late++
		}
		tried++
	}
	fmt.Printf("%d cells: %d ok, %d of them never came to their point, %d not ok, %d not tried\n", len(cells), tried-bad, late, bad, len(cells)-tried)
	switch {
	case bad > 0:
		return fmt.Errorf("%d cells are not ok", bad)
	case tried == 0 && len(cells) > 0:
		return errors.New("no cell was tried")
	case tried*2 < len(cells):
		return fmt.Errorf("%d of %d cells were tried: this machine is too slow, or -within too short", tried, len(cells))
	case late*4 > tried:
		return fmt.Errorf("%d of %d cells never came to their point", late, tried)
	}
	return nil
}

func (b *book) close() error {
	if b.file == nil {
		return nil
	}
	return b.file.Close()
}
