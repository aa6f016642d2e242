package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sys/unix"

	"github.com/firedrill/firedrill/internal/killtest"
)

// planted builds the program with panics to be planted, once for all tests.
var planted = sync.OnceValues(func() (string, error) {
	path, err := binary()
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(path)
	if os.Getenv("FIREDRILL_BINARY") != "" {
		if dir, err = os.MkdirTemp("", "firedrill-kill9-"); err != nil {
			return "", err
		}
	}
	return killtest.BuildPlanted(context.Background(), dir)
})

// lossCells are the ways out that begin with something breaking or getting lost.
func lossCells() map[string]func(p *place) ending {
	return map[string]func(p *place) ending{
		"panic in a fault's Apply":              panics("apply"),
		"panic in a fault while it is in place": panics("fault"),
		"panic in an undo":                      panics("revert:1"),
		"panic in a probe":                      panics("probe:2"),
		"steady state lost":                     steadyLost,
		"panic in the pager":                    panics("pager"),
		"panic in the renderer":                 panics("renderer"),
		"full disk":                             fullDisk,
		"lost journal":                          lostJournal,
		"lost AWS":                              troubled(killtest.Knob{Effect: "5xx"}),
		"lost answers":                          troubled(killtest.Knob{Effect: "partial"}),
		"credentials expired":                   troubled(killtest.Knob{Effect: "deny", Code: "ExpiredTokenException", Status: 403}),
		"role session expired":                  goTest("./inject", "TestSessionThatEndsEarly"),
		"undo refused":                          undoRefused,
		"lost PagerDuty":                        pagerless("down"),
		"PagerDuty does not know us":            pagerless("401"),
		"jump of the clock":                     goTest("./drills", "TestClockJumpsAhead"),
		"apply refused":                         applyRefused,
		"refused":                               refused,
		"sandbox gone":                          worldGone,
	}
}

// panics plants a panic into one part of the program.
func panics(what string) func(p *place) ending {
	return func(p *place) ending {
		path, err := planted()
		p.must(err)
		p.Path, p.Env = path, append(p.Env, "FIREDRILL_PANIC="+what)
		drill := faults()[2].file(p.T)
		if strings.HasPrefix(what, "probe") {
			drill = p.variant(steadyPage)
		}
		run, err := p.Start(p.ctx, "run", drill)
		p.must(err)
		p.Cleanup(func() { _ = run.Kill() })
		code := p.code(run)
		if what != "renderer" && !strings.Contains(p.journalText(), "planted: ") {
			p.Errorf("the journal does not tell of the panic:\n%s", p.journalText())
		}
		return ending{code: code}
	}
}

// steadyPage is a steady state that the fault does not touch.
const steadyPage = "steady_state:\n  - http: {url: \"${users_url}\", status: 200}\n"

// steadyLost: the probe of the steady state panics for good, so nobody can say that all is well again.
func steadyLost(p *place) ending {
	path, err := planted()
	p.must(err)
	p.Path, p.Env = path, append(p.Env, "FIREDRILL_PANIC=probe")
	run, err := p.Start(p.ctx, "run", p.variant(steadyPage))
	p.must(err)
	p.Cleanup(func() { _ = run.Kill() })
	code := p.code(run)
	if n := p.owner(); n != 1 {
		p.Errorf("the owner has %d incidents", n)
	}
	p.recovers() // in which nothing panics
	return ending{code: code}
}

// variant is the cell's drill with more in it.
func (p *place) variant(more string) string {
	p.Helper()
	text, err := os.ReadFile(faults()[2].file(p.T))
	p.must(err)
	path := filepath.Join(p.TempDir(), "variant.yaml")
	p.must(os.WriteFile(path, append(text, more...), 0o600))
	return path
}

// edit changes a file's text.
func edit(path string, change func(string) string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(change(string(text))), 0o600)
}

// journalText is what every event says went wrong.
func (p *place) journalText() string {
	p.Helper()
	var out strings.Builder
	for _, e := range p.events() {
		out.WriteString(string(e.Kind) + ": " + e.Fact.Why + " " + e.Fact.Err + "\n")
	}
	return out.String()
}

// fullDisk: the journal's disk is full in the middle of the fault; then whoever recovers another run meets it too.
func fullDisk(p *place) ending {
	disk := filepath.Join(p.TempDir(), "disk")
	p.must(os.Mkdir(disk, 0o700))
	if out, err := exec.CommandContext(p.ctx, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk).CombinedOutput(); err != nil {
		p.Skipf("no small disk can be made here: %v %s", err, out)
	}
	p.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	p.State = disk
	run := p.run(faults()[2])
	p.says(run, "fault applied")
	fill(p.T, disk)
	from := time.Now()
	code := p.code(run)
	p.asBefore()
	if n := strings.Count(run.Err.String(), "database or disk is full"); n != 1 || !strings.Contains(run.Err.String(), "not recorded") {
		p.Errorf("told %d times: %s", n, run.Err)
	}
	took := p.undoneAfter(from)
	p.must(os.Remove(filepath.Join(disk, "filler")))
	p.recovers()

	run = p.run(faults()[2])
	p.says(run, "fault applied")
	p.must(run.Kill())
	fill(p.T, disk)
	p.verb(1, "recover", "--all")
	p.asBefore()
	p.must(os.Remove(filepath.Join(disk, "filler")))
	p.recovers()
	return ending{code: code, took: took}
}

func lostJournal(p *place) ending {
	p.State = filepath.Join(p.State, "state")
	run := p.run(faults()[2])
	p.says(run, "fault applied")
	p.must(os.RemoveAll(p.State))
	return ending{code: p.code(run)}
}

