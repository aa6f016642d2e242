package drills

import (
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// What an environment accepts is told and refuses nothing; everything else refuses as before.
func TestAcceptedVerdictsAreTold(t *testing.T) {
	check := observe.ServiceCheck{Name: "orders", Risks: []observe.Risk{
		{Verdict: observe.AutomationFires, Why: "a workflow starts", Refuses: true}, {Verdict: observe.NobodyOnCall, Why: "nobody is", Refuses: true}}}
	p, now := &Plan{Limit: time.Hour}, time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	check.Accepted([]string{"automation_fires"})
	f := &found{}
	if r := p.heard(&check, now, f); r == nil || strings.Contains(r.Why, "workflow") || !strings.Contains(r.Why, "nobody is") {
		t.Errorf("refused: %v", r)
	}
	check.Risks = check.Risks[:1]
	check.Problems = []string{"automation_fires: a workflow starts"}
	f = &found{}
	if r := p.heard(&check, now, f); r != nil || len(f.warn) != 1 || !strings.Contains(f.warn[0], "a workflow starts") {
		t.Errorf("refused: %v, told: %v", r, f.warn)
	}
}
