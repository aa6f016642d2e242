package drills_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/observe"
)

// composedOf watches one alarm that is made of others, which stand beside it.
func composedOf(a observe.Alarm, others ...observe.Alarm) func(*scene) {
	a.State, a.Enabled, a.Actions, a.OKActions = "OK", true, []string{topic}, []string{topic}
	return func(s *scene) {
		s.alarms.list = append(append(s.alarms.list, others...), a)
		s.spec.Watch = []observe.ProbeSpec{watching(a.Name)}
		s.spec.Ripples = append(s.spec.Ripples, "throttled")
	}
}

func TestComposedAlarmsAreJudged(t *testing.T) {
	stock := alarmOn("stock", "WriteThrottleEvents", "TableName", "stock")
	own := alarmOn("own", "Errors", "Service", "orders")
	own.Namespace = "Shop"
	hurt := func(rule string) observe.Alarm { return observe.Alarm{Name: "hurt", Composite: true, Rule: rule} }
	share := func(inputs ...observe.Alarm) observe.Alarm {
		return observe.Alarm{Name: "hurt", Expression: "100 * a / b", Threshold: 5, Inputs: inputs}
	}
	for name, row := range map[string]struct {
		set     func(*scene)
		refused string // a word of the refusal; empty: it is none
		warns   string // empty: nothing to tell of it
	}{
		"follows its child":        {set: composedOf(hurt("ALARM(throttled)"))},
		"and not another":          {set: composedOf(hurt(`ALARM("throttled") AND NOT ALARM(stock)`), stock)},
		"of composites":            {set: composedOf(hurt("ALARM(inner)"), observe.Alarm{Name: "inner", State: "OK", Composite: true, Rule: "ALARM(throttled) OR ALARM(stock)"}, stock)},
		"never true":               {set: composedOf(hurt("ALARM(throttled) AND ALARM(stock)"), stock), refused: "which nothing of this drill makes true"},
		"of nothing that is moved": {set: composedOf(hurt("ALARM(stock)"), stock), refused: "nothing of this drill makes true"},
		"hangs on their own":       {set: composedOf(hurt("ALARM(throttled) AND ALARM(own)"), own), warns: "hangs on own"},
		"a child that is gone":     {set: composedOf(hurt("ALARM(gone)")), warns: "hangs on gone"},
		"an unknown rule":          {set: composedOf(hurt("AT_LEAST(1, ALARM, (throttled))")), warns: "cannot be followed"},
		"a cycle":                  {set: composedOf(hurt("ALARM(hurt)")), warns: "hangs on hurt"},
		"computes with it":         {set: composedOf(share(alarmOn("a", "WriteThrottleEvents", "TableName", "orders"), own)), warns: "it computes 100 * a / b, of which a throttle moves WriteThrottleEvents"},
		"computes with others":     {set: composedOf(share(alarmOn("a", "WriteThrottleEvents", "TableName", "stock"), alarmOn("b", "ReadThrottleEvents", "TableName", "orders"))), refused: "nothing of this drill moves what it computes with"},
		"computes with their own":  {set: composedOf(share(own)), warns: "it computes with several metrics"},
		"suppressed now":           {set: composedOf(observe.Alarm{Name: "hurt", Composite: true, Rule: "ALARM(throttled)", Suppressor: "deploy", Suppressed: "Alarm"}), refused: "suppressed now"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			row.set(s)
			v, err := s.plan()
			var no *drills.Refusal
			switch {
			case row.refused != "":
				if !errors.As(err, &no) || !strings.Contains(no.Why, row.refused) {
					t.Errorf("%v, want %q", err, row.refused)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			told := ""
			for _, w := range v.Warn {
				if strings.Contains(w, "alarm hurt") {
					told += w + "\n"
				}
			}
			if (row.warns == "") != (told == "") || !strings.Contains(told, row.warns) {
				t.Errorf("told %q, want %q", told, row.warns)
			}
		})
	}
}

func TestMutedAlarmsAreTold(t *testing.T) {
	for name, row := range map[string]struct {
		mutes   []observe.Mute
		err     error
		direct  bool
		refused string
		warns   string
	}{
		"none":            {},
		"active":          {mutes: []observe.Mute{{Rule: "deploy", Active: true}}, refused: "mute rule deploy is active"},
		"active, we page": {mutes: []observe.Mute{{Rule: "deploy", Active: true}}, direct: true, warns: "tells nobody"},
		"scheduled":       {mutes: []observe.Mute{{Rule: "nights"}}, warns: "mute rule nights is scheduled"},
		"nobody may look": {err: errors.New("AccessDenied"), warns: "cannot be told: AccessDenied"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			s.alarms.mutes, s.alarms.muteErr = row.mutes, row.err
			if row.direct {
				s.spec.Page = drills.PageSpec{When: drills.PageDirect}
			}
			v, err := s.plan()
			if row.refused != "" {
				var no *drills.Refusal
				if !errors.As(err, &no) || !no.Later || !strings.Contains(no.Why, row.refused) {
					t.Errorf("%v, want %q", err, row.refused)
				}
				return
			}
			if err != nil || !strings.Contains(strings.Join(v.Warn, "\n"), row.warns) || row.warns == "" && strings.Contains(strings.Join(v.Warn, "\n"), "mute") {
				t.Errorf("%q %v, want %q", v.Warn, err, row.warns)
			}
		})
	}
}
