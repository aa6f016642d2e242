package drills

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Preview is what a plan shows people before anything is changed.
type Preview struct {
	Plan     *Plan
	Brief    journal.Brief
	Faults   []PreviewFault
	Facts    map[string]string     // what the guards found
	Check    *observe.ServiceCheck // the pager's service, nil where it was not reached
	Warn     []string              // told, but no reason to refuse
	Alarms   []AlarmVerdict
	Reaching string   // what the alarms of Alarms have in common, as a heading
	Reach    string   // how Alarms were found
	Unlisted []string // alarms that the drill moves and does not list
	Floors   []Floor
	Rights   *PermissionCheck // what IAM says of the credentials; nil where it was not asked

	env  *Environment
	spec *Spec
}

// Undo is how long putting everything back should take at the longest; after that it is tried for the plan's patience.
func (v *Preview) Undo() (d time.Duration) {
	for _, f := range v.Faults {
		d += f.Costs.Undo
	}
	return d
}

// PreviewFault is one fault of a preview.
type PreviewFault struct {
	ID, Kind    string
	Undo        inject.Undo
	Changes     []inject.Change
	Costs       inject.Costs
	Moves       []inject.Metric
	Floor       time.Duration
	FloorSure   bool
	Permissions []inject.Permission
	Switch      PreviewSwitch
	Witness     string // how it will be known that it is felt, where the fault can tell

	params json.RawMessage
}

// Make checks a drill against the world and makes its plan. It only reads: nothing is written, anywhere. A *Refusal
// says why this drill may not run (now); the preview is told as far as it got.
func (st *Steps) Make(ctx context.Context, spec *Spec, run string) (*Preview, error) {
	env := st.Env
	v := &Preview{Facts: map[string]string{}, env: env, spec: spec}
	caller, err := st.whoami(ctx)
	if err != nil {
		return v, nobody(err)
	}
	p := newPlan(env, spec, caller, run)
	v.Plan = p
	if r := st.planPage(spec, p); r != nil {
		return v, r
	}
	if r := st.planWords(spec, p); r != nil {
		return v, r
	}
	v.Warn = append(v.Warn, p.unreached()...)
	if r := st.cheap(ctx, v); r != nil && !st.passes(r) {
		return v, r // before any target is read: not even a look at another account
	}
	for _, f := range spec.Faults {
		pf, err := st.planFault(ctx, f, p)
		if err != nil {
			return v, err
		}
		p.Faults = append(p.Faults, PlannedFault{ID: f.ID, Kind: f.Kind, After: f.After, Params: f.Params,
			Target: pf.Undo.Target, Staged: pf.staged, Undo: pf.Costs.Undo})
		v.Faults = append(v.Faults, pf.PreviewFault)
	}
	p.Patience = patienceFor(p.Patience, v.Faults)
	if r := st.planSwitches(v); r != nil {
		return v, r
	}
	v.Brief = briefOf(spec, p, v)
	if p.Card, err = json.Marshal(pageCard(spec)); err != nil {
		return v, fmt.Errorf("write card of %s: %w", spec.Drill, err)
	}
	if r := st.judge(ctx, v); r != nil {
		return v, r
	}
	return v, nil
}

// newPlan is what a drill's file and an environment tell of a run, before anything is looked at.
func newPlan(env *Environment, spec *Spec, caller Caller, run string) *Plan {
	return &Plan{
		V: PlanVersion, Run: run, Drill: spec.Drill, Environment: env.Name, Account: caller.Account, Region: caller.Region,
		Role: env.AWS.Role, OIDC: env.AWS.OIDC, Endpoint: env.AWS.Endpoint,
		Sandbox: env.Sandbox, Ripples: spec.Ripples, Expect: spec.Expect, Limit: spec.Limit,
		Patience: env.UndoPatience, Settle: env.Settle, Owner: env.Owner, Pace: paceOf(env),
		Steady: plannedProbes(spec.SteadyState), Watch: plannedProbes(spec.Watch), Stop: plannedProbes(spec.StopConditions),
	}
}

// cheap asks what needs no look at a target.
func (st *Steps) cheap(ctx context.Context, v *Preview) *Refusal {
	f := &found{facts: v.Facts}
	return st.inTurn(ctx, v.Plan, f, st.checkAccount, st.checkCredentials, st.checkDeadman, st.checkLever, st.checkStore, st.checkWindow)
}

