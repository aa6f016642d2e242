package timeline

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"github.com/firedrill/firedrill/internal/journal"
)

// line makes one line of a text: what others wrote may hold anything.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// because puts a reason behind a sentence, where there is one.
func because(text string, why ...string) string {
	if w := cmp.Or(why...); w != "" {
		return text + ": " + w
	}
	return text
}

// text is an event as a sentence; empty where it is not worth one.
func (w *words) text(e journal.Event) string {
	f := e.Fact
	switch e.Kind {
	case journal.RunPlanned:
		return fmt.Sprintf("planned: %s in %s", w.t.Brief.Drill, w.t.Brief.Environment)
	case journal.RunTaken:
		if e.Gen <= 1 {
			return ""
		}
		return because("taken over by another process", f.Holder)
	case journal.RunReopened:
		return "reopened: what is left is put back"
	case journal.RunFinished:
		return because("finished: "+cmp.Or(f.Outcome, string(w.t.Outcome)), strings.Join(f.Left, "; "))
	case journal.GuardPassed:
		return "every check said yes"
	case journal.GuardRefused:
		return because("refused", f.Why, f.Reason)
	case journal.ClockRead:
		return clockText(f)
	case journal.DeadmanArmed:
		when := ""
		if f.Value != nil {
			when = ", from " + f.Value.UTC().Format("15:04 MST") + " on"
		}
		return fmt.Sprintf("dead-man's switch armed: %s (calls: %d%s)", f.Fault, len(f.Schedules), when)
	case journal.DeadmanDisarmed:
		return "dead-man's switch deleted: " + f.Fault
	case journal.DeadmanDisarmFailed:
		return because("dead-man's switch not deleted: "+f.Fault, f.Err)
	case journal.RunAcknowledged:
		return because(cmp.Or(f.By, "somebody")+" has looked into how the run ended", f.Why)
	case journal.AbortRequested:
		return because("to be ended early ("+f.Reason+")", f.Why)
	case journal.NoteWritten:
		return fmt.Sprintf("%s noted: %s", cmp.Or(f.By, "somebody"), f.Text)
	case journal.Correction:
		if f.Value == nil {
			return ""
		}
		return because(fmt.Sprintf("%s corrected %s to %s", cmp.Or(f.By, "somebody"), f.Instant, f.Value.UTC().Format("15:04:05Z")), f.Why)
	case journal.ChangeSeen:
		if f.How == ourHand {
			return "" // our own is told where it was made
		}
		return changeText(f)
	case journal.CommandHeard:
		return heardText(f)
	case journal.AnswerGiven:
		return fmt.Sprintf("%s answered: %s", cmp.Or(f.By, f.User, "somebody"), f.Text)
	}
	switch kind := string(e.Kind); {
	case strings.HasPrefix(kind, "fault."):
		return faultText(e)
	case strings.HasPrefix(kind, "incident."):
		if text := w.incidentText(e); e.Kind == journal.IncidentOpened {
			return text
		} else if text != "" { // what people do about a ripple is done once more, and told apart
			return text + ripple(w.roles[f.Incident])
		}
		return ""
	case e.Kind == journal.NoteSent, e.Kind == journal.MessageSent:
		return saidText(e)
	case strings.HasPrefix(kind, "alarm."), strings.HasPrefix(kind, "page."):
		return toldText(e)
	}
	return because(string(e.Kind), f.Why, f.Err, f.Text) // a newer version's: shown as it is
}

func clockText(f journal.Fact) string {
	switch {
	case f.Err != "":
		return because("the clock of "+f.Source+" cannot be read", f.Err)
	case f.Source == "local":
		return ""
	}
	return fmt.Sprintf("clock of %s: %+.2f s ± %.2f s from ours", f.Source, f.OffsetS, f.ErrorS)
}

func faultText(e journal.Event) string {
	f := e.Fact
	switch e.Kind {
	case journal.FaultPrepared:
		return "undo recorded: " + f.Fault
	case journal.FaultStaged:
		return "fault staged, inert: " + f.Fault
	case journal.FaultApplied:
		return "fault applied: " + f.Fault
	case journal.FaultApplyFailed:
		return because("fault not applied: "+f.Fault, f.Err, f.Why)
	case journal.FaultEffective:
		return "effective: " + cmp.Or(f.Why, f.Fault)
	case journal.FaultCeased:
		return because("not felt any more: "+f.Fault, f.Why)
	case journal.FaultReverted:
		return fmt.Sprintf("put back: %s (%s)", f.Fault, cmp.Or(strings.ReplaceAll(f.How, "_", " "), "done"))
	case journal.FaultRevertFailed:
		return because("could not put back "+f.Fault, f.Err, f.Why)
	case journal.FaultSettled:
		return because("reads back as before: "+f.Fault, f.Why)
	}
	return because(string(e.Kind)+" "+f.Fault, f.Why, f.Err)
}

func toldText(e journal.Event) string {
	f := e.Fact
	switch {
	case e.Kind == journal.AlarmFired:
		return fmt.Sprintf("alarm %s fired%s", f.Alarm, ripple(f.Role))
	case e.Kind == journal.AlarmCleared:
		return fmt.Sprintf("alarm %s is OK again", f.Alarm)
	case e.Kind == journal.PageSent && f.Role == roleOwner && f.Err != "":
		return because("the owner could not be paged", f.Err)
	case e.Kind == journal.PageSent && f.Role == roleOwner:
		return "the owner is paged for real: something is left in place"
	case e.Kind == journal.PageSent && f.Err != "":
		return because("our page was not taken in", f.Err)
	case e.Kind == journal.PageSent:
		return because("our page was handed to the pager", f.Title)
	case e.Kind == journal.PageResolved && f.Err != "":
		return because("our page could not be resolved", f.Err)
	case e.Kind == journal.PageResolved:
		return "our page is resolved"
	}
	return because(string(e.Kind), f.Why, f.Err)
}

// changeText tells what somebody else did to a target of ours.
func changeText(f journal.Fact) string {
	what := cmp.Or(f.Text, "a change")
	if name := shortName(f.Target); name != "" {
		what += " of " + name
	}
	hand := map[string]string{"person": "by hand", "autoscaling": "auto scaling", "deploy": "a deploy", "terraform": "terraform",
		"service": "a service of AWS", "firedrill": "the drill's own"}[f.How]
	return because(fmt.Sprintf("%s: %s (%s)", cmp.Or(f.By, "somebody"), what, cmp.Or(hand, "by whom or what is not known")), f.Err)
}

func ripple(r journal.Role) string {
	switch r {
	case journal.RoleRipple:
		return " (a ripple)"
	case journal.RoleOther:
		return " (not watched)"
	}
	return ""
}
