package drills

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// alertWatched is a plan that waits for one alert of Alertmanager and for one integration's incidents.
func alertWatched() *Plan {
	title := "*Stock*"
	return &Plan{Run: "r1", Page: PlannedPage{When: PageAlarm, Fallback: time.Minute, Title: "[DRILL] x"}, Watch: plannedProbes([]observe.ProbeSpec{
		{Alertmanager: &observe.AlertmanagerProbe{URL: "http://am.example.com", Alert: "OrdersFail"}},
		{Incident: &observe.IncidentProbe{Integration: "PMON", Title: title}},
	})}
}

func TestIncidentsAreKnownByKeyIntegrationAndTitle(t *testing.T) {
	p := alertWatched()
	p.Watch[0].Keys = []string{"5ca1ab1e"}
	p.Ripples = []string{"orders-*"}
	of := func(alerts ...observe.Alert) observe.Incident {
		return observe.Incident{Title: "whatever", Alerts: alerts}
	}
	for name, c := range map[string]struct {
		in   observe.Incident
		want journal.Role
	}{
		"foretold key":           {of(observe.Alert{Key: "5ca1ab1e"}), journal.RoleWatch},
		"another key":            {of(observe.Alert{Key: "0ddba11"}), journal.RoleOther},
		"no key at all":          {of(observe.Alert{}), journal.RoleOther},
		"integration and title":  {of(observe.Alert{Integration: "PMON", Summary: "Stock is low"}), journal.RoleWatch},
		"integration alone":      {of(observe.Alert{Integration: "PMON", Summary: "else"}), journal.RoleOther},
		"with a stranger":        {of(observe.Alert{Key: "5ca1ab1e"}, observe.Alert{Key: "else"}), journal.RoleOther},
		"with a ripple":          {of(observe.Alert{Key: "5ca1ab1e"}, observe.Alert{Summary: "ALARM: \"orders-api\""}), journal.RoleWatch},
		"ours":                   {of(observe.Alert{Key: Dedup("r1")}), journal.RoleOurs},
		"without alerts, theirs": {observe.Incident{Title: "Stock"}, journal.RoleOther}, // no integration is known
	} {
		if got := p.incidentRole("r1", c.in); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	p.Watch[1].Spec.Incident.Integration = ""
	if got := p.incidentRole("r1", observe.Incident{Title: "Stock"}); got != journal.RoleWatch {
		t.Errorf("by its title alone: %s", got)
	}
}

// An opened incident names the entry of watch that it belongs to.
func TestAnIncidentIsAttributed(t *testing.T) {
	p := alertWatched()
	p.Watch[0].Keys = []string{"5ca1ab1e"}
	for key, want := range map[string]string{"5ca1ab1e": p.Watch[0].Label, "else": ""} {
		in := observe.Incident{Alerts: []observe.Alert{{Key: "ripple"}, {Key: key}}}
		if e := p.attributed(journal.Event{Fact: journal.Fact{Role: journal.RoleWatch}}, in); e.Fact.Probe != want {
			t.Errorf("%s: %q, want %q", key, e.Fact.Probe, want)
		}
		if e := p.attributed(journal.Event{Fact: journal.Fact{Role: journal.RoleOther}}, in); e.Fact.Probe != "" {
			t.Errorf("a stranger's: %q", e.Fact.Probe)
		}
	}
}

func TestWhatIsPolled(t *testing.T) {
	p := alertWatched()
	name := observe.AlarmProbe("orders")
	p.Watch = append(p.Watch, plannedProbes([]observe.ProbeSpec{{Alarm: &name}})...)
	if !p.Watch[0].polled() || p.Watch[1].polled() || p.Watch[2].polled() {
		t.Error("only the alert of Alertmanager is looked at by itself")
	}
}

func TestAPlanForetellsPages(t *testing.T) {
	for name, c := range map[string]struct {
		f    observe.AlertmanagerForecast
		err  error
		keys string
		warn []string
		why  string
	}{
		"pages": {f: observe.AlertmanagerForecast{Routes: []observe.AlertmanagerRoute{{Receiver: "oncall", PagerDuty: true, Key: "5ca1ab1e", Keyable: true, Wait: 30 * time.Second}}},
			keys: "5ca1ab1e", why: "tells receiver oncall, which pages under key 5ca1ab1e"},
		"too late": {f: observe.AlertmanagerForecast{Routes: []observe.AlertmanagerRoute{{Receiver: "oncall", PagerDuty: true, Key: "5ca1ab1e", Keyable: true, Wait: time.Minute}}},
			keys: "5ca1ab1e", warn: []string{"waits 1m (group_wait) before receiver oncall is told: not less than page.fallback of 1m"}},
		"nobody": {f: observe.AlertmanagerForecast{Routes: []observe.AlertmanagerRoute{{Receiver: "mail", Key: "5ca1ab1e", Keyable: true, Wait: time.Hour}}},
			warn: []string{"reaches no PagerDuty receiver"}, why: "tells receiver mail, which is not PagerDuty"},
		"quiet": {f: observe.AlertmanagerForecast{Routes: []observe.AlertmanagerRoute{{Receiver: "oncall", PagerDuty: true, Key: "5ca1ab1e", Why: "hangs on zone", Timed: true}},
			Silenced: []string{"silence s1 keeps it quiet"}, Unknown: []string{"read silences: status 500"}},
			keys: "5ca1ab1e", warn: []string{"would page nobody: silence s1", "cannot be told: read silences", "at some times of the week only"}, why: "(hangs on zone)"},
		"cannot be asked": {err: errors.New("status 401"), warn: []string{"cannot be foretold: status 401"}},
	} {
		p := alertWatched()
		v := &Preview{Plan: p}
		st := &Steps{World: World{Forecast: func(_ context.Context, s observe.ProbeSpec) (observe.AlertmanagerForecast, error) {
			if s.Alertmanager == nil {
				t.Errorf("%s: asked for %s", name, s.Label())
			}
			return c.f, c.err
		}}}
		s := newSight(v)
		st.checkPages(t.Context(), s)
		if got := strings.Join(p.Watch[0].Keys, " "); got != c.keys || s.pages != (c.keys != "") {
			t.Errorf("%s: keys %q, pages %v", name, got, s.pages)
		}
		all := strings.Join(v.Warn, "\n")
		for _, want := range c.warn {
			if !strings.Contains(all, want) {
				t.Errorf("%s: %q, want %q", name, all, want)
			}
		}
		if c.warn == nil && all != "" {
			t.Errorf("%s: %q", name, all)
		}
		if c.why != "" && (len(v.Alarms) != 1 || !strings.Contains(v.Alarms[0].Why, c.why)) {
			t.Errorf("%s: %+v", name, v.Alarms)
		}
	}
}

// fixedProbe reads the same every time.
type fixedProbe struct {
	label string
	observe.Reading
}

func (p fixedProbe) Label() string                        { return p.label }
func (p fixedProbe) Read(context.Context) observe.Reading { return p.Reading }

// stillClock stands still.
type stillClock struct{}

func (stillClock) Now() time.Time                                        { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }
func (stillClock) Wait(ctx context.Context, _ time.Duration) error       { return ctx.Err() }
func (stillClock) Every(context.Context, time.Duration) <-chan time.Time { return nil }

func TestWhatIsBadAlreadyIsNotWaitedFor(t *testing.T) {
	for _, c := range []struct {
		value observe.Value
		http  bool
		want  string // of the refusal; empty: none
		warn  string
	}{
		{value: observe.OK},
		{value: observe.Bad, want: "bad already: active since"},
		{value: observe.Bad, http: true, want: "bad already"},
		{value: observe.Unknown, want: "cannot be read"},
		{value: observe.Unknown, http: true, warn: "unknown now"},
	} {
		p := alertWatched()
		if c.http {
			p.Watch[0].Spec = observe.ProbeSpec{HTTP: &observe.HTTPProbe{URL: "http://x"}}
		}
		looks := 0
		st := &Steps{World: World{Clock: stillClock{}, Probe: func(observe.ProbeSpec) (observe.Probe, error) {
			looks++
			return fixedProbe{"x", observe.Reading{Value: c.value, Why: "active since noon"}}, nil
		}}}
		f := &found{}
		r := st.checkAlarms(t.Context(), p, f)
		if (r == nil) != (c.want == "") || r != nil && !strings.Contains(r.Why, c.want) || !strings.Contains(strings.Join(f.warn, ""), c.warn) || looks != 1 {
			t.Errorf("%+v: %v %q after %d looks", c, r, f.warn, looks)
		}
	}
}

// Since when a source says it is bad goes into the journal with whose clock said so.
func TestAReadingKeepsItsSourcesOwnTime(t *testing.T) {
	since := time.Date(2026, 11, 22, 10, 0, 5, 123e6, time.UTC)
	e := readingEvent(journal.ProbeRead, alertWatched().Watch[0], journal.RoleWatch, observe.Reading{Value: observe.Bad,
		To: since.Add(time.Second), Since: since, By: "alertmanager am.example.com", ErrorS: 0.0005})
	if e.Seen == nil || !e.Seen.At.Equal(since) || e.Seen.By != "alertmanager am.example.com" || e.Seen.ErrorS != 0.0005 || !e.At.Equal(since.Add(time.Second)) {
		t.Errorf("%+v", e)
	}
	if e := readingEvent(journal.ProbeRead, alertWatched().Watch[0], journal.RoleWatch, observe.Reading{Value: observe.OK}); e.Seen != nil {
		t.Errorf("%+v", e.Seen)
	}
}

func TestClocksOfWatchedProbesAreMeasured(t *testing.T) {
	st := &Steps{}
	w := st.sources(alertWatched())
	if len(w.Dates) != 1 || w.Dates["alertmanager am.example.com"] == nil || st.World.Dates != nil {
		t.Errorf("%v %v", w.Dates, st.World.Dates)
	}
	own := map[string]func(context.Context) (time.Time, error){"aws": nil}
	st.World.Dates = own
	if w := st.sources(alertWatched()); len(w.Dates) != 2 || len(own) != 1 {
		t.Errorf("%v %v", w.Dates, own)
	}
}
