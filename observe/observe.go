// Package observe looks at a staging environment (probes, alarms, clocks) and speaks to its people (Pager). It knows
// no drill and changes nothing: what people configured stays as it is.
package observe

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Value is what a probe read. Unknown is never ok; a time-out is unknown.
type Value string

// The values.
const (
	OK      Value = "ok"
	Bad     Value = "bad"
	Unknown Value = "unknown"
)

// Reading is one look.
type Reading struct {
	Value Value
	Why   string    // "status 503, want 200"
	From  time.Time // when the look began, our clock
	To    time.Time // when its answer was there
	Since time.Time // since when it reads so, where the source tells: its own clock, By and ErrorS say whose and how exactly
	By    string    // the source of Since, as clocks are named: alertmanager am.example.com
	// ErrorS is half the width of what Since may be, in seconds.
	ErrorS float64
	// Baseline is what a probe has measured that later looks are to be compared with; nil: it measured none.
	Baseline *float64
}

// Probe looks at one thing. It has its own time-out, and its failure is a Reading of Unknown, never an error.
type Probe interface {
	// Label names it for people and in the journal: "http https://…/health".
	Label() string
	Read(ctx context.Context) Reading
}

// Alarm is a CloudWatch alarm as it stands.
type Alarm struct {
	Name         string
	State        string    // OK, ALARM, INSUFFICIENT_DATA
	Since        time.Time // StateTransitionedTimestamp, the source's clock; zero when never
	Namespace    string    // empty for metric math and composite alarms
	Metric       string
	Dimensions   map[string]string
	Period       time.Duration
	Datapoints   int // M of
	Evaluations  int // N
	Threshold    float64
	Comparison   string
	Statistic    string
	Missing      string // treatment of missing data, as configured; empty is "missing"
	Enabled      bool   // ActionsEnabled
	Actions      []string
	OKActions    []string
	Composite    bool
	Insufficient []string // actions on INSUFFICIENT_DATA

	Rule       string  // of a composite alarm
	Suppressor string  // of a composite alarm: name of the alarm that keeps its actions from running while it rings
	Suppressed string  // why its actions do not run now, as CloudWatch says; empty: they do
	Expression string  // of metric math: what is compared
	Inputs     []Alarm // of metric math: the metrics that it computes with, as alarms without a threshold
}

// Transition is one change of an alarm's state.
type Transition struct {
	Alarm    string
	From, To string
	At       time.Time // the source's clock
	Reason   string
}

// Alarms reads CloudWatch alarms.
type Alarms interface {
	// Describe returns the alarms whose names match any of the patterns (* at the end matches any rest).
	// A pattern without * that matches nothing is left out of the answer.
	Describe(ctx context.Context, patterns []string) ([]Alarm, error)
	// All returns every alarm of the account and region.
	All(ctx context.Context) ([]Alarm, error)
	// History returns the changes of state of one alarm since a time (the source's clock), oldest first.
	History(ctx context.Context, name string, since time.Time) ([]Transition, error)
}

// Page is what we tell the on-call.
type Page struct {
	Key     string // firedrill/<run>: never empty
	Title   string // begins with [DRILL]
	Source  string // what is affected
	Details map[string]any
	Links   []Link
	Quiet   bool // whoever reads it is to learn only later that it is a drill: but for its key it does not name firedrill
}

// Link is one link of a page.
type Link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Incident is one PagerDuty incident.
type Incident struct {
	ID        string
	Number    int
	Title     string
	Status    string // triggered, acknowledged, resolved
	Urgency   string
	Service   string // id
	CreatedAt time.Time
	URL       string
	Alerts    []Alert
	Into      string // id of the incident that it was merged into
	Type      string // name of its incident type, where the account has them
	UpdatedAt time.Time
}

// Alert is one alert of an incident: what some monitoring sent.
type Alert struct {
	ID          string
	Key         string // alert_key
	Status      string
	Summary     string
	Integration string    // id
	CreatedAt   time.Time //
	Suppressed  bool
}

// EntryKind is what a log entry tells, reduced to what a drill asks.
type EntryKind string

