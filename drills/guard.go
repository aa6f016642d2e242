package drills

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Refusal is a guard's worded no. Nothing has been changed.
type Refusal struct {
	Code  string // which check: account, region, tags, window, …
	Why   string
	Try   string
	Later bool // not now (75), instead of: something must be mended (4)
}

func (r *Refusal) Error() string { return "not injecting: " + r.Why }

func refuse(code, try, why string, args ...any) *Refusal {
	return &Refusal{Code: code, Why: fmt.Sprintf(why, args...), Try: try}
}

func later(code, try, why string, args ...any) *Refusal {
	r := refuse(code, try, why, args...)
	r.Later = true
	return r
}

// event is the refusal as the journal keeps it.
func (r *Refusal) event() journal.Event {
	e := journal.Event{Kind: journal.GuardRefused, Fact: journal.Fact{Reason: r.Code, Why: r.Why, Try: r.Try}}
	if r.Later {
		e.Fact.Facts = map[string]string{"when": "later"}
	}
	return e
}

// guard runs every check anew, right before the first change, and takes the targets.
func (st *Steps) guard(ctx context.Context, s *State) []journal.Event {
	st.clocks.start(ctx, st.World) // takes a second or so, side by side with everything else
	facts, refusal := st.Check(ctx, &s.Plan)
	if refusal != nil {
		return []journal.Event{refusal.event()}
	}
	arns := s.Plan.Leases()
	slices.Sort(arns)
	var held *journal.HeldError
	if err := st.Lease(ctx, arns); errors.As(err, &held) {
		return []journal.Event{heldRefusal(held).event()}
	} else if err != nil {
		return []journal.Event{refuse("lease", "look at the store", "take leases: %v", err).event()}
	}
	return []journal.Event{{Kind: journal.GuardPassed, Fact: journal.Fact{Facts: facts}}}
}

func heldRefusal(held *journal.HeldError) *Refusal {
	return later("lease", "firedrill recover "+held.Lease.Run, "%s belongs to run %s, which has not ended (%s)",
		held.Lease.Name, held.Lease.Run, held.Lease.Holder)
}

// Check asks everything that may forbid a change; it only reads. Any doubt refuses.
func (st *Steps) Check(ctx context.Context, p *Plan) (map[string]string, *Refusal) {
	if st.Env == nil {
		return nil, refuse("environment", "name one with --env", "no environment is known here")
	}
	facts := map[string]string{"lever": "none"}
	checks := []func(context.Context, *Plan, map[string]string) *Refusal{
		st.checkAccount, st.checkWindow, st.checkDeadman, st.checkTargets, st.checkAlarms, st.checkStop, st.checkPager,
	}
	for _, check := range checks {
		if r := check(ctx, p, facts); r != nil {
			return facts, r
		}
	}
	return facts, nil
}

// callerAge is how long an answer of STS is believed.
const callerAge = time.Minute

func (st *Steps) whoami(ctx context.Context) (Caller, error) {
	now := st.World.Clock.Now()
	if !st.callerRead.IsZero() && now.Sub(st.callerRead) < callerAge {
		return st.caller, nil
	}
	c, err := st.World.Caller(ctx)
	if err != nil {
		return c, fmt.Errorf("ask STS who we are: %w", err)
	}
	st.caller, st.callerRead = c, now
	return c, nil
}

func (st *Steps) checkAccount(ctx context.Context, p *Plan, facts map[string]string) *Refusal {
	c, err := st.whoami(ctx)
	if err != nil {
		return refuse("account", "check the credentials: aws sts get-caller-identity", "%v", err)
	}
	if want := st.Env.AWS.Account; want == "" || c.Account != want {
		return refuse("account", "use the credentials of environment "+st.Env.Name, "these credentials stand in account %s, environment %s is %s", c.Account, st.Env.Name, want)
	}
	if !slices.Contains(st.Env.AWS.Regions, c.Region) {
		return refuse("region", "", "region %s is not one of environment %s (%s)", c.Region, st.Env.Name, strings.Join(st.Env.AWS.Regions, ", "))
	}
	for _, name := range []string{c.Alias, st.Env.Name} {
		if word, yes := NamesProduction(name); yes {
			return refuse("production", "point the environment at a staging account", "%q names production (%s)", name, word)
		}
	}
	facts["account"], facts["region"] = c.Account, c.Region
	return nil
}

func (st *Steps) checkWindow(_ context.Context, _ *Plan, facts map[string]string) *Refusal {
	w := st.Env.Window
	if w == nil {
		if st.Env.Sandbox != nil {
			facts["window"] = "always"
			return nil
		}
		return refuse("window", `add e.g. window: {days: mon-fri, hours: "10:00-16:00", zone: Europe/Berlin}`, "environment %s has no window in which people may be woken", st.Env.Name)
	}
	now := st.World.Clock.Now()
	if open, next := w.Open(now); !open {
		return later("window", "again from "+next.In(w.Zone).Format("Mon 15:04 MST"), "it is outside the window of %s (%s)", st.Env.Name, w.Text)
	}
	facts["window"] = "ok"
	return nil
}

