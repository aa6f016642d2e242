package debrief

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Note is what somebody wrote down during the drill. Text is theirs: it is escaped where it is shown.
type Note struct {
	At      time.Time
	T       time.Duration
	Who     string
	Where   string
	Text    string
	Was     []string  // what it said before it was edited, oldest first
	Deleted time.Time // when it was seen to be gone; Text is what it said

	id, incident string
}

// noted says that an event is one of the scribe's record.
func noted(k journal.Kind) bool {
	return slices.Contains([]journal.Kind{journal.NoteWritten, journal.IncidentNoted, journal.IncidentNoteEdited, journal.IncidentNoteDeleted}, k)
}

// record puts a note, an edit or a deletion where it belongs: an edited note stays one note, and says what it was.
func record(notes []Note, t timeline.Timeline, e timeline.Entry) []Note {
	f := t.Events[e.Event].Fact
	if e.Kind == journal.IncidentNoted && ours(t, f) {
		return notes
	}
	if e.Kind == journal.IncidentNoteEdited || e.Kind == journal.IncidentNoteDeleted {
		i := slices.IndexFunc(notes, func(n Note) bool {
			return n.Deleted.IsZero() && n.incident == f.Incident && (n.id != "" && n.id == f.Note || n.Text == f.Was)
		})
		if i < 0 {
			i = len(notes)
			notes = append(notes, note(f, e))
			notes[i].Text = f.Was
		}
		if n := &notes[i]; e.Kind == journal.IncidentNoteDeleted {
			n.Deleted = e.At
		} else {
			n.Was, n.Text, n.id = append(n.Was, n.Text), f.Text, cmp.Or(n.id, f.Note)
		}
		return notes
	}
	return append(notes, note(f, e))
}

// ours says that a note is one of ours: the pager may push it before we have recorded that we wrote it.
func ours(t timeline.Timeline, f journal.Fact) bool {
	return slices.ContainsFunc(t.Events, func(e journal.Event) bool {
		return e.Kind == journal.NoteSent && e.Fact.Incident == f.Incident && e.Fact.Text == f.Text && f.Text != ""
	})
}

func note(f journal.Fact, e timeline.Entry) Note {
	n := Note{At: e.At, T: e.T, Who: cmp.Or(f.By, f.User, "somebody"), Where: "incident", Text: f.Text, id: f.Note, incident: f.Incident}
	switch {
	case e.Kind == journal.NoteWritten:
		n.Where = "firedrill note"
	case f.Human != nil && !*f.Human:
		n.Where = "incident, by a tool"
	}
	return n
}

// Said is what people answered to the questions at the end, as they sorted it themselves.
type Said struct {
	Crappy, Awesome, Other []Quote
}

// Quote is one answer of somebody. Text is theirs.
type Quote struct {
	Who, Text string
}

// said sorts the answers: a line that begins with crappy or awesome goes there, and what follows with it.
func said(t timeline.Timeline) (s Said) {
	for _, e := range t.Events {
		if e.Kind != journal.AnswerGiven {
			continue
		}
		to := &s.Other
		for _, line := range strings.Split(e.Fact.Text, "\n") {
			rest, where := sorted(line)
			if _, pin := pinned(line); pin == "action" {
				to, rest = &s.Other, "" // it stands on the wall
			}
			switch where {
			case "crappy":
				to = &s.Crappy
			case "awesome":
				to = &s.Awesome
			}
			q := Quote{speaker(e.Fact), rest}
			if rest != "" && !slices.Contains(*to, q) {
				*to = append(*to, q)
			}
		}
	}
	return s
}

// sorted cuts the word off that a line is sorted by: "crappy: …", "- What was awesome? …".
func sorted(line string) (rest, where string) {
	line = clean(line)
	text := strings.TrimLeft(line, "-*•> ")
	low := strings.ToLower(text)
	for _, lead := range []string{"what was ", "what's ", ""} {
		for _, word := range []string{"crappy", "awesome"} {
			if after, ok := strings.CutPrefix(low, lead+word); ok && (after == "" || strings.ContainsAny(after[:1], ":?-–—, ")) && len(low) == len(text) {
				return strings.TrimLeft(text[len(text)-len(after):], ":?-–—, "), word
			}
		}
	}
	return line, ""
}
