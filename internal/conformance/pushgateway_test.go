package conformance

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/firedrill/firedrill/internal/killtest"
)

const installPushgateway = "apt-get install -y --no-install-recommends prometheus-pushgateway prometheus"

// TestPushgatewayTakesARunsMetrics runs a drill whose environment names a real Pushgateway. Its metrics are there when the
// drill has ended, promtool finds nothing wrong with them, a second push counts nothing twice, and a recovery pushes, too.
func TestPushgatewayTakesARunsMetrics(t *testing.T) {
	program := part(t, "prometheus-pushgateway", installPushgateway)
	version(t, program)
	promtool := part(t, "promtool", installPushgateway)
	gateway := "http://" + serve(t, listening, program, "--web.listen-address=127.0.0.1:0")[1]
	c := newCanteen(t, fmt.Sprintf("metrics: {pushgateway: %q}", gateway))

	run := c.start("run", "orders-write-throttle", "--yes")
	c.felt(run)
	if err := run.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	c.ends(run, 130)
	text := fetch(t, gateway+"/metrics")
	const labels = `drill="orders-write-throttle",environment="staging",instance="",job="firedrill"`
	for _, want := range []string{`firedrill_runs_total{` + labels + `,outcome="interrupted",team="orders"} 1`, `firedrill_fault_in_place{` + labels + `,kind="dynamodb.throttle"} 0`,
		"firedrill_last_run_timestamp_seconds{" + labels + "} ", "push_failure_time_seconds{" + labels + "} 0"} {
		if !strings.Contains(text, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
	check := exec.CommandContext(t.Context(), promtool, "check", "metrics")
	check.Stdin = strings.NewReader(ours(text))
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s", err, out)
	}

	eventually(t.Context(), t, "its alarm is OK again", func() bool {
		code, err := c.start("plan", "orders-write-throttle").Wait(t.Context())
		return err == nil && code == 0
	})

	// Killed, it pushes nothing; whoever puts it back does. The group is replaced: what is counted twice would say three.
	run = c.start("run", "orders-write-throttle", "--yes")
	c.felt(run)
	if err := run.Kill(); err != nil {
		t.Fatal(err)
	}
	if again := fetch(t, gateway+"/metrics"); stamped(again) != stamped(text) {
		t.Error("a killed run has pushed")
	}
	c.ends(c.start("recover", "--all"), 0)
	text = fetch(t, gateway+"/metrics")
	for _, want := range []string{`firedrill_runs_total{` + labels + `,outcome="interrupted",team="orders"} 1`, `firedrill_runs_total{` + labels + `,outcome="aborted",team="orders"} 1`,
		`firedrill_fault_in_place{` + labels + `,kind="dynamodb.throttle"} 0`} {
		if !strings.Contains(text, "\n"+want+"\n") {
			t.Errorf("after the recovery no %s in\n%s", want, ours(text))
		}
	}
}

// stamped is what tells when the groups were pushed.
func stamped(text string) string {
	return strings.Join(regexp.MustCompile(`(?m)^push_time_seconds.*$`).FindAllString(text, -1), "\n")
}

// ours is what the gateway serves of us, without what it tells of itself.
func ours(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.Contains(line, "firedrill_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	r := must(http.DefaultClient.Do(must(http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil))(t)))(t)
	defer r.Body.Close()
	return string(must(io.ReadAll(r.Body))(t))
}

// canteen is a real environment that stands on a sandbox, for the program as a process.
type canteen struct {
	*testing.T
	killtest.Program
}

func newCanteen(t *testing.T, lines ...string) canteen {
	t.Helper()
	dir := t.TempDir()
	c := canteen{t, killtest.Program{Path: filepath.Join(dir, "firedrill"), State: filepath.Join(dir, "state")}}
	if err := os.Symlink(must(os.Executable())(t), c.Path); err != nil {
		t.Fatal(err)
	}
	stage, box, err := c.Sandbox(t.Context(), "none")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = box.Kill() })
	w := must(stage.World(t.Context()))(t)
	file := filepath.Join(dir, "firedrill.yaml")
	if err := os.WriteFile(file, []byte(w.Staging(lines...)), 0o600); err != nil {
		t.Fatal(err)
	}
	c.Env = append(w.Secrets(), "FIREDRILL_CONFIG="+file)
	c.ends(c.start("init", "--store", "dynamodb"), 0)
	return c
}

func (c canteen) start(args ...string) *killtest.Process {
	c.Helper()
	p := must(c.Start(c.Context(), args...))(c.T)
	c.Cleanup(func() { _ = p.Kill() })
	return p
}

// felt waits until a run says that its fault is effective.
func (c canteen) felt(p *killtest.Process) {
	c.Helper()
	if err := p.Says(c.Context(), "effective: "); err != nil {
		c.Fatal(err)
	}
}

func (c canteen) ends(p *killtest.Process, want int) {
	c.Helper()
	if code := must(p.Wait(c.Context()))(c.T); code != want {
		c.Fatalf("%s: exit %d, want %d\n%s%s", p, code, want, p.Out, p.Err)
	}
}
