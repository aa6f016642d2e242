// Command killmatrix kills firedrill at every call and at every append of every fault, recovers from another process,
// and says of each cell whether the world was as before. Its table is docs/proofs/crash-matrix.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/firedrill/firedrill/internal/killtest"
)

// options are the command line.
type options struct {
	sample   int
	seed     uint64
	parallel int
	only     string
	results  string
	table    string
	list     bool
	within   time.Duration
}

func main() {
	var o options
	flag.IntVar(&o.sample, "sample", 0, "how many cells, of every drill, phase and kind; 0: all")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()%1e6), "which cells a sample takes")
	flag.IntVar(&o.parallel, "parallel", 4, "how many cells at a time: they mostly wait")
	flag.StringVar(&o.only, "only", "", "cells whose name matches this regular expression")
	flag.StringVar(&o.results, "results", "bin/crash-matrix.jsonl", "where results are kept; cells that are ok with the same build are not tried again")
	flag.StringVar(&o.table, "o", "", "write the table here")
	flag.BoolVar(&o.list, "list", false, "only list the cells")
	flag.DurationVar(&o.within, "within", 0, "begin no cell after this time; 0: no limit")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "killmatrix: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "firedrill-matrix-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := newLab(ctx, dir)
	if err != nil {
		return err
	}
	build, err := l.build()
	if err != nil {
		return err
	}
	fmt.Printf("firedrill %s, seed %d\n", build, o.seed)
	began := time.Now()
	points, err := l.points(ctx, o)
	if err != nil {
		return err
	}
	cells, err := choose(points, o)
	if err != nil {
		return err
	}
	if o.list {
		for _, c := range cells {
			fmt.Println(c.Name())
		}
		return nil
	}
	book, err := openBook(o.results, build)
	if err != nil {
		return err
	}
	tryErr := l.tryAll(ctx, cells, book, o)
	if o.table != "" && ctx.Err() == nil {
		err = writeTable(o.table, cells, book, about{build: build, took: time.Since(began), when: time.Now(), options: o})
	}
	return errors.Join(tryErr, err, book.close())
}

// newLab builds both programs and finds the drills.
func newLab(ctx context.Context, dir string) (l lab, err error) {
	if l.shipped, err = killtest.Build(ctx, dir); err != nil {
		return l, err
	}
	if l.planted, err = killtest.BuildPlanted(ctx, dir); err != nil {
		return l, err
	}
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	l.drills = filepath.Join(filepath.Dir(strings.TrimSpace(string(mod))), "internal", "kill9", "testdata")
	return l, err
}

// points discovers every drill's, two drills at a time.
func (l lab) points(ctx context.Context, o options) (all []Point, err error) {
	drills := killtest.Drills()
	found := make([][]Point, len(drills))
	errs := each(len(drills), 2, func(i int) error {
		if !worth(drills[i], o.only) {
			return nil
		}
		var err error
		found[i], err = l.discover(ctx, drills[i])
		fmt.Printf("%s: %d points\n", drills[i].Name, len(found[i]))
		return err
	})
	return slices.Concat(found...), errors.Join(errs...)
}

// worth: an expression that begins with one drill's name wants no other's cells.
func worth(d killtest.Drill, only string) bool {
	for _, other := range killtest.Drills() {
		if strings.HasPrefix(strings.TrimPrefix(only, "^"), other.Name) {
			return strings.HasPrefix(strings.TrimPrefix(only, "^"), d.Name)
		}
	}
	return true
}

func choose(points []Point, o options) ([]Cell, error) {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return nil, err
	}
	cells := slices.DeleteFunc(cellsOf(points), func(c Cell) bool { return !only.MatchString(c.Name()) })
	if o.sample > 0 {
		dice := rand.New(rand.NewPCG(o.seed, 0))
		cells = sample(cells, o.sample, dice.Shuffle)
	}
	return cells, nil
}

// tryAll tries the cells, some at a time, and says of each how it went.
func (l lab) tryAll(ctx context.Context, cells []Cell, b *book, o options) error {
	todo := slices.DeleteFunc(slices.Clone(cells), func(c Cell) bool { return b.results[c.Name()].OK })
	fmt.Printf("%d cells, %d of them known to be ok\n", len(cells), len(cells)-len(todo))
	drills := map[string]killtest.Drill{}
	for _, d := range killtest.Drills() {
		drills[d.Name] = d
	}
	began := time.Now()
	errs := each(len(todo), o.parallel, func(i int) error {
		if ctx.Err() != nil || o.within > 0 && time.Since(began) > o.within {
			return nil
		}
		c := todo[i]
		r := l.try(ctx, c, drills[c.Drill])
		if ctx.Err() != nil {
			return nil
		}
		return b.add(r, len(todo))
	})
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return err
	}
	return b.verdict(cells)
}

// each does n things, some at a time.
func each(n, at int, do func(i int) error) []error {
	errs := make([]error, n)
	next, done := make(chan int), make(chan struct{})
	for range max(at, 1) {
		go func() {
			for i := range next {
				errs[i] = do(i)
			}
			done <- struct{}{}
		}()
	}
	for i := range n {
		next <- i
	}
	close(next)
	for range max(at, 1) {
		<-done
	}
	return errs
}