// troubled: calls go wrong for longer than the drill lasts, so that the undo meets it, and then right again.
func troubled(k killtest.Knob) func(p *place) ending {
	return func(p *place) ending {
		run := p.run(faults()[2])
		p.says(run, "fault applied")
		end := p.trouble(k)
		p.after(12 * time.Second)
		if run.Ended() {
			p.Errorf("the run ended while nothing could be put back: %s%s", run.Err, run.Out)
		}
		end()
		return ending{code: p.code(run)}
	}
}

func undoRefused(p *place) ending {
	run := p.inPlace()
	end := p.refused("DeleteRule")
	code := p.code(run)
	left := p.verb(5, "status")
	if !strings.Contains(left.Out.String(), "recover") {
		p.Errorf("status does not say what to do: %s", left.Out)
	}
	if n := p.owner(); n != 1 {
		p.Errorf("the owner has %d incidents", n)
	}
	p.refusedLetters()
	end()
	p.recovers()
	return ending{code: code, back: "recover, once it may"}
}

// refusedLetters takes note of what the dead-man's switch could not do: it fires within a minute or it does not get to,
// its call is refused as ours are, and its letter stays.
func (p *place) refusedLetters() {
	p.Helper()
	now, err := p.stage.Look(p.ctx)
	p.must(err)
	for _, letter := range now.Letters {
		if !strings.Contains(letter, "RuleArn") {
			p.Errorf("a letter of the dead-man's switch that is not the undo: %s", letter)
		}
	}
	p.before.Letters = now.Letters
}

func pagerless(effect string) func(p *place) ending {
	return func(p *place) ending {
		run := p.inPlace()
		id, err := p.stage.TurnPager(p.ctx, killtest.PagerKnob{Effect: effect})
		p.must(err)
		code := p.code(run)
		now, err := p.stage.Look(p.ctx)
		p.must(err)
		if left := p.before.Difference(now); left != "" {
			p.Errorf("the world is not as before:\n%s", left)
		}
		p.must(p.stage.ReleasePager(p.ctx, id))
		return ending{code: code, free: true} // our page cannot be resolved by then
	}
}

func applyRefused(p *place) ending {
	p.trouble(killtest.Knob{Operation: "ModifyRule", Effect: "deny"})
	from := time.Now()
	run := p.run(faults()[2])
	code := p.code(run)
	calls, err := p.stage.Calls(p.ctx)
	p.must(err)
	for _, c := range calls {
		if c.By == "firedrill" && c.Operation == "ModifyRule" {
			from = c.At
		}
	}
	return ending{code: code, from: from}
}

// refused: what the plan found is not so any more when the run looks once more, right before its first change.
func refused(p *place) ending {
	run, err := p.Start(p.ctx, "run", p.changed("- id: error", "- id: error\n    after: 3s"))
	p.must(err)
	p.Cleanup(func() { _ = run.Kill() })
	p.says(run, "planned: ")
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	world, err := p.stage.World(p.ctx)
	p.must(err)
	client := elasticloadbalancingv2.NewFromConfig(cfg)
	found, err := client.DescribeListeners(p.ctx, &elasticloadbalancingv2.DescribeListenersInput{ListenerArns: []string{world.Vars["listener"]}})
	p.must(err)
	tagged := []string{world.Vars["listener"], *found.Listeners[0].LoadBalancerArn}
	tag := []elbtypes.Tag{{Key: aws.String("firedrill"), Value: aws.String("allowed")}}
	_, err = client.RemoveTags(p.ctx, &elasticloadbalancingv2.RemoveTagsInput{ResourceArns: tagged, TagKeys: []string{"firedrill"}})
	p.must(err)
	e := ending{code: p.code(run), back: "nothing was changed"}
	if n, err := p.stage.Writes(p.ctx); n > 0 || err != nil {
		p.Errorf("%d writes, %v", n, err)
	}
	_, err = client.AddTags(p.ctx, &elasticloadbalancingv2.AddTagsInput{ResourceArns: tagged, Tags: tag})
	p.must(err)
	return e
}

// worldGone: the sandbox is killed with the run; recover ends the run, and says why there is nothing to put back.
func worldGone(p *place) ending {
	own := killtest.Program{Path: p.Path, State: p.State}
	stage, box, err := own.Sandbox(p.ctx, "none")
	p.must(err)
	p.Cleanup(func() { _ = box.Kill() })
	p.Env = []string{"FIREDRILL_SANDBOX=" + stage.URL}
	run := p.inPlace()
	p.must(run.Kill())
	p.must(box.Kill())
	if again := p.verb(0, "recover", "--all"); !strings.Contains(again.Out.String(), "world_gone") {
		p.Errorf("recover says %q", again.Out)
	}
	return ending{code: p.code(run), free: true, back: "nobody: there is nothing"}
}

// goTest is a cell that needs the program in pieces: the Go test that is named.
func goTest(dir, name string) func(p *place) ending {
	return func(p *place) ending {
		files, err := filepath.Glob(filepath.Join("..", "..", dir, "*_test.go"))
		p.must(err)
		found := false
		for _, path := range files {
			text, err := os.ReadFile(path)
			p.must(err)
			found = found || strings.Contains(string(text), "\nfunc "+name+"(t *testing.T) {")
		}
		if !found {
			p.Fatalf("%s has no test %s", dir, name)
		}
		if full() { // else it runs among the tests of its own package
			c := exec.CommandContext(p.ctx, "go", "test", "-count=1", "-run", "^"+name+"$", dir)
			c.Dir = filepath.Join("..", "..")
			if out, err := c.CombinedOutput(); err != nil || strings.Contains(string(out), "no tests to run") {
				p.Errorf("%s: %v\n%s", name, err, out)
			}
		}
		return ending{test: name + " " + dir}
	}
}
