package ci

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/killtest"
)

// How GitHub's runner ends a step: SIGINT to the step's own process, after 7.5 s SIGTERM, after another 2.5 s it kills the
// process and all below it. A sandbox is quicker than AWS, and so is the runner here.
// https://docs.github.com/en/actions/reference/workflow-cancellation-reference
const (
	scale   = 2
	afterI  = 7500 * time.Millisecond / scale
	afterT  = 2500 * time.Millisecond / scale
	bounded = 90 * time.Second
)

// runner is a machine of GitHub's that has come to the step which runs the drill: the environment of a real account, which
// stands on a sandbox, in a file, with its journal in DynamoDB; and firedrill is installed.
type runner struct {
	*testing.T
	ctx    context.Context
	dir    string
	env    []string
	job    job
	stage  killtest.Stage
	before killtest.Snapshot
}

func newRunner(t *testing.T) *runner {
	t.Helper()
	if testing.Short() {
		t.Skip("starts and kills processes")
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), bounded)
	t.Cleanup(cancel)
	var game workflow
	read(t, "github/game-day.yml", &game)
	r := &runner{T: t, ctx: ctx, dir: t.TempDir(), job: game.Jobs["drill"]}
	self, err := os.Executable()
	r.must(errors.Join(err, os.Mkdir(filepath.Join(r.dir, "bin"), 0o700), os.Symlink(self, filepath.Join(r.dir, "bin", "firedrill"))))
	stage, box, err := killtest.Program{Path: filepath.Join(r.dir, "bin", "firedrill"), State: t.TempDir()}.Sandbox(ctx, "none")
	r.must(err)
	t.Cleanup(func() { _ = box.Kill() })
	r.stage = stage
	w, err := stage.World(ctx)
	r.must(err)
	r.must(os.WriteFile(filepath.Join(r.dir, "firedrill.yaml"), []byte(w.Staging()), 0o600))
	r.env = append(w.Secrets(), "PATH="+filepath.Join(r.dir, "bin")+":"+os.Getenv("PATH"), "HOME="+r.dir, "FIREDRILL_ENV=staging", "DRILL=orders-write-throttle",
		"GITHUB_ACTIONS=true", "GITHUB_STEP_SUMMARY="+filepath.Join(r.dir, "summary.md"), "GITHUB_OUTPUT="+filepath.Join(r.dir, "output"))
	r.ends(r.shell("firedrill init --store dynamodb"), 0)
	r.ends(r.shell(game.Jobs["plan"].step(t, "Plan").Run), 0)
	r.before, err = stage.Look(ctx)
	r.must(err)
	return r
}

func (r *runner) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// process is a step's own process, and all below it.
type process struct {
	cmd      *exec.Cmd
	out, err killtest.Text
	done     chan struct{}
}

// shell begins a step's script as GitHub does where the step names no shell: bash -e FILE.
func (r *runner) shell(script string) *process {
	r.Helper()
	file := filepath.Join(r.TempDir(), "script.sh")
	r.must(os.WriteFile(file, []byte(script), 0o600))
	p := &process{done: make(chan struct{})}
	p.cmd = exec.Command("bash", "-e", file)
	p.cmd.Dir, p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = r.dir, r.env, &p.out, &p.err
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the tree that is killed in the end is the step's alone
	p.cmd.WaitDelay = 100 * time.Millisecond                // an orphan of it may hold its output open
	r.must(p.cmd.Start())
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // the exit code tells
	}()
	r.Cleanup(p.killTree)
	return p
}

func (p *process) killTree() { _ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) }

