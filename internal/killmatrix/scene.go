package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/killtest"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// lab is what every cell needs: the program as it ships, the program with crash points, and the drills.
type lab struct {
	shipped, planted string
	drills           string // directory of the drill files
}

// scene is a fresh sandbox with a state directory of its own.
type scene struct {
	lab
	drill  killtest.Drill
	state  string
	box    *sandbox.Sandbox
	stage  killtest.Stage
	before killtest.Snapshot
	ran    []*killtest.Process
}

// patience bounds a cell.
const patience = 3 * time.Minute

func (l lab) open(ctx context.Context, d killtest.Drill) (*scene, error) {
	state, err := os.MkdirTemp("", "firedrill-matrix-")
	if err != nil {
		return nil, err
	}
	box, err := sandbox.Start(ctx, sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(state))
	}
	s := &scene{lab: l, drill: d, state: state, box: box, stage: killtest.Stage{URL: box.World().URL}}
	if s.before, err = s.stage.Set(ctx, d); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *scene) close() error {
	for _, pr := range s.ran {
		_ = pr.Kill() // most have ended
	}
	return errors.Join(s.box.Close(), os.RemoveAll(s.state))
}

// program is one of the two builds on this scene; crash is where it kills itself.
func (s *scene) program(crash string) killtest.Program {
	p := killtest.Program{Path: s.shipped, State: s.state, Env: []string{"FIREDRILL_SANDBOX=" + s.stage.URL}}
	if crash != "" {
		p.Path = s.planted
		p.Env = append(p.Env, "FIREDRILL_CRASHPOINT="+crash)
	}
	return p
}

func (s *scene) start(ctx context.Context, crash string, args ...string) (*killtest.Process, error) {
	pr, err := s.program(crash).Start(ctx, args...)
	if err == nil {
		s.ran = append(s.ran, pr)
	}
	return pr, err
}

func (s *scene) run(ctx context.Context, crash string) (*killtest.Process, error) {
	return s.start(ctx, crash, "run", filepath.Join(s.drills, s.drill.Name+".yaml"))
}

// verb runs the program to its end, which must be a certain one.
func (s *scene) verb(ctx context.Context, want int, args ...string) (*killtest.Process, error) {
	pr, err := s.start(ctx, "", args...)
	if err != nil {
		return nil, err
	}
	return pr, s.ends(ctx, pr, want)
}

func (s *scene) ends(ctx context.Context, pr *killtest.Process, want ...int) error {
	code, err := pr.Wait(ctx)
	if err != nil {
		return err
	}
	for _, w := range want {
		if code == w && !strings.Contains(pr.Err.String(), "goroutine ") {
			return nil
		}
	}
	return fmt.Errorf("%s: exit %d, want %v", pr, code, want)
}

// events reads the newest run as the journal has it; a state directory without a run has none.
func (s *scene) events(ctx context.Context) (run string, events []journal.Event, err error) {
	store, err := journal.OpenSQLite(ctx, filepath.Join(s.state, "firedrill.db"))
	if err != nil {
		return "", nil, err
	}
	defer store.Close()
	runs, err := store.Runs(ctx, journal.Filter{})
	if err != nil || len(runs) == 0 {
		return "", nil, err
	}
	events, err = store.Load(ctx, runs[0].Run, journal.Start)
	return runs[0].Run, events, err
}

// discover runs a drill undisturbed, and recovers a killed one undisturbed: every call and every append of either is a
// point.
func (l lab) discover(ctx context.Context, d killtest.Drill) ([]Point, error) {
	whole, err := l.undisturbed(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("run %s undisturbed: %w", d.Name, err)
	}
	recovered, err := l.recovered(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("recover %s undisturbed: %w", d.Name, err)
	}
	return append(whole, recovered...), nil
}

// undisturbed is a run to its end. On a busy machine one may not come to all that it is about, so it has three tries;
// one that leaves something is an error at once.
func (l lab) undisturbed(ctx context.Context, d killtest.Drill) (points []Point, err error) {
	for range 3 {
		var ended error
		if points, ended, err = l.runOnce(ctx, d); err != nil || ended == nil {
			return points, err
		}
		fmt.Printf("%s: once more: %v\n", d.Name, ended)
		err = ended
	}
	return nil, err
}

// runOnce runs a drill; ended says that it did not end as its drill has it, and left nothing all the same.
func (l lab) runOnce(ctx context.Context, d killtest.Drill) (points []Point, ended, err error) {
	s, err := l.open(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	pr, err := s.run(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	ended = s.ends(ctx, pr, 3)
	if err := s.stage.AsBefore(ctx, s.before); err != nil || ended != nil {
		return nil, ended, err
	}
	_, events, err := s.events(ctx)
	if err != nil {
		return nil, nil, err
	}
	calls, err := s.calls(ctx)
	return append(callPoints(d.Name, calls, spansOf(events).phase), appendPoints(d.Name, events, 1)...), nil, err
}

func (l lab) recovered(ctx context.Context, d killtest.Drill) (points []Point, err error) {
	s, err := l.open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.leaveInPlace(ctx); err != nil {
		return nil, err
	}
	old, err := s.calls(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.putBack(ctx, &Result{}); err != nil {
		return nil, err
	}
	_, events, err := s.events(ctx)
	if err != nil {
		return nil, err
	}
	calls, err := s.calls(ctx)
	phase := func(time.Time) string { return inRecover }
	return append(callPoints(d.Name, later(calls, old), phase), appendPoints(d.Name, events, 2)...), err
}

// calls are those of AWS, and what was handed to the pager.
func (s *scene) calls(ctx context.Context) ([]killtest.Call, error) {
	calls, err := s.stage.Calls(ctx)
	if err != nil {
		return nil, err
	}
	events, err := s.stage.PagerEvents(ctx)
	service, operation, _ := strings.Cut(killtest.Pages, " ")
	for _, e := range events {
		by := "other"
		if strings.HasPrefix(e.DedupKey, "firedrill/") {
			by = "firedrill"
		}
		calls = append(calls, killtest.Call{At: e.At, By: by, Service: service, Operation: operation, Writes: true})
	}
	slices.SortStableFunc(calls, func(a, b killtest.Call) int { return a.At.Compare(b.At) })
	return calls, err
}

// later are the calls behind some that were there before.
func later(calls, old []killtest.Call) []killtest.Call {
	if len(old) == 0 {
		return calls
	}
	last := old[len(old)-1].At
	return slices.DeleteFunc(calls, func(c killtest.Call) bool { return !c.At.After(last) })
}

// leaveInPlace kills the runner when its fault is in place and the on-call is paged. Poison takes its time until it
// is felt, so there nobody is paged yet.
func (s *scene) leaveInPlace(ctx context.Context) error {
	pr, err := s.run(ctx, "")
	if err != nil {
		return err
	}
	if err := pr.Says(ctx, "fault applied"); err != nil || s.drill.Silent {
		return errors.Join(err, pr.Kill())
	}
	paged := killtest.Until(ctx, func() (bool, error) {
		events, err := s.stage.PagerEvents(ctx)
		return len(events) > 0 || pr.Ended(), err
	})
	return errors.Join(paged, pr.Kill())
}
