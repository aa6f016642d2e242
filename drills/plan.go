package drills

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// PlanVersion is the newest plan this program can resume. An older engine's plan of a higher version can still be
// unwound: undoing needs the events alone.
const PlanVersion = 1

// Plan is a drill checked against the world: what the engine needs to run it and to put everything back, and nothing
// that is secret. It is written once, in run.planned, and never changes.
type Plan struct {
	V           int             `json:"v"`
	Run         string          `json:"run"`
	Drill       string          `json:"drill"`
	Environment string          `json:"environment"`
	Account     string          `json:"account"`
	Region      string          `json:"region"`
	Role        string          `json:"role,omitempty"`     // assumed; putting back needs it again
	OIDC        string          `json:"oidc,omitempty"`     // where the token comes from with which Role is assumed
	Endpoint    string          `json:"endpoint,omitempty"` // in place of AWS's own
	Sandbox     *SandboxRef     `json:"sandbox,omitempty"`
	Faults      []PlannedFault  `json:"faults"`
	Steady      []PlannedProbe  `json:"steady,omitempty"`
	Watch       []PlannedProbe  `json:"watch,omitempty"`
	Stop        []PlannedProbe  `json:"stop,omitempty"`
	Ripples     []string        `json:"ripples,omitempty"`
	Page        PlannedPage     `json:"page"`
	Expect      Expect          `json:"expect"`
	Limit       time.Duration   `json:"limit"`
	Patience    time.Duration   `json:"patience"` // how long putting back is tried before the run is dirty
	Settle      time.Duration   `json:"settle"`   // how long the end waits for watched alarms
	Pace        Pace            `json:"pace"`
	Deadman     *PlannedSwitch  `json:"deadman,omitempty"`
	Owner       string          `json:"owner,omitempty"` // secret reference
	Card        json.RawMessage `json:"card,omitempty"`  // the page's details, as the on-call reads them
	Announce    string          `json:"announce,omitempty"`
	People      string          `json:"people,omitempty"` // names or pseudonyms
	Slack       *PlannedSlack   `json:"slack,omitempty"`
	Hints       []Hint          `json:"hints,omitempty"`
	Type        string          `json:"type,omitempty"`     // incident type that drill incidents get; empty: none
	Notes       string          `json:"notes,omitempty"`    // where our notes stand, if not on the incident: NotesSlack
	Approved    string          `json:"approved,omitempty"` // hash of the plan file that this run was made of
}

// Pace is how often a run looks at what.
type Pace struct {
	Look  time.Duration `json:"look"`            // at the fault and the probes, once effective; before that at most 1 s
	Alarm time.Duration `json:"alarm"`           // at the alarms
	Pager time.Duration `json:"pager"`           // at the pager
	Clock time.Duration `json:"clock,omitempty"` // at the others' clocks; a minute where it is not said
}

// PlannedFault is one fault with everything its kind needs.
type PlannedFault struct {
	ID      string          `json:"id"`
	Kind    string          `json:"kind"`
	After   time.Duration   `json:"after"`
	Params  json.RawMessage `json:"params"`
	Target  inject.Target   `json:"target"`
	Staged  bool            `json:"staged,omitempty"`  // its objects can be made inert first
	Switch  bool            `json:"switch,omitempty"`  // it has a dead-man's switch
	Expires bool            `json:"expires,omitempty"` // it ends by itself, and needs none
	Undo    time.Duration   `json:"undo,omitempty"`    // the longest putting it back should take
}

// PlannedProbe is one probe, or one alarm where Alarm is set.
type PlannedProbe struct {
	Label string            `json:"label"`
	Alarm string            `json:"alarm,omitempty"`
	Spec  observe.ProbeSpec `json:"spec"`
	// Keys are the dedup keys that their monitoring would page with for it, where they can be foretold.
	Keys []string `json:"keys,omitempty"`
}

// PlannedSlack is what is told in the team's channel.
type PlannedSlack struct {
	Channel  string     `json:"channel"`
	Evidence []Evidence `json:"evidence,omitempty"`
}

// PlannedPage is how people learn of the incident.
type PlannedPage struct {
	When     string         `json:"when"`
	Fallback time.Duration  `json:"fallback,omitempty"`
	Service  string         `json:"service,omitempty"` // id of the team's PagerDuty service
	Key      string         `json:"key,omitempty"`     // secret reference of our integration key there
	Title    string         `json:"title"`
	Links    []observe.Link `json:"links,omitempty"` // runbook, dashboards, logs
}

// Leases lists the ARNs a run must hold before its first change.
func (p *Plan) Leases() []string {
	seen := map[string]bool{}
	var arns []string
	for _, f := range p.Faults {
		for _, arn := range append([]string{f.Target.ARN}, f.Target.Also...) {
			if arn != "" && !seen[arn] {
				seen[arn] = true
				arns = append(arns, arn)
			}
		}
	}
	return arns
}

// alarms lists the names and patterns of alarms of one kind of list.
func (p *Plan) alarms(list []PlannedProbe) (names []string) {
	for _, w := range list {
		if w.Alarm != "" {
			names = append(names, w.Alarm)
		}
	}
	return names
}

// Dedup is the key of the run's own page: derived, so that whoever unwinds the run can resolve it.
func Dedup(run string) string { return "firedrill/" + run }

// Hash is the plan's sha256, for people who approve one plan and want to see that one run.
func (p *Plan) Hash() (string, error) {
	c := *p
	c.Run, c.Approved = "", ""
	b, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("hash plan of %s: %w", p.Drill, err)
	}
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}

// Planned is the first event of a run.
func (p *Plan) Planned(now time.Time, brief journal.Brief) (journal.Event, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return journal.Event{}, fmt.Errorf("write plan of %s: %w", p.Drill, err)
	}
	hash, err := p.Hash()
	if err != nil {
		return journal.Event{}, err
	}
	return journal.Event{Kind: journal.RunPlanned, At: now, Fact: journal.Fact{PlanHash: hash, Brief: &brief, Plan: raw}}, nil
}
