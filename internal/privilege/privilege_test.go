package privilege

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/firedrill/firedrill/internal/killtest"
)

// needless are the actions of a role that a policy allows and that not every kind of fault calls here, with the reason.
func needless() map[string]string {
	return map[string]string{
		"recover cloudwatch:DescribeAlarms":   "asked again only of a run whose steady state or watched alarms had not come back",
		"plan iam:SimulatePrincipalPolicy":    "asked by plan --check-permissions of a role about itself: TestARoleAsksAboutItself",
		"run iam:SimulatePrincipalPolicy":     "asked by plan --check-permissions of a role about itself: TestARoleAsksAboutItself",
		"plan cloudtrail:LookupEvents":        "asked who has changed a target in the last five minutes: in the sandbox nobody rests, and it is not",
		"run cloudtrail:LookupEvents":         "asked where somebody else had put a target back, and by debrief --collect",
		"recover cloudtrail:LookupEvents":     "the same, where it was so when the run was taken over",
		"run cloudwatch:DescribeAlarmHistory": "read of an alarm that changes while the drill is on: not every short drill makes one ring",
	}
}

// ledger remembers, for each kind of fault and each role, which actions are allowed and which were called.
type ledger struct {
	mu            sync.Mutex
	allowed, used map[string]map[string]bool // by "kind role", then by action
}

func (l *ledger) note(kind, role string, allowed, used map[string][]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for into, from := range map[*map[string]map[string]bool]map[string][]string{&l.allowed: allowed, &l.used: used} {
		if *into == nil {
			*into = map[string]map[string]bool{}
		}
		if (*into)[kind+" "+role] == nil {
			(*into)[kind+" "+role] = map[string]bool{}
		}
		for action := range from {
			(*into)[kind+" "+role][action] = true
		}
	}
}

// Each drill is planned, run, killed and recovered, killed and swept up without its journal, and killed and left to its
// dead-man's switch, each time with no right more than the role's policy gives: no call is refused, everything is put back, and no action is allowed in vain.
func TestPoliciesAreWhatIsCalled(t *testing.T) {
	l := &ledger{}
	t.Run("drills", func(t *testing.T) {
		for _, folder := range []string{filepath.Join("..", "kill9", "testdata"), "testdata"} {
			files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
			if err != nil || len(files) == 0 {
				t.Fatalf("no drills in %s: %v", folder, err)
			}
			for _, file := range files {
				name := strings.TrimSuffix(filepath.Base(file), ".yaml")
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					file, err := filepath.Abs(file)
					if err != nil {
						t.Fatal(err)
					}
					newPlace(t, drillNamed(name), file, "none").everyRole(l, file)
				})
			}
		}
	})
	reasons := needless()
	for _, who := range slices.Sorted(maps.Keys(l.allowed)) {
		for _, action := range slices.Sorted(maps.Keys(l.allowed[who])) {
			role := who[strings.LastIndex(who, " ")+1:]
			switch at := who + " " + action; {
			case l.used[who][action]:
			case reasons[role+" "+action] != "":
			default:
				t.Errorf("%s is allowed, and nothing calls it", at)
			}
		}
	}
}

// Every drill that we ship runs to its end with the rights of its policy alone. It takes minutes: FIREDRILL_FULL asks for it.
func TestShippedDrillsRunOnTheirPolicies(t *testing.T) {
	if os.Getenv("FIREDRILL_FULL") == "" {
		t.Skip("FIREDRILL_FULL is not set")
	}
	files, err := filepath.Glob(filepath.Join("..", "..", "drills", "library", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no drills: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, killtest.Drill{Name: name}, name, "auto")
			p.as("run")
			p.verb([]int{0}, "run", name)
			p.calls("firedrill")
			p.must(p.stage.AsBefore(p.ctx, p.before))
		})
	}
}

// drillNamed is how the matrices set the stage for a drill.
func drillNamed(name string) killtest.Drill {
	for _, d := range killtest.Drills() {
		if d.Name == name {
			return d
		}
	}
	return killtest.Drill{Name: name}
}

// kind is the first fault's of a drill, as its plan tells it; it remembers which is the last.
func (p *place) kind(file string) string {
	p.Helper()
	var plan struct{ Faults []struct{ ID, Kind string } }
	p.must(json.Unmarshal([]byte(p.verb([]int{0}, "plan", file, "-o", "json").Out.String()), &plan))
	p.last = plan.Faults[len(plan.Faults)-1].ID
	return plan.Faults[0].Kind
}

func (p *place) everyRole(l *ledger, file string) {
	p.Helper()
	p.leftSchedule(true)
	p.as("plan")
	kind := p.kind(file)
	note := func(role, by string) { l.note(kind, role, p.roles[role].allowed(p.T), p.calls(by)) }
	note("plan", "firedrill")

	p.as("run")
	p.verb([]int{0, 3}, "run", file) // nobody answers
	note("run", "firedrill")
	p.leftSchedule(false)
	p.must(p.stage.AsBefore(p.ctx, p.before))

	p.killed(file)
	p.as("recover")
	p.verb([]int{0, 6}, "recover")
	note("recover", "firedrill")
	p.must(p.stage.AsBefore(p.ctx, p.before))

	p.as("run")
	p.killed(file)
	journal, err := filepath.Glob(filepath.Join(p.State, "firedrill.db*"))
	p.must(err)
	for _, f := range journal {
		p.must(os.Remove(f))
	}
	p.as("sweep")
	p.verb([]int{0}, "recover", "--sweep", "--force")
	l.note("every fault", "sweep", p.roles["sweep"].allowed(p.T), p.calls("firedrill"))
	now, err := p.stage.Look(p.ctx)
	p.must(err)
	if left := p.before.Difference(now); left != "" {
		p.Errorf("the sweep leaves:\n%s", left)
	}

	if len(p.roles["deadman"].allowed(p.T)) > 0 { // a poison cannot be put back by a machine that cannot compare; others end by themselves
		p.as("run")
		p.killed(file)
		p.fire()
		note("deadman", "scheduler")
		p.as("recover")
		p.verb([]int{0, 6}, "recover")
		p.must(p.stage.AsBefore(p.ctx, p.before))
	}
}
