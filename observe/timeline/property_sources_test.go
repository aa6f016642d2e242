package timeline_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

// happened is one thing that truly happened on the pager's side.
type happened struct {
	at   float64
	kind journal.Kind
	who  string
	id   string
}

// history draws what people and the pager truly did: acknowledged, given up, handed on, taken up again, by several.
func history(t *rapid.T, from float64) (all []happened) {
	at := from
	add := func(least, most float64, kind journal.Kind, who string) {
		at += math.Round(rapid.Float64Range(least, most).Draw(t, "after")*1000) / 1000
		all = append(all, happened{at, kind, who, fmt.Sprint(len(all))})
	}
	add(0.2, 30, journal.IncidentOpened, "")
	add(0.1, 20, journal.IncidentNotified, "Anna")
	people := rapid.SampledFrom([]string{"Anna", "Ben", "Chef"})
	kinds := rapid.SampledFrom([]journal.Kind{journal.IncidentAcknowledged, journal.IncidentAcknowledged, journal.IncidentUnacknowledged,
		journal.IncidentEscalated, journal.IncidentNotified, journal.IncidentReassigned, journal.IncidentSnoozed, journal.IncidentNoted})
	for range rapid.IntRange(0, 8).Draw(t, "acts") {
		kind, who, least := kinds.Draw(t, "kind"), people.Draw(t, "who"), 0.002
		if slices.ContainsFunc(all, func(h happened) bool { return h.kind == kind && h.who == who && at-h.at < 3 }) {
			least = 3 // nobody does the same thing twice within a moment
		}
		add(least, 60, kind, who)
	}
	add(3, 60, journal.IncidentAcknowledged, "Anna")
	add(0.5, 60, journal.IncidentResolved, "Anna")
	return all
}

// sources are how a history reaches the journal.
type sources struct {
	aws, pd float64 // skew
	clock   float64 // how far a measurement of a clock may be off
	push    bool
	look    float64 // between the last look that did not feel it and the first that did
}

// arrives is one telling, on its way to the journal.
type arrives struct {
	at    float64
	event func(s *story)
}

// seenThrough writes the journal of a history that was seen through sources that skew, round, repeat and reorder.
func seenThrough(t *rapid.T, src sources, all []happened, detected float64) *story {
	num := func(lo, hi float64, what string) float64 { return rapid.Float64Range(lo, hi).Draw(t, what) }
	s := begin(brief("alarm"), src.aws, src.pd)
	for i := range s.events {
		if f := &s.events[i].Fact; f.Source != "" {
			f.ErrorS = src.clock
			f.OffsetS += num(-src.clock, src.clock, "measured")
		}
	}
	s.effective(5, 5-src.look)
	pace := num(1, 5, "pace")
	fact := func(h happened, human bool) journal.Fact {
		f := journal.Fact{Incident: "Q1", User: "P" + h.who, By: h.who, Human: journal.Bool(true)}
		if h.kind == journal.IncidentOpened {
			f = journal.Fact{Incident: "Q1", Role: journal.RoleWatch, Title: "orders", By: "their monitoring"}
		}
		if h.kind == journal.IncidentNoted {
			f.Text = "note " + h.id
		}
		if !human && h.kind != journal.IncidentOpened {
			f.Human = nil
		}
		return f
	}
	var list []arrives
	for _, h := range append(all, happened{at: detected}) {
		polled := 5 + math.Ceil((h.at+0.02-5)/pace)*pace
		looked := polled - pace
		if h.kind == "" {
			list = append(list, arrives{polled + 0.01, func(s *story) { s.looked = looked; s.alarm(h.at, polled+0.01, journal.RoleWatch, alarmName) }})
			continue
		}
		for range rapid.IntRange(1, 2).Draw(t, "polled twice") {
			list = append(list, arrives{polled + 0.01, func(s *story) {
				f := fact(h, true)
				if f.Entry = "R" + h.id; h.kind == journal.IncidentOpened {
					f.Entry = ""
				}
				s.looked = looked
				s.pager(h.at, polled+0.01, h.kind, f)
			}})
		}
		if !src.push || h.kind == journal.IncidentNotified {
			continue // there is no webhook of it
		}
		for range rapid.IntRange(1, 2).Draw(t, "pushed twice") {
			late := h.at + num(0.001, 8, "on its way")
			list = append(list, arrives{late, func(s *story) { s.push(h.at, h.kind, h.id, fact(h, rapid.Bool().Draw(t, "known"))).At = s.at(late) }})
		}
	}
	slices.SortStableFunc(list, func(a, b arrives) int { return cmp.Compare(a.at, b.at) })
	next := 60.0
	for _, x := range list {
		for ; next < x.at; next += 60 {
			s.clocks(next, 0)
			for i := len(s.events) - 2; i < len(s.events); i++ {
				s.events[i].Fact.ErrorS = src.clock
				s.events[i].Fact.OffsetS += num(-src.clock, src.clock, "measured again")
			}
		}
		x.event(s)
	}
	return s
}

