package drills

import (
	"context"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// checkRest: whoever was woken by a real incident is left alone for a while. Who it was is theirs to tell.
func (st *Steps) checkRest(ctx context.Context, p *Plan, f *found) *Refusal {
	rest := st.Env.Rest
	if rest.For <= 0 || p.Page.Service == "" {
		return nil
	}
	if st.World.Woken == nil || f.service == nil {
		return refuse("rest", "add pagerduty: {token: …}, or leave rest out", "nobody can be asked whether the on-call were woken")
	}
	now := st.World.Clock.Now()
	w, err := st.woken(ctx, p, f.service, now)
	if err != nil {
		return refuse("rest", stepOf(err), "whether the on-call were woken is unknown: %v", err)
	}
	until := w.At.Add(rest.For)
	if w.At.IsZero() || !until.After(now) {
		f.facts["rest"] = "ok"
		return nil
	}
	c, _, r := st.calendar(ctx, now)
	if r != nil {
		return r
	}
	return later("rest", "again then, or wait for it with --wait", "the on-call of %s was woken at %s by a real incident, and rests for %s",
		f.service.Name, clockText(w.At.In(c.Zone())), short(rest.For)).at(c.Next(until))
}

// restUntil is when the rest after a bad night ends, as far as that can be told now; zero where nothing is known of one.
// It only makes another refusal more exact, so what cannot be read is left out.
func (st *Steps) restUntil(ctx context.Context, p *Plan, now time.Time) time.Time {
	if st.Env.Rest.For <= 0 || st.World.Woken == nil || st.World.Pager == nil || p.Page.Service == "" {
		return time.Time{}
	}
	check, err := st.World.Pager.Check(ctx, p.Page.Service)
	if err != nil {
		return time.Time{}
	}
	w, err := st.woken(ctx, p, &check, now)
	if err != nil || w.At.IsZero() {
		return time.Time{}
	}
	return w.At.Add(st.Env.Rest.For)
}

// woken asks the pager about the nights that still count: a notification from before now − for is slept off.
func (st *Steps) woken(ctx context.Context, p *Plan, service *observe.ServiceCheck, now time.Time) (observe.Woken, error) {
	zone := NewCalendar(st.Env).Zone()
	nights, err := st.Env.Rest.nights(now, zone)
	if err != nil || len(nights) == 0 {
		return observe.Woken{}, err
	}
	q := observe.NightQuery{Service: p.Page.Service, Nights: nights, Ours: Dedup(""), Type: drillType}
	for _, who := range service.OnCall {
		q.People = append(q.People, who.User)
	}
	ctx, cancel := context.WithTimeout(ctx, restTime)
	defer cancel()
	return st.World.Woken(ctx, q)
}

// restTime bounds the look at the nights.
const restTime = time.Minute

// nights are the hours in which a page wakes people, from as long ago as it still counts until now, the newest last.
func (r RestSpec) nights(now time.Time, zone *time.Location) (spans []observe.Night, err error) {
	from, to, err := parseHours(r.Night)
	if err != nil {
		return nil, fmt.Errorf("rest.night: %w", err)
	}
	every := map[time.Weekday]bool{}
	for d := time.Sunday; d <= time.Saturday; d++ {
		every[d] = true
	}
	night := &Calendar{window: &Window{Days: every, From: from, To: to, Zone: zone}}
	for _, s := range night.Spans(now.Add(-r.For), now.Add(time.Second)) { // an entry of this very second counts
		spans = append(spans, observe.Night{From: s.From, To: s.To})
	}
	return spans, nil
}
