// Command kill9 shows that firedrill puts back what it changed when nobody is left to do it: it kills the runner in the
// middle of a fault, recovers from another process, and compares the world with what it was.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/firedrill/firedrill/internal/killtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	err := show(ctx, os.Stdout)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "kill9: "+err.Error())
		os.Exit(1)
	}
}

// show builds the program and runs the demonstration in a directory that is gone afterwards.
func show(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "firedrill-kill9-")
	if err != nil {
		return err
	}
	path, err := killtest.Build(ctx, dir)
	if err == nil {
		err = demonstrate(ctx, out, killtest.Program{Path: path, State: filepath.Join(dir, "state")})
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// errNotAsBefore is the one result that must never be seen.
var errNotAsBefore = errors.New("the world is not as before")

func demonstrate(ctx context.Context, out io.Writer, p killtest.Program) (err error) {
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	stage, box, err := p.Sandbox(ctx, "none")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.Kill()) }()
	before, err := stage.Look(ctx)
	if err != nil {
		return err
	}
	say("1. A sandbox runs in a process of its own: %s\n   GET /_sandbox/config: %d lines, remembered", stage.URL, strings.Count(before.Config, "\n"))

	run, err := p.Start(ctx, "run", "orders-write-throttle", "--env", "sandbox")
	if err != nil {
		return err
	}
	if err := felt(ctx, stage, run); err != nil {
		return errors.Join(err, run.Kill())
	}
	if err := run.Kill(); err != nil {
		return err
	}
	during, err := stage.Look(ctx)
	if err != nil {
		return err
	}
	left := before.Difference(during)
	say("\n2. firedrill run orders-write-throttle (pid %d): the fault was felt, then kill -9\n   difference of the world before and now:\n%s", run.PID(), indented(left))
	if left == "" {
		return errors.New("nothing was in place when the runner was killed")
	}

	recovered, code, err := p.Run(ctx, "recover")
	if err != nil {
		return err
	}
	say("3. firedrill recover (pid %d), exit %d\n%s", recovered.PID(), code, indented(recovered.Out.String()))
	after, err := stage.Look(ctx)
	if err != nil {
		return err
	}
	if left := before.Difference(after); left != "" || code != 0 {
		say("4. Difference of the world before and after:\n%s", indented(left))
		return errNotAsBefore
	}
	say("4. Difference of /_sandbox/config before and after: empty. Nothing of ours is left.")
	return nil
}

// felt waits until the run says that its fault is effective.
func felt(ctx context.Context, stage killtest.Stage, run *killtest.Process) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := killtest.Until(ctx, func() (bool, error) {
		if run.Ended() {
			return false, fmt.Errorf("the run ended before its fault was felt:\n%s%s", run.Err, run.Out)
		}
		return strings.Contains(run.Err.String(), "effective: "), nil
	})
	if err != nil {
		return fmt.Errorf("wait until the fault is felt at %s: %w", stage.URL, err)
	}
	return nil
}

func indented(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString("   " + line)
	}
	return out.String()
}