// judge asks everything that a run will ask right before its first change, and whether anybody could see the fault.
func (st *Steps) judge(ctx context.Context, v *Preview) *Refusal {
	st.planType(ctx, v)
	f, r := st.check(ctx, v.Plan)
	maps.Copy(v.Facts, f.facts)
	v.Check, v.Warn, v.Brief.Risks = f.service, append(v.Warn, f.warn...), f.risks()
	if r == nil || st.passes(r) {
		sees := func(ctx context.Context, _ *Plan, _ *found) *Refusal { return st.checkSight(ctx, v) }
		after := st.inTurn(ctx, v.Plan, &found{facts: v.Facts}, sees, st.checkSteady)
		if r = cmp.Or(r, after); after != nil && !st.passes(after) {
			r = after
		}
	}
	if len(v.Plan.Steady) == 0 {
		v.Warn = append(v.Warn, "the drill has no steady_state: nothing says that all was well before, and mitigation cannot be measured")
	}
	return r
}

// paceOf: the sandbox is looked at more often, because its time is short.
func paceOf(env *Environment) Pace {
	if env.Sandbox != nil && !env.Sandbox.Unhurried {
		return Pace{Look: 500 * time.Millisecond, Alarm: 250 * time.Millisecond, Pager: 500 * time.Millisecond, Clock: 10 * time.Second}
	}
	return Pace{Look: 2 * time.Second, Alarm: 5 * time.Second, Pager: 5 * time.Second}
}

func plannedProbes(specs []observe.ProbeSpec) (list []PlannedProbe) {
	for _, s := range specs {
		list = append(list, PlannedProbe{Label: s.Label(), Alarm: alarmOf(s), Spec: s})
	}
	return list
}

// planPage finds who is paged, and how.
func (st *Steps) planPage(spec *Spec, p *Plan) *Refusal {
	p.Page = PlannedPage{When: spec.Page.When, Fallback: spec.Page.Fallback, Title: "[DRILL] " + spec.Title}
	team, ok := st.Env.Teams[spec.Team]
	if !ok {
		return refuse("team", "add it under teams, with its PagerDuty service and firedrill's integration key there",
			"environment %s has no team %q, which practises %s", st.Env.Name, spec.Team, spec.Drill)
	}
	if team.Service == "" {
		return refuse("team", "add its PagerDuty service", "team %s of environment %s has no PagerDuty service: nobody could be paged", spec.Team, st.Env.Name)
	}
	p.Page.Service, p.Page.Key = team.Service, team.Key
	if spec.Runbook != "" {
		p.Page.Links = append(p.Page.Links, observe.Link{Href: spec.Runbook, Text: "runbook"})
	}
	for _, l := range spec.Look {
		p.Page.Links = append(p.Page.Links, observe.Link{Href: l.URL, Text: l.What})
	}
	return nil
}

// planWords settles when people learn that it is a drill, and where they are told what.
func (st *Steps) planWords(spec *Spec, p *Plan) *Refusal {
	p.Announce, p.People, p.Hints = spec.Announce, st.Env.People, spec.Hints
	if spec.Announce == AnnounceEnd && st.Env.Surprise != "allowed" {
		return refuse("surprise", "announce: acknowledge, or surprise: allowed in firedrill.yaml",
			"%s tells people only at its end that it is a drill, and environment %s does not allow surprises", spec.Drill, st.Env.Name)
	}
	p.Page.Title = p.pageTitle()
	if st.Env.PagerDuty.Notes == NotesSlack {
		p.Notes = NotesSlack
	}
	if slack := st.Env.Slack; slack.Token != "" && st.Env.Teams[spec.Team].Slack != "" || slack.Webhook != "" {
		p.Slack = &PlannedSlack{Channel: st.Env.Teams[spec.Team].Slack, Evidence: spec.Evidence}
	}
	return nil
}

// drillType is the incident type that drills have in an account that knows it, so that nobody's statistics count them.
const drillType = "drill"

// planType gives drill incidents their type, where there is one and we may: to find out costs one question.
func (st *Steps) planType(ctx context.Context, v *Preview) {
	if st.World.Marker == nil || v.Plan.Notes == NotesSlack {
		return // a token that may write no note may write no type
	}
	switch known, err := st.World.Marker.HasType(ctx, drillType); {
	case err != nil:
		v.Warn = append(v.Warn, fmt.Sprintf("whether the account knows the incident type %q is unknown, so incidents do not get it: %v", drillType, err))
	case known:
		v.Plan.Type = drillType
	}
}

type plannedFault struct {
	PreviewFault
	staged bool
}