// ended waits for a while, and says whether the process has ended.
func (p *process) ended(ctx context.Context, wait time.Duration) bool {
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-p.done:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

// ends waits for a step and checks its exit code.
func (r *runner) ends(p *process, want int) {
	r.Helper()
	if !p.ended(r.ctx, bounded) || p.cmd.ProcessState.ExitCode() != want {
		p.killTree()
		r.Fatalf("%v, want exit %d\n%s%s", p.cmd.ProcessState, want, &p.out, &p.err)
	}
}

// felt begins the step that runs the drill, and waits until its fault is felt.
func (r *runner) felt(script string) *process {
	r.Helper()
	p := r.shell(script)
	r.must(killtest.Until(r.ctx, func() (bool, error) {
		if p.ended(r.ctx, 0) {
			return false, fmt.Errorf("it ended before the fault was felt: %v\n%s%s", p.cmd.ProcessState, &p.out, &p.err)
		}
		return strings.Contains(p.err.String(), "effective: "), nil
	}))
	return p
}

// cancel ends a step as GitHub does, and says which of its signals ended it.
func (r *runner) cancel(p *process) string {
	r.Helper()
	began := time.Now()
	defer func() { r.Logf("the step ended %s after the cancel", time.Since(began).Round(10*time.Millisecond)) }()
	r.must(p.cmd.Process.Signal(syscall.SIGINT))
	if p.ended(r.ctx, afterI) {
		return "SIGINT"
	}
	r.must(p.cmd.Process.Signal(syscall.SIGTERM))
	if p.ended(r.ctx, afterT) {
		return "SIGTERM"
	}
	p.killTree()
	<-p.done
	return "SIGKILL"
}

// always runs the steps that run whatever happened, and returns what they printed.
func (r *runner) always(want map[string]int) string {
	r.Helper()
	all := ""
	for _, s := range r.job.Steps {
		if s.If != "always()" || s.Run == "" {
			continue
		}
		p := r.shell(s.Run)
		r.ends(p, want[s.Name])
		all += p.out.String() + p.err.String()
	}
	return all
}

// left is how the world differs from before; empty: it is as before.
func (r *runner) left() string {
	r.Helper()
	now, err := r.stage.Look(r.ctx)
	r.must(err)
	return r.before.Difference(now)
}

func (r *runner) file(name string) string {
	r.Helper()
	b, err := os.ReadFile(filepath.Join(r.dir, name))
	r.must(err)
	return string(b)
}

const drillStep = "Run the drill"

// Cancelled in the middle, the example's own step has put everything back before GitHub would send its second signal, and
// its report, its page and its artifacts say so.
func TestACancelledStepPutsBack(t *testing.T) {
	r := newRunner(t)
	p := r.felt(r.job.step(t, drillStep).Run)
	if r.left() == "" {
		t.Fatal("nothing is in place when the step is cancelled")
	}
	if by := r.cancel(p); by != "SIGINT" || p.cmd.ProcessState.ExitCode() != 130 {
		t.Errorf("%s ended it: %v\n%s", by, p.cmd.ProcessState, &p.err)
	}
	if left := r.left(); left != "" {
		t.Errorf("the world is not as before:\n%s", left)
	}
	if said := r.always(map[string]int{"Judge it": 1}); !strings.Contains(said, "nothing to recover") || !strings.Contains(said, "exit code: 130") {
		t.Errorf("the steps after it say\n%s", said)
	}
	r.must(r.stage.AsBefore(r.ctx, r.before))
	for name, want := range map[string]string{"game-day/junit.xml": `<error message="Interrupted: `, "game-day/exit": "130\n", "summary.md": ": interrupted\n",
		"game-day/orders-write-throttle/debrief.md": "The drill was interrupted."} {
		if text := r.file(name); !strings.Contains(text, want) {
			t.Errorf("%s says\n%s", name, text)
		}
	}
	if !strings.Contains(p.out.String(), "::error title=orders-write-throttle::Interrupted: ") {
		t.Errorf("no annotation in %s", &p.out)
	}
}

// Without exec the shell keeps the signal to itself: the same step, cancelled the same way, leaves the fault in place, with
// a drill that goes on and that nobody waits for.
func TestWithoutExecTheSignalIsLost(t *testing.T) {
	r := newRunner(t)
	script := r.job.step(t, drillStep).Run
	bare := strings.Replace(script, "\nexec firedrill", "\nfiredrill", 1) + "\necho done\n"
	if !strings.Contains(script, "\nexec firedrill") {
		t.Fatalf("no exec in\n%s", script)
	}
	p := r.felt(bare)
	if by := r.cancel(p); by == "SIGINT" {
		t.Errorf("%s ended it: %v", by, p.cmd.ProcessState)
	}
	if r.left() == "" {
		t.Errorf("the fault is not in place: then the step needs no exec\n%s", &p.err)
	}
	if strings.Contains(p.err.String(), "putting everything back") {
		t.Errorf("the signal arrived:\n%s", &p.err)
	}
	if said := r.always(map[string]int{"Judge it": 1}); !strings.Contains(said, "is left alone: its process lives") || r.left() == "" {
		t.Errorf("the steps after it say\n%s", said)
	}
	p.killTree() // at the end of a job GitHub kills what is left of its processes
	back := r.shell("firedrill recover --expired")
	if r.ends(back, 0); !strings.Contains(back.out.String(), "everything is put back") {
		t.Errorf("recover says\n%s%s", &back.out, &back.err)
	}
	r.must(r.stage.AsBefore(r.ctx, r.before))
}

// Where the undo takes longer than GitHub waits, the step is killed in the middle of it, and the next one puts back the rest.
func TestKilledInTheMiddleOfTheUndo(t *testing.T) {
	r := newRunner(t)
	p := r.felt(r.job.step(t, drillStep).Run)
	_, err := r.stage.Hold(r.ctx, "dynamodb UpdateTable", 1, "before")
	r.must(err)
	if by := r.cancel(p); by != "SIGKILL" {
		t.Errorf("%s ended it: %v\n%s", by, p.cmd.ProcessState, &p.err)
	}
	if r.left() == "" {
		t.Error("everything was put back already")
	}
	if text := r.file("game-day/junit.xml"); !strings.Contains(text, "It has not ended, or firedrill was killed") {
		t.Errorf("the report says\n%s", text)
	}
	if said := r.always(map[string]int{"Judge it": 1}); !strings.Contains(said, "everything is put back") || !strings.Contains(said, "exit code: killed") {
		t.Errorf("the steps after it say\n%s", said)
	}
	r.must(r.stage.AsBefore(r.ctx, r.before))
}

// The script for any other system hands signals on, which a shell does not do by itself, and waits for the undo.
func TestTheScriptHandsSignalsOn(t *testing.T) {
	r := newRunner(t)
	script, err := filepath.Abs(filepath.Join("..", "game-day.sh"))
	r.must(err)
	p := r.felt(fmt.Sprintf("exec sh %q orders-write-throttle staging", script))
	r.must(p.cmd.Process.Signal(syscall.SIGTERM))
	r.ends(p, 130)
	if left := r.left(); left != "" || !strings.Contains(p.out.String(), "nothing to recover") {
		t.Errorf("the world is not as before:\n%s\n%s", left, &p.out)
	}
	if text := r.file("game-day/junit.xml"); !strings.Contains(text, `<error message="Interrupted: `) {
		t.Errorf("the report says\n%s", text)
	}
	r.must(r.stage.AsBefore(r.ctx, r.before))
}
