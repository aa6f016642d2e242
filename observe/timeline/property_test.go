package timeline_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// anyEvents draws events in any order with any stamps: a journal that nobody would write, and that must be told.
func anyEvents(t *rapid.T) []journal.Event {
	zero := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	kinds := []journal.Kind{journal.RunPlanned, journal.RunTaken, journal.RunReopened, journal.RunFinished, journal.GuardRefused,
		journal.SteadyRead, journal.ProbeRead, journal.ClockRead, journal.FaultPrepared, journal.FaultApplied, journal.FaultEffective,
		journal.FaultCeased, journal.FaultReverted, journal.FaultRevertFailed, journal.FaultSettled, journal.EffectRead,
		journal.PageSent, journal.AlarmFired, journal.IncidentOpened, journal.IncidentNotified, journal.IncidentAcknowledged,
		journal.IncidentUnacknowledged, journal.IncidentResolved, journal.AbortRequested, journal.Correction, "moon.rose",
		journal.IncidentEscalated, journal.IncidentReassigned, journal.IncidentSnoozed, journal.IncidentNoted, journal.IncidentNoteEdited,
		journal.IncidentNoteDeleted, journal.IncidentMerged, journal.IncidentReopened, journal.IncidentTyped, journal.IncidentLogged,
		journal.ChangeSeen, journal.AnswerGiven, journal.NoteSent, journal.MessageSent, journal.AlarmCleared}
	moment := rapid.Custom(func(t *rapid.T) time.Time {
		return zero.Add(time.Duration(rapid.Int64Range(-100_000, 1_000_000).Draw(t, "ms")) * time.Millisecond)
	})
	one := rapid.Custom(func(t *rapid.T) journal.Event {
		e := journal.Event{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), At: moment.Draw(t, "at"), Gen: rapid.IntRange(0, 3).Draw(t, "gen")}
		if rapid.Bool().Draw(t, "seen") {
			e.Seen = &journal.Seen{At: moment.Draw(t, "stamp"), By: rapid.SampledFrom([]string{"aws", "pagerduty", "local", "moon"}).Draw(t, "by"),
				ErrorS: rapid.SampledFrom([]float64{0, 0.5, -1, 1e300, math.NaN()}).Draw(t, "error")}
		}
		f := &e.Fact
		f.Fault = rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "fault")
		f.Incident = rapid.SampledFrom([]string{"", "Q1", "Q2"}).Draw(t, "incident")
		f.Role = rapid.SampledFrom([]journal.Role{"", "steady", "watch", "ours", "other", "ripple", "owner"}).Draw(t, "role")
		f.Reading = rapid.SampledFrom([]string{"ok", "bad", "unknown", "yes", "no"}).Draw(t, "reading")
		f.Probe = rapid.SampledFrom([]string{"p", "q"}).Draw(t, "probe")
		f.Reason = rapid.SampledFrom([]string{"", "abort", "interrupted", "patience", "pager_lost"}).Draw(t, "reason")
		f.Source = rapid.SampledFrom([]string{"aws", "pagerduty"}).Draw(t, "source")
		f.OffsetS = rapid.SampledFrom([]float64{0, 5, -90, 1e300, math.Inf(1)}).Draw(t, "offset")
		f.Into = rapid.SampledFrom([]string{"", "", "Q1", "Q2"}).Draw(t, "into")
		f.Entry = rapid.SampledFrom([]string{"", "R1", "R2", "webhook/1", "webhook/2"}).Draw(t, "entry")
		f.How = rapid.SampledFrom([]string{"", "restored", "already_restored", "diverged", "person", "firedrill"}).Draw(t, "how")
		f.Level = rapid.IntRange(0, 3).Draw(t, "level")
		f.Instant = rapid.SampledFrom([]string{"paged", "effective", "moon"}).Draw(t, "instant")
		f.Human = rapid.SampledFrom([]*bool{nil, journal.Bool(true), journal.Bool(false)}).Draw(t, "human")
		for _, p := range []**time.Time{&f.LookedAt, &f.Value} {
			if rapid.Bool().Draw(t, "set") {
				at := moment.Draw(t, "moment")
				*p = &at
			}
		}
		if e.Kind == journal.RunPlanned {
			f.Brief = brief(rapid.SampledFrom([]string{"alarm", "direct", "report"}).Draw(t, "when"))
		}
		return e
	})
	events := rapid.SliceOfN(one, 0, 40).Draw(t, "events")
	for i := range events {
		events[i].Seq, events[i].Action = int64(i/3), fmt.Sprint("do/", i/3)
		events[i].N = i % 3
	}
	return events
}