func (st *Steps) checkDeadman(_ context.Context, _ *Plan, _ map[string]string) *Refusal {
	if st.Env.Deadman.Required {
		return refuse("deadman", "set deadman: {required: false}, or wait for a release that has it", "environment %s requires a dead-man's switch, which this release does not have", st.Env.Name)
	}
	return nil
}

func (st *Steps) checkTargets(ctx context.Context, p *Plan, _ map[string]string) *Refusal {
	for _, f := range p.Faults {
		if r := st.guardTarget(ctx, f); r != nil {
			return r
		}
	}
	return nil
}

// guardTarget reads account and the target's own tags, from the services themselves.
func (st *Steps) guardTarget(ctx context.Context, f PlannedFault) *Refusal {
	if st.Env == nil {
		return refuse("environment", "run it where its firedrill.yaml is", "no environment is known here")
	}
	c, err := st.whoami(ctx)
	if err != nil || c.Account != f.Target.Account || c.Account != st.Env.AWS.Account {
		return refuse("account", "use the credentials of environment "+st.Env.Name, "%s is in account %s, these credentials stand in %s (%v)", f.Target.ARN, f.Target.Account, c.Account, err)
	}
	kind, ok := st.World.Catalog[f.Kind]
	if !ok {
		return refuse("fault", "", "no fault is called %s", f.Kind)
	}
	arn, tags, err := kind.Identity(ctx, f.Target)
	if err != nil {
		return refuse("tags", "check that it exists and may be read", "read tags of %s: %v", f.Target.ARN, err)
	}
	if arn != f.Target.ARN {
		return refuse("target", "plan again", "found %s in the place of %s", arn, f.Target.ARN)
	}
	for k, want := range st.Env.Tags {
		if got, has := tags[k]; !has || got != want {
			return refuse("tags", fmt.Sprintf("tag it %s=%s if it may be broken on purpose", k, want), "%s carries %s, not the tag %s=%s", arn, tagText(tags, k), k, want)
		}
	}
	if len(st.Env.Tags) == 0 {
		return refuse("tags", "add tags: {environment: staging, firedrill: allowed}", "environment %s names no tags that targets must carry", st.Env.Name)
	}
	for k, v := range tags {
		if word, yes := NamesProduction(v); yes {
			return refuse("production", "choose a target in staging", "tag %s=%s of %s names production (%s)", k, v, arn, word)
		}
	}
	return nil
}

func tagText(tags map[string]string, k string) string {
	if v, ok := tags[k]; ok {
		return k + "=" + v
	}
	return "no tag " + k
}

// checkAlarms: an alarm that rings already makes no transition, so it would page nobody.
func (st *Steps) checkAlarms(ctx context.Context, p *Plan, facts map[string]string) *Refusal {
	names := p.alarms(p.Watch)
	if len(names) == 0 || st.World.Alarms == nil {
		return nil
	}
	alarms, err := st.World.Alarms.Describe(ctx, names)
	if err != nil {
		return refuse("alarms", "allow cloudwatch:DescribeAlarms", "read watched alarms: %v", err)
	}
	state := map[string]string{}
	for _, a := range alarms {
		state[a.Name] = a.State
	}
	for _, name := range names {
		switch state[name] {
		case "OK":
		case "":
			return refuse("alarms", "correct its name under watch", "there is no alarm %s", name)
		default:
			return refuse("alarms", "wait until it is OK, or mend it", "alarm %s is in state %s already: it could not fire", name, state[name])
		}
	}
	return nil
}

func (st *Steps) checkStop(ctx context.Context, p *Plan, _ map[string]string) *Refusal {
	for _, probe := range p.Stop {
		if r := st.read(ctx, probe); r.Value != observe.OK {
			return refuse("stop_condition", "wait until it is good, or mend it", "stop condition %s is %s before anything was touched: %s", probe.Label, r.Value, r.Why)
		}
	}
	return nil
}

// checkPager: nobody is paged who would not hear it, and no drill runs on top of a real incident.
func (st *Steps) checkPager(ctx context.Context, p *Plan, facts map[string]string) *Refusal {
	if st.World.Pager == nil || p.Page.Service == "" {
		return nil
	}
	check, err := st.World.Pager.Check(ctx, p.Page.Service)
	if err != nil {
		return refuse("pager", "check token, region and service id", "read service %s: %v", p.Page.Service, err)
	}
	if len(check.Problems) > 0 {
		return refuse("pager", "mend the service, or wait", "a page to %s would not be heard: %s", check.Name, strings.Join(check.Problems, "; "))
	}
	open, err := st.World.Pager.Incidents(ctx, []string{p.Page.Service}, st.World.Clock.Now().Add(-5*time.Minute))
	if err != nil {
		return refuse("pager", "check the token", "read open incidents of %s: %v", check.Name, err)
	}
	var before []string
	for _, in := range open {
		before = append(before, in.ID)
		if in.Status == "resolved" || (st.Env.OpenIncidents == "high" && in.Urgency == "low") {
			continue
		}
		return later("open_incident", "finish it first", "%s has an open incident: %s (%s)", check.Name, in.Title, in.URL)
	}
	facts["open_incidents"], facts["incidents_before"] = "0", strings.Join(before, " ")
	return nil
}
