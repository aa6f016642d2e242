package privilege

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/firedrill/firedrill/internal/killtest"
)

// needless are the actions that a policy allows and that no scenario here calls, with the reason.
func needless() map[string]string {
	return map[string]string{}
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

// Each drill is planned, run, killed and recovered, and killed and left to its dead-man's switch, each time with no
// right more than the role's policy gives: no call is refused, everything is put back, and no action is allowed in vain.
func TestPoliciesAreWhatIsCalled(t *testing.T) {
	l := &ledger{}
	t.Run("drills", func(t *testing.T) {
		for _, d := range killtest.Drills() {
			t.Run(d.Name, func(t *testing.T) {
				t.Parallel()
				file, err := filepath.Abs(filepath.Join("..", "kill9", "testdata", d.Name+".yaml"))
				if err != nil {
					t.Fatal(err)
				}
				newPlace(t, d, file, "none").everyRole(l, file)
			})
		}
	})
	reasons, told := needless(), map[string]bool{}
	for _, who := range slices.Sorted(maps.Keys(l.allowed)) {
		for _, action := range slices.Sorted(maps.Keys(l.allowed[who])) {
			switch at := who + " " + action; {
			case l.used[who][action]:
			case reasons[at] != "":
				told[at] = true
			default:
				t.Errorf("%s is allowed, and nothing calls it", at)
			}
		}
	}
	for at := range reasons {
		if !told[at] && !t.Failed() {
			t.Errorf("%s is excused, and is called or not allowed: take the excuse away", at)
		}
	}
}

// kind is the first fault's of a drill, as its plan tells it.
func (p *place) kind(file string) string {
	p.Helper()
	var plan struct{ Faults []struct{ Kind string } }
	p.must(json.Unmarshal([]byte(p.verb([]int{0}, "plan", file, "-o", "json").Out.String()), &plan))
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

	if kind != "sqs.poison" { // no machine that cannot compare could sweep
		p.as("run")
		p.killed(file)
		p.fire()
		note("deadman", "scheduler")
		p.as("recover")
		p.verb([]int{0, 6}, "recover")
		p.must(p.stage.AsBefore(p.ctx, p.before))
	}
}
