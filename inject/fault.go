// Package inject changes one thing in a staging environment and puts it back. It knows no drill, no journal and no
// pager: it is handed an identity, it answers with an undo, and the undo alone suffices to restore what was there.
package inject

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// Mark is who changes something and until when. It stands in tags, message attributes and rule headers, so that
// whoever finds the change without a journal knows whose it is.
type Mark struct {
	Run   string    `json:"run"`
	Fault string    `json:"fault"`
	Until time.Time `json:"until"` // the run's limit: nothing of it is in place later
}

// Target is what a fault changes. A lease is taken on its ARN, and on those of Also, before the first change.
type Target struct {
	ARN     string   `json:"arn"`
	Account string   `json:"account"`
	Region  string   `json:"region"`
	Also    []string `json:"also,omitempty"` // further ARNs that must not be touched by another run: a queue's DLQ
}

// Undo is the serialised record that suffices, alone, to put a change back: made by Prepare before anything is
// changed, and readable for ever. It holds no secrets and only our share of the target's configuration.
type Undo struct {
	Kind   string          `json:"kind"`
	V      int             `json:"v"`
	Mark   Mark            `json:"mark"`
	Target Target          `json:"target"`
	Data   json.RawMessage `json:"data"`
}

// Outcome says how an undo went.
type Outcome string

// The outcomes of an undo.
const (
	Restored        Outcome = "restored"         // our change was there and is taken back
	AlreadyRestored Outcome = "already_restored" // somebody had put it back before us
	NeverApplied    Outcome = "never_applied"    // our change never took hold
	Diverged        Outcome = "diverged"         // somebody changed it further; theirs stands, and is told first
)

// Fault is one reversible change, about to be made.
type Fault interface {
	// Prepare only reads. It refuses (*Refusal) what it cannot restore exactly. plan calls it too and throws the
	// undo away.
	Prepare(ctx context.Context, m Mark, now time.Time) (Undo, error)
	// Apply issues the change that u describes. It takes everything from u, is idempotent, and finds its own
	// earlier attempt by u.Mark. A *Definite error says that nothing was changed.
	Apply(ctx context.Context, u Undo) error
}

// Kind is what recover needs of a kind of fault: everything here takes the record alone.
type Kind struct {
	// New makes a fault of a drill's parameters (JSON). It refuses what makes no sense, before anything is read.
	New func(params json.RawMessage) (Fault, error)
	// Revert compares, then puts back our share. It reads every V ever written and may be called again and again.
	Revert func(ctx context.Context, u Undo) (Outcome, error)
	// Settled reads the target back against the snapshot; why says what is still missing.
	Settled func(ctx context.Context, u Undo) (ok bool, why string, err error)
	// Describe tells before, during and after for people; also what is left when an undo does not succeed.
	Describe func(u Undo) []Change
	// ByHand lists the commands with which a person puts it back where nothing else can; nil where there are none.
	ByHand func(u Undo) []string
	// Identity reads the target's ARN and tags from the service itself, for the guard.
	// An error that wraps ErrGone says that the target does not exist.
	Identity func(ctx context.Context, t Target) (arn string, tags map[string]string, err error)
	// Account is Revert that also tells what became of each thing we put in, for kinds that answer for many
	// (sqs.poison); nil for all others. Who has it calls it instead of Revert.
	Account func(ctx context.Context, u Undo) (Outcome, []Item, error)
}

// Item is one of many things that an undo answers for: a message.
type Item struct {
	Name   string  `json:"name"` // "message 2 of 3"
	End    ItemEnd `json:"end"`
	Copies int     `json:"copies"` // how many of it we took back
	Why    string  `json:"why,omitempty"`
}

// ItemEnd is what became of an Item.
type ItemEnd string

// The ends of an Item.
const (
	Swept       ItemEnd = "swept"       // taken back, every copy
	NeverSent   ItemEnd = "never_sent"  // it never went out
	Gone        ItemEnd = "gone"        // sent or seen, and nowhere any more: somebody digested, purged or moved it
	Unaccounted ItemEnd = "unaccounted" // it may still be somewhere; the undo is not done
)

// Catalog holds the kinds by their names: dynamodb.throttle, http.error, sqs.poison.
type Catalog map[string]Kind

// Staged is a Fault whose own objects can be made inert first, so that the undo knows them before they are felt.
type Staged interface {
	// Stage creates them and returns the undo that names them. Idempotent by u.Mark.
	Stage(ctx context.Context, u Undo) (Undo, error)
}

// Verifier is a Fault that can see whether it is felt.
type Verifier interface {
	// Verify makes its own request and keeps no memory.
	Verify(ctx context.Context, u Undo) (Reading, error)
}

// Witnessed is a Verifier that says, for the plan, how it will know that it is felt.
type Witnessed interface {
	Witness(u Undo) string
}

