// Package drills takes a drill from a file to its next action: a Spec is read, checked against the world into a Plan,
// and from then on nothing exists but events, which the engine folds to decide what to do next.
package drills

import (
	"encoding/json"
	"time"

	"github.com/firedrill/firedrill/observe"
)

// Spec is a drill as written: one scenario, the card that is drawn from the hat.
type Spec struct {
	Drill    string
	Title    string
	Scenario string
	Team     string
	Tags     []string
	Runbook  string
	Look     []Look
	Evidence []Evidence
	Hints    []Hint
	// SteadyState must hold before anything is touched, and again at the end.
	SteadyState []observe.ProbeSpec
	// Faults go in as listed and out in reverse.
	Faults []FaultSpec
	// Watch lists what counts as detection.
	Watch []observe.ProbeSpec
	// Ripples names alarms (a * at the end matches the rest) that may ring because of the fault: noted, never
	// detection, never a reason to abort.
	Ripples []string
	Page    PageSpec
	// Announce says when people learn that it is a drill: AnnouncePage, AnnounceAcknowledge or AnnounceEnd.
	Announce string
	// StopConditions end the drill when bad; never the metric the fault moves.
	StopConditions []observe.ProbeSpec
	Expect         Expect
	// Limit is how long anything may be in place; mandatory.
	Limit time.Duration

	// Source is the file it was read from; empty for one of the library.
	Source string

	// What Resolve reads again, with values: the file as a tree, its name for mistakes, and the kinds it knows.
	tree  *node
	file  string
	kinds Kinds
}

// Look is one place to look at during the drill: a kind (dashboard, logs) and its URL.
type Look struct{ What, URL string }

// Evidence is one thing on the back of the card, with the place it would be found in: slack, log, mail, …
type Evidence struct{ Where, Text string }

// Hint is told some time after the page.
type Hint struct {
	After time.Duration
	Say   string
}

// FaultSpec is one fault of a drill.
type FaultSpec struct {
	ID     string
	After  time.Duration
	Kind   string
	Params json.RawMessage
}

// PageSpec says how people learn of the incident.
type PageSpec struct {
	When     string        // alarm, direct, report
	Fallback time.Duration // alarm only: page ourselves after that
}

// The ways people learn of it.
const (
	PageAlarm  = "alarm"  // the team's own alarm pages; we do after Fallback
	PageDirect = "direct" // we page as soon as the fault is effective
	PageReport = "report" // people are told, as on the card; no alarm is expected
)

// When people learn that it is a drill. The last needs an environment that allows surprises.
const (
	AnnouncePage        = "page"        // with the page; the default
	AnnounceAcknowledge = "acknowledge" // once a person has acknowledged
	AnnounceEnd         = "end"         // when it is over
)

// Expect holds the expectations; zero means none.
type Expect struct {
	Effective, Detect, Acknowledge, Mitigate, Resolve time.Duration
}
