// Package ci holds jobs to copy: a game day and its recovery on GitHub Actions and GitLab CI. What they do when they are
// cancelled is tried here, on a sandbox.
package ci

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/firedrill/firedrill/cmd"
)

// TestMain makes this binary the program itself where it is called by that name: the steps' shells run it.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "firedrill" {
		os.Exit(cmd.Main())
	}
	_ = flag.Set("test.parallel", "4") // they wait for processes, not for the processor
	os.Exit(m.Run())
}

// workflow is a job file of GitHub's, as far as it is run here.
type workflow struct {
	Permissions map[string]string
	Concurrency concurrency
	Jobs        map[string]job
}

type concurrency struct {
	Group  string
	Cancel any `yaml:"cancel-in-progress"`
}

type job struct {
	Environment string
	Concurrency concurrency
	Permissions map[string]string
	Timeout     int `yaml:"timeout-minutes"`
	Steps       []step
}

type step struct {
	Name, Uses, Run, If string
	Timeout             int `yaml:"timeout-minutes"`
	Env                 map[string]string
}

func read(t *testing.T, path string, into any) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(b, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(b)
}

// step is the one of that name.
func (j job) step(t *testing.T, name string) step {
	t.Helper()
	for _, s := range j.Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no step is called %q", name)
	return step{}
}

var pinned = regexp.MustCompile(`uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+`)

// What the jobs promise of themselves stands in the files.
func TestGitHubJobs(t *testing.T) {
	var game, back workflow
	for path, w := range map[string]*workflow{"github/game-day.yml": &game, "github/recover.yml": &back} {
		text := read(t, path, w)
		if strings.Count(text, "uses: ") != len(pinned.FindAllString(text, -1)) {
			t.Errorf("%s has actions that no commit pins", path)
		}
		if w.Permissions == nil || len(w.Permissions) > 0 {
			t.Errorf("%s: permissions %v for every job", path, w.Permissions)
		}
		for name, j := range w.Jobs {
			if fmt.Sprint(j.Permissions) != "map[contents:read id-token:write]" {
				t.Errorf("%s: %s may %v", path, name, j.Permissions)
			}
			if j.Environment == "" {
				t.Errorf("%s: %s has no environment: neither its secrets nor the role's trust reach it", path, name)
			}
			for _, s := range j.Steps {
				if regexp.MustCompile(`(?m)^\s*(exec )?firedrill `).MatchString(s.Run) && (s.Env["PAGERDUTY_TOKEN"] == "" || s.Env["OWNER_KEY"] == "" || s.Env["ORDERS_KEY"] == "") {
					t.Errorf("%s: %s: %s lacks a secret: %v", path, name, s.Name, s.Env)
				}
			}
			if j.Timeout == 0 {
				t.Errorf("%s: %s has no end", path, name)
			}
			for _, c := range []concurrency{j.Concurrency, w.Concurrency} {
				if c.Group != "" && c.Cancel != false {
					t.Errorf("%s: %s cancels what is in progress", path, name)
				}
			}
		}
	}
	drill := game.Jobs["drill"]
	if drill.Concurrency.Group == "" || drill.Concurrency.Group == back.Concurrency.Group || drill.Environment == "" {
		t.Errorf("%+v beside %+v", drill, back)
	}
	if run := last(drill.step(t, "Run the drill").Run); !strings.HasPrefix(run, "exec firedrill run ") {
		t.Errorf("the drill is run by %q", run)
	}
	if run := last(back.Jobs["recover"].step(t, "Put back what is left").Run); run != "exec firedrill recover --expired" {
		t.Errorf("what is left is put back by %q", run)
	}
	// Whatever comes after a cancel has five minutes together.
	if s := drill.step(t, "Put back what is left"); s.If != "always()" || s.Timeout == 0 || s.Timeout >= 5 {
		t.Errorf("%+v", s)
	}
}

// The sum in the comment is that of its parts, and the job's time is above it.
func TestTimes(t *testing.T) {
	for _, c := range []struct{ path, end string }{{"github/game-day.yml", `timeout-minutes: (\d+)`}, {"gitlab/.gitlab-ci.yml", `timeout: (\d+) minutes`}} {
		b, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`#   (\d+) limit of the drill \+ (\d+) undo_patience \+ (\d+) settle \+ (\d+) .* = (\d+)\n\s*` + c.end).FindStringSubmatch(string(b))
		if m == nil {
			t.Errorf("%s does not say how its time is made up", c.path)
			continue
		}
		var n [6]int
		for i := range n {
			if _, err := fmt.Sscan(m[i+1], &n[i]); err != nil {
				t.Fatal(err)
			}
		}
		if n[0]+n[1]+n[2]+n[3] != n[4] || n[5] <= n[4] {
			t.Errorf("%s: %v", c.path, n)
		}
	}
}

// GitLab's job says the same.
func TestGitLabJobs(t *testing.T) {
	var file struct {
		Drill struct {
			Script        []string
			AfterScript   []string `yaml:"after_script"`
			ResourceGroup string   `yaml:"resource_group"`
			AllowFailure  struct {
				ExitCodes []int `yaml:"exit_codes"`
			} `yaml:"allow_failure"`
			Artifacts struct {
				When    string
				Reports struct{ Junit string }
			}
		}
		Firedrill struct{ Interruptible any } `yaml:".firedrill"`
		Recover   struct{ Script []string }
	}
	read(t, "gitlab/.gitlab-ci.yml", &file)
	d := file.Drill
	if !strings.HasPrefix(d.Script[len(d.Script)-1], "exec firedrill run ") || d.ResourceGroup == "" || file.Firedrill.Interruptible != false ||
		d.AfterScript[len(d.AfterScript)-1] != "firedrill recover --all" || fmt.Sprint(d.AllowFailure.ExitCodes) != "[3 75]" {
		t.Errorf("%+v", d)
	}
	if d.Artifacts.When != "always" || !strings.Contains(d.Script[0], "--junit "+d.Artifacts.Reports.Junit+" ") {
		t.Errorf("%+v", d.Artifacts)
	}
	if fmt.Sprint(file.Recover.Script) != "[exec firedrill recover --expired]" {
		t.Errorf("%v", file.Recover.Script)
	}
}

// last is the last line of a script.
func last(script string) string {
	lines := strings.Split(strings.TrimSpace(script), "\n")
	return lines[len(lines)-1]
}
