package cmd

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// debrief tells the player's own times: the seven instants, what they did when, and what to play next.
func (g *game) debrief(s *drills.State) {
	t := timeline.Of(s.Events, g.d.Now())
	width := g.console.width()
	zero := t.Instant(timeline.Effective).At
	if zero.IsZero() {
		zero = t.Planned
	}
	g.say("\n%s", g.style.of(journal.RunFinished, "Your times"))
	for _, name := range timeline.Names() {
		i := t.Instant(name)
		if i.At.IsZero() {
			why := unknown(i.Reason)
			if name == timeline.Resolved && i.Reason == timeline.Unknown {
				why = "the alarm fell silent and closed it before you did"
			}
			g.say("  %-13s %8s  %s", name, "–", why)
			continue
		}
		g.say("  %-13s %8s  %s", name, offset(i.At.Sub(zero)), means(name)+bar(i))
	}
	g.mu.Lock()
	did := slices.Clone(g.did)
	g.mu.Unlock()
	if len(did) > 0 {
		g.say("\n%s", g.style.of(journal.RunFinished, "What you did"))
	}
	for i := 0; i < len(did); i++ {
		at := offset(did[i].at.Sub(zero))
		if !did[i].look {
			g.say("%s", wrap(fmt.Sprintf("  %8s  ", at), plain(did[i].what), width))
			continue
		}
		looked := []string{did[i].what}
		for ; i+1 < len(did) && did[i+1].look; i++ { // looks change nothing: those in a row are one line
			if what := did[i+1].what; !slices.Contains(looked, what) {
				looked = append(looked, what)
			}
		}
		g.say("%s", g.style.dim(wrap(fmt.Sprintf("  %8s  ", at), "looked at "+strings.Join(looked, ", "), width)))
	}
	for _, f := range t.Faults {
		g.say("\n%s", wrap("", fmt.Sprintf("It was %s on %s: %s.", f.Kind, plain(f.Target), ended(f)), width))
	}
	g.say("\n%s", wrap("", g.verdict(t)+" Next: firedrill play "+g.p.next, width))
}

// means says what an instant is, to somebody who meets it for the first time.
func means(n timeline.Name) string {
	switch n {
	case timeline.Effective:
		return "the first answer that showed the fault"
	case timeline.Detected:
		return "their alarm noticed"
	case timeline.Paged:
		return "your phone rang"
	case timeline.Acknowledged:
		return "you were on it"
	case timeline.Mitigated:
		return "it stopped hurting, by your hand"
	case timeline.Resolved:
		return "you said that it was well"
	}
	return "everything was read back as before"
}

// unknown says why an instant has no time.
func unknown(r timeline.Reason) string {
	switch r {
	case timeline.Censored:
		return "it had not happened when the drill ended"
	case timeline.NotFelt:
		return "the shop never stopped answering"
	case timeline.NotWatched:
		return "nothing looks at it"
	case timeline.Reported:
		return "no alarm was expected: you were told"
	case timeline.NotYet:
		return "not yet"
	}
	return "not known"
}

// bar is how far the truth may be from what is told: a pager tells whole seconds.
func bar(i timeline.Instant) string {
	if e := max(i.Early, i.Late); e >= 100*time.Millisecond {
		return fmt.Sprintf(" (± %.1f s)", e.Seconds())
	}
	return ""
}

// ended says how a fault ended.
func ended(f timeline.Fault) string {
	switch f.How {
	case "restored":
		return "firedrill put it back"
	case "already_restored":
		return "you had put it back yourself"
	case "diverged":
		return "what you made of it was left as it is"
	case "never_applied":
		return "it never took place"
	}
	return f.State
}

// verdict is one sentence about the whole.
func (g *game) verdict(t timeline.Timeline) string {
	switch i := t.Interval("mitigate"); {
	case t.Outcome == timeline.Met && i.Known:
		return fmt.Sprintf("You made it well %s after it began to hurt.", debrief.Seconds(i.Seconds))
	case t.Outcome == timeline.Met:
		return "You did what there was to do."
	case t.Outcome == timeline.Aborted || t.Outcome == timeline.Interrupted:
		return "You stopped; everything is put back."
	}
	return "Not this time: the debrief says what was missing."
}
