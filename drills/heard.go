package drills

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// command is one thing that a note on the drill's incidents asks of the run. Each is heard once: what was heard stands in
// the journal as command.heard, and whoever goes on with the run folds it.
type command struct {
	what     string // CommandStop …
	incident string
	entry    string // what told of the note first
	by, user string
	human    *bool
	written  time.Time // by the pager's clock
	hint     int       // of CommandHint: which it got, from 1; 0: none was left
}

// key names a command: what is asked twice in one note, before and after an edit, is asked once.
func (c command) key() string { return c.what + "/" + c.incident + "/" + c.entry }

// heard folds a command.heard.
func (s *State) heard(e journal.Event) {
	c := command{what: e.Fact.Text, incident: e.Fact.Incident, entry: e.Fact.Entry, by: e.Fact.By, user: e.Fact.User, hint: e.Fact.Hint}
	if !s.hears(c) {
		s.Heard = append(s.Heard, c)
	}
}

// hears says that a command was heard already.
func (s *State) hears(c command) bool {
	return slices.ContainsFunc(s.Heard, func(h command) bool { return h.key() == c.key() })
}

// commands are what notes ask and nobody has heard yet, in the order in which they were told.
func (s *State) commands() (list []command) {
	for _, id := range s.People.order {
		in := s.People.incidents[id]
		for i := range in.notes {
			n := &in.notes[i]
			if n.deleted || len(n.asks) == 0 || s.earlier(n) {
				continue
			}
			for _, what := range n.asks {
				c := command{what: what, incident: id, entry: cmp.Or(n.entry, itoa(i)), by: n.by, user: n.user, human: n.human, written: n.at}
				if s.obeys(in, what) && !s.hears(c) {
					list = append(list, c)
				}
			}
		}
	}
	return list
}

// obeys says on which incidents a command counts: those of the drill, and the one that such goes on as. On one that rang
// because of the drill only a stop does, which is the safe direction.
func (s *State) obeys(in *incidentState, what string) bool {
	if in.ours() || in.role == journal.RoleRipple && what == CommandStop {
		return true
	}
	return in.role != journal.RoleOther && slices.ContainsFunc(s.People.drill(), func(id string) bool {
		return s.People.goesOn(s.People.incidents[id]) == in
	})
}

// earlier says that a note was written before the run began, by the pager's clock as it was measured last.
func (s *State) earlier(n *noteState) bool {
	if n.at.IsZero() || n.at.After(s.PlannedAt.Add(skewAtMost)) {
		return false
	}
	offset, bar := time.Duration(0), time.Second
	for _, e := range slices.Backward(s.Events) {
		if e.Kind == journal.ClockRead && e.Fact.Source == "pagerduty" && e.Fact.Err == "" {
			offset = time.Duration(e.Fact.OffsetS * float64(time.Second))
			bar += time.Duration(e.Fact.ErrorS * float64(time.Second))
			break
		}
	}
	return n.at.Add(-offset).Add(bar).Before(s.PlannedAt)
}

// nextHint is the first hint that was neither told nor asked for, from 1; 0: none is left.
func (s *State) nextHint() int {
	for i := range s.Plan.Hints {
		key := journal.AboutHint + "/" + itoa(i+1)
		_, asked := s.askedHint(i + 1)
		if !asked && !s.Told[key].done && !s.Told[key+"/note"].done {
			return i + 1
		}
	}
	return 0
}

// askedHint says that somebody asked for a hint, and on which incident.
func (s *State) askedHint(n int) (incident string, asked bool) {
	for _, c := range s.Heard {
		if c.what == CommandHint && c.hint == n {
			return c.incident, true
		}
	}
	return "", false
}

// hear hears what notes ask: each is recorded, and a stop asks the run to unwind as abort does. Whoever stops it is told
// that it was heard by the courier, for whom the undo does not wait.
func (st *Steps) hear(ctx context.Context, s *State) (events []journal.Event) {
	after := *s
	after.Heard = slices.Clone(s.Heard)
	for _, c := range s.commands() {
		e := journal.Event{Kind: journal.CommandHeard, Seen: &journal.Seen{At: c.written, By: "pagerduty", ErrorS: 0.5},
			Fact: journal.Fact{Text: c.what, Incident: c.incident, Entry: c.entry, By: c.by, User: c.user, Human: c.human}}
		if c.what == CommandHint {
			e.Fact.Hint = after.nextHint()
		}
		events = append(events, e)
		after.heard(e)
		if c.what == CommandStop && after.Stop == nil {
			stop := journal.Event{Kind: journal.AbortRequested, Fact: journal.Fact{Reason: ReasonNote, By: c.name(), User: c.user, Incident: c.incident,
				Why: c.name() + " wrote drill stop on the incident"}}
			events = append(events, stop)
			after.stop(ReasonNote, stop)
			st.carry(ctx, &after, after.routed([]telling{after.reply(c, stoppingReply(&after))}))
		}
	}
	return events
}

// answer sends the courier off with what was asked for: whoever asks does not wait for the end of a look.
func (st *Steps) answer(ctx context.Context, s *State) {
	if len(s.Heard) == 0 {
		return
	}
	asked := slices.DeleteFunc(s.tellings(st.World.Clock.Now()), func(t telling) bool {
		_, hint := s.askedHint(t.hint)
		return !hint && t.about != journal.AboutReply
	})
	st.carry(ctx, s, asked)
}

// carry has the courier tell what is due of a list, as the run stands.
func (st *Steps) carry(ctx context.Context, s *State, list []telling) {
	due := s.untold(list, st.World.Clock.Now())
	if len(due) == 0 {
		return
	}
	st.courier.carry(ctx, due, func(ctx context.Context, t telling) journal.Event { return st.tellOne(ctx, s, t) })
}

// name is who asks.
func (c command) name() string { return cmp.Or(oneLine(c.by), c.user, "somebody") }

// reply answers a command where it was given.
func (s *State) reply(c command, text string) telling {
	return telling{key: journal.AboutReply + "/" + c.key(), about: journal.AboutReply, incident: c.incident, text: text}
}

// replies are what is answered to commands while the faults are in place; what was answered is not made up again.
func (s *State) replies(now time.Time) (list []telling) {
	for _, c := range s.Heard {
		if known := s.Told[journal.AboutReply+"/"+c.key()]; known.done {
			continue
		}
		switch {
		case c.what == CommandHint && c.hint == 0:
			list = append(list, s.reply(c, noHintReply(s)))
		case c.what == CommandStatus:
			list = append(list, s.reply(c, statusReply(s, now)))
		}
	}
	return list
}
