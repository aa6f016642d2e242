package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// wayOut is one way in which a run ends otherwise than by its drill.
type wayOut struct {
	name   string
	does   string // what happens then
	reason string // why the run unwound, as its journal says; empty: it did not unwind for this, or the journal cannot say
	exit   []int  // of the process that ends by it; -1: it was killed
	prompt bool   // the first call that puts back comes within a second
}

// waysOut is every one. The table of docs/proofs/exit-matrix.md is made of this list, and one without a cell fails.
func waysOut() []wayOut {
	in, ab := drills.ReasonInterrupted, drills.ReasonAbort
	return []wayOut{
		{"SIGINT", "Ctrl-C", in, []int{130}, true},
		{"SIGTERM", "a CI job is cancelled, a machine shuts down", in, []int{130}, true},
		{"SIGHUP", "the terminal is closed, the ssh connection breaks", in, []int{130}, true},
		{"SIGPIPE", "sent from outside", in, []int{130}, true},
		{"two signals", "the second says that it is still putting back, and changes nothing", in, []int{130}, true},
		{"three signals", "the third gives up while the undo hangs, says what may be left, and what to do", in, []int{5}, false},
		{"SIGINT, ignored at start", "a script's background job: it counts all the same", in, []int{130}, true},
		{"SIGHUP, ignored at start", "nohup: it stays ignored, and the drill goes on to its own end", "", []int{3}, false},
		{"SIGKILL", "recover in another process", drills.ReasonRecover, []int{-1}, false},
		{"closed stdout", "whoever read -o json has gone", in, []int{130}, false},
		{"closed stderr", "whoever read the progress has gone", in, []int{130}, false},
		{"panic in a fault's Apply", "after the change was made, before anybody could say so", drills.ReasonFailed, []int{1}, true},
		{"panic in a fault while it is in place", "in the code that looks whether it is felt", drills.ReasonEngine, []int{1, 6}, true},
		{"panic in an undo", "the first try panics, the next one puts back", "", []int{3}, false},
		{"panic in a probe", "the reading is unknown, and the drill goes on to its own end", "", []int{3, 7}, false},
		{"steady state lost", "nobody can read after the undo whether all is well: dirty, until it can be read", "", []int{5}, false},
		{"panic in the pager", "nobody can be told", drills.ReasonEngine, []int{1, 6}, true},
		{"panic in the renderer", "the drill goes on to its own end, untold", "", []int{3}, false},
		{"limit", "nothing is left in place beyond it", "", []int{3, 7}, true},
		{"full disk", "the journal takes nothing any more: put back without it", "", []int{1}, false},
		{"lost journal", "its directory is removed", "", []int{1, 3}, false},
		{"run taken over", "the process slept, another one recovered, the late call lands; whoever wakes puts back what it did", "", []int{1}, false},
		{"lost AWS", "every call fails for 12 s, the undo's too", "", []int{3, 6, 7}, false},
		{"lost answers", "every call takes effect and its answer is lost, for 12 s", "", []int{3, 6, 7}, false},
		{"credentials expired", "every call is refused as expired for 12 s, then they are renewed", "", []int{3, 6, 7}, false},
		{"role session expired", "the service ends the session early: the role is assumed again", "", nil, false},
		{"undo refused", "for longer than the patience: dirty, the owner is paged for real; put back once it may", "", []int{5}, false},
		{"lost PagerDuty", "nobody can be paged or seen to answer", "", []int{3, 6}, false},
		{"PagerDuty does not know us", "the token is refused in the middle of the run", "", []int{3, 6}, false},
		{"laptop sleep", "stopped for longer than lease and limit, then woken", "", []int{3, 7, 130}, true},
		{"jump of the clock", "hours ahead, with the fault in place: the limit has passed", "", nil, false},
		{"stop condition", "it is bad", drills.ReasonStop, []int{6}, true},
		{"abort", "firedrill abort from another process", ab, []int{6}, true},
		{"drill stop", "a note on the drill's incident: heard at the next poll, and prompt from then on", drills.ReasonNote, []int{6}, true},
		{"safety lever", "firedrill halt", drills.ReasonLever, []int{6}, true},
		{"safety lever of AWS FIS", "somebody engages it", drills.ReasonLever, []int{6}, true},
		{"real incident", "one that is not ours opens: hand over", drills.ReasonForeign, []int{6}, true},
		{"dead-man's switch fired", "in the middle of the run: the undo finds it done", "", []int{3, 6, 7}, false},
		{"apply refused", "AWS says no to the change", drills.ReasonFailed, []int{1}, true},
		{"refused", "a guard says no: nothing was changed", drills.ReasonRefused, []int{4}, false},
		{"sandbox gone", "the world of the run does not exist any more", drills.ReasonWorldGone, []int{-1}, false},
	}
}

