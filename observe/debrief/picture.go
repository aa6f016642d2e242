package debrief

import (
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/observe/timeline"
)

// wide is how many columns the longest bar has.
const wide = 48

// picture draws the instants as bars since t0, in characters, so that it shows wherever text does.
func picture(t timeline.Timeline) (out []string) {
	zero := t.Instant(timeline.Effective).At
	if zero.IsZero() {
		return nil
	}
	last := time.Duration(0)
	for _, i := range t.Instants {
		if !i.At.IsZero() {
			last = max(last, i.At.Sub(zero))
		}
	}
	if last <= 0 {
		return nil
	}
	for _, i := range t.Instants {
		if i.At.IsZero() {
			out = append(out, fmt.Sprintf("%-12s  %s", i.Name, because(i)))
			continue
		}
		d := i.At.Sub(zero)
		n := min(max(0, int(float64(d)/float64(last)*wide+0.5)), wide)
		out = append(out, fmt.Sprintf("%-12s  %s● %s", i.Name, strings.Repeat("─", n), Duration(d)))
	}
	return out
}

// because says why there is no instant.
func because(i timeline.Instant) string {
	switch i.Reason {
	case timeline.NotYet:
		return "not yet"
	case timeline.Censored:
		if i.Censored.IsZero() {
			return "did not happen while we looked"
		}
		return "had not happened at " + i.Censored.UTC().Format("15:04:05") + ", when we stopped looking"
	case timeline.NotFelt:
		return "the steady state never got bad"
	case timeline.NotWatched:
		return "nothing looks at it"
	case timeline.Reported:
		return "people were told; no alarm was expected"
	}
	return "unknown"
}
