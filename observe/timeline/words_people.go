package timeline

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// saidText tells what we told people: by a note on an incident, or a message in their channel.
func saidText(e journal.Event) string {
	f := e.Fact
	where, noun := "on the incident", "note"
	if e.Kind == journal.MessageSent {
		where, noun = strings.TrimSpace("in the team's channel "+f.Channel), "message"
	}
	if f.Err != "" {
		return because(fmt.Sprintf("our %s could not be written", noun), f.Err)
	}
	switch f.Reason {
	case journal.AboutStart:
		return "the start of the drill is told " + where
	case journal.AboutEvidence:
		return because("evidence is shown "+where, strings.TrimPrefix(f.Text, "[DRILL] "))
	case journal.AboutHint:
		return because(fmt.Sprintf("hint %d is told %s", f.Hint, where), f.Text)
	case journal.AboutAbort:
		return "that the drill was ended early is told " + where
	case journal.AboutEnd:
		return "how it ended is told " + where + ", with two questions"
	case journal.AboutHandOver:
		return "handed over " + where + ": what of the drill was on, and that it is put back"
	case journal.AboutDrill, "":
		if e.Kind == journal.MessageSent {
			return "that this is a drill is told " + where
		}
		return "our note stands on their incident: this is a drill"
	}
	if f.Reason == journal.AboutReply {
		return because("what a note asked is answered "+where, strings.TrimPrefix(f.Text, "[DRILL] "))
	}
	return because("our "+noun+" stands "+where, f.Text)
}

// heardText tells that a note asked something of the run.
func heardText(f journal.Fact) string {
	text := fmt.Sprintf("%s asked by a note: drill %s", cmp.Or(f.By, f.User, "somebody"), f.Text)
	switch {
	case f.Text == "hint" && f.Hint > 0:
		return fmt.Sprintf("%s (it is hint %d)", text, f.Hint)
	case f.Text == "hint":
		return text + " (none is left)"
	}
	return text
}

// whose names who did something, and how; what is what they did.
func whose(f journal.Fact, what string) string {
	name := cmp.Or(f.By, f.User)
	switch {
	case f.Human == nil:
		return fmt.Sprintf("%s by %s, person or tool unknown%s", what, cmp.Or(name, "somebody"), channel(f))
	case *f.Human:
		return fmt.Sprintf("%s %s%s", cmp.Or(name, "a person"), what, channel(f))
	}
	return fmt.Sprintf("%s by a machine%s", what, channel(f))
}

func (w *words) incidentText(e journal.Event) string {
	f := e.Fact
	name := cmp.Or(f.By, f.User, "somebody")
	switch e.Kind {
	case journal.IncidentOpened:
		return because(fmt.Sprintf("incident opened by %s%s%s", cmp.Or(f.By, "somebody"), quietly(f.Urgency), ripple(f.Role)), f.Title)
	case journal.IncidentNotified:
		return fmt.Sprintf("%s was notified%s", name, channel(f))
	case journal.IncidentEscalated:
		if f.Level > 0 {
			return fmt.Sprintf("incident escalated to level %d", f.Level)
		}
		return "incident escalated"
	case journal.IncidentUnacknowledged:
		return "acknowledgement timed out or was taken back"
	case journal.IncidentAcknowledged:
		return whose(f, "acknowledged")
	case journal.IncidentResolved:
		return whose(f, "resolved")
	case journal.IncidentReopened:
		return whose(f, "reopened it")
	case journal.IncidentReassigned:
		return because(whose(f, "gave it to somebody else"), f.Text)
	case journal.IncidentSnoozed:
		if f.DurationS > 0 {
			return whose(f, "snoozed it for "+brevity(seconds(f.DurationS)))
		}
		return whose(f, "snoozed it")
	case journal.IncidentMerged:
		return "merged into " + cmp.Or(f.Into, "another incident") + ": it goes on there"
	case journal.IncidentTyped:
		if f.Err != "" {
			return because("the incident could not be given its type", f.Err)
		}
		return "the incident is of type " + cmp.Or(f.Text, "drill") + " now: it stays out of the statistics"
	default:
		return w.noteText(e)
	}
}

// noteText tells of notes on an incident, and of what else its log holds.
func (w *words) noteText(e journal.Event) string {
	f := e.Fact
	name := cmp.Or(f.By, w.names[f.User], f.User, "somebody")
	switch e.Kind {
	case journal.IncidentNoted:
		return fmt.Sprintf("%s noted: %s", name, f.Text)
	case journal.IncidentNoteEdited:
		return fmt.Sprintf("%s's note was edited: now %q, before %q", name, line(f.Text), line(f.Was))
	case journal.IncidentNoteDeleted:
		return fmt.Sprintf("%s's note was deleted: it said %q", name, line(f.Was))
	case journal.IncidentLogged:
		return because("the pager's log tells of "+cmp.Or(plainType(f.Type), "something else"), f.Text)
	}
	return because(string(e.Kind), f.Text, f.Why)
}

// plainType is a type of log entry in words: "priority change".
func plainType(t string) string {
	return strings.NewReplacer("_", " ", ".", " ").Replace(strings.TrimSuffix(t, "_log_entry"))
}

func quietly(urgency string) string {
	if urgency == "low" {
		return " with low urgency"
	}
	return ""
}

func channel(f journal.Fact) string {
	if f.Channel == "" {
		return ""
	}
	return " (" + f.Channel + ")"
}

func clockOf(t time.Time) string { return t.UTC().Format("15:04:05") }
