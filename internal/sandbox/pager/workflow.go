package pager

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Workflow is an incident workflow with the trigger that starts it on a service.
type Workflow struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Trigger is conditional, incident_type or manual; the last never starts by itself.
	Trigger string `json:"trigger"`
	// Condition is told as it is and taken to hold; an incident_type workflow has Types instead.
	Condition string   `json:"condition"`
	Types     []string `json:"types"` // names of incident types
	Disabled  bool     `json:"disabled"`
}

func (w Workflow) check() error {
	if !slices.Contains([]string{"conditional", "incident_type", "manual"}, w.Trigger) {
		return fmt.Errorf("workflow %s: the trigger %q is unknown", w.ID, w.Trigger)
	}
	return nil
}

// startWorkflows runs what starts by itself with a new incident. That it ran is seen in the truth, and by webhook.
func (p *Pager) startWorkflows(i *incident, now time.Time) {
	for _, w := range i.service.Workflows {
		if w.Disabled || w.Trigger == "manual" || w.Trigger == "incident_type" && !slices.Contains(w.Types, i.typ) {
			continue
		}
		i.automation = append(i.automation, w.Name)
		p.announceWorkflow(i, w, now)
	}
}

type triggerShape struct {
	ID        string        `json:"id"`
	Type      string        `json:"type"`
	Name      string        `json:"trigger_type_name"`
	Trigger   string        `json:"trigger_type"`
	Condition string        `json:"condition,omitempty"`
	URL       string        `json:"trigger_url"`
	Self      string        `json:"self"`
	Flow      string        `json:"workflow_id"`
	FlowName  string        `json:"workflow_name"`
	All       bool          `json:"is_subscribed_to_all_services"`
	Disabled  bool          `json:"is_disabled"`
	Services  []ref         `json:"services"`
	Workflow  workflowShape `json:"workflow"`
}

type workflowShape struct {
	ID   string `json:"id"`
	Type string `json:"type"`
	Name string `json:"name"`
	Self string `json:"self"`
}

func (v view) trigger(s *Service, w Workflow) triggerShape {
	self := v.base + "/incident_workflows/triggers/" + s.ID + "-" + w.ID
	names := map[string]string{"conditional": "Conditional Trigger", "incident_type": "Incident Type Trigger", "manual": "Manual Trigger"}
	return triggerShape{ID: s.ID + "-" + w.ID, Type: "workflow_trigger", Name: names[w.Trigger], Trigger: w.Trigger,
		Condition: w.Condition, URL: self + "/start", Self: self, Flow: w.ID, FlowName: w.Name, Disabled: w.Disabled,
		Services: []ref{whole(v.link(serviceRef(s)))},
		Workflow: workflowShape{w.ID, "incident_workflow", w.Name, v.base + "/incident_workflows/" + w.ID}}
}

// whole: triggers refer to services as if they held all of them.
func whole(r ref) ref {
	r.Type = "service"
	return r
}

func (p *Pager) listTriggers(q *query) (int, any, *problem) {
	out := struct {
		Triggers []triggerShape `json:"triggers"`
		Limit    int            `json:"limit"`
		Next     *string        `json:"next_cursor"`
		More     bool           `json:"more"`
	}{Triggers: []triggerShape{}, Limit: 25}
	f := q.view.q
	for i := range p.o.Account.Services {
		s := &p.o.Account.Services[i]
		if id := f.Get("service_id"); id != "" && id != s.ID {
			continue
		}
		for _, w := range s.Workflows {
			if kind := f.Get("trigger_type"); kind != "" && kind != w.Trigger ||
				f.Get("is_disabled") == "true" && !w.Disabled || f.Get("is_disabled") == "false" && w.Disabled {
				continue
			}
			out.Triggers = append(out.Triggers, q.view.trigger(s, w))
		}
	}
	return http.StatusOK, out, nil
}
