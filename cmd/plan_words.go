package cmd

import (
	"fmt"
	"strings"

	"github.com/firedrill/firedrill/drills"
)

// words is what people are told beside the page, and when.
func (p *page) words(plan *drills.Plan) {
	switch plan.Announce {
	case drills.AnnounceAcknowledge:
		p.item("announced", "once a person has acknowledged: until then nothing says that it is a drill")
	case drills.AnnounceEnd:
		p.item("announced", "at the end: until then nothing says that it is a drill")
	}
	if plan.Type != "" {
		p.item("type", fmt.Sprintf("its incidents get the type %q, for your statistics to leave them out", plan.Type))
	}
	if s := plan.Slack; s != nil {
		where := "the channel of its incoming webhook"
		if s.Channel != "" {
			where = s.Channel
		}
		p.item("told", fmt.Sprintf("start, evidence (%d), hints and end in %s", len(s.Evidence), where))
	}
	p.remote(plan)
	var hints []string
	for _, h := range plan.Hints {
		hints = append(hints, period(h.After)+": "+h.Say)
	}
	if len(hints) > 0 {
		p.item("hints", "so long after the page, for as long as they are needed: "+strings.Join(hints, "; "))
	}
}

// remote is what people may write on the incident, and where they are answered.
func (p *page) remote(plan *drills.Plan) {
	where := ""
	if plan.Notes == drills.NotesSlack {
		where = "; answered in Slack, with everything else that would be a note"
		if plan.Slack == nil {
			where = "; answered nowhere: the team has no channel, and the token writes no notes"
		}
	}
	p.item("notes", "On the incident: "+drills.RemoteControl+where)
}
