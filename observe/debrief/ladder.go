package debrief

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

// Told is one person who was told of an incident, on one level of its escalation.
type Told struct {
	Level    int
	Who      string
	By       string        // by which means
	T        time.Duration // since t0
	Answered string        // after how long, or how it went on without them
}

// ladder is who was told of the drill's incidents, level by level, and who answered.
func ladder(t timeline.Timeline, all []timeline.Trace) (out []Told) {
	zero := t.Instant(timeline.Effective).At
	if zero.IsZero() {
		zero = t.Planned
	}
	for _, x := range all {
		for _, r := range x.Rungs {
			if len(r.Told) == 0 && r.Ended != "" {
				out = append(out, Told{Level: r.Level, Who: "nobody", T: r.From.Sub(zero), Answered: went(r)})
			}
			for _, p := range r.Told {
				one := Told{Level: r.Level, Who: p.Name, By: strings.Join(p.Channels, ", "), T: p.At.Sub(zero), Answered: went(r)}
				if p.Answered {
					one.Answered = "after " + Seconds(p.AfterS)
				}
				out = append(out, one)
			}
		}
	}
	return out
}

// went says how a level ended for whoever did not answer on it.
func went(r timeline.Rung) string {
	if r.Ended == "" {
		return "not in " + Seconds(r.LastS)
	}
	return fmt.Sprintf("no: %s after %s", r.Ended, Seconds(r.LastS))
}

// firstToAct says who acknowledged first, person or not, where that is worth telling.
func firstToAct(all []timeline.Trace) (out []string) {
	for _, x := range all {
		if x.FirstAck == nil {
			continue
		}
		switch h := x.FirstHuman; {
		case h == nil:
			out = append(out, fmt.Sprintf("%s: acknowledged by %s alone, at %s, and by nobody who is known to be a person.", x.Incident, tool(x.FirstAck), clock(x.FirstAck.At)))
		case !h.At.Equal(x.FirstAck.At):
			out = append(out, fmt.Sprintf("%s: %s acknowledged first, at %s; the first person was %s, at %s.", x.Incident, tool(x.FirstAck), clock(x.FirstAck.At), someone(h.Name), clock(h.At)))
		}
		if x.Into != "" {
			out = append(out, fmt.Sprintf("%s was merged into %s.", x.Incident, x.Into))
		}
	}
	slices.Sort(out)
	return out
}

func tool(a *timeline.Act) string {
	name := "a machine"
	if a.Human == nil {
		name = "somebody, person or tool unknown"
	}
	if a.Name != "" {
		name = a.Name + ", who may be a tool"
	}
	return name + means([]string{a.Channel})
}
