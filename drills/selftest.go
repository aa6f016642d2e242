package drills

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/inject"
)

// SelftestName is what the journal calls a selftest's runs.
const SelftestName = "selftest"

// SelftestPart is one fault of a selftest, on things of its own.
type SelftestPart struct {
	Name   string          `json:"name"` // "throttle"
	Kind   string          `json:"kind"`
	Params json.RawMessage `json:"params"`
	Limit  time.Duration   `json:"limit"`
	Switch bool            `json:"switch"` // nobody recovers: the dead-man's switch puts it back
}

// SelftestParts are the faults of a selftest on its own table and queue; Switch adds the one that nobody recovers.
func SelftestParts(w *inject.Throwaway, limit time.Duration, withSwitch bool) []SelftestPart {
	params := func(format string, args ...any) json.RawMessage { return json.RawMessage(fmt.Sprintf(format, args...)) }
	list := []SelftestPart{
		{Name: "throttle", Kind: inject.KindThrottle, Params: params(`{"table":%q,"writes":1,"load":"30/s"}`, w.Table), Limit: limit},
		{Name: "deny", Kind: inject.KindDeny, Params: params(`{"table":%q,"writes":true}`, w.Table), Limit: limit},
		{Name: "poison", Kind: inject.KindPoison, Params: params(`{"queue":%q,"messages":2}`, w.QueueURL), Limit: limit},
	}
	if withSwitch {
		last := list[0]
		last.Name, last.Switch, last.Limit = "deadman", true, min(limit, 5*time.Minute)
		list = append(list, last)
	}
	return list
}

// Rehearse makes the plan of a run that breaks one thing of a selftest's own. Nobody is paged and nothing is watched, so it
// needs neither team nor window; account, tags and everything the fault itself asks are checked as ever.
func (st *Steps) Rehearse(ctx context.Context, part SelftestPart, run string) (*Preview, error) {
	v := &Preview{Facts: map[string]string{}}
	caller, err := st.whoami(ctx)
	if err != nil {
		return v, nobody(err)
	}
	spec := &Spec{Drill: SelftestName, Title: "A selftest breaks something of its own", Limit: part.Limit,
		Faults: []FaultSpec{{ID: part.Name, Kind: part.Kind, Params: part.Params}}}
	p := &Plan{V: PlanVersion, Run: run, Drill: spec.Drill, Environment: st.Env.Name, Account: caller.Account, Region: caller.Region,
		Role: st.Env.AWS.Role, Endpoint: st.Env.AWS.Endpoint, Sandbox: st.Env.Sandbox, Limit: part.Limit,
		Patience: st.Env.UndoPatience, Pace: paceOf(st.Env)}
	v.Plan = p
	if r := st.checkAccount(ctx, p, &found{facts: v.Facts}); r != nil {
		return v, r
	}
	pf, err := st.planFault(ctx, spec.Faults[0], p)
	if err != nil {
		return v, err
	}
	p.Faults = []PlannedFault{{ID: part.Name, Kind: part.Kind, Params: part.Params, Target: pf.Undo.Target, Staged: pf.staged, Undo: pf.Costs.Undo}}
	v.Faults = append(v.Faults, pf.PreviewFault)
	p.Patience = patienceFor(p.Patience, v.Faults)
	if part.Switch {
		if r := st.planSwitches(v); r != nil {
			return v, r
		}
	}
	v.Brief = briefOf(spec, p, v)
	p.Card = json.RawMessage(`{}`)
	return v, nil
}

// Rehearsing is an environment in which a selftest may run: as it is, but open at any hour, for nobody is woken.
func Rehearsing(env Environment) (*Environment, error) {
	always, err := ParseWindow("mon-sun", "00:00-24:00", "UTC")
	if err != nil {
		return nil, fmt.Errorf("open the window of a selftest: %w", err)
	}
	env.Window, env.PagerDuty.Token, env.Deadman.Required = always, "", false
	return &env, nil
}

// Throwaway is a table and queues of a selftest's own.
type Throwaway = inject.Throwaway

// NewThrowaway names them; nothing is made yet.
func NewThrowaway(c *inject.Clients, id string) *Throwaway { return inject.NewThrowaway(c, id) }

// Forgotten lists what selftests that died have left, whose time is over.
func Forgotten(ctx context.Context, c *inject.Clients, now time.Time) ([]*Throwaway, error) {
	return inject.Forgotten(ctx, c, now)
}

// Suits says no to an account that is not the environment's, or that is called production: nothing may be made there.
func (st *Steps) Suits(ctx context.Context) error {
	if r := st.checkAccount(ctx, nil, &found{facts: map[string]string{}}); r != nil {
		return r
	}
	return nil
}
