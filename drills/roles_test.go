package drills

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

func TestAnAlarmIsNamedAsAWordOfItsOwn(t *testing.T) {
	for _, row := range []struct {
		text, name string
		want       bool
	}{
		{"orders-throttled", "orders-throttled", true},
		{`ALARM: "orders-throttled" in EU (Ireland)`, "orders-throttled", true},
		{"ALARM:orders-throttled", "orders-throttled", true},
		{"orders-throttled: 5 of 5", "orders-throttled", true},
		{"arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-throttled", "orders-throttled", true},
		{"orders-throttled-eu rings", "orders-throttled", false},               // ours is a prefix of theirs
		{"payments-orders-throttled", "orders-throttled", false},               // and a suffix
		{"orders-throttled2", "orders-throttled", false},                       //
		{"orders-throttled_x", "orders-throttled", false},                      //
		{"orders", "orders-throttled", false},                                  //
		{"Orders-Throttled", "orders-throttled", false},                        // names of alarms mind the case
		{"orders-throttled-eu and orders-throttled", "orders-throttled", true}, // the second word is it
		{"dlq-7 is not empty", "dlq-*", true},
		{"dlq- is not empty", "dlq-*", true},
		{"payments-dlq-7 is not empty", "dlq-*", false},
		{"dlq is not empty", "dlq-*", false},
		{"anything", "*", false}, // would be everybody's
		{"anything", "", false},
		{"", "orders-throttled", false},
	} {
		if got := namesAlarm(row.text, row.name); got != row.want {
			t.Errorf("%q names %q: %v, want %v", row.text, row.name, got, row.want)
		}
	}
}

const ours, watched, rippling, foreign = "ours", "ALARM: orders-throttled", "ALARM: dlq-7 is not empty", "ALARM: checkout is down"

// incident is one with these alerts; ours has the key of our page.
func incident(title string, alerts ...string) observe.Incident {
	in := observe.Incident{ID: "PI1", Title: title, Status: "triggered"}
	for _, a := range alerts {
		alert := observe.Alert{Key: "k", Summary: a}
		if a == ours {
			alert = observe.Alert{Key: Dedup("01run"), Summary: "[DRILL] orders"}
		}
		in.Alerts = append(in.Alerts, alert)
	}
	return in
}

func drillOfRoles() Plan {
	return Plan{Run: "01run", Watch: []PlannedProbe{{Label: "health"}, {Label: "alarm", Alarm: "orders-throttled"}}, Ripples: []string{"dlq-*"},
		Page: PlannedPage{Service: "P1", Title: "[DRILL] orders"}}
}

func TestWhoseIncidentItIs(t *testing.T) {
	stranger := incident("another drill")
	stranger.Alerts = []observe.Alert{{Key: Dedup("01other"), Summary: "[DRILL] payments"}}
	keyed := incident("something")
	keyed.Alerts = []observe.Alert{{Key: "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:orders-throttled", Summary: "something"}}
	for _, row := range []struct {
		name string
		in   observe.Incident
		want journal.Role
	}{
		{"our page", incident("x", ours), journal.RoleOurs},
		{"their alarm", incident("x", watched), journal.RoleWatch},
		{"their alarm by its key", keyed, journal.RoleWatch},
		{"their alarm by the title", incident(watched, "value 7 of 5"), journal.RoleWatch},
		{"a ripple", incident("x", rippling), journal.RoleRipple},
		{"a real one", incident("x", foreign), journal.RoleOther},
		{"another run's page", stranger, journal.RoleOther},
		{"our page grouped into theirs", incident(watched, watched, ours), journal.RoleWatch},
		{"theirs grouped into our page", incident("[DRILL]", ours, watched), journal.RoleWatch},
		{"a ripple grouped into our page", incident("[DRILL]", ours, rippling), journal.RoleOurs},
		{"our page grouped into a ripple", incident(rippling, rippling, ours), journal.RoleOurs},
		{"two of theirs", incident(watched, rippling, watched), journal.RoleWatch},
		{"a real one grouped into our page", incident("[DRILL]", ours, foreign), journal.RoleOther},
		{"our page grouped into a real one", incident(foreign, foreign, ours), journal.RoleOther},
		{"a real one grouped into theirs, whatever the title says", incident(watched, watched, foreign), journal.RoleOther},
		{"theirs, its alerts not there", incident(watched), journal.RoleWatch},
		{"a real one, its alerts not there", incident(foreign), journal.RoleOther},
		{"our page, its alerts not there", incident("[DRILL] orders"), journal.RoleOurs},
	} {
		p := drillOfRoles()
		if got := p.incidentRole("01run", row.in); got != row.want {
			t.Errorf("%s: %s, want %s", row.name, got, row.want)
		}
	}
}

// A real incident ends the drill once: when it is first seen, or when one of ours turns out to be real.
func TestRealIncidentEndsTheDrill(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	resolved := incident(foreign, foreign)
	resolved.Status = "resolved"
	for _, row := range []struct {
		name   string
		before []observe.Incident
		in     observe.Incident
		aborts bool
	}{
		{"real from the start", nil, incident(foreign, foreign), true},
		{"resolved already", nil, resolved, false},
		{"ours", nil, incident("x", ours), false},
		{"ours stays ours", []observe.Incident{incident("x", ours)}, incident("x", ours), false},
		{"ours turns real", []observe.Incident{incident("x", ours)}, incident("x", ours, foreign), true},
		{"theirs turns real", []observe.Incident{incident("x", watched)}, incident("x", watched, foreign), true},
		{"a ripple turns real", []observe.Incident{incident("x", rippling)}, incident("x", foreign), true},
		{"real and told", []observe.Incident{incident(foreign, foreign)}, incident(foreign, foreign), false},
	} {
		s := NewState("01run")
		s.Plan = drillOfRoles()
		for _, in := range row.before {
			for _, e := range s.judge(in, s.Plan.incidentRole("01run", in), now, now) {
				s.Add(e)
			}
		}
		s.Stop = nil
		aborts := false
		for _, e := range s.judge(row.in, s.Plan.incidentRole("01run", row.in), now, now) {
			aborts = aborts || e.Kind == journal.AbortRequested && e.Fact.Reason == ReasonForeign
		}
		if aborts != row.aborts {
			t.Errorf("%s: aborts %v, want %v", row.name, aborts, row.aborts)
		}
	}
}
