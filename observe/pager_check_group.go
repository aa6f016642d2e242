package observe

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"
)

// grouping reads whether the page could join an incident that is open, on this service or on one whose alerts are
// grouped with its: nobody is notified anew of an alert that joins.
// https://support.pagerduty.com/main/docs/intelligent-alert-grouping
func (f *preflight) grouping(ctx context.Context) error {
	var got struct {
		Settings []struct {
			Type     string      `json:"type"`
			Services []reference `json:"services"`
			Config   struct {
				Timeout float64 `json:"timeout"` // seconds; 0 is as long as the incident is open
			} `json:"config"`
		} `json:"alert_grouping_settings"`
	}
	q := url.Values{"service_ids[]": {f.service}, "limit": {"100"}}
	read, err := f.optional(ctx, "alert grouping", "/alert_grouping_settings?"+q.Encode(), &got)
	if err != nil || !read {
		return err
	}
	for _, s := range got.Settings {
		var ids []string
		for _, one := range s.Services {
			if idForm.MatchString(one.ID) && !slices.Contains(ids, one.ID) {
				ids = append(ids, one.ID)
			}
		}
		if s.Type == "" || !slices.Contains(ids, f.service) {
			continue
		}
		return f.joins(ctx, s.Type, ids, time.Duration(min(s.Config.Timeout, longest)*float64(time.Second))) // a service has one setting at most
	}
	return nil
}

// joins reads what is open where alerts are grouped. Grouping by time takes in whatever comes within a time; the other
// ways take in what is like it, which cannot be told from here.
func (f *preflight) joins(ctx context.Context, how string, services []string, within time.Duration) error {
	var got struct {
		Incidents []incidentJSON `json:"incidents"`
	}
	q := url.Values{
		"service_ids[]": services[:min(len(services), 100)], "statuses[]": {"triggered", "acknowledged"}, "date_range": {"all"},
		"limit": {"25"}, "time_zone": {"UTC"},
	}
	if err := f.p.wire.get(ctx, f.op, f.p.api+"/incidents?"+q.Encode(), &got); err != nil {
		return err
	}
	var open []string
	sure := false
	for _, i := range got.Incidents {
		if slices.Contains(services, i.Service.ID) && i.Status != "resolved" {
			sure = sure || how == "time" && (within <= 0 || f.now.Before(timeOf(i.CreatedAt).Add(within)))
			open = append(open, plain(i.Title)+" ("+plain(i.Service.ID)+")")
		}
	}
	if len(open) == 0 {
		f.tell(MergedIntoOther, "alerts are grouped (%s): the page may join an incident that opens meanwhile, and nobody is notified anew", plain(how))
		return nil
	}
	if more := len(open) - 3; more > 0 {
		open = append(open[:3], "and others")
	}
	f.risk(MergedIntoOther, sure, "alerts are grouped (%s), and this is open: %s; a page that joins it notifies nobody anew", plain(how), strings.Join(open, ", "))
	return nil
}
