package observe

import (
	"context"
	"encoding/json"
	"net/url"
)

// Log reads an incident's log entries, all of them from the beginning: a page that shifts while the log grows would
// lose some, and ids tell the known ones. Times are the pager's clock as it tells them, usually whole seconds cut off.
// The order is that of time and then of cause, for PagerDuty promises none.
func (p *PagerDuty) Log(ctx context.Context, incident string) ([]Entry, error) {
	const op = "read an incident's log"
	if err := checkID(op, "incident", incident); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	q := url.Values{"is_overview": {"false"}, "include[]": {"channels"}}
	at := p.api + "/incidents/" + incident + "/log_entries"
	var entries []Entry
	seen := map[string]bool{}
	err := p.pages(ctx, call{op: op, url: at}, q, func(body []byte) (int, error) {
		var page struct {
			Entries []json.RawMessage `json:"log_entries"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return 0, err
		}
		for _, raw := range page.Entries {
			e, ok := p.entry(raw)
			if !ok || e.ID != "" && seen[e.ID] {
				continue
			}
			seen[e.ID] = true
			entries = append(entries, e)
		}
		return len(page.Entries), nil
	})
	if err != nil {
		return nil, err
	}
	inOrder(entries)
	return entries, nil
}
