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
		return []Finding{ailing(at, "curl -i "+shellWord(ready)+"   # then mend metrics: {pushgateway: …}", "%v", look.Err)}
	}
	return []Finding{well(at, "it answers")}
}

// page is one page that the on-call is sent to.
type page struct {
	address, what string
	drills        []string
	shipped       bool // it stands in a drill that comes with firedrill, and is an example
}

// pages are those of every drill, each once.
func (e *exam) pages() (all []*page) {
	at := map[string]*page{}
	add := func(s *Spec, what, address string) {
		if address == "" {
			return
		}
		if at[address] == nil {
			at[address] = &page{address: address, what: what, shipped: s.Source == ""}
			all = append(all, at[address])
		}
		at[address].drills = append(at[address].drills, s.Drill)
	}
	for _, s := range e.x.Drills {
		add(s, "runbook", s.Runbook)
		for _, l := range s.Look {
			add(s, l.What, l.URL)
		}
	}
	return all
}

// links asks every page whether it is there that the on-call is sent to.
func (e *exam) links(ctx context.Context, st *Steps) []Finding {
	all := e.pages()
	if len(all) == 0 {
		return []Finding{well("", "no drill here has any")}
	}
	return gathered(sideBySide(len(all), func(i int) []Finding {
		l := all[i]
		switch {
		case l.shipped && st.Env.Sandbox != nil:
			return unseen("", "those of the drills that come with firedrill are examples")
		case e.x.Eyes.Link == nil:
			return unseen(l.address, "nobody asks")
		}
		look := e.x.Eyes.Link(ctx, l.address)
		f := well(l.address, "%s %s", l.what, look.Found)
		if look.Err != nil {
			try := "curl -i " + shellWord(l.address) + "   # then mend " + l.what + ": in " + strings.Join(l.drills, ", ")
			if l.shipped {
				try = "firedrill new MY-" + l.drills[0] + " --from " + l.drills[0] + "   # then write your own " + l.what + ": there"
			}
			f = ailing(l.address, try, "%v", look.Err)
		}
		f.Drills = l.drills
		return []Finding{f}
	}))
}
