package drills_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// guardRow spoils one thing, and says which guard must say no, and how.
type guardRow struct {
	name  string
	spoil func(s *scene)
	code  string
	later bool
	words []string
}

func guardRows() []guardRow {
	incident := func(title string, alerts ...observe.Alert) func(*scene) {
		return func(s *scene) {
			s.pager.open = []observe.Incident{{ID: "Q1", Title: title, Status: "acknowledged", Urgency: "high", URL: "https://pd/Q1", Alerts: alerts}}
		}
	}
	return append([]guardRow{
		{"open incident", incident("Disk full"), "open_incident", true, []string{"Disk full", "https://pd/Q1"}},
		{"open incident of the watched alarm", incident("throttled: rings"), "open_incident", true, []string{"page nobody"}},
		{"another drill's page", incident("[DRILL] x", observe.Alert{Key: "firedrill/01other"}), "open_incident", true, []string{"01other"}},
		{"low urgency counts too", func(s *scene) {
			s.pager.open = []observe.Incident{{ID: "Q1", Title: "slow", Status: "triggered", Urgency: "low"}}
		}, "open_incident", true, []string{"slow"}},
		{"no pager", func(s *scene) { s.pager = nil }, "pager", false, []string{"no pager"}},
		{"pager down", func(s *scene) { s.pager.err = errors.New("connection refused") }, "pager", false, []string{"connection refused"}},
		{"pager key wrong", func(s *scene) {
			s.pager.err = &observe.Problem{Op: "check", Why: "the token is wrong, or is not of region us", Try: "check pagerduty.token", Status: 401}
		}, "pager", false, []string{"not of region us", "Try: check pagerduty.token"}},
		{"incidents unreadable", func(s *scene) { s.pager.deaf = errors.New("403") }, "pager", false, []string{"open incidents"}},
		{"maintenance", func(s *scene) { s.pager.check.Problems = []string{"a maintenance window is on: deploy"} }, "pager", false, []string{"would not be heard", "deploy"}},
		{"a rule suppresses pages", func(s *scene) {
			s.pager.check.Risks = []observe.Risk{{Verdict: observe.Suppressed, Why: "rule mute drops events", Refuses: true}, {Verdict: observe.Delayed, Why: "by a minute"}}
		}, "pager", false, []string{"would not be heard: suppressed: rule mute drops events", "Try: mend the service"}},
		{"a page sets something off", func(s *scene) {
			s.pager.check.Risks = []observe.Risk{{Verdict: observe.AutomationFires, Why: "workflow W starts", Refuses: true}}
		}, "pager", false, []string{"would set something off: automation_fires: workflow W starts", "Try: mend the service, or accept it in firedrill.yaml: pagerduty: {accept: [automation_fires]}"}},
		{"a page comes late", func(s *scene) {
			s.pager.check.Risks = []observe.Risk{{Verdict: observe.Delayed, Why: "paused for 10m", Refuses: true}}
		}, "pager", false, []string{"would come late: delayed: paused for 10m"}},
		{"a maintenance window begins before the end", func(s *scene) { s.pager.check.Window = s.clock.Now().Add(10 * time.Minute) }, "pager", false,
			[]string{"in_maintenance: a maintenance window begins at"}},
		{"key not set", func(s *scene) { delete(s.secrets, "env:ORDERS") }, "key", false, []string{"PORDERS", "it is empty"}},
		{"key too short", func(s *scene) { s.secrets["env:ORDERS"] = "abc" }, "key", false, []string{"32"}},
		{"key is something else", func(s *scene) { s.secrets["env:ORDERS"] = strings.Repeat("-", 32) }, "key", false, []string{"32"}},
		{"key of an orchestration", func(s *scene) { s.secrets["env:ORDERS"] = "R" + goodKey[1:] }, "key", false, []string{"any service"}},
		{"no key named", func(s *scene) { s.env.Teams = map[string]drills.Team{"orders": {Service: "PORDERS"}} }, "key", false, []string{"not named"}},
		{"no owner", func(s *scene) { s.env.Owner = "" }, "key", false, []string{"owner"}},
		{"owner's key not set", func(s *scene) { delete(s.secrets, "env:OWNER") }, "key", false, []string{"the owner's"}},
		{"alarm rings", func(s *scene) { s.alarms.list[0].State = "ALARM" }, "alarms", false, []string{"throttled", "ALARM"}},
		{"alarm without data", func(s *scene) { s.alarms.list[0].State = "INSUFFICIENT_DATA" }, "alarms", false, []string{"INSUFFICIENT_DATA"}},
		{"no such alarm", func(s *scene) { s.alarms.list = nil }, "alarms", false, []string{"there is no alarm throttled"}},
		{"alarms unreadable", func(s *scene) { s.alarms.err = errors.New("AccessDenied") }, "alarms", false, []string{"cloudwatch:DescribeAlarms"}},
		{"no alarms at all", func(s *scene) { s.alarms = nil }, "alarms", false, nil},
		{"stop condition bad", stopReads(observe.Bad), "stop_condition", false, []string{"hurt"}},
		{"stop condition unknown", stopReads(observe.Unknown), "stop_condition", false, []string{"unknown"}},
	}, placeRows()...)
}

