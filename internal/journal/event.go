// Package journal is the memory of firedrill: the append-only record of a run, and the leases that keep two engines
// from working on one run or one target. Whatever firedrill knows of a run it reads from here; whoever wants to tell
// what happened folds the events.
package journal

import (
	"encoding/json"
	"time"
)

// Version is the newest event format this program writes. A reader refuses only a higher one, and can unwind even then.
const Version = 1

// Kind says what happened, in the past tense.
type Kind string

// The kinds of events, in about the order of a drill.
const (
	RunPlanned  Kind = "run.planned"  // the plan stands; a run begins
	RunTaken    Kind = "run.taken"    // an engine took the run over under a new generation
	RunReopened Kind = "run.reopened" // recover took up a run that had ended dirty
	RunFinished Kind = "run.finished" // the outcome

	GuardPassed  Kind = "guard.passed"  // every check before a change said yes
	GuardRefused Kind = "guard.refused" // one said no

	SteadyRead Kind = "steady.read" // a steady-state probe before the drill or after the undo
	ProbeRead  Kind = "probe.read"  // a probe while the fault is in place
	ClockRead  Kind = "clock.read"  // how far a source's clock is from ours

	FaultPrepared     Kind = "fault.prepared"      // the undo is recorded; from here on it may have been applied
	FaultStaged       Kind = "fault.staged"        // our own objects stand, inert
	FaultApplied      Kind = "fault.applied"       // the change was issued
	FaultApplyFailed  Kind = "fault.apply_failed"  // the change was refused or unanswered
	FaultEffective    Kind = "fault.effective"     // first response that showed our fault: t0
	FaultCeased       Kind = "fault.ceased"        // it was felt and is not any more
	FaultReverted     Kind = "fault.reverted"      // the undo was issued, or was not needed: see How
	FaultRevertFailed Kind = "fault.revert_failed" // one try at the undo failed
	FaultSettled      Kind = "fault.settled"       // read back as before

	EffectRead Kind = "effect.read" // one look at whether the fault is felt
	LoadRead   Kind = "load.read"   // what our own traffic met

	DeadmanArmed        Kind = "deadman.armed"         // the switch stands: see Schedules; with Err: it does not
	DeadmanDisarmed     Kind = "deadman.disarmed"      // it is deleted, and read as gone
	DeadmanDisarmFailed Kind = "deadman.disarm_failed" // one try at deleting it failed
	RunAcknowledged     Kind = "run.acknowledged"      // a person has looked into an undo that took too long, or a state that is not well

	LeverPulled   Kind = "lever.pulled"   // the environment's safety lever: nothing starts, every run unwinds
	LeverReleased Kind = "lever.released" // and is let go again

	PageSent     Kind = "page.sent"     // our page was handed to the pager (which proves nothing yet)
	PageResolved Kind = "page.resolved" // our page was resolved
	NoteSent     Kind = "note.sent"     // a note of ours stands on an incident: see Reason
	MessageSent  Kind = "message.sent"  // a message of ours stands in the team's channel: see Reason

	AlarmFired   Kind = "alarm.fired"
	AlarmCleared Kind = "alarm.cleared"

	IncidentOpened         Kind = "incident.opened"
	IncidentNotified       Kind = "incident.notified"
	IncidentAcknowledged   Kind = "incident.acknowledged"
	IncidentUnacknowledged Kind = "incident.unacknowledged"
	IncidentEscalated      Kind = "incident.escalated"
	IncidentReassigned     Kind = "incident.reassigned"
	IncidentSnoozed        Kind = "incident.snoozed" // for DurationS
	IncidentNoted          Kind = "incident.noted"
	IncidentNoteEdited     Kind = "incident.note_edited"  // Text now, Was before
	IncidentNoteDeleted    Kind = "incident.note_deleted" // Was before
	IncidentMerged         Kind = "incident.merged"       // into another: see Into
	IncidentReopened       Kind = "incident.reopened"
	IncidentResolved       Kind = "incident.resolved"
	IncidentTyped          Kind = "incident.typed"  // it carries an incident type of ours: see Text
	IncidentLogged         Kind = "incident.logged" // an entry of another type (Type), kept as it is told

	ChangeSeen  Kind = "change.seen"  // the account's trail shows a change of a target: see By, How (firedrill: we), Text, Target
	AnswerGiven Kind = "answer.given" // what somebody answered to the questions at the end, within a day

	CommandHeard   Kind = "command.heard"   // a note asks something of the run: Text is what (stop, hint, status), By who, Entry its note
	AbortRequested Kind = "abort.requested" // somebody or something wants the run to unwind: see Reason
	NoteWritten    Kind = "note.written"    // the scribe, by firedrill note
	Correction     Kind = "correction"      // a person corrects an instant
)

