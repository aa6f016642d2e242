package drills

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// The words in which a run speaks to people. All of it is pure: what is said when is decided elsewhere.

// drillTag stands before whatever says that it is a drill.
const drillTag = "[DRILL] "

// The kinds of evidence that are shown as what they are; any other is quoted.
const (
	evidenceSlack = "slack" // what somebody says in the channel
	evidenceImage = "image" // https address of a picture
)

// announced says that people may know by now that it is a drill.
func (s *State) announced() bool {
	switch s.Plan.Announce {
	case AnnounceAcknowledge:
		return !s.People.acked.IsZero() || s.Stop != nil || s.Undoing || s.Finished
	case AnnounceEnd:
		return s.Stop != nil || s.Undoing || s.Finished
	}
	return true
}

// tag is what a message begins with while people may know.
func (s *State) tag() string {
	if s.announced() {
		return drillTag
	}
	return ""
}

// pageTitle is the title of our page. One that tells only later that it is a drill does not tell it in its title.
func (p *Plan) pageTitle() string {
	title := strings.TrimPrefix(p.Page.Title, drillTag)
	if p.quiet() {
		return title
	}
	return drillTag + title
}

// quiet: our page does not say that it is a drill.
func (p *Plan) quiet() bool { return p.Announce != "" && p.Announce != AnnouncePage }

// pageSource is what our page says is affected.
func (p *Plan) pageSource() string {
	if p.quiet() {
		return p.Environment
	}
	return "firedrill"
}

// pageDetails is the card as the on-call reads it and, where the page may say so, that it is a drill and how to stop.
func (s *State) pageDetails() map[string]any {
	d := map[string]any{}
	if len(s.Plan.Card) > 0 && json.Unmarshal(s.Plan.Card, &d) != nil || d == nil {
		d = map[string]any{}
	}
	if s.Plan.quiet() {
		return d
	}
	d["this is a drill"] = "firedrill run " + s.Run + " in " + s.Plan.Environment
	d["until"] = s.until().Format(time.RFC3339)
	d["how to stop"] = s.howToStop()
	d["on this incident"] = "write " + RemoteControl + " as a note, and it is heard"
	return d
}

// until is when the run ends at the latest, in UTC.
func (s *State) until() time.Time { return s.Started.Add(s.Plan.Limit).UTC() }

func (s *State) howToStop() string {
	return "firedrill abort " + s.Run + " --env " + s.Plan.Environment
}

// untilWords is until for people; before anything is in place there is only the limit.
func (s *State) untilWords() string {
	if s.Started.IsZero() {
		return "within " + short(s.Plan.Limit)
	}
	return "by " + s.until().Format("15:04 MST")
}

// startMessage says that a drill is on, and nothing of what is broken.
func startMessage(s *State) string {
	return drillTag + fmt.Sprintf("A fire drill is on in %s: %s. Answer it as you would at any other time.\n"+
		"It is put back by itself, %s at the latest.\nTo stop it: write drill stop as a note on the incident, or %s",
		s.Plan.Environment, s.title(), s.untilWords(), s.howToStop())
}

// title is what the drill is called on its card, without a full stop.
func (s *State) title() string {
	return strings.TrimSuffix(cmp.Or(s.Brief.Title, strings.TrimPrefix(s.Plan.Page.Title, drillTag), "a drill"), ".")
}

// evidenceMessages are what stands on the back of the card: what would be found elsewhere is quoted in the first, then
// what somebody says here, and pictures, each by itself.
func evidenceMessages(s *State) (list []observe.Message) {
	if s.Plan.Slack == nil {
		return nil
	}
	var quoted []string
	for _, e := range s.Plan.Slack.Evidence {
		switch e.Where {
		case evidenceSlack:
			list = append(list, observe.Message{Text: s.tag() + e.Text})
		case evidenceImage:
			list = append(list, observe.Message{Text: s.tag() + "A picture of it", Image: e.Text})
		default:
			quoted = append(quoted, e.Where+": "+e.Text)
		}
	}
	if len(quoted) > 0 {
		list = slices.Insert(list, 0, observe.Message{Text: s.tag() + strings.Join(quoted, "\n")})
	}
	return list
}

// hintMessage is the i-th hint of the card, counted from 0. Until people know that it is a drill it is only a word
// from somebody.
func hintMessage(s *State, i int) string {
	if i < 0 || i >= len(s.Plan.Hints) {
		return ""
	}
	if !s.announced() {
		return s.Plan.Hints[i].Say
	}
	return fmt.Sprintf("%sHint %d of %d: %s", drillTag, i+1, len(s.Plan.Hints), s.Plan.Hints[i].Say)
}

