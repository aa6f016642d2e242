package drills

import (
	"context"

	"github.com/firedrill/firedrill/observe"
)

// checkAlarms: an alarm that rings already makes no transition, so it would page nobody.
func (st *Steps) checkAlarms(ctx context.Context, p *Plan, f *found) *Refusal {
	if r := st.checkQuiet(ctx, p, f); r != nil {
		return r
	}
	names := p.alarms(p.Watch)
	if len(names) == 0 {
		return nil
	}
	if st.World.Alarms == nil {
		return refuse("alarms", "watch something else", "this environment has no alarms that could be watched")
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
			return refuse("alarms", "correct its name under watch", "there is no alarm %s in this account and region", name)
		case "ALARM":
			return refuse("alarms", "wait until it is OK, or mend it", "alarm %s rings already (state ALARM): it could not fire, and would page nobody", name)
		default:
			return refuse("alarms", "wait until it is OK, or set treat missing data as notBreaching", "alarm %s is in state %s: nobody can say whether it is quiet", name, state[name])
		}
	}
	return nil
}

// checkQuiet: what is watched and bad already would be taken for a detection of this drill, or could not be one.
func (st *Steps) checkQuiet(ctx context.Context, p *Plan, f *found) *Refusal {
	for _, w := range p.Watch {
		if !w.polled() {
			continue
		}
		r := st.read(ctx, w)
		f.baseline(w, r)
		switch {
		case r.Value == observe.Bad:
			return refuse("alarms", "wait until it is good, or mend it", "%s is watched, and bad already: %s", w.Label, r.Why)
		case r.Value == observe.Unknown && w.Spec.Alertmanager != nil:
			return refuse("alarms", "look at its address, and at who may read it", "%s is watched, and cannot be read: %s", w.Label, r.Why)
		case r.Value == observe.Unknown:
			f.warning("%s is watched, and unknown now: %s", w.Label, r.Why)
		}
	}
	return nil
}

// checkStop: what would end the drill must be good, and readable, before anything is touched.
func (st *Steps) checkStop(ctx context.Context, p *Plan, f *found) *Refusal {
	for _, probe := range p.Stop {
		r := st.read(ctx, probe)
		f.baseline(probe, r)
		if r.Value != observe.OK {
			return refuse("stop_condition", "wait until it is good, or mend it", "stop condition %s is %s before anything was touched: %s", probe.Label, r.Value, r.Why)
		}
	}
	return nil
}

// checkSteady reads the steady state for a plan; a run reads it once more, as an action of its own.
func (st *Steps) checkSteady(ctx context.Context, p *Plan, f *found) *Refusal {
	for _, probe := range p.Steady {
		r := st.read(ctx, probe)
		if r.Value != observe.OK {
			return unsteady(probe, r)
		}
		f.baseline(probe, r)
	}
	if len(p.Steady) > 0 {
		f.facts["steady_state"] = "ok"
	}
	return nil
}

func unsteady(p PlannedProbe, r observe.Reading) *Refusal {
	return refuse("steady_state", "mend it first, or look at the probe", "the steady state does not hold before the drill: %s is %s (%s)", p.Label, r.Value, r.Why)
}
