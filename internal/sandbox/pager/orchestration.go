package pager

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Orchestration is a service's event orchestration, as the API writes it. Its rules are gone through from the set
// start; in each set the first rule that matches acts, and may lead on to another set.
type Orchestration struct {
	// Active says whether the rules act at all.
	Active   bool      `json:"active"`
	Sets     []RuleSet `json:"sets"`
	CatchAll struct {
		Actions RuleActions `json:"actions"`
	} `json:"catch_all"`
}

// RuleSet is a list of rules.
type RuleSet struct {
	ID    string `json:"id"`
	Rules []Rule `json:"rules"`
}

// Rule acts on the events that meet one of its conditions; without any, on all.
type Rule struct {
	ID         string      `json:"id"`
	Label      string      `json:"label"`
	Disabled   bool        `json:"disabled"`
	Conditions []Condition `json:"conditions"`
	Actions    RuleActions `json:"actions"`
}

// Condition is one comparison: event.FIELD matches 'TEXT', or matches part 'TEXT'. The sandbox knows no others.
type Condition struct {
	Expression string `json:"expression"`
}

// RuleActions are what a rule does with an event.
type RuleActions struct {
	RouteTo          string       `json:"route_to,omitempty"`
	Suppress         bool         `json:"suppress,omitempty"`
	Suspend          int          `json:"suspend,omitempty"` // seconds
	DropEvent        bool         `json:"drop_event,omitempty"`
	Severity         string       `json:"severity,omitempty"`
	Priority         string       `json:"priority,omitempty"`          // id
	EscalationPolicy string       `json:"escalation_policy,omitempty"` // id
	EventAction      string       `json:"event_action,omitempty"`      // trigger or resolve
	Annotate         string       `json:"annotate,omitempty"`
	Extractions      []Extraction `json:"extractions,omitempty"`
	Automation       []Automation `json:"automation_actions,omitempty"`
}

// Extraction rewrites event.summary, event.severity, event.source or event.dedup_key, by a template with
// {{event.FIELD}} in it, or by the first group of a regular expression over another field.
type Extraction struct {
	Target   string `json:"target"`
	Template string `json:"template,omitempty"`
	Source   string `json:"source,omitempty"`
	Regex    string `json:"regex,omitempty"`
}

// Automation is something that would be started outside of PagerDuty.
type Automation struct {
	Name     string `json:"name"`
	URL      string `json:"url"`
	AutoSend bool   `json:"auto_send"`
}

// routed is an event after the rules, and what they want of its incident.
type routed struct {
	event          event
	policy         *Policy
	priority       *Priority
	annotate       string
	automation     []string
	suspend        time.Duration
	drop, suppress bool
}

var (
	comparison  = regexp.MustCompile(`^event\.([a-z_]+(?:\.[\w-]+)?) matches (part )?'([^']*)'$`)
	placeholder = regexp.MustCompile(`\{\{event\.([a-z_]+(?:\.[\w-]+)?)\}\}`)
)

func (o *Orchestration) check(a *Account) error {
	if o.Sets == nil {
		o.Sets = []RuleSet{{ID: "start", Rules: []Rule{}}}
	}
	for _, set := range o.Sets {
		for i, r := range set.Rules {
			if r.Conditions == nil {
				set.Rules[i].Conditions = []Condition{} // told as an empty list, never as null
			}
			for _, c := range r.Conditions {
				if !comparison.MatchString(c.Expression) {
					return fmt.Errorf("rule %s: the sandbox does not know the condition %q", r.ID, c.Expression)
				}
			}
			if err := r.Actions.check(a, o); err != nil {
				return fmt.Errorf("rule %s: %w", r.ID, err)
			}
		}
	}
	return o.CatchAll.Actions.check(a, o)
}

func (c RuleActions) check(a *Account, o *Orchestration) error {
	switch {
	case c.RouteTo != "" && !slices.ContainsFunc(o.Sets, func(s RuleSet) bool { return s.ID == c.RouteTo }):
		return fmt.Errorf("there is no set %q", c.RouteTo)
	case c.EscalationPolicy != "" && a.policy(c.EscalationPolicy) == nil:
		return fmt.Errorf("there is no escalation policy %q", c.EscalationPolicy)
	case c.Priority != "" && a.priority(c.Priority) == nil:
		return fmt.Errorf("there is no priority %q", c.Priority)
	}
	for _, x := range c.Extractions {
		if _, err := regexp.Compile(x.Regex); err != nil {
			return fmt.Errorf("extraction: %w", err)
		}
	}
	return nil
}

