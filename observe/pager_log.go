package observe

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"time"
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
	var entries []Entry
	err := p.entries(ctx, call{op: op, url: p.api + "/incidents/" + incident + "/log_entries"}, q, func(_ loose, e Entry) {
		entries = append(entries, e)
	})
	if err != nil {
		return nil, err
	}
	inOrder(entries)
	return entries, nil
}

// accountEntry is a log entry of the whole account, with what it says of its incident.
type accountEntry struct {
	Incident string // id
	Service  string // id; empty where the entry does not tell
	Now      incidentJSON
	Key      string // alert key of what triggered, where the entry tells
	Entry
}

// entriesSince reads the log entries of the whole account between two times of the pager's clock, in the order of time
// and cause, each once. Now is its incident as it stands, as far as the answer holds it: at least its id. When there
// are more than so many pages, what was read is returned with an error that is errTooMany.
func (p *PagerDuty) entriesSince(ctx context.Context, since, until time.Time, most int) ([]accountEntry, error) {
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	q := url.Values{
		"is_overview": {"false"}, "include[]": {"channels", "incidents"}, "since": {stamp(since)}, "until": {stamp(until)},
	}
	var entries []accountEntry
	at := call{op: "read the account's log", url: p.api + "/log_entries", most: most}
	err := p.entries(ctx, at, q, func(l loose, e Entry) {
		a := accountEntry{Service: plain(l.object("service").text("id")), Entry: e}
		if e.Kind == EntryTriggered {
			a.Key = cmp.Or(l.object("channel").text("incident_key"), l.object("channel").object("cef_details").text("dedup_key"))
		}
		if json.Unmarshal(l["incident"], &a.Now) != nil { // some member is of another type: the ids are what counts
			told := l.object("incident")
			a.Now = incidentJSON{ID: told.text("id"), Service: reference{ID: told.object("service").text("id")}}
		}
		a.Incident = plain(a.Now.ID)
		if a.Service == "" {
			a.Service = plain(a.Now.Service.ID)
		}
		if a.Incident != "" {
			entries = append(entries, a)
		}
	})
	slices.SortStableFunc(entries, func(a, b accountEntry) int { return before(a.Entry, b.Entry) })
	return entries, err
}

// entries reads pages of log entries and takes each entry once.
func (p *PagerDuty) entries(ctx context.Context, c call, q url.Values, take func(loose, Entry)) error {
	seen := map[string]bool{}
	q.Set("time_zone", "UTC") // the log's own default is the account's zone
	return p.pages(ctx, c, q, func(body []byte) (int, error) {
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
			take(looseOf(raw), e)
		}
		return len(page.Entries), nil
	})
}