// Whatever the sources do to it, every instant and interval holds the truth within its bar, none is negative, each thing
// is told once, and the bar is what was promised: ± 1.5 s where the pager is asked, with its clock known to half a
// second; ± 0.2 s where it tells by itself, with its clock known to a tenth. That somebody was notified it never tells
// by itself: what is counted from or to that keeps the half second of its log.
func TestSourcesHoldTheTruth(t *testing.T) {
	for _, push := range []bool{false, true} {
		rapid.Check(t, func(t *rapid.T) {
			src := sources{clock: 0.5, look: 1, push: push}
			if push {
				src.clock, src.look = 0.1, 0.05
			}
			src.aws = math.Round(rapid.Float64Range(-90, 90).Draw(t, "aws")*1000) / 1000
			src.pd = math.Round(rapid.Float64Range(-90, 90).Draw(t, "pagerduty")*1000) / 1000
			felt := 5 - math.Round(rapid.Float64Range(0, src.look).Draw(t, "felt")*1000)/1000
			detected := 5 + math.Round(rapid.Float64Range(0.5, 30).Draw(t, "detected")*1000)/1000
			all := history(t, detected)
			s := seenThrough(t, src, all, detected)
			truth := map[timeline.Name]float64{timeline.Effective: felt, timeline.Detected: detected}
			for _, h := range all {
				name := map[journal.Kind]timeline.Name{journal.IncidentNotified: timeline.Paged, journal.IncidentAcknowledged: timeline.Acknowledged,
					journal.IncidentResolved: timeline.Resolved}[h.kind]
				if _, known := truth[name]; name != "" && !known {
					truth[name] = h.at
				}
			}
			holds(t, timeline.Of(s.events, s.real(1000)), truth, s.zero, push)
			once(t, timeline.Of(s.events, s.real(1000)), all)
		})
	}
}

func holds(t *rapid.T, x timeline.Timeline, truth map[timeline.Name]float64, zero time.Time, push bool) {
	const slack = 0.003 // stamps are in milliseconds
	for name, want := range truth {
		i := x.Instant(name)
		got := i.At.Sub(zero).Seconds()
		if i.At.IsZero() || want < got-i.Early.Seconds()-slack || want > got+i.Late.Seconds()+slack {
			t.Fatalf("%s was at %.3f; told %.3f -%s +%s (%s)", name, want, got, i.Early, i.Late, i.Reason)
		}
	}
	for name, ends := range map[string][2]timeline.Name{"detect": {timeline.Effective, timeline.Detected}, "page": {timeline.Effective, timeline.Paged},
		"acknowledge": {timeline.Paged, timeline.Acknowledged}, "resolve": {timeline.Effective, timeline.Resolved}} {
		want := truth[ends[1]] - truth[ends[0]]
		i := x.Interval(name)
		if !i.Known || i.Seconds < 0 || math.Abs(i.Seconds-want) > i.ErrorS+slack {
			t.Fatalf("%s took %.3f s; told %.3f ± %.3f (%s)", name, want, i.Seconds, i.ErrorS, i.Reason)
		}
		most := 1.55
		if push {
			most = 0.2
			if name == "page" || name == "acknowledge" {
				most = 0.7
			}
			if truth[timeline.Acknowledged]-truth[timeline.Paged] < 1 || truth[timeline.Paged]-truth[timeline.Effective] < 2 {
				most = max(most, 2) // stamps within a second of each other may contradict themselves: the bar says by how much
			}
		}
		if i.ErrorS > most {
			t.Fatalf("%s has a bar of ± %.3f s, %.2f s were promised", name, i.ErrorS, most)
		}
	}
}

// once: nothing is told twice, and nothing is lost.
func once(t *rapid.T, x timeline.Timeline, all []happened) {
	want, got := map[journal.Kind]int{}, map[journal.Kind]int{}
	for _, h := range all {
		want[h.kind]++
	}
	for _, e := range x.Entries() {
		got[e.Kind]++
	}
	for kind, n := range want {
		if got[kind] != n {
			t.Fatalf("%s happened %d times, and is told %d times", kind, n, got[kind])
		}
	}
}
