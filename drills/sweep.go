package drills

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// Leftovers finds what is ours in an account by its marks, and puts it back: *inject.Sweeper.
type Leftovers interface {
	Find(ctx context.Context) (inject.Survey, error)
	Schedules(ctx context.Context) (inject.Survey, error)
	PutBack(ctx context.Context, l inject.Leftover) (inject.Outcome, []inject.Item, error)
	Settled(ctx context.Context, l inject.Leftover) (ok bool, why string, err error)
	Identity(ctx context.Context, l inject.Leftover) (arn string, tags map[string]string, err error)
}

// Keeper says who is to put a leftover back.
type Keeper string

// The keepers.
const (
	KeeperMark    Keeper = "mark"    // a sweep: its mark suffices
	KeeperJournal Keeper = "journal" // recover: the run's record is here, and tells more than a mark
	KeeperRun     Keeper = "run"     // its own run, which lives, or may live on another machine
	KeeperPerson  Keeper = "person"  // a person: see ByHand
)

// Swept is a leftover, and what became of it.
type Swept struct {
	inject.Leftover
	By  Keeper
	Why string // why it is not the sweep's to put back
	Try string

	How   inject.Outcome // once it is put back
	Items []inject.Item
	Told  string // what reading back had to say: what diverged
	Err   error  // why it could not be
}

// Sweep puts back what a run has left whose journal is lost, or out of reach.
type Sweep struct {
	Steps  *Steps
	Store  journal.Store // nil where none can be read
	Holder journal.Holder
	// Force also takes what a run that this journal does not know may be working on still.
	Force bool
	// Tell is told of each leftover once it is dealt with, one at a time; nil tells nobody.
	Tell func(Swept)
}

// Look finds everything and says who is to put it back. It only reads. A *Refusal says that this is not the environment's
// account, or that it is called production.
func (w *Sweep) Look(ctx context.Context) ([]Swept, inject.Survey, error) {
	if r := w.Steps.checkAccount(ctx, nil, &found{facts: map[string]string{}}); r != nil {
		return nil, inject.Survey{}, &notSweeping{r}
	}
	survey, err := w.Steps.World.Leftovers.Find(ctx)
	if err != nil {
		return nil, survey, fmt.Errorf("look for what is left: %w", err)
	}
	known := map[string]known{}
	until := map[string]time.Time{}
	for _, l := range survey.Leftovers {
		if l.Schedule == "" && l.Mark.Until.After(until[l.Mark.Run]) {
			until[l.Mark.Run] = l.Mark.Until // a schedule only tells when it fires
		}
	}
	var all []Swept
	for _, l := range survey.Leftovers {
		k, asked := known[l.Mark.Run]
		if !asked {
			k = w.known(ctx, l.Mark.Run)
			known[l.Mark.Run] = k
		}
		if at, ok := until[l.Mark.Run]; ok {
			l.Mark.Until = at
		}
		one := w.judge(ctx, l, k)
		if one.By == KeeperMark && one.Schedule != "" && len(survey.Unread) > 0 {
			one.By, one.Why = KeeperPerson, "it is kept, for not everything could be looked at: what it puts back may still be in place"
		}
		all = append(all, one)
	}
	return all, survey, nil
}

// notSweeping is a guard's no to a sweep.
type notSweeping struct{ *Refusal }

func (n *notSweeping) Error() string { return "not sweeping: " + n.Why }
func (n *notSweeping) Unwrap() error { return n.Refusal }

// sweptAtOnce is how many runs' leftovers are put back side by side: some are waited for a long time.
const sweptAtOnce = 4

// PutBack puts back what is the sweep's: what one run has left one after the other, in the order it was found, the runs
// side by side. It returns all, with what became of each.
func (w *Sweep) PutBack(ctx context.Context, list []Swept) []Swept {
	byRun := map[string][]int{}
	var runs []string
	for i, one := range list {
		if one.By != KeeperMark {
			continue
		}
		if byRun[one.Mark.Run] == nil {
			runs = append(runs, one.Mark.Run)
		}
		byRun[one.Mark.Run] = append(byRun[one.Mark.Run], i)
	}
	out := append([]Swept{}, list...)
	var all sync.WaitGroup
	var told sync.Mutex
	free := make(chan struct{}, sweptAtOnce)
	for _, run := range runs {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			for _, i := range byRun[run] {
				if out[i].Schedule != "" && stillInPlace(out, out[i].Mark) {
					out[i].By, out[i].Why = KeeperPerson, "it is kept, for what it puts back is still in place"
				} else {
					w.putBack(ctx, &out[i])
				}
				told.Lock()
				w.note(ctx, out[i])
				if w.Tell != nil {
					w.Tell(out[i])
				}
				told.Unlock()
			}
		})
	}
	all.Wait()
	return out
}

// stillInPlace says that something else of a fault is not put back: its dead-man's switch is worth having until then.
// What one run has left is put back one after the other, its schedules last.
func stillInPlace(list []Swept, m inject.Mark) bool {
	return slices.ContainsFunc(list, func(s Swept) bool {
		return s.Schedule == "" && s.Mark.Run == m.Run && (s.Mark.Fault == m.Fault || s.Mark.Fault == "" || m.Fault == "") &&
			(s.By != KeeperMark || s.Err != nil)
	})
}

// sweepTries is how often a sweep meets an error before it leaves a thing to the next one: a sweep can be run again, a
// run's own undo has nobody behind it.
const sweepTries = 6

// putBack tries until it reads back as before. A try that runs out of time is no error: a queue may take long to drain.
func (w *Sweep) putBack(ctx context.Context, s *Swept) {
	clock := w.Steps.World.Clock
	deadline := clock.Now().Add(max(w.Steps.Env.UndoPatience, defaultPatience))
	for failed := 0; ; {
		late, err := w.try(ctx, s)
		if s.Err = err; err == nil || ctx.Err() != nil {
			return
		}
		if !late {
			failed++
		}
		if failed == sweepTries || clock.Now().After(deadline) {
			return
		}
		if clock.Wait(ctx, min(backoffFirst<<failed, backoffMost)) != nil {
			return
		}
	}
}

func (w *Sweep) try(ctx context.Context, s *Swept) (late bool, err error) {
	defer func() {
		if x := recover(); x != nil {
			err = fmt.Errorf("put back %s: panic: %v", s.Thing, x)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, undoTime)
	defer cancel()
	s.How, s.Items, err = w.Steps.World.Leftovers.PutBack(ctx, s.Leftover)
	if err != nil {
		return errors.Is(ctx.Err(), context.DeadlineExceeded), err
	}
	ok, why, err := w.Steps.World.Leftovers.Settled(ctx, s.Leftover)
	s.Told = why
	if err == nil && !ok {
		err = errors.New(why)
	}
	return false, err
}

// note writes what was done into the run's own record, where this journal has it. Putting back does not wait for it.
func (w *Sweep) note(ctx context.Context, s Swept) {
	if w.Store == nil || s.Err != nil || s.By != KeeperMark {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTime)
	defer cancel()
	now := w.Steps.World.Clock.Now()
	text := fmt.Sprintf("A sweep found %s with this run's mark, and put it back: %s. %s", s.Thing, s.How, s.Finds)
	_, _, _ = journal.Record(ctx, w.Store, journal.Position{Run: s.Mark.Run, After: journal.Start}, journal.Batch{
		Action: fmt.Sprintf("sweep/%d/%s", now.UnixMicro(), s.Thing),
		Events: []journal.Event{{Kind: journal.NoteWritten, At: now, Fact: journal.Fact{Text: strings.TrimSpace(text), By: "firedrill"}}}})
}
