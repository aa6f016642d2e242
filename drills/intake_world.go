package drills

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// steady reads the steady state before anything is touched; what is not good now would teach nothing.
func (st *Steps) steady(ctx context.Context, s *State) (events []journal.Event) {
	for _, p := range s.Plan.Steady {
		r := st.read(ctx, p)
		events = append(events, readingEvent(journal.SteadyRead, p, journal.RoleSteady, r))
		if r.Value != observe.OK {
			return append(events, unsteady(p, r).event())
		}
	}
	return events
}

// readAlarms turns changes of alarms into events, with the source's own time of each.
func (st *Steps) readAlarms(ctx context.Context, s *State) (events []journal.Event) {
	before := st.looked.alarms
	began := st.World.Clock.Now()
	alarms, err := st.World.Alarms.Describe(ctx, append(s.Plan.alarms(s.Plan.Watch), s.Plan.Ripples...))
	if err != nil {
		return nil // the next look tells; history keeps what happened meanwhile
	}
	st.looked.alarms = began
	if st.looked.alarmSince == nil {
		st.looked.alarmSince = map[string]time.Time{}
	}
	for _, a := range alarms {
		known, was := st.looked.alarmSince[a.Name]
		if !was {
			known = s.Alarms[a.Name].At
		}
		st.looked.alarmSince[a.Name] = a.Since
		if a.Since.Equal(known) || (!was && known.IsZero() && a.State != "ALARM") {
			continue
		}
		history, err := st.World.Alarms.History(ctx, a.Name, known.Add(time.Millisecond))
		if err != nil || !was || len(history) == 0 {
			history = []observe.Transition{{Alarm: a.Name, To: a.State, At: a.Since}}
		}
		for _, t := range history {
			if e, ok := s.alarmEvent(t, began, before); ok {
				e.At = st.World.Clock.Now()
				events = append(events, e)
			}
		}
	}
	return events
}

func (s *State) alarmEvent(t observe.Transition, at, before time.Time) (e journal.Event, ok bool) {
	e = journal.Event{Kind: journal.AlarmCleared, At: at, Seen: &journal.Seen{At: t.At, By: "aws"},
		Fact: journal.Fact{Alarm: t.Alarm, Role: s.Plan.alarmRole(t.Alarm), Why: t.Reason}}
	if !before.IsZero() {
		e.Fact.LookedAt = &before
	}
	switch t.To {
	case "ALARM":
		e.Kind = journal.AlarmFired
	case "OK":
		if s.Alarms[t.Alarm].State == "" && t.From != "ALARM" {
			return e, false // from INSUFFICIENT_DATA to OK: nothing had fired
		}
	default:
		return e, false
	}
	return e, true
}

// alarmRole says in which list of the drill an alarm stands.
func (p *Plan) alarmRole(name string) journal.Role {
	for _, w := range p.Watch {
		if w.Alarm == name {
			return journal.RoleWatch
		}
	}
	for _, r := range p.Ripples {
		if fits(r, name) {
			return journal.RoleRipple
		}
	}
	return journal.RoleOther
}

// fits: a * at the end of a pattern matches any rest.
func fits(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// readPager turns incidents and their log entries into events. One that belongs to nobody's drill ends ours.
func (st *Steps) readPager(ctx context.Context, s *State) (events []journal.Event) {
	before, began := st.looked.pager, st.World.Clock.Now()
	incidents, err := st.World.Pager.Incidents(ctx, []string{s.Plan.Page.Service}, s.Events[0].At.Add(-2*time.Minute))
	if err != nil {
		return st.pagerLost(ctx, began, err)
	}
	st.looked.pager, st.looked.pagerLost = began, time.Time{}
	for _, in := range incidents {
		if s.before(in.ID) {
			continue
		}
		role := s.Plan.incidentRole(s.Run, in)
		if s.People.incidents[in.ID] == nil {
			events = append(events, opened(in, role, before, st.World.Clock.Now()))
			if role == journal.RoleOther && in.Status != "resolved" {
				events = append(events, journal.Event{Kind: journal.AbortRequested, At: st.World.Clock.Now(), Fact: journal.Fact{
					Reason: ReasonForeign, Incident: in.ID, Why: fmt.Sprintf("a real incident is open: %s (%s)", in.Title, in.URL)}})
			}
		}
		if role == journal.RoleOther {
			continue
		}
		entries, err := st.World.Pager.Log(ctx, in.ID)
		if err != nil {
			return append(events, st.pagerLost(ctx, began, err)...)
		}
		for _, entry := range entries {
			if e, ok := entryEvent(in.ID, entry, before); ok && !s.People.entries[entry.ID] {
				e.At = st.World.Clock.Now()
				events = append(events, e)
			}
		}
	}
	return events
}

func (st *Steps) pagerLost(ctx context.Context, now time.Time, err error) []journal.Event {
	if ctx.Err() != nil {
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
		Fact: journal.Fact{Incident: in.ID, Title: in.Title, URL: in.URL, Service: in.Service, Role: role, By: by}}
	if !before.IsZero() {
		e.Fact.LookedAt = &before
	}
	return e
}

// entryEvent is a log entry as the journal keeps it.
func entryEvent(incident string, entry observe.Entry, before time.Time) (e journal.Event, ok bool) {
	kinds := map[observe.EntryKind]journal.Kind{
		observe.EntryNotified: journal.IncidentNotified, observe.EntryAcknowledged: journal.IncidentAcknowledged,
		observe.EntryUnacknowledged: journal.IncidentUnacknowledged, observe.EntryEscalated: journal.IncidentEscalated,
		observe.EntryNoted: journal.IncidentNoted, observe.EntryResolved: journal.IncidentResolved,
	}
	e.Kind, ok = kinds[entry.Kind]
	e.Seen = &journal.Seen{At: entry.At, By: "pagerduty", ErrorS: entry.ErrorS}
	e.Fact = journal.Fact{Incident: incident, Entry: entry.ID, User: entry.User, By: entry.Name, Channel: entry.Channel,
		Level: entry.Level, Text: entry.Text, Human: journal.Bool(entry.Human)}
	if !before.IsZero() {
		e.Fact.LookedAt = &before
	}
	return e, ok
}

// incidentRole says whose incident it is: our page by its alert key, theirs by the alarm its title or alert names.
func (p *Plan) incidentRole(run string, in observe.Incident) journal.Role {
	text := in.Title
	for _, a := range in.Alerts {
		if a.Key == Dedup(run) {
			return journal.RoleOurs
		}
		text += "\n" + a.Summary + "\n" + a.Key
	}
	for _, name := range p.alarms(p.Watch) {
		if names(text, name) {
			return journal.RoleWatch
		}
	}
	for _, r := range p.Ripples {
		if names(text, strings.TrimSuffix(r, "*")) {
			return journal.RoleRipple
		}
	}
	return journal.RoleOther
}

// names: an alarm's name stands in a text as a word of its own, not as the beginning of another's.
func names(text, name string) bool {
	for i := strings.Index(text, name); i >= 0 && name != ""; {
		end := i + len(name)
		if end == len(text) || !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", rune(text[end])) || strings.HasSuffix(name, "-") {
			return true
		}
		next := strings.Index(text[end:], name)
		if next < 0 {
			return false
		}
		i = end + next
	}
	return false
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