func stopReads(v observe.Value) func(*scene) {
	return func(s *scene) {
		s.spec.StopConditions = []observe.ProbeSpec{watching("hurt")}
		s.reads["alarm hurt"] = v
	}
}

// placeRows are about where a drill may run, and when.
func placeRows() []guardRow {
	return []guardRow{
		{"wrong account", func(s *scene) { s.caller.Account = "999900001111" }, "account", false, []string{"999900001111", account}},
		{"environment without account", func(s *scene) { s.env.AWS.Account = "" }, "account", false, nil},
		{"credentials expired", func(s *scene) { s.who = errors.New("ExpiredToken") }, "account", false, []string{"ExpiredToken", "aws sts get-caller-identity"}},
		{"wrong region", func(s *scene) { s.caller.Region = "us-east-1" }, "region", false, []string{"us-east-1", "eu-west-1"}},
		{"alias names production", func(s *scene) { s.caller.Alias = "shop-Prod" }, "production", false, []string{"shop-Prod"}},
		{"environment names production", func(s *scene) { s.env.Name = "live2" }, "production", false, []string{"live2"}},
		{"a tag names production", func(s *scene) { s.tags["tier"] = "PRD-1" }, "production", false, []string{"tier=PRD-1"}},
		{"tag missing", func(s *scene) { delete(s.tags, "firedrill") }, "tags", false, []string{"no tag firedrill", "firedrill=allowed"}},
		{"tag wrong", func(s *scene) { s.tags["environment"] = "qa" }, "tags", false, []string{"environment=qa", "environment=staging"}},
		{"tags unreadable", func(s *scene) { s.tags = nil }, "tags", false, []string{"AccessDenied"}},
		{"no tags asked for", func(s *scene) { s.env.Tags = nil }, "tags", false, []string{"names no tags"}},
		{"another resource of that name", func(s *scene) { s.found = strings.Replace(tableARN, account, "999900001111", 1) }, "target", false, []string{"in the place of"}},
		{"target in another account", func(s *scene) { s.target.Account = "999900001111" }, "account", false, []string{"999900001111"}},
		{"ARN of another account", func(s *scene) { s.target.ARN = strings.Replace(tableARN, account, "999900001111", 1) }, "account", false, []string{"999900001111"}},
		{"target in another region", func(s *scene) { s.target.Region = "us-east-1" }, "region", false, []string{"us-east-1"}},
		{"its DLQ in another region", func(s *scene) { s.target.Also = []string{"arn:aws:sqs:us-east-1:" + account + ":dlq"} }, "region", false, []string{"dlq"}},
		{"window closed", func(s *scene) { s.clock.t = s.clock.t.Add(-2 * time.Hour) }, "window", true, []string{"outside the window", "Mon 2 Mar 09:00 UTC"}},
		{"weekend", func(s *scene) { s.clock.t = s.clock.t.Add(-24 * time.Hour) }, "window", true, []string{"Mon 2 Mar 09:00 UTC"}},
		{"no window", func(s *scene) { s.env.Window = nil }, "window", false, []string{"no window"}},
		{"dead-man required", func(s *scene) { s.env.Deadman.Required = true }, "deadman", false, []string{"dead-man's switch"}},
		{"store of a later release", func(s *scene) { s.env.Store.Kind = "etcd" }, "store", false, []string{"etcd"}},
	}
}

func TestSceneMayRun(t *testing.T) {
	s := newScene(t)
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	s.untouched(t)
	want := map[string]string{"account": account, "region": "eu-west-1", "window": "ok", "lever": "ok", "open_incidents": "0", "steady_state": "ok"}
	for k, w := range want {
		if v.Facts[k] != w {
			t.Errorf("fact %s is %q, want %q", k, v.Facts[k], w)
		}
	}
	if v.Check == nil || v.Check.Name != "Orders" || v.Undo() != 5*time.Minute {
		t.Errorf("preview: check %v, undo %s", v.Check, v.Undo())
	}
	if !strings.Contains(strings.Join(v.Warn, "\n"), "this machine") {
		t.Errorf("nobody says that SQLite protects one machine only: %q", v.Warn)
	}
}

