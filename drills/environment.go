package drills

import (
	"strings"
	"time"
	"unicode"

	"github.com/firedrill/firedrill/observe"
)

// File is firedrill.yaml: where the drills are, and the environments.
type File struct {
	Drills       []string // folders, as written: relative to the file's own
	Environments map[string]Environment
	// Source is the file it was read from.
	Source string
}

// Environment is a named staging account with its guards, pager and alarms, as firedrill.yaml tells it.
type Environment struct {
	Name          string
	AWS           AWSSpec
	Tags          map[string]string // every target carries them
	Window        *Window           // nil: no window, no drill (the sandbox has none and needs none)
	PagerDuty     PagerSpec
	Owner         string // secret reference of the owner's Events v2 key: env:NAME, file:PATH, ssm:NAME, secretsmanager:ID
	Teams         map[string]Team
	Store         StoreSpec
	Deadman       DeadmanSpec
	Vars          map[string]string
	UndoPatience  time.Duration // how long putting back is tried before the run is dirty; default 15 m
	Settle        time.Duration // how long the end waits for alarms to be OK; default 10 m
	OpenIncidents string        // "high": stale low-urgency incidents do not refuse a drill
	Surprise      string        // "allowed"
	Slack         SlackSpec
	Metrics       MetricsSpec
	Holidays      []string // iCalendar files (relative to the environment file) and https URLs: nothing is drilled on their days
	Freezes       []Freeze
	Rest          RestSpec
	People        string // PeopleNamed, which is the default, or PeoplePseudonyms

	// Sandbox is set for the built-in environment alone.
	Sandbox *SandboxRef
	// Source is the file it was read from.
	Source string
}

// SandboxRef names the instance of the sandbox an environment is.
type SandboxRef struct {
	Instance string
	URL      string
	// KeyID and Secret are the access key that the sandbox knows us by.
	KeyID, Secret string
	// Unhurried: it is looked at as often as a real environment is.
	Unhurried bool `json:",omitempty"`
}

// AWSSpec says which account and how to get there.
type AWSSpec struct {
	Account  string // twelve digits
	Regions  []string
	Role     string // assumed when set
	Endpoint string // replaces AWS's own; AWS_ENDPOINT_URL never counts
	// OIDC says where a CI job's identity token comes from, with which Role is assumed again and again for as long as the
	// job lasts: OIDCGitHub, or a secret reference (env:NAME, file:PATH). Where there is no such token, as on a laptop, the
	// usual credentials count.
	OIDC string
}

// Window is when people may be woken for a drill.
type Window struct {
	Days     map[time.Weekday]bool
	From, To time.Duration // since midnight, in Zone
	Zone     *time.Location
	Text     string // as written, for people
}

// PagerSpec says where the pager is and who we are there.
type PagerSpec struct {
	Region      string // us, eu
	Token       string // secret reference
	From        string // our bot user's e-mail address
	Bots        []string
	API, Events string // the sandbox's; never read from a file
	// WebhookSecrets are the secret references of our V3 webhook subscriptions: two while one is replaced.
	WebhookSecrets []string
	// Accept are verdicts that would refuse a drill here and are known: see AcceptedVerdicts.
	Accept []string
	// Notes says where what firedrill has to tell of an incident stands: NotesIncident, which is the default, or NotesSlack,
	// for a token that may only read.
	Notes string
}

// Where our notes stand.
const (
	NotesIncident = "incident"
	NotesSlack    = "slack"
)

// MetricsSpec says where the metrics of a run are pushed when it has ended.
type MetricsSpec struct {
	Pushgateway string // URL of a Prometheus Pushgateway; empty: nowhere
}

// Freeze is a time in which nothing is drilled: of the days from From to To, both included, in the window's zone.
type Freeze struct {
	From, To string // 2026-12-20
	Why      string
}

// RestSpec says how long a drill leaves people alone whom a real incident has woken.
type RestSpec struct {
	Night string        // hours in which a page wakes people: "22:00-07:00", in the window's zone
	For   time.Duration // counted from the last notification of that night; zero: nobody asks
}

// OIDCGitHub asks GitHub Actions for a new token each time: the job needs the permission id-token: write.
const OIDCGitHub = "github"

// AcceptedVerdicts are the verdicts of a check of the pager that an environment may accept: a workflow that is harmless, a
// pause that drills may wait for, people who are slow to notify. That nobody would be paged at all is not among them.
func AcceptedVerdicts() []string {
	return []string{string(observe.AutomationFires), string(observe.Delayed), string(observe.AssignedNotNotified)}
}

// SlackSpec says how to speak to teams in Slack: as a bot, or through an incoming webhook. Both are secret references.
type SlackSpec struct {
	Token   string
	Webhook string
	API     string // the sandbox's; never read from a file
}

// How people are named in a journal.
const (
	PeopleNamed      = "names"
	PeoplePseudonyms = "pseudonyms"
)

// Team is who practises: its PagerDuty service and firedrill's integration key there.
type Team struct {
	Service string
	Key     string // secret reference
	Slack   string
}

// StoreSpec says where the journal lives.
type StoreSpec struct {
	Kind   string // sqlite, dynamodb
	Table  string
	Region string
}

// DeadmanSpec is the dead-man's switch of an environment.
type DeadmanSpec struct {
	Role     string // ARN that EventBridge Scheduler assumes; empty: none
	DLQ      string // ARN of a standard queue for its calls that fail
	Required bool   // a fault without one is refused
}

// NamesProduction tells whether a name of an environment or account, or a tag's value, contains the word prod, prd,
// production or live, in any case, cut at whatever is not a letter: live-orders and Prod2 do, delivery does not.
func NamesProduction(s string) (word string, yes bool) {
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) {
		for _, production := range []string{"prod", "prd", "production", "live"} {
			if strings.EqualFold(word, production) {
				return word, true
			}
		}
	}
	return "", false
}
