package aws

import (
	"slices"
	"time"
)

// movingTarget is a target that has just joined a group (initial) or left it (draining), until a moment.
type movingTarget struct {
	elbTarget
	state string
	until time.Time
}

// reason is AWS's code for the state.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html
func (m movingTarget) reason() string {
	if m.state == "draining" {
		return "Target.DeregistrationInProgress"
	}
	return "Elb.RegistrationInProgress"
}

// join adds a target. The first ones of a group are there at once: nothing was served before.
func (g *targetGroup) join(t elbTarget, now time.Time, settling time.Duration) {
	alone := len(g.targets) == 0
	g.targets = append(slices.Clone(g.targets), t)
	g.forget(t)
	if !alone && settling > 0 {
		g.moving = append(g.moving, movingTarget{t, "initial", now.Add(settling)})
	}
}

// leave takes targets out; they are told as draining for a while.
func (g *targetGroup) leave(leaves func(elbTarget) bool, now time.Time, draining time.Duration) {
	var stay []elbTarget
	for _, t := range g.targets {
		if !leaves(t) {
			stay = append(stay, t)
			continue
		}
		g.forget(t)
		if draining > 0 {
			g.moving = append(g.moving, movingTarget{t, "draining", now.Add(draining)})
		}
	}
	g.targets = stay
}

func (g *targetGroup) forget(t elbTarget) {
	g.moving = slices.DeleteFunc(slices.Clone(g.moving), func(m movingTarget) bool { return m.same(t) })
}

// movingAt are those that still join or leave at a moment.
func (g *targetGroup) movingAt(now time.Time) []movingTarget {
	g.moving = slices.DeleteFunc(slices.Clone(g.moving), func(m movingTarget) bool { return !now.Before(m.until) })
	return slices.Clone(g.moving)
}

// ready are the targets that requests go to: none that is still initial, unless all are.
func (g *targetGroup) ready(now time.Time) []elbTarget {
	moving := g.movingAt(now)
	ready := slices.DeleteFunc(slices.Clone(g.targets), func(t elbTarget) bool {
		return slices.ContainsFunc(moving, func(m movingTarget) bool { return m.state == "initial" && m.same(t) })
	})
	if len(ready) == 0 {
		return g.targets
	}
	return ready
}