// Whoever approves a plan must be able to see that it is the one that runs.
func TestPlanHashIsTheDrills(t *testing.T) {
	s := newScene(t)
	hashes := map[string]bool{}
	for _, run := range []string{runID, "01other"} {
		v, err := s.steps().Make(context.Background(), &s.spec, run)
		if err != nil {
			t.Fatal(err)
		}
		h, err := v.Plan.Hash()
		if err != nil || !strings.HasPrefix(h, "sha256:") {
			t.Fatalf("hash %q, err %v", h, err)
		}
		hashes[h] = true
		s.clock.t = s.clock.t.Add(time.Minute)
	}
	if len(hashes) != 1 {
		t.Errorf("one drill, several hashes: %v", hashes)
	}
	s.target.ARN += "-2"
	v, err := s.plan()
	if h, _ := v.Plan.Hash(); err != nil || hashes[h] {
		t.Errorf("another target, the same hash (%v)", err)
	}
}

// Each refusal stands alone: a plan says it, and writes nothing.
func TestPlanRefuses(t *testing.T) {
	for _, row := range guardRows() {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			row.spoil(s)
			_, err := s.plan()
			refusedBy(t, err, row.code, row.later, row.words...)
			s.untouched(t)
		})
	}
}

// In the wrong place nothing is even looked at.
func TestWrongPlaceIsNotLookedAt(t *testing.T) {
	for _, row := range placeRows() {
		switch row.name {
		case "wrong account", "environment without account", "credentials expired", "wrong region", "alias names production",
			"environment names production", "window closed", "no window", "dead-man required", "store of a later release":
		default:
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			row.spoil(s)
			if _, err := s.plan(); err == nil || s.looks > 0 {
				t.Errorf("%d looks at the target, err %v", s.looks, err)
			}
		})
	}
}

// The world may change between plan and run: the run asks everything anew, says the same no, and writes nothing.
func TestRunRefuses(t *testing.T) {
	for _, row := range guardRows() {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			if row.name == "another drill's page" || row.code == "stop_condition" {
				s.spec.StopConditions = []observe.ProbeSpec{watching("hurt")}
			}
			v, err := s.plan()
			if err != nil {
				t.Fatal(err)
			}
			target := s.target
			row.spoil(s)
			p := v.Plan
			for i := range p.Faults { // a plan that was tampered with, or made by another version
				if s.target.ARN != target.ARN || s.target.Account != target.Account || s.target.Region != target.Region || len(s.target.Also) > 0 {
					p.Faults[i].Target = s.target
				}
			}
			p.Owner, p.Page.Key = s.env.Owner, s.env.Teams["orders"].Key
			st := s.run(t, p, v.Brief)
			if st.Outcome != "refused" || st.Stop == nil {
				t.Fatalf("outcome %s, stop %v", st.Outcome, st.Stop)
			}
			last := refusalOf(st)
			if last.Reason != row.code || (last.Facts["when"] == "later") != row.later || last.Try == "" {
				t.Errorf("refused by %s (%v): %s", last.Reason, last.Facts, last.Why)
			}
			s.untouched(t)
		})
	}
}

// run runs a plan to its end.
func (s *scene) run(t *testing.T, p *drills.Plan, b journal.Brief) *drills.State {
	t.Helper()
	e := &drills.Engine{Store: s.store, Steps: s.steps(), Clock: s.clock, Holder: journal.Holder{Host: "h", PID: 1}}
	st, err := e.Start(context.Background(), p, b)
	if err != nil || st == nil || !st.Finished {
		t.Fatalf("run: %v, %v", st, err)
	}
	return st
}

func refusalOf(st *drills.State) journal.Fact {
	for _, e := range st.Events {
		if e.Kind == journal.GuardRefused {
			return e.Fact
		}
	}
	return journal.Fact{}
}

// What is in order is not refused: a guard that always says no would pass every test above.
func TestPlanAllows(t *testing.T) {
	for _, row := range []struct {
		name  string
		allow func(*scene)
		warns string
	}{
		{"an incident that has ended", func(s *scene) { s.pager.open = []observe.Incident{{ID: "Q1", Status: "resolved"}} }, ""},
		{"low urgency where the file says so", func(s *scene) {
			s.env.OpenIncidents = "high"
			s.pager.open = []observe.Incident{{ID: "Q1", Status: "triggered", Urgency: "low"}}
		}, ""},
		{"an incident of a ripple", func(s *scene) {
			s.spec.Ripples = []string{"api-5xx"}
			s.pager.open = []observe.Incident{{ID: "Q1", Title: "api-5xx rings", Status: "triggered"}}
		}, "api-5xx rings"},
		{"a watched alarm's incident, where we page ourselves", func(s *scene) {
			s.spec.Page = drills.PageSpec{When: drills.PageDirect}
			s.pager.open = []observe.Incident{{ID: "Q1", Title: "throttled", Status: "triggered"}}
		}, "open incident"},
		{"our own mark in a tag", func(s *scene) { s.tags["firedrill:undo"] = "prd" }, ""},
		{"an account without alias", func(s *scene) { s.caller.Alias = "" }, "no alias"},
		{"a window that closes early", func(s *scene) { s.clock.t = s.clock.t.Add(6*time.Hour + 30*time.Minute) }, "people may be woken until Mon 2 Mar 17:00 UTC only"},
		{"no steady state", func(s *scene) { s.spec.SteadyState = nil }, "no steady_state"},
		{"maintenance later today", func(s *scene) {
			s.pager.check.Risks = []observe.Risk{{Verdict: observe.InMaintenance, Why: "a maintenance window is near: deploy at 15:00"}}
		}, "deploy at 15:00"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			row.allow(s)
			v, err := s.plan()
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(strings.Join(v.Warn, "\n"), row.warns) {
				t.Errorf("nobody says %q: %q", row.warns, v.Warn)
			}
			s.untouched(t)
		})
	}
}

