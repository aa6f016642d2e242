package drills

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// Phase is how far a fault has got.
type Phase int

// The phases. From Prepared on the fault is possibly in place, until it is Settled.
const (
	Idle Phase = iota
	Prepared
	StagedInert
	Applied
	Reverted // the undo was issued or not needed; it is to be read back
	Restored // it reads back as before; its dead-man's switch is to be deleted
	Settled
	Stuck // patience has run out: dirty
)

// Late is how long a call that was issued may take to land. Stage and Apply end within it, so whoever takes over
// looks again until it has passed.
const Late = 10 * time.Second

// FaultState is one fault of a run.
type FaultState struct {
	Phase      Phase
	Undo       inject.Undo
	Unreadable string    // why the recorded undo cannot be read
	Armed      bool      // its dead-man's switch stands
	ReadBack   bool      // it reads as before, since it was last put back
	Issued     bool      // Stage or Apply has been recorded, as done or as failed
	Unsure     time.Time // until then a call of ours may still land
	AppliedAt  time.Time
	Effective  time.Time // first answer that showed it; zero: not yet
	Ceased     time.Time // it was felt and is not any more
	LastNo     time.Time // when the last look that did not feel it began
	Tries      int       // of the undo
	FirstTry   time.Time
	LastTry    time.Time
	How        inject.Outcome
	Err        string // of the last try
}

// open says that the fault may be in place.
func (f *FaultState) open() bool { return f.Phase != Idle && f.Phase != Settled }

// Stopping is why a run unwinds.
type Stopping struct {
	Reason string // the code that stands in abort.requested, or refused, apply_failed, journal_lost
	Why    string
	At     time.Time
	// Incident is the real one that came, where that is the reason.
	Incident string
	By       string // who asked for it, as far as anybody knows
}

// Reasons for a run to unwind before its hold has ended.
const (
	ReasonInterrupted = "interrupted"      // a signal
	ReasonAbort       = "abort"            // somebody ran abort
	ReasonRecover     = "recover"          // somebody recovers a dead run
	ReasonStop        = "stop_condition"   // a stop condition was bad
	ReasonForeign     = "foreign_incident" // a real incident: hand over
	ReasonPager       = "pager_lost"       // nobody can be told, or seen to answer
	ReasonEngine      = "engine_error"     // our own mistake
	ReasonJournal     = "journal_lost"     // no record, no fault
	ReasonRefused     = "refused"          // a guard said no
	ReasonFailed      = "apply_failed"     // the change was not made
	ReasonLever       = "lever"            // somebody pulled the safety lever
	ReasonWorldGone   = "world_gone"       // the sandbox instance does not exist any more
	ReasonNote        = "note"             // somebody wrote drill stop on the incident
)

// State is a run as its events tell it. Fold builds it, Next reads it, nobody else changes it.
type State struct {
	Run    string
	Plan   Plan
	Brief  journal.Brief
	Events []journal.Event
	Gen    int
	// Unplanned says why the plan cannot be read. Such a run can only be unwound, from its undos.
	Unplanned string

	Guarded   bool
	PlannedAt time.Time
	Before    string // ids of incidents that stood there before the drill, with blanks between
	Ignored   string // ids of those that stand in no way as long as they are of low urgency
	SteadyOK  bool
	Faults    []FaultState
	Started   time.Time // first fault.prepared: the limit runs from here
	Stop      *Stopping
	Polls     int

	Effective  time.Time // of the first fault
	PageTries  int
	PageErr    string
	Paged      time.Time // our page was sent
	PageDone   bool      // our page is resolved, or there is nobody to resolve it
	ClearTry   int       // tries at resolving it
	ClearedAt  time.Time // the last of them
	Owner      bool      // the owner was told, or there is none
	OwnerTries int
	OwnerTry   time.Time // the last try
	Calmed     bool
	Unwell     []string // the steady state that does not hold after the undo
	Unsteady   bool     // it did not hold when the run ended: a recover looks again
	Undoing    bool     // the undo of some fault has begun: from then on the run only ever undoes
	People     people
	Alarms     map[string]alarmState
	Told       map[string]toldState // what people were told, by key
	Thread     string               // the message that all later ones stand under
	Heard      []command            // what notes asked, in the order in which it was heard
	Mute       bool                 // the pager takes no notes of ours: they go to Slack
	HandedBack bool                 // people were told how it ended
	Baselines  map[string]float64   // of probes that compare with one, by label: read before the first fault
	Good       map[string]int       // good readings in a row of each steady probe, by label
	Finished   bool
	Outcome    string
}