// Event is one fact of a run. At is the recorder's clock, Seen.At the source's own, uncorrected.
type Event struct {
	V      int       `json:"v"`
	Run    string    `json:"run"`
	Seq    int64     `json:"seq"`    // position of its batch, from 0
	N      int       `json:"n"`      // position within the batch, from 0
	Action string    `json:"action"` // the action it is the result of
	Gen    int       `json:"gen"`    // generation of the engine that wrote it; 0 is an outsider
	Kind   Kind      `json:"kind"`
	At     time.Time `json:"at"`
	Seen   *Seen     `json:"seen,omitempty"`
	Fact   Fact      `json:"fact"`

	Extra map[string]json.RawMessage `json:"-"` // fields this version does not know, kept as they were
}

// Seen is when a source says it happened.
type Seen struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`      // aws, pagerduty, sandbox, local
	ErrorS float64   `json:"error_s"` // half the width of what At may be, in seconds: 0.5 for whole seconds
}

// Fact carries what an event says. Which fields are set depends on the kind; a field this version does not know is
// kept in Extra and written back as it was.
type Fact struct {
	Fault    string `json:"fault,omitempty"`    // id of the fault
	Probe    string `json:"probe,omitempty"`    // label of a probe: "http https://…", "alarm orders-write-throttled"
	Role     Role   `json:"role,omitempty"`     // which list of the drill the probe or alarm stands in
	Reading  string `json:"reading,omitempty"`  // ok, bad, unknown; for effect.read yes, no, unknown
	Alarm    string `json:"alarm,omitempty"`    // name of an alarm
	Incident string `json:"incident,omitempty"` // id of an incident
	Entry    string `json:"entry,omitempty"`    // id of the log entry it was read from
	Title    string `json:"title,omitempty"`
	URL      string `json:"url,omitempty"`
	By       string `json:"by,omitempty"`   // who: a user, "their monitoring", "firedrill"
	User     string `json:"user,omitempty"` // id of a pager user
	Human    *bool  `json:"human,omitempty"`
	Channel  string `json:"channel,omitempty"` // mobile, website, api, auto, …
	Level    int    `json:"level,omitempty"`   // escalation level
	Key      string `json:"key,omitempty"`     // dedup key of a page
	Service  string `json:"service,omitempty"` // id of a pager service
	Text     string `json:"text,omitempty"`    // a note
	How      string `json:"how,omitempty"`     // restored, already_restored, never_applied, diverged
	Reason   string `json:"reason,omitempty"`  // a code: of a refusal, an abort, a null
	Why      string `json:"why,omitempty"`     // the same for people
	Try      string `json:"try,omitempty"`     // the next step
	Err      string `json:"err,omitempty"`
	Definite bool   `json:"definite,omitempty"` // fault.apply_failed: the service answered no, it was not carried out
	Outcome  string `json:"outcome,omitempty"`
	Source   string `json:"source,omitempty"` // clock.read: aws, pagerduty

	Urgency   string  `json:"urgency,omitempty"`    // incident.opened: high, low
	Alerts    int     `json:"alerts,omitempty"`     // incident.opened: how many alerts it holds
	Into      string  `json:"into,omitempty"`       // incident.merged: the other incident's id
	Type      string  `json:"type,omitempty"`       // incident.logged: the entry's type, as the pager spells it
	Note      string  `json:"note,omitempty"`       // id of a note on an incident, or of a message
	Was       string  `json:"was,omitempty"`        // what a note said before
	DurationS float64 `json:"duration_s,omitempty"` // incident.snoozed
	Hint      int     `json:"hint,omitempty"`       // note.sent, message.sent: which hint it tells, from 1
	Thread    string  `json:"thread,omitempty"`     // message.sent, answer.given: the message it stands under
	Target    string  `json:"target,omitempty"`     // change.seen: ARN; incident.reassigned, .escalated: ids of users, with blanks between

	OffsetS float64 `json:"offset_s,omitempty"` // clock.read: source minus ours, seconds
	ErrorS  float64 `json:"error_s,omitempty"`  // clock.read: half width, seconds
	Sent    int     `json:"sent,omitempty"`     // load.read: requests
	Failed  int     `json:"failed,omitempty"`   // load.read: of these, refused by our fault

	LookedAt *time.Time        `json:"looked_at,omitempty"` // effect.read, probe.read: when the look began, our clock
	Facts    map[string]string `json:"facts,omitempty"`     // guard.passed and others: small named findings
	Left     []string          `json:"left,omitempty"`      // run.finished dirty: what is still in place
	ByHand   []string          `json:"by_hand,omitempty"`   // the same: the commands with which a person puts it back
	Holder   string            `json:"holder,omitempty"`    // run.taken: who, for people

	Schedules []string `json:"schedules,omitempty"` // deadman.armed, .disarmed: "name at time: service action"

	PlanHash string     `json:"plan_hash,omitempty"` // sha256:…
	Instant  string     `json:"instant,omitempty"`   // correction: which
	Value    *time.Time `json:"value,omitempty"`     // correction: what it should be

	Brief *Brief          `json:"brief,omitempty"` // run.planned: what readers may know of the plan
	Plan  json.RawMessage `json:"plan,omitempty"`  // run.planned: the engine's plan, opaque here
	Undo  json.RawMessage `json:"undo,omitempty"`  // fault.prepared, fault.staged: only inject reads it

	Extra map[string]json.RawMessage `json:"-"`
}

// Role says in which list of the drill a probe, an alarm or an incident stands.
type Role string

// The roles.
const (
	RoleSteady Role = "steady"
	RoleWatch  Role = "watch"
	RoleStop   Role = "stop"
	RoleRipple Role = "ripple"
	RoleOurs   Role = "ours"  // our own page
	RoleOther  Role = "other" // none of these
)

// Brief is the plan as readers need it: they never learn step internals.
type Brief struct {
	Drill       string            `json:"drill"`
	Title       string            `json:"title"`
	Scenario    string            `json:"scenario,omitempty"`
	Team        string            `json:"team,omitempty"`
	Environment string            `json:"environment"`
	Account     string            `json:"account,omitempty"`
	Sandbox     string            `json:"sandbox,omitempty"` // instance id of the sandbox it runs on, else empty
	SandboxURL  string            `json:"sandbox_url,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Runbook     string            `json:"runbook,omitempty"`
	Look        map[string]string `json:"look,omitempty"` // dashboard, logs -> URL
	Evidence    []string          `json:"evidence,omitempty"`
	Hints       []string          `json:"hints,omitempty"`
	PageWhen    string            `json:"page_when"` // alarm, direct, report
	PageService string            `json:"page_service,omitempty"`
	FallbackS   float64           `json:"fallback_s,omitempty"`
	Steady      []string          `json:"steady,omitempty"` // labels of probes
	Watch       []string          `json:"watch,omitempty"`
	Ripples     []string          `json:"ripples,omitempty"`
	Stop        []string          `json:"stop,omitempty"`
	Faults      []BriefFault      `json:"faults"`
	Expect      []Expectation     `json:"expect,omitempty"`
	LimitS      float64           `json:"limit_s"`
	Operator    string            `json:"operator,omitempty"` // who started it, as the system knows them
	Approved    string            `json:"approved,omitempty"` // by which plan file it was approved, for people
	Announce    string            `json:"announce,omitempty"` // when people learn that it is a drill: page, acknowledge, end
	Risks       []Risk            `json:"risks,omitempty"`    // what may keep the page from being heard, as the plan saw it

	Extra map[string]json.RawMessage `json:"-"` // as in Fact
}

