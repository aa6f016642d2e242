// Package conformance holds firedrill to what others wrote: moto, a real Alertmanager, the AWS CLI. A part that is
// not installed is skipped, and named; where FIREDRILL_CONFORMANCE=required, its absence is a failure.
package conformance

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// part finds a program that others wrote.
func part(t *testing.T, name, install string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("FIREDRILL_CONFORMANCE") == "required" {
		t.Fatalf("%s is not installed. Try: %s", name, install)
	}
	t.Skipf("%s is not installed. Try: %s", name, install)
	return ""
}

// serve starts a program, waits for the line in which it tells its address, and ends it with the test. Everything it
// writes is read, and shown when the test fails.
func serve(t *testing.T, ready *regexp.Regexp, name string, args ...string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	out, in := io.Pipe()
	cmd.Stdout, cmd.Stderr = in, in
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan []string, 1)
	var log strings.Builder
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(out); s.Scan(); {
			log.WriteString(s.Text() + "\n")
			if m := ready.FindStringSubmatch(s.Text()); m != nil && len(found) == 0 {
				found <- m
			}
		}
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it ends by our signal
		_ = in.Close()
	}()
	t.Cleanup(func() {
		<-ended // the test's context has ended, and with it the program
		<-read
		if t.Failed() {
			t.Logf("%s wrote:\n%s", name, log.String())
		}
	})
	select {
	case m := <-found:
		return m
	case <-ended:
		t.Fatalf("%s ended before it was ready", name)
	case <-time.After(time.Minute):
		t.Fatalf("%s is not ready after a minute", name)
	}
	return nil
}

// eventually polls a condition until it holds.
func eventually(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		case <-tick.C:
		}
	}
}

// must ends the test on an error.
func must[T any](out T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}