// route takes an event through the rules of its service.
func (p *Pager) route(s *Service, e event) routed {
	out := routed{event: e}
	o := &s.Orchestration
	if !o.Active {
		return out
	}
	next := "start"
	for range len(o.Sets) + 1 { // a circle ends
		k := slices.IndexFunc(o.Sets, func(set RuleSet) bool { return set.ID == next })
		if k < 0 {
			return out
		}
		n := slices.IndexFunc(o.Sets[k].Rules, func(r Rule) bool { return !r.Disabled && r.matches(out.event) })
		if n < 0 {
			out.act(&p.o.Account, o.CatchAll.Actions)
			return out
		}
		actions := o.Sets[k].Rules[n].Actions
		out.act(&p.o.Account, actions)
		if next = actions.RouteTo; next == "" {
			return out
		}
	}
	return out
}

func (r *Rule) matches(e event) bool {
	return len(r.Conditions) == 0 || slices.ContainsFunc(r.Conditions, func(c Condition) bool {
		m := comparison.FindStringSubmatch(c.Expression)
		if m == nil {
			return false
		}
		got := e.field(m[1])
		return got == m[3] || m[2] != "" && strings.Contains(got, m[3])
	})
}

// act lets one rule's actions have their effect; a later rule outdoes an earlier one.
func (r *routed) act(a *Account, c RuleActions) {
	for _, x := range c.Extractions {
		r.event.extract(x)
	}
	r.drop, r.suppress = r.drop || c.DropEvent, r.suppress || c.Suppress
	if c.Suspend > 0 {
		r.suspend = time.Duration(c.Suspend) * time.Second
	}
	if c.Severity != "" {
		r.event.Payload.Severity = c.Severity
	}
	if c.EventAction != "" {
		r.event.Action = c.EventAction
	}
	if c.Priority != "" {
		r.priority = a.priority(c.Priority)
	}
	if c.EscalationPolicy != "" {
		r.policy = a.policy(c.EscalationPolicy)
	}
	if c.Annotate != "" {
		r.annotate = c.Annotate
	}
	for _, auto := range c.Automation {
		if auto.AutoSend {
			r.automation = append(r.automation, auto.Name)
		}
	}
}

func (e *event) extract(x Extraction) {
	value := placeholder.ReplaceAllStringFunc(x.Template, func(s string) string {
		return e.field(placeholder.FindStringSubmatch(s)[1])
	})
	if x.Regex != "" {
		re, err := regexp.Compile(x.Regex)
		if err != nil {
			return
		}
		m := re.FindStringSubmatch(e.field(strings.TrimPrefix(x.Source, "event.")))
		if len(m) < 2 {
			return
		}
		value = m[1]
	}
	switch x.Target {
	case "event.summary":
		e.Payload.Summary = value
	case "event.severity":
		e.Payload.Severity = value
	case "event.source":
		e.Payload.Source = value
	case "event.dedup_key":
		e.DedupKey = value
	}
}

type orchestrationShape struct {
	Type     string    `json:"type"`
	Parent   ref       `json:"parent"`
	Self     string    `json:"self"`
	Sets     []RuleSet `json:"sets"`
	CatchAll struct {
		Actions RuleActions `json:"actions"`
	} `json:"catch_all"`
	CreatedAt string `json:"created_at"`
	UpdatedAt string `json:"updated_at"`
}

func (p *Pager) orchestrationRoutes() {
	p.rest("GET /event_orchestrations", func(q *query) (int, any, *problem) { // of the account: it has none
		g, bad := q.view.page(0)
		return http.StatusOK, struct {
			Orchestrations []string `json:"orchestrations"`
			page
		}{[]string{}, g}, bad
	})
	p.rest("GET /event_orchestrations/services/{id}/active", func(q *query) (int, any, *problem) {
		s := p.o.Account.service(q.r.PathValue("id"))
		if s == nil {
			return 0, nil, notFound()
		}
		return http.StatusOK, struct {
			Active bool `json:"active"`
		}{s.Orchestration.Active}, nil
	})
	p.rest("GET /event_orchestrations/services/{id}", func(q *query) (int, any, *problem) {
		s := p.o.Account.service(q.r.PathValue("id"))
		if s == nil {
			return 0, nil, notFound()
		}
		old := q.view.at(q.now.AddDate(0, -1, 0))
		out := orchestrationShape{Type: "service", Parent: q.view.link(serviceRef(s)), Sets: s.Orchestration.Sets,
			CatchAll: s.Orchestration.CatchAll, CreatedAt: old, UpdatedAt: old}
		out.Self = q.view.base + "/event_orchestrations/services/" + s.ID
		return http.StatusOK, struct {
			Path orchestrationShape `json:"orchestration_path"`
		}{out}, nil
	})
}
