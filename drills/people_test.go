package drills_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// first is the first event of a kind, of one fault where named.
func first(st *drills.State, kind journal.Kind, fault string) journal.Event {
	for _, e := range st.Events {
		if e.Kind == kind && (fault == "" || e.Fact.Fault == fault) {
			return e
		}
	}
	return journal.Event{}
}

// refuseUndo makes one undo impossible, for ever.
func (s *stage) refuseUndo(name string) {
	s.w.onWrite = func(_ int, what string) error {
		if what == name+"=before-"+name {
			return errors.New("service says no")
		}
		return nil
	}
}

// Who is hurt by the first fault is paged while the second is still to come.
func TestPeopleArePagedBeforeTheSecondFault(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Faults[1].After = 2 * time.Minute
	s.plan.Expect = drills.Expect{}
	st, err := s.start(context.Background(), d.at(s.engine(1)))
	s.check(t, st, err)
	pages := d.pages(ourPage)
	if len(pages) != 1 || pages[0].Sub(st.Effective) > 2*time.Second {
		t.Errorf("effective %s, paged %v", st.Effective, pages)
	}
	if after := first(st, journal.FaultPrepared, "b").At.Sub(st.Started); after < 2*time.Minute || after > 2*time.Minute+2*time.Second {
		t.Errorf("b went in %s after a, want 2m", after)
	}
}

// Our page may stand although the pager's answer was lost: it is resolved.
func TestPageWhoseAnswerWasLostIsResolved(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Expect = drills.Expect{}
	d.onSend = func(string, int) error { return context.DeadlineExceeded }
	st, err := s.start(context.Background(), d.at(s.engine(1)))
	s.check(t, st, err)
	if n := len(d.pages(ourPage)); n != 4 {
		t.Errorf("handed over %d times, want 4", n)
	}
	if len(d.cleared) != 1 || st.Stop == nil || st.Stop.Reason != drills.ReasonPager {
		t.Errorf("resolved %d times, stop %+v", len(d.cleared), st.Stop)
	}
}

// The process dies between our page and its record: whoever recovers resolves what may stand there.
func TestPageOfADeadEngineIsResolved(t *testing.T) {
	for _, row := range []struct {
		when     string
		fallback time.Duration
		want     int
	}{
		{drills.PageDirect, 0, 1},
		{drills.PageReport, 0, 1},
		{drills.PageAlarm, 3 * time.Second, 1},
	} {
		t.Run(row.when, func(t *testing.T) {
			s := newStage(t)
			d := s.staffed(row.when)
			s.plan.Page.Fallback = row.fallback
			dead := false
			d.onSend = func(string, int) error { dead = true; return nil }
			e := d.at(s.engine(1))
			s.watches(e)
			e.Store = dyingStore{s.store, &dead}
			if !until(func() { _, _ = s.start(context.Background(), e) }) {
				t.Fatal("it did not die")
			}
			s.clock.t = s.clock.t.Add(time.Minute)
			st, err := d.at(s.engine(2)).Recover(context.Background(), runID, drills.ReasonRecover, "test")
			s.check(t, st, err)
			if len(d.cleared) != row.want || !st.Paged.IsZero() {
				t.Errorf("resolved %d times, want %d; paged %s", len(d.cleared), row.want, st.Paged)
			}
		})
	}
}

// Something is left in place: the owner is paged until the pager takes it, with growing pauses, and not for ever.
func TestOwnerIsPagedUntilTheyAreTold(t *testing.T) {
	for _, row := range []struct {
		name         string
		fails, tries int
	}{{"at once", 0, 1}, {"after two failures", 2, 3}, {"never taken", 99, 6}} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t)
			d := s.staffed(drills.PageAlarm)
			s.refuseUndo("b")
			d.onSend = func(_ string, n int) error {
				if n < row.fails {
					return errors.New("503")
				}
				return nil
			}
			st, err := s.start(context.Background(), d.at(s.engine(1)))
			if err != nil || st.Outcome != "dirty" || !st.Finished {
				t.Fatalf("outcome %s, err %v", st.Outcome, err)
			}
			pages := d.pages(ownerPage)
			if len(pages) != row.tries {
				t.Fatalf("paged %d times, want %d", len(pages), row.tries)
			}
			pause := time.Second
			for i := 1; i < len(pages); i++ {
				if gap := pages[i].Sub(pages[i-1]); gap < pause || gap > time.Minute {
					t.Errorf("pause %d is %s, want %s or more", i, gap, pause)
				} else {
					pause = gap
				}
			}
		})
	}
}

