package drills

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// First is a first drill on one target, as what stands in the account suggests it.
type First struct {
	Fault FaultSpec
	// Alarm is the one that can see the fault, of several the one that tells somebody soonest; empty: none can.
	Alarm string
	// Pages says that Alarm has actions that are enabled, so that people can be left to hear of the fault from it.
	Pages bool
	// Why says what Alarm sees, or why there is none.
	Why string
	// Ripples are the other alarms that the fault moves.
	Ripples []string
	Expect  Expect
	Limit   time.Duration
}

// FirstFault is the one change that suits a candidate: a table takes fewer writes, a queue gets messages that nobody can
// read, a listener answers with an error. path is what the listener answers; "/" when empty.
func FirstFault(c inject.Candidate, path string) FaultSpec {
	switch c.Service {
	case inject.ServiceTables:
		return firstFault("throttle", inject.KindThrottle, map[string]any{"table": c.Name, "writes": 1, "load": fmt.Sprintf("%d/s", firstLoad(c.Writes))})
	case inject.ServiceQueues:
		return firstFault("poison", inject.KindPoison, map[string]any{"queue": c.Name, "messages": 3})
	}
	return firstFault("error", inject.KindError, map[string]any{"listener": c.ARN, "path": cmp.Or(path, "/"), "status": 500, "load": "5/s"})
}

func firstFault(id, kind string, params map[string]any) FaultSpec {
	raw, _ := json.Marshal(params) // of texts and numbers
	return FaultSpec{ID: id, Kind: kind, Params: raw}
}

// firstLoad is traffic of ours that empties what a table has banked in some minutes: twice what it takes, and never more
// than a load may be.
func firstLoad(writes int64) int64 { return min(max(50, 2*writes), 1000) }

// FirstDrill is a first drill of which nothing is known but its fault: people are paged by us.
func FirstDrill(f FaultSpec) *First {
	d := &First{Fault: f, Limit: time.Hour, Expect: Expect{Effective: 8 * time.Minute, Detect: 12 * time.Minute, Acknowledge: 5 * time.Minute, Mitigate: 30 * time.Minute, Resolve: 40 * time.Minute}}
	switch f.Kind {
	case inject.KindPoison:
		d.Expect.Effective, d.Expect.Detect, d.Expect.Mitigate = 10*time.Minute, 15*time.Minute, 0 // the good messages never stop
	case inject.KindError:
		d.Expect = Expect{Effective: 3 * time.Minute, Detect: 10 * time.Minute, Acknowledge: 5 * time.Minute, Mitigate: 25 * time.Minute, Resolve: 35 * time.Minute}
		d.Limit = 45 * time.Minute
	}
	return d
}

// First reads the target and the account's alarms, and says what a first drill there should watch, expect and take. It
// judges alarms as a plan does. A *Refusal says why no drill can break this target; nothing is written, anywhere.
func (st *Steps) First(ctx context.Context, f FaultSpec, run string) (*First, error) {
	d := FirstDrill(f)
	p := &Plan{Run: run, Limit: d.Limit}
	one, err := st.planFault(ctx, f, p)
	if err != nil {
		return nil, err
	}
	p.Faults = []PlannedFault{{ID: f.ID, Kind: f.Kind}}
	v := &Preview{Plan: p, Brief: journal.Brief{}, Faults: []PreviewFault{one.PreviewFault}}
	s := newSight(v)
	if st.World.Alarms == nil {
		d.Why = "nobody can list the alarms here"
	} else if s.all, err = st.World.Alarms.All(ctx); err != nil {
		d.Why = fmt.Sprintf("the alarms could not be listed: %v", err)
	} else {
		d.choose(s)
	}
	d.fit(s)
	return d, nil
}

// choose takes the alarm to watch, of those that can see the fault.
func (d *First) choose(s *sight) {
	var able []seen
	for _, a := range s.all {
		if one := s.judge("alarm "+a.Name, a); one.sees && !strings.Contains(a.Name, "*") { // which no drill file can name
			one.soon, one.asked = one.soonest(), true
			able = append(able, one)
		}
	}
	if len(able) == 0 {
		d.Why = fmt.Sprintf("none of %d alarms of this account and region sees what it moves (%s)", len(s.all), strings.Join(movesText(s.metric), ", "))
		return
	}
	slices.SortStableFunc(able, func(a, b seen) int {
		return cmp.Or(rank(b.tells(), a.tells()), rank(b.alarm.State == "OK", a.alarm.State == "OK"), rank(a.alarm.Composite, b.alarm.Composite),
			cmp.Compare(a.soon, b.soon), cmp.Compare(a.alarm.Name, b.alarm.Name))
	})
	best := able[0]
	d.Alarm, d.Pages, s.watch = best.alarm.Name, best.tells(), able[:1]
	d.Why = "it sees " + best.moved.Name
	if !d.Pages {
		d.Why += ", and tells nobody: it has no action that is enabled"
	}
	for _, other := range able[1:] {
		d.Ripples = append(d.Ripples, other.alarm.Name)
	}
}

// tells says that somebody hears of an alarm.
func (one seen) tells() bool { return one.alarm.Enabled && len(one.alarm.Actions) > 0 }

// rank orders what is true after what is false.
func rank(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func movesText(moved []inject.Metric) (names []string) {
	for _, m := range moved {
		if text := m.Namespace + " " + m.Name; !slices.Contains(names, text) {
			names = append(names, text)
		}
	}
	return names
}

// fit makes room for what this target takes longer than others, with a quarter of it to spare.
func (d *First) fit(s *sight) {
	room := func(t *time.Duration, least time.Duration) { *t = max(*t, roundUp(least+least/4)) }
	room(&d.Expect.Effective, s.feltFloor().d)
	if rung, watched := s.rungFloor(); watched {
		room(&d.Expect.Detect, rung.d)
	} else {
		d.Expect.Detect = 0
	}
	d.Expect.Resolve = max(d.Expect.Resolve, d.Expect.Detect+20*time.Minute)
	d.Limit = min(max(d.Limit, d.Expect.Effective+d.Expect.Resolve+5*time.Minute), maxLimit)
}