// ending is what a cell tells of the end it brought about.
type ending struct {
	code int           // exit code of the run
	from time.Time     // when the way out began; zero: nothing to be measured
	took time.Duration // until the first call that puts back, where the cell measured it itself
	back string        // who put back; empty: the run itself
	told int           // how many incidents the owner has
	test string        // the Go test that is the cell
	free bool          // the world is not as before, for a good reason: there is none
}

// Every way out has its cell, and every cell ends with the world as before.
func TestExitMatrix(t *testing.T) {
	t.Parallel()
	cells := exitCells()
	var mu sync.Mutex
	endings := map[string]ending{}
	began := time.Now()
	// Whoever runs the tests may ignore SIGHUP (nohup does), and what they start would inherit that.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	t.Run("cells", func(t *testing.T) {
		for _, w := range waysOut() {
			cell, ok := cells[w.name]
			if !ok {
				t.Errorf("the way out %q has no cell", w.name)
				continue
			}
			delete(cells, w.name)
			t.Run(w.name, func(t *testing.T) {
				t.Parallel()
				e := exits(t, w, cell)
				mu.Lock()
				defer mu.Unlock()
				endings[w.name] = e
			})
		}
	})
	for name := range cells {
		t.Errorf("the cell %q is no way out of the list", name)
	}
	if path := os.Getenv("FIREDRILL_EXIT_MATRIX"); path != "" && !t.Failed() {
		if err := os.WriteFile(filepath.Join("..", "..", path), []byte(exitTable(endings, time.Since(began))), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// exits brings one way out about and looks at everything that must hold.
func exits(t *testing.T, w wayOut, cell func(p *place) ending) ending {
	f := faults()[2]
	p := newPlace(t, f, "none")
	e := cell(p)
	if e.test != "" {
		return e
	}
	if !contains(w.exit, e.code) {
		t.Errorf("exit %d, want %v", e.code, w.exit)
	}
	if !e.free {
		p.asBefore()
		e.told = len(p.owners())
		p.verb(0, "status")
	}
	if got := p.reason(); w.reason != "" && got != w.reason {
		t.Errorf("the run unwound for %q, want %q", got, w.reason)
	}
	if !e.from.IsZero() {
		e.took = p.undoneAfter(e.from)
		most := 5 * time.Second // other tests run beside this one
		if full() {
			most = time.Second
		}
		if w.prompt && e.took > most {
			t.Errorf("the first call that puts back came after %s", e.took)
		}
	}
	return e
}

func contains(list []int, n int) bool {
	for _, m := range list {
		if m == n {
			return true
		}
	}
	return false
}

// undoneAfter is how long after a moment the first call of the undo came: the rule's deletion.
func (p *place) undoneAfter(from time.Time) time.Duration {
	p.Helper()
	calls, err := p.stage.Calls(p.ctx)
	p.must(err)
	for _, c := range calls {
		if c.By == "firedrill" && c.Operation == "DeleteRule" && !c.At.Before(from) {
			return c.At.Sub(from)
		}
	}
	p.Errorf("no call puts back after %s", from)
	return 0
}

// owners are the owner's incidents.
func (p *place) owners() (ids []string) {
	p.Helper()
	incidents, err := p.stage.Incidents(p.ctx)
	p.must(err)
	for _, in := range incidents {
		if in.Service == "POWNER" {
			ids = append(ids, in.ID)
		}
	}
	return ids
}

// events are those of the newest run.
func (p *place) events() []journal.Event {
	p.Helper()
	store, err := journal.OpenSQLite(p.ctx, filepath.Join(p.State, "firedrill.db"))
	p.must(err)
	defer store.Close()
	runs, err := store.Runs(p.ctx, journal.Filter{})
	p.must(err)
	if len(runs) == 0 {
		return nil
	}
	events, err := store.Load(p.ctx, runs[0].Run, journal.Start)
	p.must(err)
	return events
}

// reason is why the newest run unwound, as its journal says.
func (p *place) reason() (reason string) {
	p.Helper()
	for _, e := range p.events() {
		if e.Kind == journal.RunFinished {
			reason = e.Fact.Reason
		}
	}
	return reason
}

// Every reason for which the engine unwinds is in the list: a new one without a way out fails here.
func TestEveryReasonHasItsWayOut(t *testing.T) {
	known := map[string]bool{drills.ReasonJournal: true, drills.ReasonPager: true} // full disk and lost PagerDuty: what was lost cannot tell, or ends before it is missed
	for _, w := range waysOut() {
		known[w.reason] = true
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "drills", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	found := 0
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if ok && strings.HasPrefix(v.Names[0].Name, "Reason") && len(v.Values) == 1 {
				found++
				if lit, ok := v.Values[0].(*ast.BasicLit); ok && !known[strings.Trim(lit.Value, `"`)] {
					t.Errorf("%s (%s) has no way out in the list", v.Names[0].Name, lit.Value)
				}
			}
			return true
		})
	}
	if found < 10 {
		t.Errorf("found %d reasons only", found)
	}
}

