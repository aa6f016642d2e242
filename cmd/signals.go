package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/firedrill/firedrill/drills"
)

// signals turns what wants to end the process into the end of a run. The first one interrupts, and everything is put
// back; the second changes nothing; the third gives up waiting, and says what may be left.
type signals struct {
	c      chan os.Signal
	d      *Deps
	cancel context.CancelCauseFunc

	running   atomic.Bool // something may be in place
	words     chan string // for the terminal; whoever holds it must not hold us
	listening sync.WaitGroup
	insisted  chan struct{} // closed by the third
}

// interruption is the cause of a context that a signal ended.
type interruption struct{ what string }

func (i *interruption) Error() string { return i.what }

// catch begins to listen. SIGINT counts even where it was ignored at start (a script's background job); an ignored
// SIGHUP stays ignored. A closed stdout must not kill us: writing to it fails, and that interrupts the run.
func catch(ctx context.Context, d *Deps) (context.Context, *signals) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &signals{c: make(chan os.Signal, 4), d: d, cancel: cancel, insisted: make(chan struct{}), words: make(chan string, 4)}
	signal.Notify(s.c, os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(s.c, syscall.SIGHUP)
	}
	s.listening.Add(1)
	go s.listen()
	go func() { // a held terminal keeps it until the process ends
		for w := range s.words {
			fmt.Fprint(d.Err, w)
		}
	}()
	return ctx, s
}

// listen counts until stop.
func (s *signals) listen() {
	defer s.listening.Done()
	n := 0
	for sig := range s.c {
		if sig == syscall.SIGPIPE {
			s.cancel(&interruption{"stdout was closed"})
			continue
		}
		switch n++; n {
		case 1:
			s.cancel(&interruption{sig.String()})
			s.say("\n%s: putting everything back, then ending\n", strings.ToLower(sig.String()))
		case 2:
			s.say("still putting back; a third signal gives up and may leave the fault in place\n")
		case 3:
			close(s.insisted)
		}
	}
}

// say tells whoever insists, while there is something to put back.
func (s *signals) say(format string, args ...any) {
	if s.running.Load() {
		select {
		case s.words <- fmt.Sprintf(format, args...):
		default:
		}
	}
}

// interrupt is ^C where the terminal makes no signal of it.
func (s *signals) interrupt() {
	select {
	case s.c <- os.Interrupt:
	default: // as many wait as count
	}
}

// stop ends the listening.
func (s *signals) stop() {
	signal.Stop(s.c)
	close(s.c)
	s.listening.Wait()
	close(s.words)
	s.cancel(nil)
}

// wait runs a run to its end, or until somebody insists for the third time.
func (s *signals) wait(run func() (*drills.State, error)) (*drills.State, error) {
	type ended struct {
		state *drills.State
		err   error
	}
	s.running.Store(true)
	defer s.running.Store(false)
	done := make(chan ended, 1)
	go func() {
		state, err := run()
		done <- ended{state, err}
	}()
	select {
	case e := <-done:
		return e.state, e.err
	case <-s.insisted:
		return nil, &exitError{exitDirty, &hinted{errors.New("gave up at the third signal: the fault may be left in place"), "firedrill recover"}}
	}
}

// interrupted turns whatever went wrong while a signal was ending us into the signal itself: nothing was changed yet.
// What already says how to end (giving up at the third signal) stays.
func interrupted(ctx context.Context, err error) error {
	var sig *interruption
	var told *exitError
	if err != nil && !errors.As(err, &told) && errors.As(context.Cause(ctx), &sig) {
		return &exitError{exitInterrupted, fmt.Errorf("interrupted (%s) before anything was changed", sig.what)}
	}
	return err
}
