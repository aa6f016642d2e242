package drills

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Each question to the pager ends in time, so that a slow pager delays no undo.
const pagerTime = 10 * time.Second

// readPager turns incidents, their log entries and their notes into events. One that belongs to nobody's drill ends ours.
func (st *Steps) readPager(ctx context.Context, s *State) (events []journal.Event) {
	ctx, cancel := context.WithTimeout(ctx, pagerTime)
	defer cancel()
	before, began := st.looked.pager, st.World.Clock.Now()
	st.looked.pagerTry = began
	since := s.Events[0].At.Add(-2 * time.Minute)
	seen, err := st.seen(ctx, s, since)
	if err != nil {
		return append(events, st.pagerLost(ctx, began, err)...)
	}
	for _, in := range seen.Incidents {
		if s.before(in.ID) && !s.turned(in.Incident) {
			continue
		}
		if len(in.Alerts) == 0 && began.Sub(st.looked.first(in.ID, began)) < alertsBy {
			st.looked.hold(in.ID, before)
			continue
		}
		before := st.looked.release(in.ID, before)
		role := s.Plan.incidentRole(s.Run, in.Incident)
		now := st.World.Clock.Now()
		events = append(events, s.judge(in.Incident, role, before, now)...)
		if role == journal.RoleOther {
			continue
		}
		events = append(events, s.newOf(in, before, now)...)
	}
	st.looked.pager, st.looked.pagerLost = seen.At, time.Time{}
	return events
}

// seen is what the pager knows of the run's service: from the feed that all runs of this process share, or asked for.
func (st *Steps) seen(ctx context.Context, s *State, since time.Time) (observe.Seen, error) {
	services := []string{s.Plan.Page.Service}
	if st.World.Feed != nil {
		return st.World.Feed.Look(ctx, services, since)
	}
	seen := observe.Seen{At: st.World.Clock.Now()}
	incidents, err := st.World.Pager.Incidents(ctx, services, since)
	if err != nil {
		return seen, err
	}
	for _, in := range incidents {
		one := observe.SeenIncident{Incident: in, Whole: true}
		if !s.before(in.ID) && s.Plan.incidentRole(s.Run, in) != journal.RoleOther {
			if one.Log, err = st.World.Pager.Log(ctx, in.ID); err != nil {
				return seen, err
			}
			if st.World.Notebook != nil {
				if one.Notes, err = st.World.Notebook.Notes(ctx, in.ID); err != nil {
					return seen, err
				}
			}
		}
		seen.Incidents = append(seen.Incidents, one)
	}
	return seen, nil
}

// alertsBy is how long an incident may stand there without its alerts before it is judged by its title alone.
const alertsBy = 10 * time.Second

// first remembers when an incident was seen first.
func (l *looked) first(id string, now time.Time) time.Time {
	if l.incidents == nil {
		l.incidents = map[string]time.Time{}
	}
	if _, ok := l.incidents[id]; !ok {
		l.incidents[id] = now
	}
	return l.incidents[id]
}

// hold remembers when the look began that did not show an incident yet which waits for its alerts: what is told of it when
// they are there has happened since then, not since the look that was last.
func (l *looked) hold(id string, before time.Time) {
	if l.held == nil {
		l.held = map[string]time.Time{}
	}
	if _, ok := l.held[id]; !ok {
		l.held[id] = before
	}
}

// release is since when what is told of an incident may have happened.
func (l *looked) release(id string, before time.Time) time.Time {
	if held, ok := l.held[id]; ok {
		delete(l.held, id)
		return held
	}
	return before
}

// judge tells an incident that is new, or that turns out to be a real one: then the drill ends and hands over.
func (s *State) judge(in observe.Incident, role journal.Role, before, now time.Time) (events []journal.Event) {
	if s.sistersPage(in, role) {
		return nil
	}
	known := s.People.incidents[in.ID]
	if known == nil {
		events = append(events, s.Plan.attributed(opened(in, role, before, now), in))
	}
	if role == journal.RoleOther && in.Status != "resolved" && (known == nil || known.role != role) {
		events = append(events, journal.Event{Kind: journal.AbortRequested, At: now, Fact: journal.Fact{
			Reason: ReasonForeign, Incident: in.ID, Why: fmt.Sprintf("a real incident is open: %s (%s)", in.Title, in.URL)}})
	}
	return events
}

