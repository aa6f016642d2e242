package pager

import (
	"net/http"
	"slices"
	"time"
)

// Pause is a service's auto-pause: an alert makes an incident only when it has stayed open for so long.
type Pause struct {
	Enabled bool    `json:"enabled"`
	After   Seconds `json:"after_s"`
}

// paused is an alert that has no incident yet: auto-pause or a rule of an orchestration holds it back.
type paused struct {
	service *Service
	alert   *alert
	by      string // auto_pause or rules
	over    bool
	opened  bool
}

// pausedShown is how many paused alerts of each sort the report tells.
const pausedShown = 5

// holdBack keeps an alert for a while, and then makes its incident unless the alert was resolved before.
func (p *Pager) holdBack(h *paused, d time.Duration, open func(now time.Time), now time.Time) {
	p.paused = append(p.paused, h)
	p.later(now.Add(d), func(now time.Time) {
		if h.over {
			return
		}
		h.over, h.opened = true, true
		open(now)
	})
}

// heldBack finds the alert that an event belongs to while it is held back.
func (p *Pager) heldBack(door *Integration, key string) *paused {
	for _, h := range p.paused {
		if !h.over && h.alert.integration.ID == door.ID && h.alert.key == key {
			return h
		}
	}
	return nil
}

type pausedShape struct {
	ID        string `json:"id"`
	ServiceID string `json:"service_id"`
	CreatedAt string `json:"created_at"`
}

type pausedReport struct {
	Since     *string       `json:"since"`
	Until     *string       `json:"until"`
	Triggered []pausedShape `json:"triggered_after_pause_alerts"`
	Resolved  []pausedShape `json:"resolved_after_pause_alerts"`
}

// listPaused tells the five newest alerts of each sort that were held back, never one that still is.
func (p *Pager) listPaused(q *query) (int, any, *problem) {
	since, until, bad := q.view.span()
	if bad != nil {
		return 0, nil, bad
	}
	if until.IsZero() {
		until = q.now
	}
	if since.IsZero() {
		since = until.AddDate(0, 0, -14)
	}
	r := pausedReport{Since: q.view.maybe(since), Until: q.view.maybe(until), Triggered: []pausedShape{}, Resolved: []pausedShape{}}
	for _, h := range slices.Backward(p.paused) {
		service, by := q.view.q.Get("service_id"), q.view.q.Get("suspended_by")
		if !h.over || service != "" && service != h.service.ID || by != "" && by != h.by ||
			h.alert.created.Before(since) || h.alert.created.After(until) {
			continue
		}
		list := &r.Resolved
		if h.opened {
			list = &r.Triggered
		}
		if len(*list) < pausedShown {
			*list = append(*list, pausedShape{h.alert.id, h.service.ID, q.view.at(h.alert.created)})
		}
	}
	return http.StatusOK, struct {
		Counts pausedReport `json:"paused_incident_reporting_counts"`
	}{r}, nil
}
