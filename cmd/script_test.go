package cmd_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/firedrill/firedrill/cmd"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC              // people read local times: here they are the same everywhere
	_ = flag.Set("test.parallel", "8") // scripts wait for drills, not for the processor; the command line may say otherwise
	testscript.Main(m, map[string]func(){"firedrill": func() { os.Exit(cmd.Main()) }})
}

// TestScript runs every script of testdata/script, each with a home of its own. Beside testscript's own commands there
// are: code N COMMAND… (ends with exactly N), until PATTERN COMMAND… (again until its output matches), sandbox
// [RESPONDER [private]], around letters|deploy|deny|allow|skew|incident|low|ended|tag|untag|forbid|permit … (what goes on around a drill), get URL PATTERN, freeport NAME, keys FROM TO (paths of a JSON answer), stream FROM (a run -o json), shown PAGE TO
// (what the sandbox shows of itself), ring ALARM, fis STATE WHY… (moves the lever of AWS FIS), paged TO (what our page tells the on-call),
// setup PATH JSON (an administrator of the sandbox's pager),
// answer slack|pager|phone TEXT… (somebody writes there), knob JSON (something goes wrong with the sandbox's pager), pushed FROM (what webhooks
// told in a run -o json, held against what polling told).
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home")
			e.Setenv("HOME", home)
			e.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
			e.Setenv("NO_COLOR", "1")
			return os.Mkdir(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"around": cmdAround, "code": cmdCode, "until": cmdUntil, "sandbox": cmdSandbox, "get": cmdGet, "freeport": cmdFreePort,
			"keys": cmdKeys, "stream": cmdStream, "shown": cmdShown, "ring": cmdRing, "fis": cmdFIS, "paged": cmdPaged, "setup": cmdSetup, "answer": cmdAnswer,
			"knob": cmdKnob, "pushed": cmdPushed, "capped": cmdCapped, "written": cmdWritten,
		},
	})
}

func cmdCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got, err = exit.ExitCode(), nil
	}
	ts.Check(err)
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdUntil(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[0])
	for end := time.Now().Add(40 * time.Second); ; {
		_ = ts.Exec(args[1], args[2:]...) // its exit code is not what is waited for
		if pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%q did not come", args[0])
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func cmdSandbox(ts *testscript.TestScript, _ bool, args []string) {
	o := sandbox.Options{Responder: "auto", Now: time.Now, Log: io.Discard}
	if len(args) > 0 {
		o.Responder = args[0]
	}
	o.Private = slices.Contains(args, "private")
	s, err := sandbox.Start(context.Background(), o)
	ts.Check(err)
	ts.Defer(func() { _ = s.Close() })
	ts.Setenv("FIREDRILL_SANDBOX", s.World().URL)
}

func cmdGet(ts *testscript.TestScript, _ bool, args []string) {
	pattern := regexp.MustCompile(args[1])
	last := ""
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(args[0])
		if err != nil {
			last = err.Error()
			continue
		}
		body, err := io.ReadAll(res.Body)
		ts.Check(errors.Join(err, res.Body.Close()))
		if last = string(body); res.StatusCode == http.StatusOK && pattern.MatchString(last) {
			return
		}
	}
	ts.Fatalf("GET %s: no %q in\n%s", args[0], args[1], last)
}

func cmdFreePort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

func cmdKeys(ts *testscript.TestScript, _ bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	found := map[string]bool{}
	paths("", v, found)
	text := strings.Join(slices.Sorted(maps.Keys(found)), "\n") + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

func paths(at string, v any, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, below := range v {
			paths(strings.TrimPrefix(at+"."+k, "."), below, found)
		}
		if len(v) > 0 {
			return
		}
	case []any:
		for _, below := range v {
			paths(at+"[]", below, found)
		}
		return
	}
	found[at] = true
}

// cmdStream holds run -o json to its word: whole events, one a line, from run.planned to run.finished, in order.
func cmdStream(ts *testscript.TestScript, _ bool, args []string) {
	var events []journal.Event
	for i, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n") {
		var e journal.Event
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			ts.Fatalf("line %d is no event: %v: %s", i+1, err, line)
		}
		events = append(events, e)
	}
	if a, z := events[0].Kind, events[len(events)-1].Kind; a != journal.RunPlanned || z != journal.RunFinished {
		ts.Fatalf("the stream begins with %s and ends with %s", a, z)
	}
	for i, e := range events[1:] {
		before := events[i]
		next := e.Seq == before.Seq+1 && e.N == 0 || e.Seq == before.Seq && e.N == before.N+1
		if !next || e.Run != before.Run {
			ts.Fatalf("event %s follows %s", place(e), place(before))
		}
	}
}

func place(e journal.Event) string { return fmt.Sprintf("%d.%d %s", e.Seq, e.N, e.Kind) }