// What only a plan finds out.
func TestMakeRefuses(t *testing.T) {
	for _, row := range []guardRow{
		{"steady state bad", func(s *scene) { s.reads["http https://orders.example.com/health"] = observe.Bad }, "steady_state", false, []string{"health"}},
		{"steady state unknown", func(s *scene) { s.reads["http https://orders.example.com/health"] = observe.Unknown }, "steady_state", false, []string{"unknown"}},
		{"no such team", func(s *scene) { s.spec.Team = "web" }, "team", false, []string{`"web"`}},
		{"a team nobody can page", func(s *scene) { s.env.Teams = map[string]drills.Team{"orders": {Key: "env:ORDERS"}} }, "team", false, []string{"nobody could be paged"}},
		{"no such fault", func(s *scene) { s.spec.Faults[0].Kind = "meteor" }, "fault", false, []string{"meteor"}},
		{"an ARN of another region", func(s *scene) {
			s.spec.Faults[0].Params = []byte(`{"table":"` + strings.Replace(tableARN, ":eu-", ":us-", 1) + `"}`)
		}, "region", false, []string{"us-west-1", "this drill is in eu-west-1"}},
		{"an ARN of another account", func(s *scene) {
			s.spec.Faults[0].Params = []byte(`{"table":"` + strings.Replace(tableARN, account, "999900001111", 1) + `"}`)
		}, "account", false, []string{"999900001111"}},
		{"no fault", func(s *scene) { s.spec.Faults = nil }, "fault", false, []string{"no fault"}},
		{"the fault says no", func(s *scene) { s.no = inject.Refuse("use another table", "table orders is global") }, "fault", false, []string{"global", "use another table"}},
		{"the fault says not now", func(s *scene) { s.no = &inject.Refusal{Why: "no decreases left", Try: "tomorrow", Later: true} }, "fault", true, []string{"tomorrow"}},
		{"the target is gone", func(s *scene) { s.no = errors.New("ResourceNotFoundException") }, "fault", false, []string{"ResourceNotFoundException"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			row.spoil(s)
			_, err := s.plan()
			refusedBy(t, err, row.code, row.later, row.words...)
			s.untouched(t)
		})
	}
}

// A target belongs to the run that has not ended: the plan says so without taking anything.
func TestHeldTarget(t *testing.T) {
	s := newScene(t)
	s.target.Also = []string{"arn:aws:sqs:eu-west-1:" + account + ":dlq"}
	v, err := s.plan()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{tableARN, s.target.Also[0]} {
		no := v.Plan.Held([]journal.Lease{{Name: "arn:aws:other", Run: "01other"}, {Name: name, Run: "01other"}})
		if no == nil {
			t.Fatalf("%s is held by nobody", name)
		}
		refusedBy(t, no, "lease", true, name, "firedrill recover 01other")
	}
	for _, leases := range [][]journal.Lease{nil, {{Name: tableARN, Run: runID}}, {{Name: journal.RunLease("01other"), Run: "01other"}}} {
		if no := v.Plan.Held(leases); no != nil {
			t.Errorf("%v: %v", leases, no)
		}
	}
	held, err := s.store.Take(context.Background(), tableARN, "01other", journal.Holder{Host: "h"}, time.Second, s.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	s.clock.t = s.clock.t.Add(time.Hour) // long expired, and still its own
	st := s.run(t, v.Plan, v.Brief)
	if f := refusalOf(st); f.Reason != "lease" || f.Facts["when"] != "later" || !strings.Contains(fmt.Sprint(f), held.Run) {
		t.Errorf("refusal: %+v", f)
	}
	s.untouched(t)
}

// No secret is told, whatever is wrong with it.
func TestKeyIsNeverTold(t *testing.T) {
	for _, key := range []string{"hunter2", "Rhunter2" + goodKey[8:], goodKey + "hunter2"} {
		s := newScene(t)
		s.secrets["env:ORDERS"] = key
		_, err := s.plan()
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "hunter2") {
			t.Errorf("refusal: %v", err)
		}
	}
}
