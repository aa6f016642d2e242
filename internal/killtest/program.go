package killtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Program is the built program with a state directory.
type Program struct {
	Path  string
	State string   // --state
	Env   []string // besides PATH and HOME
}

// Process is one process of the program.
type Process struct {
	Out, Err *Text
	cmd      *exec.Cmd
	done     chan struct{}
}

// Start starts the program; it lives until it ends or is killed, whatever becomes of ctx. Further files become its
// descriptors 3, 4, …
func (p Program) Start(ctx context.Context, args ...string) (*Process, error) {
	pr := &Process{Out: &Text{}, Err: &Text{}, done: make(chan struct{})}
	pr.cmd = p.command(ctx, args)
	pr.cmd.Stdout, pr.cmd.Stderr = pr.Out, pr.Err
	return pr, pr.start()
}

// StartWith is Start with a stdout and a stderr of the caller's.
func (p Program) StartWith(ctx context.Context, stdout, stderr io.Writer, args ...string) (*Process, error) {
	pr := &Process{Out: &Text{}, Err: &Text{}, done: make(chan struct{})}
	pr.cmd = p.command(ctx, args)
	pr.cmd.Stdout, pr.cmd.Stderr = stdout, stderr
	return pr, pr.start()
}

func (p Program) command(ctx context.Context, args []string) *exec.Cmd {
	c := exec.CommandContext(context.WithoutCancel(ctx), p.Path, append(args, "--state", p.State)...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + p.State}, p.Env...)
	c.Dir = filepath.Dir(p.Path)
	return c
}

func (pr *Process) start() error {
	if err := pr.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", strings.Join(pr.cmd.Args, " "), err)
	}
	go func() {
		defer close(pr.done)
		_ = pr.cmd.Wait() // the exit code tells
	}()
	return nil
}

// Run runs the program to its end.
func (p Program) Run(ctx context.Context, args ...string) (*Process, int, error) {
	pr, err := p.Start(ctx, args...)
	if err != nil {
		return nil, 0, err
	}
	code, err := pr.Wait(ctx)
	return pr, code, err
}

// Wait returns the exit code, -1 where a signal ended the process. When ctx ends before, it kills.
func (pr *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-pr.done:
		return pr.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		err := errors.Join(ctx.Err(), pr.cmd.Process.Kill())
		<-pr.done
		return -1, fmt.Errorf("wait for %s: %w\n%s", strings.Join(pr.cmd.Args, " "), err, pr.Err)
	}
}

// Ended says whether the process has.
func (pr *Process) Ended() bool {
	select {
	case <-pr.done:
		return true
	default:
		return false
	}
}

// Signal sends a signal; a process that has ended takes none.
func (pr *Process) Signal(s os.Signal) error {
	if err := pr.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", s, err)
	}
	return nil
}

// Kill ends the process as nothing can refuse, and waits until it is gone.
func (pr *Process) Kill() error {
	err := pr.Signal(os.Kill)
	<-pr.done
	return err
}

// String is its command line.
func (pr *Process) String() string {
	return strings.Join(append([]string{"firedrill"}, pr.cmd.Args[1:]...), " ")
}

// PID is the process's.
func (pr *Process) PID() int { return pr.cmd.Process.Pid }

// Sandbox starts a sandbox in a process of its own and returns when it is ready. The program's runs find it.
func (p Program) Sandbox(ctx context.Context, responder string) (Stage, *Process, error) {
	pr, err := p.Start(ctx, "sandbox", "--responder", responder)
	if err != nil {
		return Stage{}, nil, err
	}
	err = Until(ctx, func() (bool, error) {
		if pr.Ended() {
			return false, fmt.Errorf("sandbox ended: %s", pr.Err)
		}
		return strings.HasPrefix(pr.Out.String(), "sandbox ready ") && strings.HasSuffix(pr.Out.String(), "\n"), nil
	})
	if err != nil {
		return Stage{}, nil, errors.Join(err, pr.Kill())
	}
	return Stage{URL: strings.Fields(pr.Out.String())[2]}, pr, nil
}

// Until asks again and again, every few milliseconds, until the answer is yes or an error, or ctx ends.
func Until(ctx context.Context, yes func() (bool, error)) error {
	t := time.NewTicker(20 * time.Millisecond)
	defer t.Stop()
	for {
		if ok, err := yes(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-t.C:
		}
	}
}

// Text is what a process has written so far.
type Text struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write is io.Writer's.
func (t *Text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *Text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
