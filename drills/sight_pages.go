package drills

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// checkPages asks Alertmanager which way each watched alert would take to people, under which key, and what would keep
// it quiet. What cannot be asked is told, and is no reason to refuse: their incident is then known by its title alone.
func (st *Steps) checkPages(ctx context.Context, s *sight) {
	if st.World.Forecast == nil {
		return
	}
	for i := range s.p.Watch {
		w := &s.p.Watch[i]
		if w.Spec.Alertmanager == nil {
			continue
		}
		f, err := st.World.Forecast(ctx, w.Spec)
		if err != nil {
			s.warn("under which key %s pages cannot be foretold: %v", w.Label, err)
			continue
		}
		w.Keys = f.Keys()
		s.pages = s.pages || len(w.Keys) > 0
		s.forecast(w, f)
	}
}

// forecast tells people what was foretold of one watched alert.
func (s *sight) forecast(w *PlannedProbe, f observe.AlertmanagerForecast) {
	var ways []string
	for _, r := range f.Routes {
		ways = append(ways, wayOf(r))
		if least, what := s.soonest(); r.PagerDuty && least > 0 && r.Wait >= least {
			s.warn("%s waits %s (group_wait) before receiver %s is told: not less than %s", w.Label, short(r.Wait), r.Receiver, what)
		}
		if r.Timed {
			s.warn("receiver %s is told of %s at some times of the week only (mute or active time intervals): whether now is one of them was not looked at", r.Receiver, w.Label)
		}
	}
	if len(w.Keys) == 0 {
		s.warn("%s reaches no PagerDuty receiver: it pages nobody, and is detection all the same", w.Label)
	}
	for _, why := range f.Silenced {
		s.warn("%s would page nobody: %s", w.Label, why)
	}
	for _, why := range f.Unknown {
		s.warn("whether %s would page cannot be told: %s", w.Label, why)
	}
	s.v.Alarms = append(s.v.Alarms, AlarmVerdict{Name: w.Label, Verdict: VerdictWatch, Why: strings.Join(ways, "; or ")})
}

// wayOf is one way that an alert takes, in words.
func wayOf(r observe.AlertmanagerRoute) string {
	text := "tells receiver " + r.Receiver
	if !r.PagerDuty {
		return text + ", which is not PagerDuty"
	}
	text += ", which pages under key " + r.Key
	if !r.Keyable {
		text += " (" + r.Why + ")"
	}
	return text
}

// soonest is what a page of theirs must be there for: our own, or what the team expects of itself.
func (s *sight) soonest() (least time.Duration, what string) {
	if d := s.p.Expect.Detect; d > 0 {
		least, what = d, "expect.detect of "+short(d)
	}
	if d := s.p.Page.Fallback; s.p.Page.When == PageAlarm && d > 0 && (least == 0 || d < least) {
		least, what = d, fmt.Sprintf("page.fallback of %s, after which we page ourselves", short(d))
	}
	return least, what
}

// watchRole says whether one alert of an incident is what the drill waits for: by the key it was foretold to page
// under, or by the integration and title of an incident probe.
func (p *Plan) watchRole(in observe.Incident, a observe.Alert) (journal.Role, bool) {
	return journal.RoleWatch, p.waitsFor(in, a) >= 0
}

// waitsFor is the entry of watch that an alert belongs to, −1 where there is none.
func (p *Plan) waitsFor(in observe.Incident, a observe.Alert) int {
	return slices.IndexFunc(p.Watch, func(w PlannedProbe) bool {
		return a.Key != "" && slices.Contains(w.Keys, a.Key) || w.Spec.Incident != nil && w.Spec.Incident.Matches(in, a)
	})
}

// attributed says in an opened incident of theirs which entry of watch it belongs to, so that none is called silent that
// has paged.
func (p *Plan) attributed(e journal.Event, in observe.Incident) journal.Event {
	if e.Fact.Role != journal.RoleWatch {
		return e
	}
	alerts := in.Alerts
	if len(alerts) == 0 {
		alerts = []observe.Alert{{}}
	}
	for _, a := range alerts {
		if i := p.waitsFor(in, a); i >= 0 {
			e.Fact.Probe = p.Watch[i].Label
			break
		}
	}
	return e
}

// polled says that a watched probe is read by a look of its own: alarms are read together, and incidents come with the
// pager's.
func (p PlannedProbe) polled() bool { return p.Alarm == "" && p.Spec.Incident == nil }

// sources is the world with the clocks that the plan's probes tell time by beside its own.
func (st *Steps) sources(p *Plan) World {
	w := st.World
	w.Dates = maps.Clone(w.Dates)
	for _, probe := range p.Watch {
		source, address := probe.Spec.Clock()
		if source == "" {
			continue
		}
		if w.Dates == nil {
			w.Dates = map[string]func(context.Context) (time.Time, error){}
		}
		w.Dates[source] = observe.DateLooker{URL: address}.Look
	}
	return w
}
