package drills

import (
	"cmp"

	"github.com/firedrill/firedrill/internal/journal"
)

// statusForbidden marks a note that the pager refused because we may not write any.
const statusForbidden = "403"

// routed is where people are told what: where the pager takes no notes of ours, because the token may only read, they
// stand in the team's channel. What is told there anyway is not told twice, and where there is no channel it reaches
// nobody, as the plan has warned.
func (s *State) routed(list []telling) (out []telling) {
	if !s.Mute {
		return list
	}
	if s.Plan.Slack != nil && s.Plan.Notes != NotesSlack {
		out = append(out, telling{key: journal.AboutNotes, about: journal.AboutNotes, text: s.muteMessage()})
	}
	for _, t := range list {
		switch {
		case t.incident == "":
		case s.Plan.Slack == nil, t.about == "", t.about == journal.AboutHint, t.about == journal.AboutEnd:
			continue
		default:
			t.key, t.text, t.incident = t.key+"/channel", s.elsewhere(t), ""
		}
		out = append(out, t)
	}
	return out
}

// elsewhere is a note as it stands in the channel: with the incident that it is about.
func (s *State) elsewhere(t telling) string {
	in := s.People.of(t.incident)
	name := cmp.Or(oneLine(in.title), t.incident)
	if in.url != "" {
		name += " (" + in.url + ")"
	}
	if t.about == journal.AboutDrill {
		return drillTag + "The incident " + name + " is this drill's."
	}
	return t.text + "\nThis is about " + name + "."
}

// muteMessage says once why what used to be a note stands in the channel.
func (s *State) muteMessage() string {
	return s.tag() + "The pager lets us write no notes on the incident (403): what there is to tell stands here from now on."
}

// unreached warns that what is told as notes reaches nobody.
func (p *Plan) unreached() []string {
	if p.Notes != NotesSlack || p.Slack != nil {
		return nil
	}
	return []string{"pagerduty.notes is slack, and the team has no channel: hints, answers to commands, that it is a drill, how it ended " +
		"and the hand-over to a real incident reach nobody"}
}
