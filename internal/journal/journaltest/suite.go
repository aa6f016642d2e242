// Package journaltest holds every journal.Store to its contract.
package journaltest

import (
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Run holds a store to the whole contract. open returns a new, empty store for each test and sees to its closing.
func Run(t *testing.T, open func(t *testing.T) journal.Store) {
	t.Helper()
	run(t, appenders(), open)
}

// RunSlow is Run for a store that needs tens of milliseconds a call: forty write at once, not two hundred.
func RunSlow(t *testing.T, open func(t *testing.T) journal.Store) {
	t.Helper()
	run(t, few, open)
}

func run(t *testing.T, appenders int, open func(t *testing.T) journal.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, journal.Store){
		"batch is stamped":                   batchIsStamped,
		"batch is refused when empty":        batchIsRefusedWhenEmpty,
		"batch that cannot be encoded":       batchIsAllOrNothing,
		"order and positions":                orderAndPositions,
		"position taken":                     positionTaken,
		"times":                              times,
		"unknown fields":                     unknownFields,
		"raw JSON stays byte for byte":       rawStays,
		"cancelled":                          cancelled,
		"record is idempotent":               recordIsIdempotent,
		"record writes behind others":        recordWritesBehindOthers,
		"record of a stale engine":           recordOfStaleEngine,
		"record done before the taking":      recordDoneBeforeTaking,
		"record of another's action":         recordOfAnothersAction,
		"record of an outsider":              recordOfOutsider,
		"record to no run":                   recordToNoRun,
		"runs":                               runs,
		"runs finished and reopened":         runsReopened,
		"lever of an environment":            leverIsNoRun,
		"lease of a run":                     leaseOfRun,
		"lease of a dead holder":             leaseOfDeadHolder,
		"lease of a target":                  leaseOfTarget,
		"lease renewed":                      leaseRenewed,
		"lease released":                     leaseReleased,
		"lease generation survives releases": leaseGeneration,
		"leases held":                        leasesHeld,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	runHandles(t, appenders, func(t *testing.T) (journal.Store, journal.Store) {
		s := open(t)
		return s, s
	})
}

// RunHandles is the part of the contract that needs many writers: open returns two handles on one new store, as two
// processes have them.
func RunHandles(t *testing.T, open func(t *testing.T) (a, b journal.Store)) {
	t.Helper()
	runHandles(t, appenders(), open)
}

func runHandles(t *testing.T, appenders int, open func(t *testing.T) (a, b journal.Store)) {
	t.Helper()
	for name, test := range map[string]func(t *testing.T, a, b journal.Store){
		"one sees what the other wrote": oneSeesTheOther,
		"many appenders":                manyAppenders(appenders),
		"many takers":                   manyTakers,
	} {
		t.Run(name, func(t *testing.T) {
			a, b := open(t)
			test(t, a, b)
		})
	}
}

// noon is when everything in this suite happens.
var noon = time.Date(2026, 8, 25, 12, 0, 0, 0, time.UTC)

func event(kind journal.Kind) journal.Event { return journal.Event{Kind: kind, At: noon} }

func batch(action string, kinds ...journal.Kind) journal.Batch {
	b := journal.Batch{Action: action}
	for _, k := range kinds {
		b.Events = append(b.Events, event(k))
	}
	return b
}

// plan is the batch that begins a run.
func plan(drill, environment string, at time.Time) journal.Batch {
	return journal.Batch{Action: "plan", Events: []journal.Event{{
		Kind: journal.RunPlanned, At: at,
		Fact: journal.Fact{Brief: &journal.Brief{Drill: drill, Environment: environment, LimitS: 60}},
	}}}
}

func load(t *testing.T, s journal.Store, run string, after int64) []journal.Event {
	t.Helper()
	events, err := s.Load(t.Context(), run, after)
	if err != nil {
		t.Fatalf("load %s behind %d: %v", run, after, err)
	}
	return events
}

func appendTo(t *testing.T, s journal.Store, run string, after int64, gen int, b journal.Batch) {
	t.Helper()
	if err := s.Append(t.Context(), run, after, gen, b); err != nil {
		t.Fatalf("append %s behind %d of %s: %v", b.Action, after, run, err)
	}
}