// Where there is no owner, that is told once.
func TestNoOwnerIsToldOnce(t *testing.T) {
	s := newStage(t)
	s.refuseUndo("b")
	st, err := s.start(context.Background(), s.engine(1))
	if err != nil || st.Outcome != "dirty" {
		t.Fatalf("outcome %s, err %v", st.Outcome, err)
	}
	n := 0
	for _, e := range st.Events {
		if e.Kind == journal.PageSent {
			n++
			if e.Fact.Err == "" || len(e.Fact.Left) != 1 || !strings.Contains(e.Fact.Left[0], "arn:b") {
				t.Errorf("it says %+v", e.Fact)
			}
		}
	}
	if n != 1 {
		t.Errorf("told %d times", n)
	}
}

// Incidents can be listed but their log cannot be read: people's answers are not seen, so the run is not held.
func TestLogThatCannotBeReadIsALostPager(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.plan.Expect = drills.Expect{Resolve: 4 * time.Minute}
	d.list = func(context.Context) ([]observe.Incident, error) {
		if len(d.pages(ourPage)) == 0 {
			return nil, nil
		}
		return []observe.Incident{{ID: "PI1", Status: "triggered", Alerts: []observe.Alert{{Key: ourPage}}}}, nil
	}
	d.log = func(string) ([]observe.Entry, error) { return nil, errors.New("500") }
	st, err := s.start(context.Background(), d.at(s.engine(1)))
	s.check(t, st, err)
	if st.Stop == nil || st.Stop.Reason != drills.ReasonPager {
		t.Fatalf("stop %+v", st.Stop)
	}
	if blind := st.Stop.At.Sub(d.pages(ourPage)[0]); blind < 20*time.Second || blind > 45*time.Second {
		t.Errorf("blind for %s", blind)
	}
}

// The watched alarm rings and pages nobody: after the fallback we do.
func TestAlarmThatReachesNobodyLeavesTheFallback(t *testing.T) {
	for _, opens := range []bool{false, true} {
		t.Run(fmt.Sprintf("opens an incident: %v", opens), func(t *testing.T) {
			s := newStage(t)
			d := s.staffed(drills.PageAlarm)
			s.plan.Page.Fallback = 30 * time.Second
			s.plan.Expect = drills.Expect{Acknowledge: time.Minute}
			e := d.at(s.engine(1))
			s.watches(e)
			d.list = func(context.Context) ([]observe.Incident, error) {
				if !opens || s.w.get("a") != "broken" {
					return nil, nil
				}
				return []observe.Incident{{ID: "PI1", Status: "triggered", Alerts: []observe.Alert{{Key: "k", Summary: "ALARM: orders-throttled"}}}}, nil
			}
			st, err := s.start(context.Background(), e)
			s.check(t, st, err)
			if first(st, journal.AlarmFired, "").At.IsZero() {
				t.Fatal("the alarm did not ring")
			}
			pages := d.pages(ourPage)
			if opens != (len(pages) == 0) {
				t.Errorf("paged at %v", pages)
			}
			if len(pages) > 0 && (pages[0].Before(st.Effective.Add(30*time.Second)) || pages[0].After(st.Effective.Add(33*time.Second))) {
				t.Errorf("paged %s after effective", pages[0].Sub(st.Effective))
			}
			if opens != (len(d.noted) == 2) { // that it is a drill, and how it ended
				t.Errorf("their incident has the notes %v", d.noted)
			}
		})
	}
}

// People have time from when the drill's own incident has told them: a ripple's does not begin it.
func TestOnlyTheDrillsPageStartsTheClock(t *testing.T) {
	for _, row := range []struct {
		summary string
		held    time.Duration // at least, and less than 15 s more
	}{{"ALARM: orders-throttled", 10 * time.Second}, {"ALARM: dlq-7 is not empty", 2 * time.Minute}} {
		t.Run(row.summary, func(t *testing.T) {
			s := newStage(t)
			d := s.staffed(drills.PageAlarm)
			s.plan.Ripples, s.plan.Limit = []string{"dlq-*"}, 2*time.Minute
			s.plan.Expect = drills.Expect{Acknowledge: 10 * time.Second}
			e := d.at(s.engine(1))
			s.watches(e)
			d.list = func(context.Context) ([]observe.Incident, error) {
				if s.w.get("a") != "broken" {
					return nil, nil
				}
				return []observe.Incident{{ID: "PI1", Status: "triggered", Alerts: []observe.Alert{{Key: "k", Summary: row.summary}}}}, nil
			}
			d.log = func(string) ([]observe.Entry, error) {
				return []observe.Entry{{ID: "R1", Kind: observe.EntryNotified, At: s.clock.Now(), User: "PU"}}, nil
			}
			st, err := s.start(context.Background(), e)
			s.check(t, st, err)
			if held := first(st, journal.FaultReverted, "").At.Sub(st.Started); held < row.held || held > row.held+15*time.Second {
				t.Errorf("held for %s, want %s", held, row.held)
			}
		})
	}
}

