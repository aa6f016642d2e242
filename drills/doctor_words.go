package drills

import (
	"cmp"
	"context"
	"strings"
)

// slack asks who speaks there. Whether a channel hears it shows only when something is said.
func (e *exam) slack(ctx context.Context, st *Steps) []Finding {
	s := st.Env.Slack
	if s.Token == "" && s.Webhook == "" {
		return []Finding{well("", "nothing is said there")}
	}
	ref := s.Token + s.Webhook
	if e.awsSecret(ref) {
		return unseen(ref, "%s", e.why)
	}
	if e.x.Eyes.Bot == nil {
		return unseen(ref, "nobody asks")
	}
	ctx, cancel := context.WithTimeout(ctx, stepTime)
	defer cancel()
	who, err := e.x.Eyes.Bot(ctx)
	if err != nil {
		return []Finding{ailing(ref, cmp.Or(problemStep(err), st.secretStep(ref, "the token of firedrill's Slack app")), "%v", err)} // nothing ever waits for what only tells
	}
	return []Finding{well(ref, "%s", who)}
}

// metrics asks whether the Pushgateway answers.
func (e *exam) metrics(ctx context.Context, st *Steps) []Finding {
	at := st.Env.Metrics.Pushgateway
	if at == "" {
		return []Finding{well("", "pushed nowhere")}
	}
	if e.x.Eyes.Link == nil {
		return unseen(at, "nobody asks")
	}
	ready := strings.TrimRight(at, "/") + "/-/ready"
	if look := e.x.Eyes.Link(ctx, ready); look.Err != nil {
		return []Finding{ailing(at, "curl -i "+shellWord(ready)+", and mend metrics: {pushgateway: …}", "%v", look.Err)}
	}
	return []Finding{well(at, "it answers")}
}

// links asks every page whether it is there that the on-call is sent to.
func (e *exam) links(ctx context.Context, _ *Steps) []Finding {
	type link struct {
		address, what string
		drills        []string
	}
	var all []*link
	at := map[string]*link{}
	add := func(drill, what, address string) {
		if address == "" {
			return
		}
		if at[address] == nil {
			at[address] = &link{address: address, what: what}
			all = append(all, at[address])
		}
		at[address].drills = append(at[address].drills, drill)
	}
	for _, s := range e.x.Drills {
		add(s.Drill, "runbook", s.Runbook)
		for _, l := range s.Look {
			add(s.Drill, l.What, l.URL)
		}
	}
	if len(all) == 0 {
		return []Finding{well("", "no drill here has any")}
	}
	return sideBySide(len(all), func(i int) []Finding {
		l := all[i]
		f := well(l.address, "%s", l.what)
		if e.x.Eyes.Link == nil {
			f = unseen(l.address, "nobody asks")[0]
		} else if look := e.x.Eyes.Link(ctx, l.address); look.Err != nil {
			f = ailing(l.address, "curl -i "+shellWord(l.address)+", and mend "+l.what+": in "+strings.Join(l.drills, ", "), "%v", look.Err)
		} else {
			f.Found += " " + look.Found
		}
		f.Drills = l.drills
		return []Finding{f}
	})
}
