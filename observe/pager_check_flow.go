package observe

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
)

// workflows reads what starts by itself when an incident opens on the service. A drill is no reason for a status page,
// a call of executives, or a restart.
// https://support.pagerduty.com/main/docs/incident-workflows
func (f *preflight) workflows(ctx context.Context) error {
	var got struct {
		Triggers []struct {
			Type      string      `json:"trigger_type"`
			Name      string      `json:"trigger_type_name"`
			Condition string      `json:"condition"`
			Workflow  string      `json:"workflow_name"`
			Everyone  bool        `json:"is_subscribed_to_all_services"`
			Services  []reference `json:"services"`
			Disabled  bool        `json:"is_disabled"`
		} `json:"triggers"`
		More bool `json:"more"`
	}
	q := url.Values{"service_id": {f.service}, "limit": {"100"}}
	read, err := f.optional(ctx, "incident workflows", "/incident_workflows/triggers?"+q.Encode(), &got)
	if err != nil || !read {
		return err
	}
	for _, t := range got.Triggers {
		on := t.Everyone || slices.ContainsFunc(t.Services, func(s reference) bool { return s.ID == f.service })
		if !on || t.Disabled || t.Type == "manual" {
			continue
		}
		name := cmp.Or(word(t.Workflow), "of no name")
		switch when := word(t.Condition); {
		case t.Type == "incident_type":
			f.tell(AutomationFires, "incident workflow %s starts with incidents of some type", name)
		case when == "" || startsAlways(t.Condition):
			f.refuse(AutomationFires, "incident workflow %s starts with every incident of the service", name)
		default:
			f.tell(AutomationFires, "incident workflow %s starts when %s", name, when)
		}
	}
	if got.More {
		f.tell(Unread, "there are more incident workflows than were looked at")
	}
	return nil
}

// startsAlways says that a condition on an incident is true of a page of ours as a matter of course.
func startsAlways(condition string) bool {
	c := strings.Join(strings.Fields(strings.ToLower(condition)), " ")
	return slices.Contains([]string{"true", "incident.urgency matches 'high'", `incident.urgency matches "high"`}, c)
}
