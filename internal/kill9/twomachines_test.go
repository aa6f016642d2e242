package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/killtest"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// machine is another machine of the team: a state directory and a home of its own, the same firedrill.yaml, and nothing
// else. Nothing can be proven here of the processes of another.
func (p *place) machine(w sandbox.World) *place {
	p.Helper()
	dir := p.TempDir()
	file := filepath.Join(dir, "firedrill.yaml")
	p.must(os.WriteFile(file, []byte(stagingOf(w)), 0o600))
	m := *p
	m.Program = killtest.Program{Path: p.Path, State: filepath.Join(dir, "state"), Env: []string{
		"FIREDRILL_CONFIG=" + file, "PAGERDUTY_TOKEN=" + w.Token, "ORDERS_KEY=" + w.Teams["orders"].Key, "OWNER_KEY=" + w.Owner,
		"AWS_ACCESS_KEY_ID=" + w.Keys["firedrill"].ID, "AWS_SECRET_ACCESS_KEY=" + w.Keys["firedrill"].Secret, "CI=true"}}
	return &m
}

// apart puts the program into a pid namespace of its own, where the system allows it: from there, as from another
// machine, nothing can be proven of a process here, and its lease is waited for.
func (p *place) apart() bool {
	p.Helper()
	unshare, err := exec.LookPath("unshare")
	if err != nil || exec.CommandContext(p.ctx, unshare, "-r", "-p", "-f", "true").Run() != nil {
		p.Log("no namespaces here: the other machine can prove that the runner is dead")
		return false
	}
	path := filepath.Join(p.TempDir(), "firedrill")
	p.must(os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\nexec %s -r -p -f %s \"$@\"\n", unshare, p.Path), 0o700))
	p.Path = path
	return true
}

// stagingOf is a real environment, as a file tells it, that stands on a sandbox.
func stagingOf(w sandbox.World) string {
	var vars []string
	for k, v := range w.Vars {
		vars = append(vars, fmt.Sprintf("%s: %q", k, v))
	}
	return fmt.Sprintf(`environments:
  staging:
    aws: {account: %q, regions: [%s], endpoint: %q}
    tags: {environment: sandbox, firedrill: allowed}
    window: {days: mon-sun, hours: "00:00-24:00", zone: UTC}
    pagerduty: {token: "env:PAGERDUTY_TOKEN", from: %s, bots: [%s]}
    owner: {key: "env:OWNER_KEY"}
    teams: {orders: {service: %s, key: "env:ORDERS_KEY"}}
    store: {dynamodb: {table: firedrill, region: %s}}
    settle: 20s
    undo_patience: 1m
    vars: {%s}
`, w.Account, w.Region, w.AWS, w.From, w.Bot, w.Teams["orders"].Service, w.Region, strings.Join(vars, ", "))
}

// TestTwoMachines: a run started on one machine is watched, aborted, and recovered from another. They share one table,
// and nothing else; CI is set on both, and would be refused with a journal of their own.
func TestTwoMachines(t *testing.T) {
	t.Parallel()
	p := newPlace(t, faults()[0], "none")
	w := p.box.World()
	one, two := p.machine(w), p.machine(w)
	apart := two.apart()
	made := one.verb(0, "init", "--store", "dynamodb")
	if !strings.Contains(made.Out.String(), ":table/firedrill") || !strings.Contains(made.Err.String(), "protected against deletion") {
		t.Errorf("init says %s%s", made.Out, made.Err)
	}
	two.verb(0, "init", "--store", "dynamodb") // again, from elsewhere: there is nothing to do
	p.must(p.remember())

	run := one.started(t)
	if status := two.verb(5, "status"); !strings.Contains(status.Out.String(), "to put it back: firedrill abort") {
		t.Errorf("the other machine sees %s", status.Out)
	}
	watching, err := two.Start(p.ctx, "status", "--follow")
	p.must(err)
	two.says(watching, "effective: ")
	two.verb(0, "abort")
	one.ends(run, 6)
	two.ends(watching, 0)
	if !strings.Contains(watching.Err.String(), "finished: aborted") || !strings.Contains(watching.Out.String(), "in staging: aborted") {
		t.Errorf("the other machine saw %s%s", watching.Err, watching.Out)
	}
	p.asBefore()

	run = one.started(t)
	began := time.Now()
	abort, err := two.Start(p.ctx, "abort")
	p.must(err)
	one.says(run, "to be ended early (abort)")
	t.Logf("an abort from the other machine was told here %s after it was typed", time.Since(began).Round(10*time.Millisecond))
	p.ends(abort, 0)
	one.ends(run, 6)
	p.asBefore()

	run = one.started(t)
	p.must(run.Kill())
	began = time.Now()
	recovered := two.verb(0, "recover")
	took := time.Since(began)
	t.Logf("recovered from the other machine after %s", took.Round(10*time.Millisecond))
	if !strings.Contains(recovered.Out.String(), "everything is put back") {
		t.Errorf("recover says %s", recovered.Out)
	}
	if waited := strings.Contains(recovered.Err.String(), "waiting for the lease of "); waited != apart || took > time.Minute {
		t.Errorf("it took %s: %s", took, recovered.Err)
	}
	p.asBefore()
	for _, m := range []*place{one, two} {
		m.verb(0, "status")
		m.verb(0, "recover", "--all")
		m.verb(0, "debrief")
	}
}

// started begins a drill on this machine and returns when its fault is felt.
func (p *place) started(t *testing.T) *killtest.Process {
	t.Helper()
	pr, err := p.Start(p.ctx, "run", faults()[0].file(t), "--yes")
	p.must(err)
	t.Cleanup(func() { _ = pr.Kill() })
	p.says(pr, "effective: ")
	return pr
}

// remember takes the world as it is now for what it must be again.
func (p *place) remember() (err error) {
	p.before, err = p.stage.Look(p.ctx)
	return err
}
