package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The ways a store says no.
var (
	// ErrConflict: something stands at this position already. Record resolves it; nobody else should see it.
	ErrConflict = errors.New("position is taken")
	// ErrStale: a newer engine has taken the run over. It does not pass.
	ErrStale = errors.New("run was taken over by another engine")
	// ErrNoRun: no such run.
	ErrNoRun = errors.New("no such run")
)

// Batch is what one action adds to a run: its events share one position and become durable together or not at all.
type Batch struct {
	Action string
	Events []Event
}

// Start is the position before the first batch.
const Start int64 = -1

// Store keeps runs and leases. journaltest holds every implementation to this contract.
type Store interface {
	// Append writes b at position after+1 of run, durably, if nothing stands there; else ErrConflict.
	// It fills V, Run, Seq, N, Action and Gen of the stored events; it compares position only.
	Append(ctx context.Context, run string, after int64, gen int, b Batch) error
	// Load returns the whole batches behind position after, in order. A run nobody began has none.
	Load(ctx context.Context, run string, after int64) ([]Event, error)
	// Runs lists runs, newest first. The records of levers (LeverRun) are none.
	Runs(ctx context.Context, f Filter) ([]Summary, error)
	Leases
	Close() error
}

// Filter narrows Runs; zero fields do not.
type Filter struct {
	Environment string
	Drill       string
	Prefix      string // of the run id
	Unfinished  bool
	Limit       int
}

// Summary is a run at a glance.
type Summary struct {
	Run         string
	Drill       string
	Environment string
	Planned     time.Time
	Finished    bool
	Outcome     string // empty while unfinished
}

// Lease says who works on a run or holds a target. A run's lease (RunLease) may be taken by anybody once it has
// expired or its holder is provably dead. A target's lease (its ARN) names a run and belongs to it, expired or not,
// until that run has ended with nothing in place: only an engine of that run may take it.
type Lease struct {
	Name    string
	Run     string
	Gen     int
	Holder  Holder
	Expires time.Time
}

// Leases is the lock office. now and ttl are arguments: a store has no clock of its own.
type Leases interface {
	// Take gets or takes over the lease called name for run: free, held by the same run (a target's), or, for a
	// run's lease, expired at now or with a dead holder. Its generation rises by one with each taking, never falls
	// (not even across Release), and begins at 1. Else *HeldError.
	Take(ctx context.Context, name, run string, h Holder, ttl time.Duration, now time.Time) (Lease, error)
	// Renew moves the end to now+ttl; ErrStale when another generation has it.
	Renew(ctx context.Context, l Lease, ttl time.Duration, now time.Time) (Lease, error)
	// Release lets it go; releasing what is not ours any more is no error and changes nothing.
	Release(ctx context.Context, l Lease) error
	// Held lists the leases of a run, or all where run is empty.
	Held(ctx context.Context, run string) ([]Lease, error)
}

// RunLease is the name of a run's own lease.
func RunLease(run string) string { return "run/" + run }

// LeverRun is where the events of an environment's safety lever stand: they are kept as those of a run, but Runs never
// lists it.
func LeverRun(environment string) string { return leverPrefix + environment }

const leverPrefix = "lever/"

func isLever(run string) bool { return strings.HasPrefix(run, leverPrefix) }

// HeldError says who holds what was asked for.
type HeldError struct{ Lease Lease }

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is held by run %s (%s) until %s", e.Lease.Name, e.Lease.Run, e.Lease.Holder, e.Lease.Expires.UTC().Format(time.RFC3339))
}

// Holder is a process: dead can be proven only on its own host and boot.
type Holder struct {
	Host  string `json:"host"`
	Boot  string `json:"boot"` // the kernel's boot id
	PID   int    `json:"pid"`
	Start string `json:"start"` // start time of the process, as the kernel tells it: pids are used again

	// Two containers may share a host name, and two machines too: these tell them apart where the system can.
	Machine string `json:"machine,omitempty"` // id of the installed system
	Space   string `json:"space,omitempty"`   // the pid namespace
}

func (h Holder) String() string { return fmt.Sprintf("pid %d on %s", h.PID, h.Host) }