// The kinds of entries; every other type is EntryOther and is kept.
const (
	EntryTriggered      EntryKind = "triggered"
	EntryNotified       EntryKind = "notified"
	EntryAcknowledged   EntryKind = "acknowledged"
	EntryUnacknowledged EntryKind = "unacknowledged"
	EntryEscalated      EntryKind = "escalated"
	EntryReassigned     EntryKind = "reassigned" // to somebody else than the escalation policy said
	EntryAssigned       EntryKind = "assigned"   // by the escalation policy
	EntrySnoozed        EntryKind = "snoozed"
	EntryReopened       EntryKind = "reopened"
	EntryMerged         EntryKind = "merged"
	EntryNoted          EntryKind = "noted"
	EntryResolved       EntryKind = "resolved"
	EntryOther          EntryKind = "other"
)

// Entry is one log entry of an incident. Addresses and phone numbers are dropped at the door.
type Entry struct {
	ID      string
	Type    string // as PagerDuty spells it
	Kind    EntryKind
	At      time.Time // the pager's clock
	ErrorS  float64   // half width: 0.5 for whole seconds
	User    string    // id, empty when the agent is not a user
	Name    string    // what the pager calls that user
	Human   bool      // by the classifier of facts/pagerduty.md §2.3
	Channel string
	Level   int // escalation level, where the entry tells
	Text    string
	To      string        // ids of the users it was assigned to, with blanks between
	For     time.Duration // of a snooze
	Into    string        // id of the incident it was merged into
}

// IncidentNote is a note on an incident as it stands now: people may edit and delete them.
type IncidentNote struct {
	ID        string
	User      string // id; empty for a machine
	Name      string
	Human     bool
	Text      string
	CreatedAt time.Time // the pager's clock
	UpdatedAt time.Time // zero or CreatedAt: never edited
}

// Notebook reads the notes of incidents.
type Notebook interface {
	// Notes returns an incident's notes, oldest first.
	Notes(ctx context.Context, incident string) ([]IncidentNote, error)
}

// Marker gives incidents PagerDuty's incident type.
type Marker interface {
	// HasType says whether the account knows an incident type of this name.
	HasType(ctx context.Context, name string) (bool, error)
	// Mark gives an incident that type, and changes nothing else of it.
	Mark(ctx context.Context, incident, name string) error
}

// Feed tells a run what the pager knows. One feed serves every run of a process that speaks to the same account, so
// that what it costs does not grow with them.
type Feed interface {
	// Look tells the services' incidents created since a time (our clock) and every one still open. Whether it asks the
	// pager or tells what it knows already is the feed's: Seen.At says how old that is.
	Look(ctx context.Context, services []string, since time.Time) (Seen, error)
	// Clock is how far the pager's clock is from ours, as its answers told; false: not known yet.
	Clock() (Offset, bool)
}

// Seen is what one look at the pager found.
type Seen struct {
	At        time.Time // when the look began, our clock: all that had happened by then is told, and what came after may be missing
	Incidents []SeenIncident
}

// SeenIncident is one incident with everything that is known of it.
type SeenIncident struct {
	Incident
	Log   []Entry
	Notes []IncidentNote
	Whole bool // Log and Notes were read at or after Seen.At; else some of them may be older
}

// Message is what we tell a team in its channel.
type Message struct {
	Text   string
	Image  string // https URL of a picture; empty: none
	Thread string // id of the message it stands under; empty: a message of its own
}

// Reply is what somebody wrote under a message of ours.
type Reply struct {
	ID     string
	User   string // id
	Text   string
	At     time.Time // the messenger's clock
	Thread string
}

// Notifier speaks to a team in its channel (Slack). Nothing ever waits for it.
type Notifier interface {
	// Post writes a message; its id is empty where the means (an incoming webhook) tells none.
	Post(ctx context.Context, channel string, m Message) (id string, err error)
	// Replies returns what people wrote under a message, oldest first. ErrNoReplies: the means cannot read.
	Replies(ctx context.Context, channel, thread string) ([]Reply, error)
}

// ErrNoReplies means that what we speak through cannot be read from.
var ErrNoReplies = errors.New("an incoming webhook cannot read what people answer")

// Change is what somebody else did to a target of ours.
type Change struct {
	At     time.Time // the source's clock, whole seconds
	By     string    // who, as CloudTrail names them
	How    string    // person, autoscaling, deploy, terraform, service, firedrill, unknown
	Event  string    // UpdateTable
	Target string    // ARN or name, as asked for
	Failed bool
}