type alarmState struct {
	State string
	At    time.Time // the source's clock
}

// NewState is a run before its first event.
func NewState(run string) *State {
	return &State{Run: run, Alarms: map[string]alarmState{}, Good: map[string]int{}, Told: map[string]toldState{}, People: newPeople()}
}

// Fold builds the state of a run from its events.
func Fold(run string, events []journal.Event) *State {
	s := NewState(run)
	for _, e := range events {
		s.Add(e)
	}
	return s
}

// Add folds one event. An event it does not know changes nothing; one that names a fault the plan lacks makes room
// for it, because what was prepared must be put back whatever the plan says.
func (s *State) Add(e journal.Event) {
	s.remember(e)
	switch e.Kind {
	case journal.RunPlanned:
		s.planned(e)
	case journal.RunTaken:
		s.taken(e)
	case journal.RunReopened:
		s.reopened()
	case journal.RunFinished:
		s.Finished, s.Outcome = true, e.Fact.Outcome
	case journal.GuardPassed:
		s.Guarded, s.Before, s.Ignored = true, e.Fact.Facts["incidents_before"], e.Fact.Facts["ignored"]
	case journal.GuardRefused:
		s.stop(ReasonRefused, e)
	case journal.SteadyRead:
		s.SteadyOK = true
		s.baseline(e)
		s.reading(e)
		s.calm(e)
	case journal.RunAcknowledged:
		s.Unwell, s.Unsteady = nil, false
	case journal.AbortRequested:
		s.stop(e.Fact.Reason, e)
		if in := s.People.incidents[e.Fact.Incident]; in != nil && e.Fact.Reason == ReasonForeign {
			in.role = journal.RoleOther // it may have been the drill's before a real alert joined it
		}
	case journal.PageSent, journal.PageResolved:
		s.page(e)
	case journal.ProbeRead:
		switch e.Fact.Role {
		case journal.RoleSteady:
			s.reading(e)
		case journal.RoleWatch:
			s.People.detected = s.People.detected || (e.Fact.Reading == "bad" && !s.Effective.IsZero() && !s.Undoing)
		}
	case journal.AlarmFired, journal.AlarmCleared:
		s.alarm(e)
	case journal.NoteSent, journal.MessageSent, journal.IncidentTyped:
		s.said(e)
	case journal.CommandHeard:
		s.heard(e)
	default:
		if e.Fact.Fault != "" {
			s.fault(e)
		}
		s.People.add(e)
	}
	s.count(e)
}

// planned: a run has one plan. Whatever claims to be another is not let forget what the first one has put in place.
func (s *State) planned(e journal.Event) {
	s.PlannedAt = e.At
	if len(s.Faults) > 0 {
		return
	}
	if e.Fact.Brief != nil {
		s.Brief = *e.Fact.Brief
	}
	if err := json.Unmarshal(e.Fact.Plan, &s.Plan); err != nil {
		s.Unplanned = fmt.Sprintf("read plan of run %s: %v", s.Run, err)
	} else if s.Plan.V > PlanVersion {
		s.Unplanned = fmt.Sprintf("plan of run %s is of version %d, this program reads up to %d", s.Run, s.Plan.V, PlanVersion)
	}
	if s.Unplanned != "" {
		s.Plan.Faults = nil
		for _, f := range s.Brief.Faults {
			s.Plan.Faults = append(s.Plan.Faults, PlannedFault{ID: f.ID, Kind: f.Kind})
		}
		s.stop(ReasonEngine, journal.Event{At: e.At, Fact: journal.Fact{Why: s.Unplanned}})
	}
	s.Faults = make([]FaultState, len(s.Plan.Faults))
	s.Mute = s.Plan.Notes == NotesSlack
}