// Loader is a Fault that nobody feels without traffic of ours.
type Loader interface {
	// Load sends it for d, or until ctx ends, and leaves no trace. It reports each time the fault was felt through
	// what it returns: the first such answer is a look like any other.
	Load(ctx context.Context, u Undo, d time.Duration) (Loaded, error)
}

// LastResorter is a Fault that a machine which cannot compare could put back.
type LastResorter interface {
	// LastResort lists the calls, in order.
	LastResort(u Undo) []Call
}

// Expirer is a Fault that ends by itself: the service stops honouring it at the mark's Until, whoever is dead. It needs no
// dead-man's switch; what remains is inert.
type Expirer interface {
	// Expires is when, by the service's own clock, and what inert residue stays until somebody takes it away.
	Expires(u Undo) (at time.Time, residue string)
}

// Residuer is a LastResorter whose last resort leaves something behind, or takes more back than we changed.
type Residuer interface {
	// Residue says, for the plan, what the calls of LastResort would overwrite and what they leave.
	Residue(u Undo) (overwrites, leaves []string)
}

// Permitter is a Fault that says what it must be allowed to do.
type Permitter interface {
	Permissions(t Target) []Permission
}

// Mover is a Fault that says which metrics it moves: the plan refuses alarms that cannot see it.
type Mover interface {
	Moves(u Undo) []Metric
}

// Floored is a Fault that says the soonest it can be felt.
type Floored interface {
	// Floor is that duration; sure is false where it is a guess and the plan only warns.
	Floor(u Undo) (d time.Duration, sure bool)
}

// Costed is a Fault that says how long its undo may take, what quotas it uses and what it costs.
type Costed interface {
	Costs(u Undo) Costs
}

// Costs is what a plan prints beside a change.
type Costs struct {
	Undo   time.Duration // the longest the undo should take
	Quotas []string      // "4 of 4 decreases of table orders left today"
	Money  string        // "none", "a few requests"
	Notes  []string      // warnings for people: what cannot be restored exactly, what strangers will notice
}

// Reading is one look at whether the fault is felt.
type Reading struct {
	Felt Tri    // Yes, No, Unknown
	Why  string // "ThrottlingReasons names our table"
	// Witness is who says so, where it is no answer to a request of ours: a metric's name.
	Witness string
	// From and To are the time that a witness speaks of, by AWS's clock; zero: the look itself. Began is when the first of the
	// times in a row began of which it says the same: a metric's datapoints may come late, and several at once.
	From, To, Began time.Time
}

// Tri is an answer that may be unknown; unknown is never yes.
type Tri string

// The answers.
const (
	Yes     Tri = "yes"
	No      Tri = "no"
	Unknown Tri = "unknown"
)

// Loaded is what a piece of load met.
type Loaded struct {
	Sent   int
	Felt   int         // answers that showed our fault
	Failed int         // answers that showed something else
	Looks  []TimedLook // the first and the last answer of each kind in a row: enough to place the edges
	Why    string      // what the last unexpected answer was
}

// TimedLook is one answer to our load.
type TimedLook struct {
	From, To time.Time // when the request was sent and answered, our clock
	Reading  Reading
}

// Change is one thing that a fault changes, for people.
type Change struct {
	What   string `json:"what"`
	Before string `json:"before"`
	During string `json:"during"`
	After  string `json:"after"`
}

// Metric is a CloudWatch metric a fault moves.
type Metric struct {
	Namespace  string
	Name       string
	Dimensions map[string]string
	Delay      time.Duration // how long after the effect its datapoint can be had
	By         string        // what moves it, in words: "a fixed response"
	Most       float64       // as high as the fault alone can bring it; 0 is as high as it likes
	Falls      bool          // it falls, towards nothing, instead of rising
}

// Call is one API call for a machine that cannot think: EventBridge Scheduler's universal target.
type Call struct {
	Service, Action string          // in the spelling of the AWS SDK: dynamodb, updateTable
	Input           json.RawMessage // PascalCase members
	After           time.Duration   // the least delay after the call before it
}

// Refusal is a Prepare (or New) that says no, with its reason: nothing was changed.
type Refusal struct {
	Why string // "not injecting: " is put before it
	Try string
	// Later says that it may be fine another day: quotas, a table that is updating.
	Later bool
}

func (r *Refusal) Error() string { return "not injecting: " + r.Why }

// Refuse makes a Refusal; why is formatted.
func Refuse(try, why string, args ...any) *Refusal {
	return &Refusal{Why: fmt.Sprintf(why, args...), Try: try}
}

// Definite wraps an error of Apply or Stage in which the service itself said no, so that nothing was changed.
// Time-outs, broken connections and 5xx answers are never definite.
type Definite struct{ Err error }

func (d *Definite) Error() string { return d.Err.Error() }
func (d *Definite) Unwrap() error { return d.Err }