// Trail tells who changed what (AWS CloudTrail). It is late by minutes.
type Trail interface {
	// Changes returns the writes to any of the targets (ARNs) between two times, oldest first.
	Changes(ctx context.Context, targets []string, from, to time.Time) ([]Change, error)
}

// Pager speaks to PagerDuty. All methods honour ctx and their own time-out.
type Pager interface {
	// Send hands over a page for a service's integration key. Success proves nothing but that it was taken in.
	Send(ctx context.Context, key string, p Page) error
	// Resolve resolves our page, and only ours. Resolving one that is not there is no error.
	Resolve(ctx context.Context, key string, dedup string) error
	// Find returns the incident that holds the alert with this key on the service, nil when there is none (yet).
	// An empty key is refused: PagerDuty would answer with everybody's incidents.
	Find(ctx context.Context, service, dedup string, since time.Time) (*Incident, error)
	// Incidents returns the service's incidents created since a time, and every one still open, with their alerts.
	Incidents(ctx context.Context, services []string, since time.Time) ([]Incident, error)
	// Log returns an incident's log entries in the order of time and cause.
	Log(ctx context.Context, incident string) ([]Entry, error)
	// Note writes a note as our bot user.
	Note(ctx context.Context, incident, text string) error
	// Check reads what may swallow a page: service off, maintenance, nobody on call, low urgency.
	Check(ctx context.Context, service string) (ServiceCheck, error)
}

// ServiceCheck is what a plan says of a service before anybody is paged.
type ServiceCheck struct {
	Name        string
	Status      string
	URL         string
	OnCall      []OnCall
	Maintenance []string  // ongoing or within the next hours, described
	Window      time.Time // when the next of these begins that is not on yet; zero: none
	Urgency     string    // high, low, severity_based, …
	Problems    []string  // each one a reason why the page would not be heard: the risks that refuse
	Unknown     []string  // what could not be looked at and may swallow a page all the same
	Risks       []Risk    // the same and more, each by its verdict, those that refuse first
}

// Accepted takes those verdicts for told that the environment's owner knows and accepts: they refuse no drill any more.
func (c *ServiceCheck) Accepted(verdicts []string) {
	for i := range c.Risks {
		if slices.Contains(verdicts, string(c.Risks[i].Verdict)) {
			c.Risks[i].Refuses = false
		}
	}
}

// Verdict is why a page was not heard, or may not be.
type Verdict string

// The verdicts. observe/timeline finds the same ones in what happened.
const (
	Heard               Verdict = "heard"                 // a person was notified, by an incident of its own
	NoIncident          Verdict = "no_incident"           // none by the deadline
	MergedIntoOther     Verdict = "merged_into_other"     // grouped or merged: nobody is notified anew
	LowUrgency          Verdict = "low_urgency"           // notifies slowly, and never escalates
	AssignedNotNotified Verdict = "assigned_not_notified" // somebody has it, and was told of nothing
	Delayed             Verdict = "delayed"               // by suspend or auto-pause
	MachineAcknowledged Verdict = "machine_acknowledged"  // which stops the escalation
	ResolvedByMonitor   Verdict = "resolved_by_monitor"   // before a person did
	ResolvedBeforeAck   Verdict = "resolved_before_acknowledge"
	NobodyOnCall        Verdict = "nobody_on_call"
	ServiceOff          Verdict = "service_off" // disabled
	InMaintenance       Verdict = "in_maintenance"
	AutomationFires     Verdict = "automation_fires" // orchestration or a workflow would act on a drill
	RuleDisabled        Verdict = "rule_disabled"    // one that would have routed or notified
	Suppressed          Verdict = "suppressed"       // orchestration drops or suppresses it
	Unread              Verdict = "unread"           // what may swallow the page could not be looked at
)

// Risk is one reason why a page may not be heard, seen before anybody was paged.
type Risk struct {
	Verdict Verdict
	Why     string
	Refuses bool // a drill must not page into it
}

// OnCall is one person on call.
type OnCall struct {
	User  string // id
	Name  string
	Level int
}

// Offset is how far a source's clock is from ours: source minus ours, within ± Error.
type Offset struct {
	Source string
	Offset time.Duration
	Error  time.Duration
	Trips  int
}
