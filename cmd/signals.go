package cmd

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/firedrill/firedrill/drills"
)

// signals turns what wants to end the process into the end of a run. The first one interrupts, and everything is put
// back; the second changes nothing; the third gives up waiting, and says what may be left.
type signals struct {
	c      chan os.Signal
	err    io.Writer
	cancel context.CancelCauseFunc
}

// catch begins to listen. SIGINT counts even where it was ignored at start (a script's background job); an ignored
// SIGHUP stays ignored. A closed stdout must not kill us: writing to it fails, and that interrupts the run.
func catch(ctx context.Context, d *Deps) (context.Context, *signals) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &signals{c: make(chan os.Signal, 4), err: d.Err, cancel: cancel}
	signal.Notify(s.c, os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	if !signal.Ignored(syscall.SIGHUP) {
		signal.Notify(s.c, syscall.SIGHUP)
	}
	return ctx, s
}

func (s *signals) stop() {
	signal.Stop(s.c)
	s.cancel(nil)
}

// wait runs a run to its end, or until somebody insists for the third time.
func (s *signals) wait(run func() (*drills.State, error)) (*drills.State, error) {
	type ended struct {
		state *drills.State
		err   error
	}
	done := make(chan ended, 1)
	go func() {
		state, err := run()
		done <- ended{state, err}
	}()
	for n := 0; ; {
		select {
		case e := <-done:
			return e.state, e.err
		case sig := <-s.c:
			if sig == syscall.SIGPIPE {
				s.cancel(fmt.Errorf("stdout was closed"))
				continue
			}
			switch n++; n {
			case 1:
				fmt.Fprintf(s.err, "\n%s: putting everything back, then ending\n", strings.ToUpper(sig.String()))
				s.cancel(fmt.Errorf("%s", sig))
			case 2:
				fmt.Fprintln(s.err, "still putting back; a third signal gives up and may leave the fault in place")
			default:
				return nil, &exitError{exitDirty, &hinted{fmt.Errorf("gave up at the third signal: the fault may be left in place"), "firedrill recover"}}
			}
		}
	}
}
