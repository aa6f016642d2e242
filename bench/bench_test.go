// Package bench measures what a user waits for and pays for: start, first fault, memory, size. What could differ from
// one machine to the next is a ratio of two measures taken in turns, in one run. See README.md.
package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The limits.
const (
	maxStartRatio = 1.3
	maxStart      = 30 * time.Millisecond
	maxOver       = 150 * time.Millisecond
	maxResident   = 64 << 20
	maxSize       = 40 << 20
)

// rounds is how often each of two starts is measured, in turns.
const rounds = 60

func TestMain(m *testing.M) {
	if os.Getenv("FIREDRILL_BENCH") == "" {
		fmt.Println("skipped: measuring takes a quiet machine. Try: make bench")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestSize(t *testing.T) {
	info, err := os.Stat(program(t))
	if err != nil {
		t.Fatal(err)
	}
	row(t, "stripped binary", float64(info.Size())/(1<<20), maxSize>>20, "MB")
}

// A start is the time of `firedrill version`; beside it, in turns, a program that does nothing but load what ours
// loads: cobra and every package that ours imports.
func TestStart(t *testing.T) {
	ours, empty := program(t), emptyProgram(t)
	var a, b []time.Duration
	for range rounds {
		a = append(a, start(t, ours, "version"))
		b = append(b, start(t, empty))
	}
	row(t, "start, undisturbed", milliseconds(slices.Min(a)), milliseconds(maxStart), "ms")
	row(t, "start / empty program's", float64(median(a))/float64(median(b)), maxStartRatio, "")
}

func TestFirstFaultAndMemory(t *testing.T) {
	firedrill, state := program(t), t.TempDir()
	url := sandbox(t, firedrill, state)
	var over, whole []time.Duration
	var resident int64
	for range 3 {
		after := lastCall(t, url)
		first, peak := drill(t, firedrill, state)
		bare := replay(t, url, after)
		whole, over, resident = append(whole, first), append(over, first-bare), max(resident, peak)
	}
	t.Logf("run to first fault: %v, over the same calls made bare: %v", whole, over)
	row(t, "run to first fault, over its calls made bare", milliseconds(median(over)), milliseconds(maxOver), "ms")
	row(t, "resident memory of a drill, at most", float64(resident)/(1<<20), maxResident>>20, "MB")
}

// row prints one line of the table, and fails when the limit is passed.
func row(t *testing.T, what string, is, most float64, unit string) {
	t.Helper()
	verdict := "ok"
	if is > most {
		verdict = "TOO MUCH"
		t.Errorf("%s: %.2f %s, at most %.2f", what, is, unit, most)
	}
	fmt.Printf("  %-46s %8.2f %-2s  at most %6.1f  %s\n", what, is, unit, most, verdict)
}

// program builds firedrill as a release is built.
func program(t *testing.T) string {
	t.Helper()
	return build(t, "firedrill", "../cmd/firedrill")
}

func build(t *testing.T, name, from string) string {
	t.Helper()
	path := filepath.Join(os.TempDir(), fmt.Sprintf("firedrill-bench-%d", os.Getpid()), name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags", "-s -w", "-o", path, from)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", from, err, out)
	}
	return path
}

// emptyProgram writes and builds a cobra program that imports, and does not use, every package of others that ours
// imports directly.
func emptyProgram(t *testing.T) string {
	t.Helper()
	const ours = "github.com/firedrill/firedrill"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{if not .Standard}}{{.ImportPath}} {{join .Imports " "}}{{end}}`, "../cmd/firedrill").Output()
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		if !strings.HasPrefix(words[0], ours) {
			continue
		}
		for _, path := range words[1:] {
			if strings.Contains(strings.Split(path, "/")[0], ".") && !strings.HasPrefix(path, ours) && path != "github.com/spf13/cobra" {
				imports = append(imports, path)
			}
		}
	}
	slices.Sort(imports)
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"github.com/spf13/cobra\"\n\t_ \"time/tzdata\"\n")
	for _, path := range slices.Compact(imports) {
		fmt.Fprintf(&b, "\t_ %q\n", path)
	}
	b.WriteString(")\n\nfunc main() { _ = (&cobra.Command{Use: \"empty\", Run: func(*cobra.Command, []string) {}}).Execute() }\n")
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return build(t, "empty", file)
}

// start is how long a program takes from exec to its end.
func start(t *testing.T, program string, args ...string) time.Duration {
	t.Helper()
	began := time.Now()
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return time.Since(began)
}

// drill runs the first drill against a sandbox in another process: how long from exec until its fault was applied,
// and the most memory it had.
func drill(t *testing.T, firedrill, state string) (first time.Duration, peak int64) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), firedrill, "run", "orders-write-throttle", "--env", "sandbox", "--state", state, "-o", "json")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var event struct{ Kind string }
		if json.Unmarshal(lines.Bytes(), &event) == nil && event.Kind == "fault.applied" && first == 0 {
			first = time.Since(began)
		}
	}
	if err := cmd.Wait(); err != nil || first == 0 {
		t.Fatalf("the drill: %v, fault applied after %v", err, first)
	}
	return first, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10 // Linux counts kilobytes
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