func TestAnyEventsAreTold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := anyEvents(t)
		now := time.Date(2026, 3, 2, 10, 30, 0, 0, time.UTC)
		x := timeline.Of(events, now)
		for _, i := range x.Instants {
			if i.Early < 0 || i.Late < 0 {
				t.Fatalf("%s has the bar -%s +%s", i.Name, i.Early, i.Late)
			}
			if i.At.IsZero() == (i.Reason == "") {
				t.Fatalf("%s: time %s, reason %q", i.Name, i.At, i.Reason)
			}
		}
		for _, i := range x.Intervals {
			if i.Seconds < 0 || i.ErrorS < 0 || i.Known == (i.Reason != "") {
				t.Fatalf("interval %+v", i)
			}
		}
		if _, err := timeline.StatusJSON(x); err != nil {
			t.Fatal(err)
		}
		for _, tr := range x.Traces() {
			for _, r := range tr.Rungs {
				if r.LastS < 0 || r.Level < 1 {
					t.Fatalf("rung %+v", r)
				}
			}
		}
		if m := x.Mitigation(); m.Why == "" {
			t.Fatalf("mended %+v", m)
		}
		whole := x.Entries()
		for n := 0; n < len(events); n += 3 {
			for i, e := range timeline.Of(events[:n], now).Entries() {
				if e.Kind != journal.RunFinished && e.Kind != journal.RunPlanned && e.Text != whole[i].Text {
					t.Fatalf("after %d events line %d was %q, in the end it is %q", n, i, e.Text, whole[i].Text)
				}
			}
		}
		// folded one by one, told each time, it is the same
		f := timeline.New()
		for _, e := range events {
			f.Add(e)
			f.Timeline(now)
		}
		if a, b := tell(f.Timeline(now)), tell(x); a != b {
			t.Fatalf("telling changes what is told:\n%s\n%s", a, b)
		}
	})
}

// simulated is a run of which the truth is known.
type simulated struct {
	*story
	truth map[timeline.Name]float64
}

// simulate draws a run as it really was, and what firedrill saw of it: looks at a pace, stamps cut to seconds on clocks
// that are up to 90 s off, and offsets that were measured within their bars.
func simulate(t *rapid.T) simulated {
	num := func(lo, hi float64, what string) float64 {
		return float64(int(rapid.Float64Range(lo, hi).Draw(t, what)*1000)) / 1000
	}
	aws, pd := num(-90, 90, "aws"), num(-90, 90, "pagerduty")
	s := simulated{begin(brief("alarm"), aws, pd), map[timeline.Name]float64{}}
	for i := range s.events {
		if f := &s.events[i].Fact; f.Source != "" {
			f.OffsetS += num(-0.2, 0.2, "measured") // within its bar
		}
	}
	s.truth[timeline.Effective] = num(3, 10, "effective")
	seen := s.truth[timeline.Effective] + num(0, 0.5, "seen")
	s.effective(seen, max(3, s.truth[timeline.Effective]-num(0, 0.5, "before")))
	s.steady(seen+0.1, "bad")
	pace := num(0.2, 5, "pace")
	next := func(truth float64) float64 { // the look that finds it
		looks := math.Ceil((truth+0.05-seen)/pace) * pace
		s.looked = seen + looks - pace
		return math.Max(truth, seen+looks) + 0.05
	}
	at := s.truth[timeline.Effective]
	step := func(n timeline.Name, least float64) float64 {
		at += least + num(0, 20, string(n))
		if n != "" {
			s.truth[n] = at
		}
		return at
	}
	x := step(timeline.Detected, 0)
	s.alarm(x, next(x), journal.RoleWatch, alarmName)
	x = step("", 0)
	s.pager(x, next(x), journal.IncidentOpened, journal.Fact{Role: journal.RoleWatch, Title: "orders"})
	x = step(timeline.Paged, 0)
	s.pager(x, next(x), journal.IncidentNotified, journal.Fact{User: "PANNA"})
	for n, k := range map[timeline.Name]journal.Kind{timeline.Acknowledged: journal.IncidentAcknowledged} {
		x = step(n, 0)
		s.person(x, next(x), k, true)
	}
	x = step(timeline.Resolved, 0)
	s.person(x, next(x), journal.IncidentResolved, true)
	return s
}

func TestBarsHoldTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := simulate(t)
		x := timeline.Of(s.events, s.at(1000))
		const slack = 0.002 // stamps are in milliseconds
		for name, truth := range s.truth {
			i := x.Instant(name)
			got := i.At.Sub(s.zero).Seconds()
			if i.At.IsZero() || truth < got-i.Early.Seconds()-slack || truth > got+i.Late.Seconds()+slack {
				t.Fatalf("%s was at %.3f; told %.3f -%s +%s (%s)", name, truth, got, i.Early, i.Late, i.Reason)
			}
		}
		for name, ends := range map[string][2]timeline.Name{"detect": {timeline.Effective, timeline.Detected},
			"page": {timeline.Effective, timeline.Paged}, "acknowledge": {timeline.Paged, timeline.Acknowledged},
			"resolve": {timeline.Effective, timeline.Resolved}} {
			truth := s.truth[ends[1]] - s.truth[ends[0]]
			i := x.Interval(name)
			if !i.Known || math.Abs(i.Seconds-truth) > i.ErrorS+slack {
				t.Fatalf("%s took %.3f s; told %.3f ± %.3f", name, truth, i.Seconds, i.ErrorS)
			}
			widest := 1.21 + slack // half a look before it was felt, half a second of the stamp, the clock's 0.2 s and its drift
			if name == "acknowledge" {
				widest = 1.0 // two stamps of one clock
			}
			if s.truth[timeline.Acknowledged]-s.truth[timeline.Effective] < 2 || s.truth[timeline.Paged]-s.truth[timeline.Effective] < 2 {
				widest = 2 // what follows each other within the bars may contradict itself: the bar says by how much
			}
			if i.ErrorS > widest {
				t.Fatalf("%s has a bar of ± %.3f s", name, i.ErrorS)
			}
		}
	})
}
