package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/killtest"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// binary builds the program once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "firedrill-kill9-")
	if err != nil {
		return "", err
	}
	return killtest.Build(context.Background(), dir)
})

func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("10") // these tests wait for processes, not for the processor
	}
	code := m.Run()
	if path, err := binary(); err == nil && os.Getenv("FIREDRILL_BINARY") == "" && strings.Contains(path, "firedrill-kill9-") {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// full says whether everything is wanted, not only what fits into a minute or two.
func full() bool { return os.Getenv("FIREDRILL_FULL") != "" || os.Getenv("FIREDRILL_KILLS") != "" }

// patience bounds every wait of a test.
const patience = 4 * time.Minute

// place is a fresh sandbox, a state directory of its own and the program that finds both.
type place struct {
	*testing.T
	killtest.Program
	stage  killtest.Stage
	box    *sandbox.Sandbox
	before killtest.Snapshot
	ctx    context.Context
}

// fault is one drill of testdata.
type fault struct{ killtest.Drill }

func faults() (list []fault) {
	for _, d := range killtest.Drills() {
		list = append(list, fault{d})
	}
	return list
}

func (f fault) file(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", f.Name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func newPlace(t *testing.T, f fault, responder string) *place {
	t.Helper()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	box, err := sandbox.Start(ctx, sandbox.Options{Responder: responder, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	p := &place{T: t, stage: killtest.Stage{URL: box.World().URL}, box: box, ctx: ctx}
	p.Program = killtest.Program{Path: path, State: t.TempDir(), Env: []string{"FIREDRILL_SANDBOX=" + box.World().URL}}
	p.before, err = p.stage.Set(ctx, f.Drill)
	p.must(err)
	return p
}

func (p *place) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *place) run(f fault) *killtest.Process {
	p.Helper()
	pr, err := p.Start(p.ctx, "run", f.file(p.T))
	p.must(err)
	p.Cleanup(func() { _ = pr.Kill() })
	return pr
}

// ends waits for a process and checks its exit code, and that it did not speak of panics.
func (p *place) ends(pr *killtest.Process, want ...int) {
	p.Helper()
	code, err := pr.Wait(p.ctx)
	if err != nil {
		p.Fatal(err)
	}
	for _, w := range want {
		if code == w && !strings.Contains(pr.Err.String(), "goroutine ") {
			return
		}
	}
	p.Errorf("exit %d, want %v\nstderr: %s\nstdout: %s", code, want, pr.Err, pr.Out)
}

// verb runs the program to its end and checks its exit code.
func (p *place) verb(want int, args ...string) *killtest.Process {
	p.Helper()
	pr, err := p.Start(p.ctx, args...)
	p.must(err)
	p.ends(pr, want)
	return pr
}

// asBefore fails unless the world is: what people configured, nothing of ours, strangers' messages, no page of ours.
func (p *place) asBefore() {
	p.Helper()
	if err := p.stage.AsBefore(p.ctx, p.before); err != nil {
		p.Error(err)
	}
}

// recovers puts everything back from another process, and sees that nothing is left to recover and that the journal
// can be read.
func (p *place) recovers() {
	p.Helper()
	p.verb(0, "recover", "--all")
	p.asBefore()
	p.verb(0, "status")
	if again := p.verb(0, "recover", "--all"); !strings.Contains(again.Out.String(), "nothing to recover") {
		p.Errorf("recover again says %q", again.Out)
	}
}

// The demonstration works, ends in time and shows both differences.
func TestDemonstration(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	began := time.Now()
	if err := demonstrate(t.Context(), &out, killtest.Program{Path: path, State: t.TempDir()}); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{"+", "firedrill:run", "exit 0", "before and after: empty"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
	if took := time.Since(began); took > 45*time.Second {
		t.Errorf("it took %s", took)
	}
}
