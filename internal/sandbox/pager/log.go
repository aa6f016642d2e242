package pager

import (
	"cmp"
	"hash/fnv"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// logRoutes serve what happened: of the whole account, of one incident, and one entry alone.
func (p *Pager) logRoutes() {
	p.rest("GET /log_entries", func(q *query) (int, any, *problem) {
		body, bad := p.listLog(q, p.incidents)
		return http.StatusOK, body, bad
	})
	p.rest("GET /log_entries/{id}", p.getEntry)
	p.rest("GET /incidents/{id}/log_entries", p.one(func(q *query, i *incident) (any, *problem) {
		return p.listLog(q, []*incident{i})
	}))
}

// line is an entry and whose it is.
type line struct {
	of    *incident
	entry *entry
	order uint64
}

// listLog tells the log of some incidents in an order that means nothing: the same for every page, different for
// every seed. Its zone, unless asked for, is the account's.
func (p *Pager) listLog(q *query, of []*incident) (any, *problem) {
	if q.view.bad != nil {
		return nil, q.view.bad
	}
	if q.view.q.Get("time_zone") == "" {
		q.view.zone = p.o.Zone
	}
	since, until, bad := q.view.span()
	if bad != nil {
		return nil, bad
	}
	var found []line
	for _, i := range of {
		if teams := q.view.q["team_ids[]"]; len(teams) > 0 && !slices.Contains(teams, i.service.Team) {
			continue
		}
		for _, e := range i.entries {
			at := e.at.Add(q.view.skew).Truncate(time.Second)
			if q.view.q.Get("is_overview") == "true" && e.kind == "notify" || at.Before(since) || !until.IsZero() && at.After(until) {
				continue
			}
			found = append(found, line{i, e, p.order(e)})
		}
	}
	slices.SortFunc(found, func(a, b line) int { return cmp.Compare(a.order, b.order) })
	g, bad := q.view.page(len(found))
	if bad != nil {
		return nil, bad
	}
	out := struct {
		LogEntries []any `json:"log_entries"`
		page
	}{[]any{}, g}
	for _, l := range found[g.from:g.to] {
		out.LogEntries = append(out.LogEntries, p.entryTold(q, l.of, l.entry))
	}
	for _, i := range of {
		if g.Offset == 0 && p.hasKnob("odd", i.service.ID) {
			for _, e := range p.oddities(q.view, i) {
				out.LogEntries = append(out.LogEntries, e)
			}
		}
	}
	return out, nil
}

func (p *Pager) order(e *entry) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strconv.FormatUint(p.o.Seed, 10) + e.id))
	return h.Sum64()
}

func (p *Pager) getEntry(q *query) (int, any, *problem) {
	for _, i := range p.incidents {
		for _, e := range i.entries {
			if e.id == q.r.PathValue("id") {
				return http.StatusOK, struct {
					LogEntry any `json:"log_entry"`
				}{p.entryTold(q, i, e)}, nil
			}
		}
	}
	return 0, nil, notFound()
}
