// Package observe looks at a staging environment (probes, alarms, clocks) and speaks to its people (Pager). It knows
// no drill and changes nothing: what people configured stays as it is.
package observe

import (
	"context"
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
	Maintenance []string // ongoing or within the next hours, described
	Urgency     string   // high, low, severity_based, …
	Problems    []string // each one a reason why the page would not be heard
	Unknown     []string // what was not looked at and may swallow a page all the same
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