const exitIntro = `# The exit matrix

Every way in which a run ends otherwise than by its drill, and what becomes of the fault. This page is written by
` + "`make exit-matrix`" + `; nobody edits it. The list is code (` + "`waysOut`" + ` in internal/kill9): a way out without a cell fails the test, and so does
a reason of the engine's without a way out.

A cell is the real program on a sandbox of its own, with an ` + "`http.error`" + ` in place, unless it names a Go test. It is ok when in the end the
sandbox's configuration is what it was, to the byte, nothing carries our mark, strangers' messages are all there, our page is
resolved, and ` + "`status`" + ` reads the journal. *First call* is the time from the way out (the signal sent, the abort recorded, the
condition bad) until the first call that puts back reaches AWS, as the sandbox's call log has it.

| way out | what happens | put back by | exit code | first call | owner paged |
|---|---|---|---|---|---|
`

// exitTable is the page.
func exitTable(endings map[string]ending, took time.Duration) string {
	var out strings.Builder
	out.WriteString(exitIntro)
	for _, w := range waysOut() {
		e := endings[w.name]
		back, exit, first, told := e.back, fmt.Sprint(e.code), "", "no"
		if back == "" {
			back = "the run itself"
		}
		if e.code == -1 {
			exit = "killed"
		}
		if e.took > 0 {
			first = fmt.Sprintf("%.2f s", e.took.Seconds())
		}
		if e.told > 0 {
			told = "yes"
		}
		if e.test != "" {
			exit, told = "`go test -run "+strings.ReplaceAll(e.test, " ", "` in `")+"`", ""
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s |\n", w.name, w.does, back, exit, first, told)
	}
	version := "dev"
	if v, err := exec.Command("git", "describe", "--tags", "--always").Output(); err == nil {
		version = strings.TrimSpace(string(v))
	}
	fmt.Fprintf(&out, "\n%d ways out, every one ok. firedrill %s on %s/%s, %s, %s, in %s.\n", len(endings), version, runtime.GOOS, runtime.GOARCH,
		runtime.Version(), time.Now().UTC().Format("2006-01-02"), took.Round(time.Second))
	return out.String()
}