// abortMessage says that the drill is ended before its time, and why.
func abortMessage(s *State) string {
	reason, why := "", ""
	if s.Stop != nil {
		reason, why = s.Stop.Reason, s.Stop.Why
	}
	text := fmt.Sprintf("%sThe fire drill in %s (%s) is ended early: %s.", drillTag, s.Plan.Environment, s.title(), s.stopWords(reason))
	if why != "" {
		text += "\n" + oneLine(why)
	}
	return text + "\n" + s.putBackWords()
}

// stopWords is the reason for an early end, in plain words.
func (s *State) stopWords(reason string) string {
	switch reason {
	case ReasonNote:
		by := ""
		if s.Stop != nil {
			by = oneLine(s.Stop.By)
		}
		return cmp.Or(by, "somebody") + " asked for it, by a note on the incident"
	case ReasonInterrupted:
		return "its runner was told to stop"
	case ReasonAbort:
		return "somebody asked for it"
	case ReasonRecover:
		return "its runner was gone, and somebody recovers it"
	case ReasonStop:
		return "a stop condition was met"
	case ReasonForeign:
		return "there is a real incident"
	case ReasonPager:
		return "the pager cannot be reached, so nobody can be told or seen to answer"
	case ReasonRefused:
		return "a check said no"
	case ReasonFailed:
		return "the fault could not be put in"
	case ReasonLever:
		return "the safety lever was pulled"
	case ReasonWorldGone:
		return "its sandbox does not exist any more"
	case ReasonJournal, ReasonEngine:
		return "something went wrong in firedrill itself"
	}
	return "it could not go on"
}

// putBackWords says how what was in place stands.
func (s *State) putBackWords() string {
	left := s.InPlace()
	switch {
	case len(left) == 0 && s.Started.IsZero():
		return "Nothing was changed."
	case len(left) == 0:
		return "Everything is put back, and reads as before."
	case s.Finished || slices.ContainsFunc(s.Faults, func(f FaultState) bool { return f.Phase == Stuck }):
		return "Left in place: " + strings.Join(left, ", ") + ". Put it back with: firedrill recover " + s.Run + " --env " + s.Plan.Environment
	}
	return "It is being put back: " + strings.Join(left, ", ")
}

// drillNote says on an incident of theirs that this is a drill: what is in place, until when, how to stop.
func drillNote(s *State) string {
	return fmt.Sprintf("%sThis is a fire drill (%s, run %s). In place: %s, until %s at the latest; it is put back by itself. Here you may write: %s. To stop elsewhere: %s",
		drillTag, s.Plan.Drill, s.Run, strings.Join(s.faultWords(), ", "), s.until().Format("15:04 MST"), RemoteControl, s.howToStop())
}

// faultWords are the drill's faults, each with its target.
func (s *State) faultWords() (what []string) {
	for _, f := range s.Brief.Faults {
		what = append(what, f.Kind+" on "+f.Target)
	}
	return what
}

// handOverNote stands on a real incident that came while a drill was on: whoever works on it must know what of it may
// be ours, and that it is not a drill. at is when the drill ended here.
func handOverNote(s *State, incidentTitle string, at time.Time) string {
	state, typed := "it is put back", ""
	if left := s.InPlace(); len(left) > 0 {
		state = "it is being put back (" + strings.Join(left, ", ") + ")"
	}
	if s.Stop != nil && s.Told["type/"+s.Stop.Incident].done {
		typed = " The drill gave it the type " + s.Plan.Type + " before it turned real: change that back."
	}
	if len(s.faultWords()) == 0 || s.Started.IsZero() {
		return fmt.Sprintf("This incident is real: %s. A fire drill (%s, run %s) was to begin here; it is called off at %s, and nothing was changed.",
			oneLine(incidentTitle), s.Plan.Drill, s.Run, at.UTC().Format("15:04 MST")) + typed
	}
	return fmt.Sprintf("This incident is real: %s. Until %s a fire drill (%s, run %s) was on here: %s; %s.",
		oneLine(incidentTitle), at.UTC().Format("15:04 MST"), s.Plan.Drill, s.Run, strings.Join(s.faultWords(), ", "), state) + typed
}

// oneLine keeps what others wrote on one line, and short.
func oneLine(text string) string {
	const most = 300
	text = strings.Join(strings.Fields(text), " ")
	if r := []rune(text); len(r) > most {
		text = string(r[:most-1]) + "…"
	}
	return text
}
