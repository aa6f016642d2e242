package observe

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// orchestration reads what the service's own event orchestration does to events. Where it is not active its rules are
// not asked.
// https://support.pagerduty.com/main/docs/event-orchestration
func (f *preflight) orchestration(ctx context.Context) error {
	const what = "the service's event orchestration"
	var state struct {
		Active *bool `json:"active"`
	}
	at := "/event_orchestrations/services/" + f.service
	read, err := f.optional(ctx, what, at+"/active", &state)
	if err != nil || !read || state.Active != nil && !*state.Active {
		return err
	}
	var got orchestrationPath
	if read, err = f.optional(ctx, what, at, &got); err != nil || !read {
		return err
	}
	(&ruling{f: f, of: what, sets: got.sets(), been: map[string]likely{}}).walk(got.Path.CatchAll.Actions, yes)
	return nil
}

// orchestrationPath is an event orchestration's rules as PagerDuty writes them.
type orchestrationPath struct {
	Path struct {
		Sets []struct {
			ID    string      `json:"id"`
			Rules []eventRule `json:"rules"`
		} `json:"sets"`
		CatchAll struct {
			Actions json.RawMessage `json:"actions"`
		} `json:"catch_all"`
	} `json:"orchestration_path"`
}

type eventRule struct {
	ID         string `json:"id"`
	Label      string `json:"label"`
	Conditions []struct {
		Expression string `json:"expression"`
	} `json:"conditions"`
	Actions  json.RawMessage `json:"actions"`
	Disabled bool            `json:"disabled"`
}

func (o orchestrationPath) sets() map[string][]eventRule {
	sets := map[string][]eventRule{}
	for _, s := range o.Path.Sets {
		sets[s.ID] = s.Rules
	}
	return sets
}

// ruling walks an orchestration's rules as an event would: in each set the first rule that matches applies, and may
// send the event on to another set; what no rule matches is the catch-all's.
type ruling struct {
	f    *preflight
	of   string // whose rules
	sets map[string][]eventRule
	been map[string]likely // how likely an event was to get into a set when it was walked
	fell bool              // an event may have got into a set and met no rule there
}

// likely is how likely an event is to meet something. What surely happens to a page of ours refuses.
type likely int

const (
	no likely = iota
	maybe
	yes
)

// walk goes through the rules from the start. come is how likely a page of ours gets there.
func (r *ruling) walk(catchAll json.RawMessage, come likely) {
	rest := r.set("start", come)
	if rest == no && r.fell {
		rest = maybe
	}
	if rest != no {
		r.effects("what no rule of "+r.of+" takes", looseOf(catchAll), rest == yes)
	}
}

// set walks one set and tells how likely an event is to pass it by.
func (r *ruling) set(id string, come likely) likely {
	if r.been[id] >= come {
		return maybe
	}
	r.been[id] = come
	rest := come
	for _, rule := range r.sets[id] {
		name := "rule " + cmp.Or(word(rule.Label), word(rule.ID), "without a name") + " of " + r.of
		actions := looseOf(rule.Actions)
		if rule.Disabled {
			r.disabled(name, actions)
			continue
		}
		match := rule.matches()
		if match == no {
			continue
		}
		met := min(rest, match)
		if match == maybe {
			name += " (when " + rule.when() + ")"
		}
		r.effects(name, actions, met == yes)
		if next := actions.text("route_to"); next != "" && r.set(next, met) != no {
			r.fell = true
		}
		if match == yes {
			return no
		}
		rest = min(rest, maybe)
	}
	return rest
}

// matches says how likely a page of ours meets the rule's conditions, any one of which is enough.
func (e eventRule) matches() likely {
	if len(e.Conditions) == 0 {
		return yes
	}
	best := no
	for _, c := range e.Conditions {
		best = max(best, meets(c.Expression))
	}
	return best
}

// meets says how likely a page of ours meets one condition: it is critical, it says that it is a drill, and nothing
// else is known of it here. https://developer.pagerduty.com/docs/pcl-overview
func meets(condition string) likely {
	x := strings.Join(strings.Fields(strings.ToLower(condition)), " ")
	if x == "" {
		return yes
	}
	if of, is := strings.CutPrefix(x, "event.severity matches "); is {
		switch strings.Trim(of, `'"`) {
		case "critical":
			return yes
		case "info", "warning", "error":
			return no
		}
	}
	if of, is := strings.CutPrefix(x, "event.summary matches part "); is && slices.Contains([]string{"drill", "[drill]", "[drill"}, strings.Trim(of, `'"`)) {
		return yes
	}
	return maybe
}

// when is a rule's conditions in short.
func (e eventRule) when() string {
	var all []string
	for _, c := range e.Conditions {
		all = append(all, word(c.Expression))
	}
	return strings.Join(all, " or ")
}

// effects reads what a rule's actions do to a page.
func (r *ruling) effects(name string, a loose, sure bool) {
	f := r.f
	if a.yes("suppress") || a.yes("drop_event") || a.text("event_action") == "resolve" {
		f.risk(Suppressed, sure, "%s suppresses, drops or resolves events: they make no incident", name)
	}
	if s := a.seconds("suspend"); s != nil && *s > 0 {
		held := time.Duration(min(*s, longest)) * time.Second
		f.risk(Delayed, sure && held >= tooLate, "%s suspends events for %s", name, held)
	}
	if severity := a.text("severity"); f.severe && slices.Contains([]string{"warning", "info"}, severity) {
		f.risk(LowUrgency, sure, "%s makes events %s, which is of low urgency here", name, severity)
	}
	if policy := a.text("escalation_policy"); policy != "" && policy != f.policy {
		f.risk(AssignedNotNotified, sure, "%s gives incidents to escalation policy %s: others than those on call here are notified", name, word(policy))
	}
	for _, x := range a.list("extractions") {
		switch target := x.text("target"); {
		case strings.HasSuffix(target, "dedup_key"):
			f.risk(NoIncident, sure, "%s rewrites the key of events: the incident of a page could not be told from others", name)
		case strings.HasSuffix(target, "summary"):
			f.tell(Unread, "%s rewrites the summary of events: the page may not say that it is a drill", name)
		case strings.HasSuffix(target, "severity") && f.severe:
			f.tell(LowUrgency, "%s rewrites the severity of events, which the urgency follows", name)
		}
	}
	if what := automation(a); what != "" {
		f.risk(AutomationFires, sure, "%s sets %s off by itself", name, what)
	}
}

// automation is what a rule's actions set off without anybody's asking.
func automation(a loose) string {
	for _, x := range a.list("automation_actions") {
		if x.yes("auto_send") {
			return fmt.Sprintf("webhook %q", word(x.text("name")))
		}
	}
	for _, x := range a.list("pagerduty_automation_actions") {
		return "automation action " + cmp.Or(word(x.text("action_id")), "without an id")
	}
	return ""
}

// disabled tells of a rule that is asked nothing now and would have made a page heard, or sent it to somebody.
func (r *ruling) disabled(name string, a loose) {
	raises := r.f.severe && slices.Contains([]string{"critical", "error"}, a.text("severity"))
	if a.text("escalation_policy") != "" || a.text("route_to") != "" || raises || a.text("event_action") == "trigger" {
		r.f.tell(RuleDisabled, "%s is disabled: it would have routed events or raised them", name)
	}
}
