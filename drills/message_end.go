package drills

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// endMessage hands back: how it went, the times against what was expected, what is put back or left; where to read on,
// and two questions. t is the run's timeline as it stands, with its outcome where that is known.
func endMessage(s *State, t timeline.Timeline) string {
	lines := []string{
		fmt.Sprintf("%sThis was a fire drill in %s: %s. %s", drillTag, s.Plan.Environment, s.title(), outcomeWords(s, t)),
		timesWords(t),
		s.putBackWords(),
		strings.Join(s.links(), " · "),
		"What was crappy? What was awesome? Answer here within a day, and it stands in the debrief.",
	}
	return strings.Join(lines, "\n")
}

// outcomeWords is how it ended, in a sentence.
func outcomeWords(s *State, t timeline.Timeline) string {
	switch t.Outcome {
	case timeline.Met:
		return "All that was expected was met."
	case timeline.Missed:
		return "It took longer than was expected."
	case timeline.Undetected:
		return "No alarm saw it."
	case timeline.Unanswered:
		return "Nobody answered the page."
	case timeline.Invalid:
		return "The fault was never felt, so no times are claimed."
	case timeline.Refused:
		return "It was refused before anything broke."
	case timeline.Failed:
		return "It failed, by no fault of yours."
	case timeline.Aborted, timeline.Interrupted:
		return "It was ended early: " + s.stopWords(t.Reason) + "."
	case timeline.Dirty:
		return "Something could not be put back, and its owner is paged for real."
	}
	return "It is over."
}

// timesWords are the expectations with what came of them: "detect 42 s of 12m; acknowledge not within 5m".
func timesWords(t timeline.Timeline) string {
	var said []string
	for _, v := range t.Expect {
		limit := short(time.Duration(v.LimitS * float64(time.Second)))
		switch {
		case v.Known && v.Verdict == "missed":
			said = append(said, fmt.Sprintf("%s %s, later than %s", v.Name, secondsWords(v.ActualS), limit))
		case v.Known:
			said = append(said, fmt.Sprintf("%s %s of %s", v.Name, secondsWords(v.ActualS), limit))
		case v.Verdict == "missed":
			said = append(said, fmt.Sprintf("%s not within %s", v.Name, limit))
		default:
			said = append(said, v.Name+" unknown")
		}
	}
	if len(said) == 0 {
		return "Times: nothing was expected of them."
	}
	return "Times: " + strings.Join(said, "; ") + "."
}

// secondsWords writes seconds as people say them: 4.2 s, 42 s, 4m10s.
func secondsWords(s float64) string {
	switch {
	case s < 9.95:
		return fmt.Sprintf("%.1f s", s)
	case s < 59.5:
		return fmt.Sprintf("%.0f s", s)
	}
	return short(time.Duration(math.Round(s)) * time.Second)
}

// links are where to read on: the runbook, else the incident; and the debrief.
func (s *State) links() (list []string) {
	if s.Brief.Runbook != "" {
		list = append(list, "Runbook: "+s.Brief.Runbook)
	} else if url := s.incidentURL(); url != "" {
		list = append(list, "Incident: "+url)
	}
	return append(list, "Debrief: firedrill debrief "+s.Run)
}

// incidentURL is the page of the drill's first incident.
func (s *State) incidentURL() string {
	for _, e := range s.Events {
		ours := e.Fact.Role == journal.RoleOurs || e.Fact.Role == journal.RoleWatch
		if e.Kind == journal.IncidentOpened && ours && e.Fact.URL != "" {
			return e.Fact.URL
		}
	}
	return ""
}