// pagerLost: a run whose people cannot be seen any more is not held for long.
func (st *Steps) pagerLost(ctx context.Context, now time.Time, err error) []journal.Event {
	if ctx.Err() == context.Canceled {
		return nil
	}
	if st.looked.pagerLost.IsZero() {
		st.looked.pagerLost = now
	}
	if now.Sub(st.looked.pagerLost) < patienceBlind {
		return nil
	}
	return []journal.Event{{Kind: journal.AbortRequested, At: now, Fact: journal.Fact{Reason: ReasonPager, Why: err.Error()}}}
}

func opened(in observe.Incident, role journal.Role, before, now time.Time) journal.Event {
	by := "their monitoring"
	if role == journal.RoleOurs {
		by = "firedrill"
	}
	e := journal.Event{Kind: journal.IncidentOpened, At: now, Seen: &journal.Seen{At: in.CreatedAt, By: "pagerduty", ErrorS: 0.5},
		Fact: journal.Fact{Incident: in.ID, Title: in.Title, URL: in.URL, Service: in.Service, Role: role, By: by,
			Urgency: in.Urgency, Alerts: len(in.Alerts)}}
	if i := slices.IndexFunc(in.Alerts, func(a observe.Alert) bool { return strings.HasPrefix(a.Key, Dedup("")) }); i >= 0 {
		e.Fact.Key = in.Alerts[i].Key // a page of a drill's is in it, whoever's incident it is
	}
	if !before.IsZero() {
		e.Fact.LookedAt = &before
	}
	return e
}

// incidentRole says whose incident it is: our page by its alert key, theirs by the alarm that its title or an alert of
// it names. One that holds anything else beside is a real one, whatever it was merged with.
func (p *Plan) incidentRole(run string, in observe.Incident) journal.Role {
	if len(in.Alerts) == 0 {
		if p.Page.Title != "" && in.Title == p.pageTitle() {
			return journal.RoleOurs
		}
		if role, ok := p.watchRole(in, observe.Alert{}); ok {
			return role
		}
		return p.roleOf(in.Title)
	}
	role := journal.RoleRipple
	for _, a := range in.Alerts {
		r := journal.RoleOurs
		if a.Key != Dedup(run) {
			if watched, ok := p.watchRole(in, a); ok {
				r = watched
			} else if r = p.roleOf(a.Summary + "\n" + a.Key); r == journal.RoleOther && len(in.Alerts) == 1 {
				r = p.roleOf(in.Title)
			}
		}
		switch {
		case r == journal.RoleOther:
			return r
		case r == journal.RoleWatch, r == journal.RoleOurs && role == journal.RoleRipple:
			role = r
		}
	}
	return role
}

// roleOf finds the alarm that a text names.
func (p *Plan) roleOf(text string) journal.Role {
	names := func(name string) bool { return namesAlarm(text, name) }
	if slices.ContainsFunc(p.alarms(p.Watch), names) {
		return journal.RoleWatch
	}
	if slices.ContainsFunc(p.Ripples, names) {
		return journal.RoleRipple
	}
	return journal.RoleOther
}

// partOfName are the characters that an alarm's name goes on with.
const partOfName = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

// namesAlarm: an alarm's name (or a pattern with a * at its end) stands in a text as a word of its own, not as a part
// of another's name.
func namesAlarm(text, name string) bool {
	name, open := strings.CutSuffix(name, "*")
	if name == "" {
		return false
	}
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(name)
		begins := i == 0 || !strings.ContainsRune(partOfName, rune(text[i-1]))
		ends := open || end == len(text) || !strings.ContainsRune(partOfName, rune(text[end]))
		if begins && ends {
			return true
		}
		from = i + 1
	}
}

// turned says that an incident has become urgent that was ignored because it was not.
func (s *State) turned(in observe.Incident) bool {
	return in.Urgency == "high" && in.Status != "resolved" && slices.Contains(strings.Fields(s.Ignored), in.ID)
}

// before says that the incident stood there before the drill began.
func (s *State) before(incident string) bool {
	for _, id := range strings.Split(s.Before, " ") {
		if id == incident {
			return true
		}
	}
	return false
}
