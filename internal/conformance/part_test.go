package conformance

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firedrill/firedrill/cmd"
)

// TestMain makes this binary the program itself where it is called by that name: a shell can run it without another
// build.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "firedrill" {
		os.Exit(cmd.Main())
	}
	// Rows of the faults' suite wait more than they work.
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// part finds a program that others wrote. Where it is not installed the test is skipped, or
// fails when FIREDRILL_CONFORMANCE=required says that this machine must have it.
func part(t *testing.T, name, install string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err != nil:
		missing(t, name+" is not installed", install)
	case testing.Short() && !required():
		t.Skipf("%s is left out of -short", name)
	}
	return path
}

func required() bool { return os.Getenv("FIREDRILL_CONFORMANCE") == "required" }

// missing skips a test for want of a part, or fails it where the part must be there.
func missing(t *testing.T, what, install string) {
	t.Helper()
	say := t.Skipf
	if required() {
		say = t.Fatalf
	}
	say("%s. Try: %s", what, install)
}

// version is what a program says of itself, logged: who reads the log must know which one was met.
func version(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s --version: %v\n%s", program, err, out)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	t.Log(first)
	return first
}

// patience is how long a machine with other things to do may take for anything here.
const patience = time.Minute

// serve starts a program, waits for the line in which it tells its address, and ends it with the test. Everything it
// writes is read, and its end is shown when the test fails.
func serve(t *testing.T, ready *regexp.Regexp, name string, args ...string) []string {
	t.Helper()
	began := time.Now()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	out, in := io.Pipe()
	c.Dir, c.Stdout, c.Stderr = t.TempDir(), in, in
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	found := make(chan []string, 1)
	var log strings.Builder
	read, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(read)
		for r := bufio.NewReader(out); ; {
			line, err := r.ReadString('\n')
			log.WriteString(line)
			if m := ready.FindStringSubmatch(line); m != nil && len(found) == 0 {
				found <- m
			}
			if err != nil {
				return
			}
		}
	}()
	go func() {
		defer close(ended)
		_ = c.Wait() // it ends by our signal
		_ = in.Close()
	}()
	t.Cleanup(func() {
		<-ended // the test's context has ended, and with it the program
		<-read
		if t.Failed() {
			t.Logf("%s wrote at the end:\n%s", name, log.String()[max(0, log.Len()-8<<10):])
		}
	})
	select {
	case m := <-found:
		t.Logf("%s is ready after %s", name, time.Since(began).Round(10*time.Millisecond))
		return m
	case <-ended:
		t.Fatalf("%s ended before it was ready", name)
	case <-time.After(patience):
		t.Fatalf("%s is not ready after %s", name, patience)
	}
	return nil
}

// eventually polls a condition until it holds.
func eventually(ctx context.Context, t *testing.T, what string, holds func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
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

// post sends one request, JSON unless the header says otherwise, and reads its answer.
func post(t *testing.T, url, body string, header http.Header) (status int, answer string) {
	t.Helper()
	r := must(http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body)))(t)
	r.Header.Set("Content-Type", "application/json")
	for name, values := range header {
		r.Header[name] = values
	}
	a := must(http.DefaultClient.Do(r))(t)
	text, err := io.ReadAll(a.Body)
	return a.StatusCode, string(must(text, errors.Join(err, a.Body.Close()))(t))
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