// Risk is one reason why a page may not be heard, as it was seen before anybody was paged.
type Risk struct {
	Verdict string `json:"verdict"` // low_urgency, nobody_on_call, …
	Why     string `json:"why"`
}

// What a note or a message of ours is about: the Reason of note.sent and message.sent.
const (
	AboutStart    = "start"     // the drill is on
	AboutDrill    = "drill"     // this is a drill
	AboutEvidence = "evidence"  // what stands on the card's back
	AboutHint     = "hint"      // see Hint
	AboutAbort    = "abort"     // it was ended early
	AboutEnd      = "end"       // it is over: outcome, times, what was put back, and two questions
	AboutReply    = "reply"     // the answer to a command: see command.heard
	AboutNotes    = "notes"     // in the team's channel: notes cannot be written on incidents, and stand there from now on
	AboutHandOver = "hand_over" // on a real incident: what of ours was on, and that it is gone
)

// BriefFault is one fault as readers need it.
type BriefFault struct {
	ID      string   `json:"id"`
	Kind    string   `json:"kind"`
	Target  string   `json:"target"` // ARN
	Changes []Change `json:"changes,omitempty"`
	Switch  bool     `json:"switch,omitempty"` // it has a dead-man's switch
}

// Change is one thing that a fault changes, for people.
type Change struct {
	What   string `json:"what"`
	Before string `json:"before"`
	During string `json:"during"`
	After  string `json:"after"`
}

// Expectation is one line of the drill's expect, in seconds.
type Expectation struct {
	Name   string  `json:"name"` // effective, detect, acknowledge, mitigate, resolve
	LimitS float64 `json:"limit_s"`
}

// Bool is a pointer to b, for Fact.Human.
func Bool(b bool) *bool { return &b }
