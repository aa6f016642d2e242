package observe

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"
)

// rulesOf is of how many of the first level's people the notification rules are read.
const rulesOf = 2

// onCall reads who would be notified now.
func (f *preflight) onCall(ctx context.Context) error {
	if f.policy == "" {
		f.refuse(NobodyOnCall, "the service has no escalation policy")
		return nil
	}
	var got struct {
		OnCalls []pd.OnCall `json:"oncalls"`
	}
	q := url.Values{
		"escalation_policy_ids[]": {f.policy}, "include[]": {"users"}, "time_zone": {"UTC"}, "limit": {"100"},
		"since": {stamp(f.now)}, "until": {stamp(f.now.Add(time.Minute))},
	}
	if err := f.p.wire.get(ctx, f.op, f.p.api+"/oncalls?"+q.Encode(), &got); err != nil {
		return err
	}
	for _, o := range got.OnCalls {
		who := OnCall{User: o.User.ID, Name: word(cmp.Or(o.User.Name, o.User.Summary)), Level: int(o.EscalationLevel)}
		if who.User != "" && o.EscalationPolicy.ID == f.policy && !slices.Contains(f.check.OnCall, who) {
			f.check.OnCall = append(f.check.OnCall, who)
		}
	}
	slices.SortFunc(f.check.OnCall, func(a, b OnCall) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), strings.Compare(a.User, b.User))
	})
	switch on := f.check.OnCall; {
	case len(on) == 0:
		f.refuse(NobodyOnCall, "nobody is on call")
	case on[0].Level > 1:
		f.tell(NobodyOnCall, "nobody is on call at level 1: level %d is the first that is notified", on[0].Level)
	}
	return nil
}

// reached is how soon one person hears of a page that is assigned to them.
type reached struct {
	who   OnCall
	read  bool
	after time.Duration
	never bool
}

func (r reached) late() bool { return r.read && (r.never || r.after >= tooSlow) }

// rules reads whether those who are notified first would be, and how soon: assigned is not notified. It refuses only
// when nobody of the whole first level would hear of it in time.
func (f *preflight) rules(ctx context.Context) error {
	first := f.first()
	var looked []reached
	for _, who := range first[:min(rulesOf, len(first))] {
		r, err := f.reach(ctx, who)
		if err != nil {
			return err
		}
		looked = append(looked, r)
	}
	none := len(looked) == len(first) && !slices.ContainsFunc(looked, func(r reached) bool { return !r.late() })
	for _, r := range looked {
		name := cmp.Or(r.who.Name, r.who.User)
		switch {
		case r.never:
			f.risk(AssignedNotNotified, none, "%s has no notification rule for high urgency: would be assigned, and notified of nothing", name)
		case r.after >= tooLate:
			f.risk(AssignedNotNotified, none, "%s is notified only %s after being assigned, by rules of their own", name, r.after)
		}
	}
	return nil
}

// first is who is notified first.
func (f *preflight) first() []OnCall {
	on := f.check.OnCall
	for i, who := range on {
		if who.Level != on[0].Level {
			return on[:i]
		}
	}
	return on
}

// reach reads one person's notification rules.
// https://developer.pagerduty.com/api-reference/5d3d5e7e3d2f3-list-a-user-s-notification-rules
func (f *preflight) reach(ctx context.Context, who OnCall) (reached, error) {
	r := reached{who: who, never: true}
	if !idForm.MatchString(who.User) {
		return reached{who: who}, nil
	}
	var got struct {
		Rules []struct {
			Urgency  string `json:"urgency"`
			Delay    int    `json:"start_delay_in_minutes"`
			Disabled bool   `json:"disabled"`
		} `json:"notification_rules"`
	}
	name := cmp.Or(who.Name, who.User)
	read, err := f.optional(ctx, "how "+name+" is notified", "/users/"+who.User+"/notification_rules?urgency=all", &got)
	if err != nil || !read {
		return reached{who: who}, err
	}
	r.read = true
	for _, rule := range got.Rules {
		after := time.Duration(max(0, rule.Delay)) * time.Minute
		switch {
		case rule.Urgency == "low":
		case rule.Disabled:
			f.tell(RuleDisabled, "a notification rule of %s for high urgency is disabled", name)
		case r.never || after < r.after:
			r.never, r.after = false, after
		}
	}
	return r, nil
}