// Our page is resolved until the pager takes it, with pauses; who reopens the run tries again.
func TestResolvingOurPageIsTriedAgain(t *testing.T) {
	s := newStage(t)
	d := s.staffed(drills.PageDirect)
	s.refuseUndo("b")
	d.onClear = func(int) error { return errors.New("503") }
	st, err := s.start(context.Background(), d.at(s.engine(1)))
	if err != nil || st.Outcome != "dirty" {
		t.Fatalf("outcome %s, err %v", st.Outcome, err)
	}
	if n := len(d.cleared); n != 5 {
		t.Errorf("tried %d times, want 5", n)
	}
	for i := 1; i < len(d.cleared); i++ {
		if gap := d.cleared[i].Sub(d.cleared[i-1]); gap < time.Second || gap > time.Minute {
			t.Errorf("pause %d is %s", i, gap)
		}
	}
	s.w.onWrite, d.cleared = nil, nil
	d.onClear = func(n int) error {
		if n == 0 {
			return errors.New("503")
		}
		return nil
	}
	st, err = d.at(s.engine(2)).Recover(context.Background(), runID, drills.ReasonRecover, "test")
	s.check(t, st, err)
	if len(d.cleared) != 2 || !st.PageDone {
		t.Errorf("after recover: tried %d times, done %v", len(d.cleared), st.PageDone)
	}
	before := len(d.cleared)
	if _, err = d.at(s.engine(3)).Recover(context.Background(), runID, drills.ReasonRecover, "again"); err != nil || len(d.cleared) != before {
		t.Errorf("a run that has ended is touched again: %v", err)
	}
}

// The pager lists an incident before its alerts: whose it is can be told only when they are there, or do not come.
func TestIncidentIsJudgedByItsAlerts(t *testing.T) {
	for _, row := range []struct {
		name    string
		title   string
		alert   string        // comes after
		after   time.Duration // of its incident
		foreign bool
		role    journal.Role
	}{
		{"alert of ours comes late", "something is wrong", "ALARM: orders-throttled", 5 * time.Second, false, journal.RoleWatch},
		{"real alert comes late", "something is wrong", "ALARM: checkout is down", 5 * time.Second, true, journal.RoleOther},
		{"none comes, title of ours", "ALARM: orders-throttled", "", 0, false, journal.RoleWatch},
		{"none comes, title of another's", "something is wrong", "", 0, true, journal.RoleOther},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t)
			d := s.staffed(drills.PageAlarm)
			s.plan.Limit, s.plan.Expect = time.Minute, drills.Expect{}
			e := d.at(s.engine(1))
			s.watches(e)
			var opened time.Time
			d.list = func(context.Context) ([]observe.Incident, error) {
				if s.w.get("a") != "broken" {
					return nil, nil
				}
				if opened.IsZero() {
					opened = s.clock.Now()
				}
				in := observe.Incident{ID: "PI1", Title: row.title, Status: "triggered"}
				if row.alert != "" && !s.clock.Now().Before(opened.Add(row.after)) {
					in.Alerts = []observe.Alert{{Key: "k", Summary: row.alert}}
				}
				return []observe.Incident{in}, nil
			}
			st, err := s.start(context.Background(), e)
			s.check(t, st, err)
			if foreign := st.Stop != nil && st.Stop.Reason == drills.ReasonForeign; foreign != row.foreign {
				t.Errorf("stop %+v", st.Stop)
			}
			told := first(st, journal.IncidentOpened, "")
			wait := row.after
			if row.alert == "" {
				wait = 10 * time.Second
			}
			if told.Fact.Role != row.role || told.At.Before(opened.Add(wait)) || told.At.After(opened.Add(wait+3*time.Second)) {
				t.Errorf("told as %s, %s after it opened", told.Fact.Role, told.At.Sub(opened))
			}
			if before := told.Fact.LookedAt; before != nil && before.After(opened) {
				t.Errorf("it is told as not there at %v, and had opened at %v", before, opened)
			}
		})
	}
}
