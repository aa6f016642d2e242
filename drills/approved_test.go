package drills_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// approve makes the plan of a scene, and its file.
func (s *scene) approve(t *testing.T) *drills.Approved {
	t.Helper()
	v, err := s.steps().Make(t.Context(), &s.spec, runID)
	if err != nil {
		t.Fatal(err)
	}
	a, err := v.Approve(nil, "ann", s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	src, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if a, err = drills.ReadApproved(src); err != nil {
		t.Fatal(err)
	}
	return a
}

// What was approved is what runs: whatever of the drill or of the world has changed since is named, and refuses.
func TestApproved(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(s *scene)
		words  []string // none: it may run
	}{
		{name: "nothing has changed", change: func(*scene) {}},
		{name: "it is two days later", change: func(s *scene) { s.clock.t = s.clock.t.Add(48 * time.Hour) }},
		{name: "somebody else is on call", change: func(s *scene) { s.pager.check.OnCall = []observe.OnCall{{User: "PNEW", Level: 1}} }},
		{name: "the target was changed", change: func(s *scene) { s.w.values["orders"] = "another value" }, words: []string{"faults.throttle.changes", "before-orders", "another value"}},
		{name: "the target is another", change: func(s *scene) { s.target.ARN += "2" }, words: []string{"plan.faults[0].target.arn"}},
		{name: "the drill lasts longer", change: func(s *scene) { s.spec.Limit = 2 * time.Hour }, words: []string{"plan.limit was 1h0m0s and is 2h0m0s"}},
		{name: "the card says something else", change: func(s *scene) { s.spec.Scenario = "Another" }, words: []string{"plan.card.scenario"}},
		{name: "more is put in", change: func(s *scene) {
			s.spec.Faults = append(s.spec.Faults, drills.FaultSpec{ID: "more", Kind: "move", Params: json.RawMessage(`{}`)})
		}, words: []string{"faults.more was nothing", "plan.faults was"}},
		{name: "another is paged", change: func(s *scene) { s.env.Teams["orders"] = drills.Team{Service: "POTHER", Key: "env:ORDERS"} }, words: []string{"plan.page.service", "POTHER"}},
		{name: "the alarm is no ripple any more", change: func(s *scene) {
			s.alarms.list = append(s.alarms.list, alarmOn("new-one", "WriteThrottleEvents", "TableName", "orders"))
		}, words: []string{"alarms.new-one was nothing"}},
		{name: "a page comes late now", change: func(s *scene) { s.pager.check.Risks = []observe.Risk{{Verdict: observe.Delayed, Why: "by a minute"}} },
			words: []string{"risks.delayed was nothing"}},
		{name: "the dead-man's switch is another's", change: func(s *scene) { s.env.Deadman.Role = "arn:aws:iam::111122223333:role/other" }, words: []string{"plan.deadman"}},
		{name: "fewer tags are asked for", change: func(s *scene) { delete(s.env.Tags, "firedrill") }, words: []string{"guards.tags.firedrill was"}},
		{name: "the window is wider", change: func(s *scene) {
			s.env.Window, _ = drills.ParseWindow("mon-sun", "00:00-24:00", "UTC")
		}, words: []string{"guards.window was", "00:00-24:00"}},
		{name: "low incidents stand in no way any more", change: func(s *scene) { s.env.OpenIncidents = "high" }, words: []string{"guards.open_incidents was nothing"}},
		{name: "another freeze is known", change: func(s *scene) {
			s.env.Freezes = append(s.env.Freezes, drills.Freeze{From: "2020-01-01", To: "2020-01-02"})
		},
			words: []string{"guards.freezes was nothing"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			a := s.approve(t)
			row.change(s)
			v, err := s.steps().Make(t.Context(), &s.spec, "01another0run")
			if err != nil {
				t.Fatal(err)
			}
			no := a.Same(v)
			if len(row.words) == 0 {
				if no != nil {
					t.Errorf("refused: %v", no)
				}
				return
			}
			if no == nil || no.Code != "approved" || no.Later {
				t.Fatalf("not refused: %v", no)
			}
			for _, w := range row.words {
				if !strings.Contains(no.Why, w) {
					t.Errorf("%q does not say %q", no.Why, w)
				}
			}
		})
	}
}

// The run's own name in what it would change is no difference.
func TestApprovedKnowsNoRun(t *testing.T) {
	s := newScene(t)
	a := s.approve(t)
	if strings.Contains(string(a.Subject), runID) {
		t.Errorf("it names the run: %s", a.Subject)
	}
	v, err := s.steps().Make(t.Context(), &s.spec, "01another0run")
	if err != nil {
		t.Fatal(err)
	}
	v.Faults[0].Changes = append(v.Faults[0].Changes, inject.Change{What: "x"})
	if no := a.Same(v); no == nil || !strings.Contains(no.Why, "changes") {
		t.Errorf("a change that was not approved: %v", no)
	}
}

// A file that somebody has written on is none, however small the change; its layout may be anybody's.
func TestReadApproved(t *testing.T) {
	a := newScene(t).approve(t)
	for name, row := range map[string]struct {
		change func(a *drills.Approved)
		want   string
	}{
		"as it was": {func(*drills.Approved) {}, ""},
		"another subject": {func(a *drills.Approved) {
			a.Subject = json.RawMessage(strings.Replace(string(a.Subject), "staging", "other", 1))
		}, "somebody has changed it"},
		"another hash":      {func(a *drills.Approved) { a.Hash = "sha256:" + strings.Repeat("0", 64) }, "somebody has changed it"},
		"no hash":           {func(a *drills.Approved) { a.Hash = "" }, "somebody has changed it"},
		"a later release's": {func(a *drills.Approved) { a.V = 2 }, "later release"},
		"something else":    {func(a *drills.Approved) { *a = drills.Approved{} }, "no plan file"},
	} {
		b := *a
		row.change(&b)
		src, err := json.MarshalIndent(b, "\t", "    ")
		if err != nil {
			t.Fatal(err)
		}
		switch _, err := drills.ReadApproved(src); {
		case row.want == "" && err != nil, row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
			t.Errorf("%s: %v, want %q", name, err, row.want)
		}
	}
	var syntax *json.SyntaxError
	if _, err := drills.ReadApproved([]byte("drill: x")); !errors.As(err, &syntax) {
		t.Errorf("a drill file: %v", err)
	}
}
