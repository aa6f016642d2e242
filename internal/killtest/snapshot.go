package killtest

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Snapshot is what must be as before in the end: what people configured, and the messages that are not ours.
type Snapshot struct {
	Config    string
	Strangers []string // queue and body of each message that nobody consumes
	Ours      []string // whatever carries our mark
	Letters   []string // calls that the dead-man's switch could not make: Scheduler's dead letters
}

// quiet are the queues that nobody consumes: in the others messages of the shop come and go.
const quiet = "-dlq"

// letters is the queue where Scheduler leaves what it could not call.
const letters = "firedrill-deadman-dlq"

// Look takes a snapshot.
func (s Stage) Look(ctx context.Context) (Snapshot, error) {
	config, err := s.Config(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	messages, err := s.Messages(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	shot := Snapshot{Config: config}
	for _, m := range messages {
		ours := strings.Contains(m.Body, "[firedrill ")
		for name := range m.Attributes {
			ours = ours || strings.HasPrefix(name, "firedrill.")
		}
		switch {
		case ours:
			shot.Ours = append(shot.Ours, m.Queue+": "+m.Body)
		case m.Queue == letters:
			shot.Letters = append(shot.Letters, m.Body)
		case strings.HasSuffix(m.Queue, quiet):
			shot.Strangers = append(shot.Strangers, m.Queue+": "+m.Body)
		}
	}
	for line := range strings.Lines(config) {
		if strings.Contains(line, "firedrill:") {
			shot.Ours = append(shot.Ours, strings.TrimSpace(line))
		}
	}
	slices.Sort(shot.Strangers)
	slices.Sort(shot.Letters)
	return shot, nil
}

// Difference says in lines what is not as before; empty: everything is.
func (before Snapshot) Difference(now Snapshot) string {
	var out strings.Builder
	for _, line := range now.Ours {
		fmt.Fprintf(&out, "ours: %s\n", line)
	}
	out.WriteString(diff(before.Config, now.Config))
	if !slices.Equal(before.Strangers, now.Strangers) {
		fmt.Fprintf(&out, "messages of others were %q, are %q\n", before.Strangers, now.Strangers)
	}
	if !slices.Equal(before.Letters, now.Letters) {
		fmt.Fprintf(&out, "letters of the dead-man's switch were %q, are %q\n", before.Letters, now.Letters)
	}
	return out.String()
}

// diff lists the lines that only one of the two texts has: enough for people to see what is left.
func diff(before, now string) string {
	if before == now {
		return ""
	}
	var out strings.Builder
	count := map[string]int{}
	for line := range strings.Lines(before) {
		count[line]++
	}
	for line := range strings.Lines(now) {
		if count[line]--; count[line] < 0 {
			out.WriteString("+" + line)
		}
	}
	for line := range strings.Lines(before) {
		if count[line] > 0 {
			count[line]--
			out.WriteString("-" + line)
		}
	}
	if out.Len() == 0 {
		return "the same lines in another order\n"
	}
	return out.String()
}
