package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const (
	installActionlint = "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"
	installGitLab     = "npm install --global gitlab-ci-local@4.60.0"
	installShellcheck = "apt-get install -y --no-install-recommends shellcheck"
	examples          = "../../examples/"
)

// TestExamplesForGitHub holds the jobs for GitHub Actions against actionlint, which reads their scripts with shellcheck.
func TestExamplesForGitHub(t *testing.T) {
	program := part(t, "actionlint", installActionlint)
	shellcheck := part(t, "shellcheck", installShellcheck)
	lint := func(paths ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), program, append([]string{"-no-color", "-shellcheck", shellcheck, "-pyflakes", ""}, paths...)...).CombinedOutput()
		return string(out), err
	}
	found := must(filepath.Glob(examples + "ci/github/*.yml"))(t)
	if len(found) != 2 {
		t.Fatal(found)
	}
	if out, err := lint(found...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	spoiled(t, found[0], `code=$(cat game-day/exit`, `code=$(cat $dir/exit`, lint, "SC2086")
	spoiled(t, found[0], "needs.plan.outputs.now", "needs.plan.outputs.later", lint, "later")
}

// TestExamplesForGitLab holds the jobs for GitLab against GitLab's own schema, and looks which of them a schedule starts.
func TestExamplesForGitLab(t *testing.T) {
	program := part(t, "gitlab-ci-local", installGitLab)
	file := must(os.ReadFile(examples + "ci/gitlab/.gitlab-ci.yml"))(t)
	list := func(text string, args ...string) (string, error) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ".gitlab-ci.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, git := range [][]string{{"init", "-q", "-b", "main"}, {"-c", "user.name=A", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "none"}} {
			if out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir}, git...)...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		c := exec.CommandContext(t.Context(), program, append(args, "--list")...)
		c.Dir = dir
		out, err := c.CombinedOutput()
		return string(out), err
	}
	for what, want := range map[string]string{"game-day": "plan drill", "recover": "recover", "": ""} {
		out, err := list(string(file), "--variable", "WHAT="+what)
		var jobs []string
		for line := range strings.Lines(out) {
			if words := strings.Fields(line); len(words) > 2 && words[0] == words[1] {
				jobs = append(jobs, words[0])
			}
		}
		if err != nil || !strings.Contains(out, "json schema validated") || strings.Join(jobs, " ") != want {
			t.Errorf("WHAT=%s starts %v: %v\n%s", what, jobs, err, out)
		}
	}
	bad := strings.Replace(string(file), "exit_codes: [3, 75]", "exit_codes: late", 1)
	if out, err := list(bad); err == nil || !strings.Contains(out, "exit_codes") {
		t.Errorf("a mistake is not found: %v\n%s", err, out)
	}
}

// TestExampleScripts holds the scripts against shellcheck.
func TestExampleScripts(t *testing.T) {
	program := part(t, "shellcheck", installShellcheck)
	found := must(filepath.Glob(examples + "*.sh"))(t)
	lint := func(paths ...string) (string, error) {
		out, err := exec.CommandContext(t.Context(), program, paths...).CombinedOutput()
		return string(out), err
	}
	if out, err := lint(found...); err != nil || len(found) == 0 {
		t.Errorf("%v\n%s", err, out)
	}
	spoiled(t, found[0], `"$run"`, `$runs`, lint, "SC2154")
}

// spoiled sees that a mistake is found, where there is one: what finds nothing anywhere proves nothing.
func spoiled(t *testing.T, path, old, bad string, lint func(...string) (string, error), want string) {
	t.Helper()
	text := string(must(os.ReadFile(path))(t))
	if !strings.Contains(text, old) {
		t.Fatalf("%s has no %s", path, old)
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(copied, []byte(strings.ReplaceAll(text, old, bad)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := lint(copied); err == nil || !strings.Contains(out, want) {
		t.Errorf("%s for %s is not found: %v\n%s", bad, old, err, out)
	}
}
