package debrief

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// Wall is what people put on the wall: in notes while the drill was on ("crappy: …", "awesome: …", "action: … @ann by
// friday"), and in what they answered after it. Text is theirs.
type Wall struct {
	Crappy, Awesome []Quote
	Actions         []Action
}

// Action is something that somebody wants done.
type Action struct {
	Who   string // who said so
	Text  string
	Owner string // "@ann"; empty: nobody was named
	Due   string // 2026-12-01; empty where no day was said, or none that can be read: then it stands in Text
}

// wall gathers what stands on it: of notes as they stand, so that what was deleted is gone and what was edited reads as
// it does now; then of the answers.
func wall(t timeline.Timeline, notes []Note, s Said) (w Wall) {
	for _, n := range notes {
		if n.Deleted.IsZero() {
			w.put(n.Who, n.Text, n.At)
		}
	}
	for _, e := range t.Events {
		if e.Kind != journal.AnswerGiven {
			continue
		}
		day := e.At
		if e.Seen != nil {
			day = e.Seen.At
		}
		for _, line := range strings.Split(e.Fact.Text, "\n") {
			if rest, where := pinned(line); where == "action" {
				w.act(speaker(e.Fact), rest, day)
			}
		}
	}
	w.Crappy, w.Awesome = join(w.Crappy, s.Crappy), join(w.Awesome, s.Awesome)
	return w
}

// put sorts the lines of a note; those that belong on no wall stand in the scribe's record alone.
func (w *Wall) put(who, text string, day time.Time) {
	for _, line := range strings.Split(text, "\n") {
		rest, where := pinned(line)
		switch q := []Quote{{who, rest}}; {
		case rest == "":
		case where == "crappy":
			w.Crappy = join(w.Crappy, q)
		case where == "awesome":
			w.Awesome = join(w.Awesome, q)
		case where == "action":
			w.act(who, rest, day)
		}
	}
}

func (w *Wall) act(who, text string, day time.Time) {
	if a := action(text, day); text != "" {
		if a.Who = who; !slices.Contains(w.Actions, a) {
			w.Actions = append(w.Actions, a)
		}
	}
}

// join adds quotes that are not there yet: what was noted and answered is said once.
func join(to, more []Quote) []Quote {
	for _, q := range more {
		if !slices.Contains(to, q) {
			to = append(to, q)
		}
	}
	return to
}

func speaker(f journal.Fact) string { return cmp.Or(f.By, f.User, "somebody") }

// pinned cuts the word off with which a line says where on the wall it belongs: "crappy: …", "- Action: …". Without a
// colon it is talk.
func pinned(line string) (rest, where string) {
	text := strings.TrimLeft(clean(line), "-*•> ")
	word, rest, found := strings.Cut(text, ":")
	if !found {
		return "", ""
	}
	switch word = strings.ToLower(strings.Trim(word, " *_")); word {
	case "crappy", "awesome", "action":
		return strings.TrimSpace(strings.TrimLeft(rest, "*_")), word
	}
	return "", ""
}

// action reads what is to be done, by whom and until when: "make the alarm faster @ann by friday", "@ann: …", in any
// order at its end. A weekday is the next one after the day on which it was said. What cannot be read stays in the text.
func action(text string, said time.Time) (a Action) {
	words := strings.Fields(text)
	for n := len(words); ; n = len(words) {
		if name := owner(words, n-1); name != "" {
			a.Owner, words = strings.TrimSpace(name+" "+a.Owner), words[:n-1]
			continue
		}
		if n >= 2 && a.Due == "" && strings.EqualFold(words[n-2], "by") {
			if a.Due = due(words[n-1], said); a.Due != "" {
				words = words[:n-2]
				continue
			}
		}
		break
	}
	if name := owner(words, 0); a.Owner == "" && name != "" {
		a.Owner, words = name, words[1:]
	}
	a.Text = strings.Join(words, " ")
	if a.Text == "" {
		a.Text = text
	}
	return a
}

// owner is the person that a word names: "@ann", "(@ann)", "@ann:", and as Slack writes it, "<@U02ABC|ann>".
func owner(words []string, i int) string {
	if i < 0 || i >= len(words) {
		return ""
	}
	word := strings.Trim(words[i], ".,;:!()")
	if inner, ok := strings.CutPrefix(word, "<@"); ok && strings.HasSuffix(inner, ">") {
		id, name, _ := strings.Cut(strings.TrimSuffix(inner, ">"), "|")
		word = "@" + cmp.Or(name, id)
	}
	name, ok := strings.CutPrefix(word, "@")
	if !ok || name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) && !strings.ContainsRune("._-", r)
	}) {
		return ""
	}
	return word
}

// due is a day: 2026-12-01, or the next weekday of that name after the day on which it was said, in UTC. Empty: it is none.
func due(word string, said time.Time) string {
	word = strings.ToLower(strings.Trim(word, ".,;!()"))
	if day, err := time.Parse(time.DateOnly, word); err == nil && len(word) == len(time.DateOnly) {
		return day.Format(time.DateOnly)
	}
	said = said.UTC()
	for ahead := 1; ahead <= 7; ahead++ {
		day := said.AddDate(0, 0, ahead)
		if name := strings.ToLower(day.Weekday().String()); len(word) >= 3 && strings.HasPrefix(name, word) {
			return day.Format(time.DateOnly)
		}
	}
	return ""
}
