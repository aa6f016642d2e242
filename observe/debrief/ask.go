package debrief

import (
	"slices"
	"strings"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Ask is a question that only people can answer.
type Ask struct {
	Of, Question, URL string
}

// asks is what the people of a run are asked: after the alarm, the dashboard, the log search and the runbook.
func asks(t timeline.Timeline) []Ask {
	b := t.Brief
	list := append(askAlarms(t),
		Ask{"dashboard", "Did a dashboard show it? How long until somebody had found it?", b.Look["dashboard"]},
		Ask{"log search", "Which log search showed the cause? Who knew it by heart, and is it written down?", b.Look["logs"]})
	runbook := Ask{"runbook", "Was the runbook found, right, and followed? Which step was missing?", b.Runbook}
	if b.Runbook == "" {
		runbook.Question = "The card names no runbook. Is there one? " + runbook.Question
	}
	return append(list, runbook)
}

// askAlarms asks of what rang whether it helped, of what stayed silent why. Where the fault was never felt, or the drill
// ended early or goes on, silence proves nothing.
func askAlarms(t timeline.Timeline) (list []Ask) {
	if len(t.Brief.Watch) == 0 {
		return []Ask{{"alarm", "Which alarm should have said this, and whom should it wake?", ""}}
	}
	rang, silent := heard(t)
	if len(rang) > 0 {
		list = append(list, Ask{"alarm", "Did " + strings.Join(rang, ", ") + " say what was wrong, to the right person, and what to do?", ""})
	}
	early := t.Instant(timeline.Effective).At.IsZero() || t.Reason != "" || t.Outcome == ""
	switch names := strings.Join(silent, ", "); {
	case len(silent) == 0:
	case early:
		list = append(list, Ask{"alarm", "Would " + names + " have said what was wrong, to the right person, and what to do?", ""})
	default:
		list = append(list, Ask{"alarm", "Why did " + names + " stay silent?", ""})
	}
	return list
}

// heard parts what is watched into what rang, or read bad, and what did not. An incident of theirs tells that something
// rang: where no alarm was seen, it may have been any of them.
func heard(t timeline.Timeline) (rang, silent []string) {
	seen, incident := map[string]bool{}, false
	for _, e := range t.Events {
		switch {
		case e.Fact.Role != journal.RoleWatch:
		case e.Kind == journal.AlarmFired:
			seen["alarm "+e.Fact.Alarm] = true
		case e.Kind == journal.ProbeRead && e.Fact.Reading == "bad":
			seen[e.Fact.Probe] = true
		case e.Kind == journal.IncidentOpened:
			incident = true
			seen[e.Fact.Probe] = true // the entry of watch that it belongs to, where the run knew it
		}
	}
	delete(seen, "")
	if len(seen) == 0 && incident {
		return slices.Clone(t.Brief.Watch), nil
	}
	for _, label := range t.Brief.Watch {
		if seen[label] {
			rang = append(rang, label)
		} else {
			silent = append(silent, label)
		}
	}
	return rang, silent
}
