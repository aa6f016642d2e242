package drills

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (st *Steps) checkTargets(ctx context.Context, p *Plan, _ *found) *Refusal {
	if len(p.Faults) == 0 {
		return refuse("fault", "add one under faults", "drill %s has no fault", p.Drill)
	}
	for _, f := range p.Faults {
		if r := st.guardTarget(ctx, f); r != nil {
			return r
		}
	}
	return nil
}

// guardTarget reads account and the target's own tags, from the services themselves. It is asked again right before
// every change.
func (st *Steps) guardTarget(ctx context.Context, f PlannedFault) *Refusal {
	if st.Env == nil {
		return refuse("environment", "run it where its firedrill.yaml is", "no environment is known here")
	}
	c, err := st.whoami(ctx)
	if err != nil {
		return nobody(err)
	}
	if r := st.place(f, c); r != nil {
		return r
	}
	kind, ok := st.World.Catalog[f.Kind]
	if !ok {
		return refuse("fault", "see firedrill schema", "no fault is called %s", f.Kind)
	}
	arn, tags, err := kind.Identity(ctx, f.Target)
	if err != nil {
		return refuse("tags", "check that it exists and that its tags may be read", "read tags of %s: %v", f.Target.ARN, err)
	}
	if arn != f.Target.ARN {
		return refuse("target", "plan again", "found %s in the place of %s", arn, f.Target.ARN)
	}
	return st.suits(arn, tags)
}

// place: the target, and everything that is touched with it, is where the credentials are.
func (st *Steps) place(f PlannedFault, c Caller) *Refusal {
	if c.Account != f.Target.Account || c.Account != st.Env.AWS.Account {
		return refuse("account", "use the credentials of environment "+st.Env.Name, "%s is in account %s, these credentials stand in %s, environment %s is %s",
			f.Target.ARN, f.Target.Account, c.Account, st.Env.Name, st.Env.AWS.Account)
	}
	if f.Target.Region != "" && f.Target.Region != c.Region {
		return elsewhere(f.Target.ARN, f.Target.Region, c.Region)
	}
	for _, arn := range append([]string{f.Target.ARN}, f.Target.Also...) {
		if r := placed(arn, c); r != nil {
			return r
		}
	}
	return nil
}

// placed: a resource is in the account and region of the credentials, as far as its ARN tells.
func placed(arn string, c Caller) *Refusal {
	part := strings.SplitN(arn, ":", 6) // arn:partition:service:region:account:resource
	if len(part) < 6 {
		return nil
	}
	if region := part[3]; region != "" && region != c.Region {
		return elsewhere(arn, region, c.Region)
	}
	if owner := part[4]; owner != "" && owner != c.Account {
		return refuse("account", "choose a target of account "+c.Account, "%s is in account %s, these credentials stand in %s", arn, owner, c.Account)
	}
	return nil
}

// placedParams: what a drill names by its ARN is not looked for where it cannot be: all that AWS would say is that it knows
// no such thing.
func placedParams(params json.RawMessage, c Caller) *Refusal {
	var named map[string]any
	if err := json.Unmarshal(params, &named); err != nil {
		return nil // the fault itself says what is wrong with them
	}
	for _, k := range slices.Sorted(maps.Keys(named)) {
		if arn, ok := named[k].(string); ok && strings.HasPrefix(arn, "arn:") {
			if r := placed(arn, c); r != nil {
				return r
			}
		}
	}
	return nil
}

func elsewhere(arn, region, ours string) *Refusal {
	return refuse("region", "drill one region at a time: put its region first in aws.regions", "%s is in region %s, this drill is in %s", arn, region, ours)
}

// suits: the target carries every tag that the environment asks for, and none that names production.
func (st *Steps) suits(arn string, tags map[string]string) *Refusal {
	if len(st.Env.Tags) == 0 {
		return refuse("tags", "add tags: {environment: staging, firedrill: allowed}", "environment %s names no tags that targets must carry", st.Env.Name)
	}
	for _, k := range slices.Sorted(maps.Keys(st.Env.Tags)) {
		want := st.Env.Tags[k]
		if got, has := tags[k]; !has || got != want {
			return refuse("tags", fmt.Sprintf("tag it %s=%s if it may be broken on purpose", k, want), "%s carries %s, not the tag %s=%s", arn, tagText(tags, k), k, want)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		if strings.HasPrefix(k, "firedrill:") {
			continue // our own mark, which names the run
		}
		if word, yes := NamesProduction(tags[k]); yes {
			return refuse("production", "choose a target in staging", "tag %s=%s of %s names production (%s)", k, tags[k], arn, word)
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
