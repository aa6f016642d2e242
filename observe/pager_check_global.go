package observe

import (
	"cmp"
	"context"
	"encoding/json"
)

// globals is how many event orchestrations of the account are asked whether they route to the service.
const globals = 2

// global reads what an event orchestration of the account does to events that it routes to the service. A page of
// ours never goes through one, for its key is a service's; an alarm of theirs may. So it only tells.
func (f *preflight) global(ctx context.Context) error {
	var got struct {
		Orchestrations []struct {
			ID     string `json:"id"`
			Name   string `json:"name"`
			Routes int    `json:"routes"`
		} `json:"orchestrations"`
	}
	read, err := f.optional(ctx, "the account's event orchestrations", "/event_orchestrations?limit=100", &got)
	if err != nil || !read {
		return err
	}
	asked := 0
	for _, o := range got.Orchestrations {
		if o.Routes == 0 || !idForm.MatchString(o.ID) {
			continue
		}
		if asked++; asked > globals {
			f.tell(Unread, "the account has more event orchestrations than were looked at: alarms of yours may go through one")
			return nil
		}
		what := "event orchestration " + cmp.Or(word(o.Name), o.ID)
		here, err := f.routesHere(ctx, what, o.ID)
		if err != nil {
			return err
		}
		if here {
			return f.globalRules(ctx, what, o.ID)
		}
	}
	return nil
}

// routesHere says whether an orchestration's router may send events to the service.
func (f *preflight) routesHere(ctx context.Context, what, id string) (bool, error) {
	var got orchestrationPath
	read, err := f.optional(ctx, "the router of "+what, "/event_orchestrations/"+id+"/router", &got)
	if err != nil || !read {
		return false, err
	}
	to := func(actions json.RawMessage) bool { return looseOf(actions).text("route_to") == f.service }
	here := to(got.Path.CatchAll.Actions)
	for _, rules := range got.sets() {
		for _, rule := range rules {
			if rule.Disabled && to(rule.Actions) {
				f.tell(RuleDisabled, "a rule of %s that would route events to this service is disabled", what)
			}
			here = here || !rule.Disabled && to(rule.Actions)
		}
	}
	return here, nil
}

// globalRules reads what happens to events before they are routed.
func (f *preflight) globalRules(ctx context.Context, what, id string) error {
	var got orchestrationPath
	read, err := f.optional(ctx, "the rules of "+what, "/event_orchestrations/"+id+"/global", &got)
	if err != nil || !read {
		return err
	}
	(&ruling{f: f, of: what, sets: got.sets(), been: map[string]likely{}}).walk(got.Path.CatchAll.Actions, maybe)
	return nil
}