// taken: whoever had the run before may have issued a call that we know nothing of.
func (s *State) taken(e journal.Event) {
	s.Gen = e.Gen
	for i := range s.Faults {
		f := &s.Faults[i]
		if e.Gen > 1 && (f.Phase == Prepared || f.Phase == StagedInert) && !f.Issued {
			f.Unsure = e.At.Add(Late)
		}
		if f.open() {
			f.Tries = 0 // patience is this engine's own
		}
		if f.Phase == Stuck {
			f.again()
		}
	}
}

// reopened: the patience of every fault begins anew.
func (s *State) reopened() {
	s.Finished, s.Outcome, s.Owner, s.OwnerTries, s.Calmed, s.ClearTry, s.Unwell = false, "", false, 0, false, 0, nil
	s.HandedBack = false
	for i := range s.Faults {
		if f := &s.Faults[i]; f.Phase == Stuck || f.Phase == Reverted {
			f.again()
		}
	}
}

func (s *State) stop(reason string, e journal.Event) {
	if s.Stop == nil {
		s.Stop = &Stopping{Reason: reason, Why: e.Fact.Why, At: e.At, By: e.Fact.By}
		if reason == ReasonForeign {
			s.Stop.Incident = e.Fact.Incident
		}
	}
}

func (s *State) reading(e journal.Event) {
	s.Good[e.Fact.Probe]++
	if e.Fact.Reading != "ok" {
		s.Good[e.Fact.Probe] = 0
	}
}

// count remembers when what was looked at last.
func (s *State) count(e journal.Event) {
	if e.N != 0 || e.Action == "" {
		return
	}
	switch verbOf(e.Action) {
	case Poll:
		s.Polls++
	case Calm:
		s.Calmed = true
	case HandBack:
		s.HandedBack = true
	}
}

func (s *State) page(e journal.Event) {
	switch {
	case e.Kind == journal.PageResolved:
		s.ClearTry++
		s.ClearedAt = e.At
		s.PageDone = e.Fact.Err == ""
	case e.Fact.Role == rolePageOwner:
		s.OwnerTries++
		s.OwnerTry = e.At
		s.Owner = e.Fact.Err == "" || e.Fact.Reason == reasonNoOwner || s.OwnerTries >= ownerTries
	case e.Fact.Err != "":
		s.PageTries++
		s.PageErr = e.Fact.Err
	default:
		s.PageTries++
		s.Paged, s.PageErr = e.At, ""
	}
}

func (s *State) alarm(e journal.Event) {
	a := alarmState{State: "OK", At: e.At}
	if e.Kind == journal.AlarmFired {
		a.State = "ALARM"
	}
	if e.Seen != nil {
		a.At = e.Seen.At
	}
	s.Alarms[e.Fact.Alarm] = a
	if e.Kind == journal.AlarmFired && e.Fact.Role == journal.RoleWatch && !s.Started.IsZero() && !s.Undoing {
		s.People.detected = true
	}
}

// InPlace lists the faults that may be in place.
func (s *State) InPlace() (ids []string) {
	for i := range s.Faults {
		if s.Faults[i].open() {
			ids = append(ids, s.Plan.Faults[i].ID)
		}
	}
	return ids
}

// over says that the run has ended with nothing in place.
func (s *State) over() bool { return s.Finished && len(s.InPlace()) == 0 && !s.Unsteady }

// began is when an action's look or call began, where its event says so.
func began(e journal.Event) time.Time {
	if e.Fact.LookedAt != nil {
		return *e.Fact.LookedAt
	}
	return e.At
}

// rolePageOwner marks the page that tells the owner what is left in place.
const rolePageOwner journal.Role = "owner"
