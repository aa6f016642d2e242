package observe

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// NightQuery asks whom real incidents have notified.
type NightQuery struct {
	Service string   // of the team: whoever its incidents notified counts
	People  []string // ids of users: what notified them counts, whatever the service
	// From and To bound each time that is asked about, by the pager's clock; the newest last.
	Nights []Night
	Ours   string // dedup keys that begin so are our own pages
	Type   string // incident type that drills have; empty: none
}

// Night is a time from From to right before To.
type Night struct{ From, To time.Time }

// Woken is the last time that a real incident of high urgency notified anybody who was asked about. Who it was stands
// nowhere: that is theirs to tell.
type Woken struct {
	At       time.Time // the pager's clock; zero: nobody was
	Incident string    // id
}

// What one look at the nights costs at most: an account whose log is longer than that cannot be judged.
const (
	nightPages = 20               // of one question, 100 entries each
	nightLooks = 40               // questions
	nightLeast = 10 * time.Minute // the shortest time that is asked about by itself
)

// Woken reads the account's log, the newest night first, until it finds a notification of a real incident. What cannot be
// read is an error, never a quiet night.
func (p *PagerDuty) Woken(ctx context.Context, q NightQuery) (Woken, error) {
	n := &nights{p: p, q: q, judged: map[string]bool{}}
	for _, night := range slices.Backward(q.Nights) {
		if w, err := n.last(ctx, night); err != nil || !w.At.IsZero() {
			return w, err
		}
	}
	return Woken{}, nil
}

// nights is one search.
type nights struct {
	p      *PagerDuty
	q      NightQuery
	judged map[string]bool // incident id -> it is real and urgent
	looks  int
}

// last is the last notification of a span. A span with more entries than one question tells is read in halves, the later
// one first.
func (n *nights) last(ctx context.Context, s Night) (Woken, error) {
	const op = "read last night's log"
	if n.looks++; n.looks > nightLooks {
		return Woken{}, &Problem{Op: op, Why: "the account's log is longer than it is read", Try: "shorten rest.night or rest.for"}
	}
	entries, err := n.p.entriesSince(ctx, s.From, s.To, nightPages)
	if half := s.To.Sub(s.From) / 2; errors.Is(err, errTooMany) && half >= nightLeast {
		middle := s.From.Add(half)
		if w, err := n.last(ctx, Night{middle, s.To}); err != nil || !w.At.IsZero() {
			return w, err
		}
		return n.last(ctx, Night{s.From, middle})
	}
	if err != nil {
		return Woken{}, err
	}
	for _, e := range slices.Backward(entries) {
		if !n.asked(e, s) {
			continue
		}
		real, err := n.real(ctx, e)
		if err != nil {
			return Woken{}, err
		}
		if real {
			return Woken{At: e.At, Incident: e.Incident}, nil
		}
	}
	return Woken{}, nil
}

// asked says whether an entry is a notification that was asked about.
func (n *nights) asked(e accountEntry, s Night) bool {
	return e.Kind == EntryNotified && !e.At.Before(s.From) && e.At.Before(s.To) &&
		(e.Service != "" && e.Service == n.q.Service || e.User != "" && slices.Contains(n.q.People, e.User)) && !n.p.bots[e.User]
}

// real says whether an incident is neither of low urgency nor a drill's. Whatever is not known to be one of these is real.
func (n *nights) real(ctx context.Context, e accountEntry) (bool, error) {
	if known, ok := n.judged[e.Incident]; ok {
		return known, nil
	}
	real := e.Now.Urgency != "low" && (n.q.Type == "" || !strings.EqualFold(e.Now.Type.Name, n.q.Type))
	if real {
		whole, err := n.p.withAlerts(ctx, "read the alerts of last night's incident", e.Now)
		if err != nil && !gone(err) {
			return false, err
		}
		real = !n.ours(whole.Alerts)
	}
	n.judged[e.Incident] = real
	return real, nil
}

// ours says that an incident has pages of ours, and no others.
func (n *nights) ours(alerts []Alert) bool {
	return len(alerts) > 0 && !slices.ContainsFunc(alerts, func(a Alert) bool { return !strings.HasPrefix(a.Key, n.q.Ours) })
}