// planFault reads the target and asks the fault for everything a plan shows; the undo is thrown away.
func (st *Steps) planFault(ctx context.Context, f FaultSpec, p *Plan) (out plannedFault, err error) {
	kind, ok := st.World.Catalog[f.Kind]
	if !ok {
		return out, refuse("fault", "see firedrill schema", "no fault is called %s", f.Kind)
	}
	fault, err := kind.New(f.Params)
	if err != nil {
		return out, asRefusal(err)
	}
	if c, err := st.whoami(ctx); err == nil {
		if r := placedParams(f.Params, c); r != nil {
			return out, r
		}
	}
	now := st.World.Clock.Now()
	u, err := fault.Prepare(ctx, inject.Mark{Run: p.Run, Fault: f.ID, Until: now.Add(p.Limit)}, now)
	if err != nil {
		return out, asRefusal(fmt.Errorf("prepare %s: %w", f.ID, err))
	}
	out.PreviewFault = PreviewFault{ID: f.ID, Kind: f.Kind, Undo: u, params: f.Params, Changes: kind.Describe(u), FloorSure: true}
	_, out.staged = fault.(inject.Staged)
	if x, ok := fault.(inject.Costed); ok {
		out.Costs = x.Costs(u)
	}
	if x, ok := fault.(inject.Mover); ok {
		out.Moves = x.Moves(u)
	}
	if x, ok := fault.(inject.Floored); ok {
		out.Floor, out.FloorSure = x.Floor(u)
	}
	if x, ok := fault.(inject.Witnessed); ok {
		out.Witness = x.Witness(u)
	}
	if x, ok := fault.(inject.Permitter); ok {
		out.Permissions = x.Permissions(u.Target)
	}
	return out, nil
}

// asRefusal: whatever keeps a plan from being made is a reason not to inject.
func asRefusal(err error) *Refusal {
	var no *inject.Refusal
	if errors.As(err, &no) {
		return &Refusal{Code: "fault", Why: no.Why, Try: no.Try, Later: no.Later}
	}
	return refuse("fault", "look at the target and the credentials", "%v", err)
}

// pageCard is what the page carries: what is on the card, and nothing that gives the solution away.
func pageCard(spec *Spec) map[string]any {
	d := map[string]any{"scenario": spec.Scenario}
	if spec.Runbook != "" {
		d["runbook"] = spec.Runbook
	}
	var evidence []string
	for _, e := range spec.Evidence {
		evidence = append(evidence, e.Where+": "+e.Text)
	}
	if len(evidence) > 0 {
		d["evidence"] = strings.Join(evidence, "\n")
	}
	return d
}

func briefOf(spec *Spec, p *Plan, v *Preview) journal.Brief {
	b := journal.Brief{
		Drill: spec.Drill, Title: spec.Title, Scenario: spec.Scenario, Team: spec.Team, Tags: spec.Tags,
		Environment: p.Environment, Account: p.Account, Runbook: spec.Runbook, PageWhen: p.Page.When, PageService: p.Page.Service,
		FallbackS: p.Page.Fallback.Seconds(), LimitS: p.Limit.Seconds(), Ripples: p.Ripples,
		Announce: p.Announce, Steady: labels(p.Steady), Watch: labels(p.Watch), Stop: labels(p.Stop), Look: map[string]string{},
	}
	if p.Sandbox != nil {
		b.Sandbox, b.SandboxURL = p.Sandbox.Instance, p.Sandbox.URL
	}
	for _, l := range spec.Look {
		b.Look[l.What] = l.URL
	}
	for _, e := range spec.Evidence {
		b.Evidence = append(b.Evidence, e.Where+": "+e.Text)
	}
	for _, h := range spec.Hints {
		b.Hints = append(b.Hints, short(h.After)+" after the page: "+h.Say)
	}
	for _, x := range []struct {
		name string
		d    time.Duration
	}{{"effective", p.Expect.Effective}, {"detect", p.Expect.Detect}, {"acknowledge", p.Expect.Acknowledge},
		{"mitigate", p.Expect.Mitigate}, {"resolve", p.Expect.Resolve}} {
		if x.d > 0 {
			b.Expect = append(b.Expect, journal.Expectation{Name: x.name, LimitS: x.d.Seconds()})
		}
	}
	for _, f := range v.Faults {
		bf := journal.BriefFault{ID: f.ID, Kind: f.Kind, Target: f.Undo.Target.ARN, Switch: f.Switch.Why == "" && f.Switch.Expires.IsZero()}
		for _, c := range f.Changes {
			bf.Changes = append(bf.Changes, journal.Change(c))
		}
		b.Faults = append(b.Faults, bf)
	}
	return b
}

func labels(list []PlannedProbe) (out []string) {
	for _, p := range list {
		out = append(out, p.Label)
	}
	return out
}

// alarmOf is the name of the alarm a probe looks at; empty where it looks at something else.
func alarmOf(s observe.ProbeSpec) string {
	if s.Alarm == nil {
		return ""
	}
	return string(*s.Alarm)
}

// patienceFor is how long putting back is tried: what the environment says, or what a slow undo needs and half as much
// again, whichever is more. An undo that is only slow is not dirty.
func patienceFor(patience time.Duration, faults []PreviewFault) time.Duration {
	if patience <= 0 {
		patience = defaultPatience
	}
	for _, f := range faults {
		patience = max(patience, f.Costs.Undo+f.Costs.Undo/2)
	}
	return patience
}
