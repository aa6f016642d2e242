package drills

import (
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

// What is answered to commands. Until people may know that it is a drill none of it says so: whoever asks knows, and
// others read along.

// stoppingReply says that a stop was heard.
func stoppingReply(s *State) string {
	return fmt.Sprintf("%sHeard: %s. Everything is put back now; how it went is told here.", drillTag, s.stopWords(ReasonNote))
}

// noHintReply says that there is no hint left.
func noHintReply(s *State) string {
	if len(s.Plan.Hints) == 0 {
		return s.tag() + "There are no hints here."
	}
	return s.tag() + "No hint is left: all of them have been told."
}

// statusReply says where the run is: what is felt since when, what is awaited until when, when it ends. Nothing of what is
// broken.
func statusReply(s *State, now time.Time) string {
	t := timeline.Of(s.Events, now)
	var known, awaited []string
	for _, i := range t.Instants {
		if !i.At.IsZero() {
			known = append(known, fmt.Sprintf("%s %s", i.Name, i.At.UTC().Format("15:04:05")))
		}
	}
	for _, x := range s.expectations() {
		switch {
		case x.met:
		case x.by.IsZero():
			awaited = append(awaited, x.name)
		case now.Before(x.by):
			awaited = append(awaited, x.name+" until "+x.by.UTC().Format("15:04:05"))
		default:
			awaited = append(awaited, x.name+", which is late")
		}
	}
	lines := []string{s.tag() + "Status at " + now.UTC().Format("15:04:05 MST") + "."}
	if s.announced() {
		lines[0] = fmt.Sprintf("%sStatus at %s: %s.", s.tag(), now.UTC().Format("15:04:05 MST"), s.faultCount())
	}
	lines = append(lines, "So far: "+listed(known)+".", "Awaited: "+listed(awaited)+".")
	if s.announced() {
		return strings.Join(append(lines, fmt.Sprintf("Everything is put back %s at the latest. Here you may write: %s.", s.untilWords(), RemoteControl)), "\n")
	}
	return strings.Join(append(lines, "It ends "+s.untilWords()+" at the latest."), "\n")
}

// faultCount is how many of the drill's faults are in place and felt, and nothing of what they are.
func (s *State) faultCount() string {
	felt := 0
	for i := range s.Faults {
		if f := &s.Faults[i]; f.open() && !f.Effective.IsZero() && !f.Ceased.After(f.Effective) {
			felt++
		}
	}
	return fmt.Sprintf("faults in place %d of %d, felt %d", len(s.InPlace()), len(s.Faults), felt)
}

func listed(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}
