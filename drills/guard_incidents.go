package drills

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// stale is how far back incidents are listed that have ended: they belong to the time before the drill.
const stale = 5 * time.Minute

// namedAtOnce is how many open incidents a refusal names; the others it counts.
const namedAtOnce = 3

// checkIncidents: whoever works on a real incident is left alone. All that stand in the way are named, so that whoever
// clears up clears up once.
func (st *Steps) checkIncidents(ctx context.Context, p *Plan, f *found) *Refusal {
	now := st.World.Clock.Now()
	all, err := st.World.Pager.Incidents(ctx, []string{p.Page.Service}, now.Add(-stale))
	if err != nil {
		return refuse("pager", stepOf(err), "read open incidents of %s: %v", f.service.Name, err)
	}
	var before, ignored []string
	var refusals []*Refusal
	open := 0
	for _, in := range all {
		before = append(before, in.ID)
		if in.Status == "resolved" {
			continue
		}
		r, low := p.standsInTheWay(in, now, f)
		switch {
		case r != nil && low && st.Env.OpenIncidents == "high":
			ignored = append(ignored, in.ID)
			f.warning("%s has an open incident, %s, that is ignored (open_incidents: high): %s", f.service.Name, standing(in, now), titled(in))
			continue
		case r != nil:
			refusals = append(refusals, r)
		}
		open++
	}
	f.facts["open_incidents"], f.facts["incidents_before"] = strconv.Itoa(open), strings.Join(before, " ")
	if len(ignored) > 0 {
		f.facts["ignored_incidents"], f.facts["ignored"] = strconv.Itoa(len(ignored)), strings.Join(ignored, " ")
	}
	return together(refusals)
}

// together is the first refusal, with what the others say.
func together(list []*Refusal) *Refusal {
	if len(list) == 0 {
		return nil
	}
	first := list[0]
	for i, r := range list[1:] {
		if i+1 >= namedAtOnce {
			first.Why += fmt.Sprintf("; and %d more", len(list)-namedAtOnce)
			break
		}
		first.Why += "; " + r.Why
	}
	return first
}

// standsInTheWay: an open incident does, unless it comes of what the drill's own list takes into account. Even then
// it does when the alarm that is to page would only be added to it. What is low says that the environment may have it
// ignored: somebody else's incident of low urgency.
func (p *Plan) standsInTheWay(in observe.Incident, now time.Time, f *found) (no *Refusal, low bool) {
	role := p.incidentRole(p.Run, in)
	name, how := f.service.Name, standing(in, now)
	switch {
	case role == journal.RoleOurs:
		return nil, false
	case role == journal.RoleWatch && p.Page.When == PageAlarm:
		return later("open_incident", "resolve it first", "%s has an open incident, %s, of an alarm that is watched, which would join it and page nobody: %s", name, how, titled(in)), false
	case role == journal.RoleWatch, role == journal.RoleRipple:
		f.warning("%s has an open incident, %s, of an alarm that this drill lists: %s", name, how, titled(in))
		return nil, false
	}
	for _, a := range in.Alerts {
		if run, ours := strings.CutPrefix(a.Key, Dedup("")); ours {
			return later("open_incident", "firedrill status "+run, "%s has the open page of another drill, %s: run %s (%s)", name, how, run, in.URL), false
		}
	}
	no = later("open_incident", "finish it first", "%s has an open incident, %s: %s", name, how, titled(in))
	if low = in.Urgency == "low"; low {
		no.Try = "finish it first, or have those of low urgency ignored in firedrill.yaml: open_incidents: high"
	}
	return no, low
}

func titled(in observe.Incident) string { return fmt.Sprintf("%s (%s)", in.Title, in.URL) }

// standing is how long an incident has been open, and how urgent it is: "open for 3 days, low urgency".
func standing(in observe.Incident, now time.Time) string {
	words := "open"
	if age := now.Sub(in.CreatedAt); !in.CreatedAt.IsZero() && age > 0 {
		words += " for " + aged(age)
	}
	if in.Urgency != "" {
		words += ", " + in.Urgency + " urgency"
	}
	if in.Status == "acknowledged" {
		words += ", acknowledged"
	}
	return words
}

// aged is a duration as people say it of things that lie around: in its largest unit.
func aged(d time.Duration) string {
	for _, u := range []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		switch n := d / u.of; {
		case n == 1:
			return "1 " + u.name
		case n > 1:
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return "less than a minute"
}
