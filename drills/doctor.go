package drills

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Health is what a doctor says of one thing.
type Health string

// The healths. Only Wrong keeps drills from running until somebody mends it; Unseen is neither good nor bad.
const (
	Healthy Health = "ok"
	Ailing  Health = "warn"
	Wrong   Health = "wrong"
	Unseen  Health = "not looked at"
)

// Finding is what one check found of one thing.
type Finding struct {
	Group  string // one of DoctorChecks
	Check  string
	Health Health
	On     string   // what was looked at, where a check looks at several: an ARN, an alarm, an address
	Found  string   // what was found; of what is Unseen, why
	Try    string   // the command or the line of a file that mends it; never empty for Ailing and Wrong
	Drills []string // whose drills it is about; empty: all

	refuses bool // a run would be refused for it, now at least
}

// DoctorCheck is one thing that a doctor looks at.
type DoctorCheck struct{ Group, Name string }

// Examination is what a doctor is asked to look at, and with what beside the world.
type Examination struct {
	Run    string  // id that the plans are made under; no run of that name is ever started
	Drills []*Spec // every drill that the environment can run, resolved
	// Known are findings made before: drill files that cannot be read, an endpoint that has strayed, a token that is not set.
	Known []Finding
	// Pager is why PagerDuty cannot be spoken to; nil where World.Pager is there, or none is named.
	Pager error
	// Shut says why AWS cannot be asked at all; empty: it can.
	Shut string
	Eyes Eyes
	// Tell is told of each finding in the order of DoctorChecks, one at a time, as soon as those before it are known.
	Tell func(Finding)
	// Progress is told how many checks are done; nil tells nobody.
	Progress func(done, all int)
}

// Eyes are what only a doctor looks with. Each may be nil: then its check is Unseen.
type Eyes struct {
	// Sender says whether PagerDuty knows the user of pagerduty.from; an *observe.Problem says why not.
	Sender func(ctx context.Context) (name string, err error)
	// Date asks PagerDuty for the time.
	Date func(ctx context.Context) (time.Time, error)
	// Table looks at the shared store's table.
	Table func(ctx context.Context) (journal.TableLook, error)
	// Queue looks whether a queue is there, by its ARN; an error that wraps inject.ErrGone says no.
	Queue func(ctx context.Context, arn string) error
	// Topic tells where an SNS topic delivers to.
	Topic func(ctx context.Context, arn string) ([]inject.Subscription, error)
	// Bot says who speaks in Slack.
	Bot func(ctx context.Context) (name string, err error)
	// Link asks a page whether it is there.
	Link func(ctx context.Context, address string) observe.LinkLook
	// Store is the environment's journal, to read; nil where it cannot be.
	Store  journal.Store
	Holder journal.Holder
}

// Doctor looks at everything that keeps drills from running in an environment, or from being heard, and says what mends
// it. It only reads, and goes on after what is wrong: what cannot be looked at for that reason is Unseen. The error is
// ctx's.
func (st *Steps) Doctor(ctx context.Context, x Examination) ([]Finding, error) {
	e := &exam{st: st.beside(), x: x}
	if p := st.World.Pager; p != nil {
		e.st.World.Pager = newOncePager(p)
	}
	checks := doctorChecks()
	if e.x.Progress != nil {
		e.x.Progress(0, len(checks))
	}
	e.place(ctx)
	last := len(checks) - 1
	all, err := e.round(ctx, checks[:last], len(checks))
	if err != nil {
		return all, err
	}
	e.told, e.first = all, last
	more, err := e.round(ctx, checks[last:], len(checks))
	return append(all, more...), err
}

// round makes checks side by side, and tells what they found in their order.
func (e *exam) round(ctx context.Context, checks []doctorCheck, whole int) (all []Finding, err error) {
	type answer struct {
		i    int
		said []Finding
	}
	answers, free := make(chan answer), make(chan struct{}, doctorAtOnce)
	for i, c := range checks {
		go func() { // ends with its look, which is bounded; every answer is taken below
			free <- struct{}{}
			defer func() { <-free }()
			answers <- answer{i, e.make(ctx, c)}
		}()
	}
	done, ready, next := make([][]Finding, len(checks)), make([]bool, len(checks)), 0
	for n := range checks {
		a := <-answers
		done[a.i], ready[a.i] = a.said, true
		for ; next < len(checks) && ready[next]; next++ {
			for _, f := range done[next] {
				all = append(all, f)
				if e.x.Tell != nil {
					e.x.Tell(f)
				}
			}
		}
		if e.x.Progress != nil {
			e.x.Progress(e.first+n+1, whole)
		}
	}
	if ctx.Err() != nil {
		return all, context.Cause(ctx)
	}
	return all, nil
}

// DoctorChecks lists what a doctor looks at, in the order in which it is told.
func DoctorChecks() (list []DoctorCheck) {
	for _, c := range doctorChecks() {
		list = append(list, c.DoctorCheck)
	}
	return list
}

const (
	doctorAtOnce = 6                // checks that are made side by side
	doctorTime   = 90 * time.Second // the most that one may take: a pager's is 14 questions, one after another
	doctorInner  = 4                // things of one check that are looked at side by side
)

// doctorCheck is one check and how it is made.
type doctorCheck struct {
	DoctorCheck
	inAWS bool // it asks the account: not where the credentials stand elsewhere
	look  func(e *exam, ctx context.Context, st *Steps) []Finding
}

func doctorChecks() []doctorCheck {
	check := func(group, name string, look func(*exam, context.Context, *Steps) []Finding) doctorCheck {
		return doctorCheck{DoctorCheck{group, name}, false, look}
	}
	inAWS := func(group, name string, look func(*exam, context.Context, *Steps) []Finding) doctorCheck {
		return doctorCheck{DoctorCheck{group, name}, true, look}
	}
	return []doctorCheck{
		check(groupPlace, "endpoint", (*exam).known), check(groupPlace, "credentials", (*exam).credentials),
		check(groupPlace, "account", (*exam).account), inAWS(groupPlace, "clock", (*exam).clock),
		check(groupPlace, "window", (*exam).window), check(groupPlace, "lever", (*exam).lever),
		check(groupDrills, "drill", (*exam).drills), inAWS(groupDrills, "target", (*exam).targets),
		inAWS(groupDrills, "tags", (*exam).tags), inAWS(groupDrills, "reach", (*exam).reach),
		inAWS(groupAlarms, "alarm", (*exam).alarms), inAWS(groupAlarms, "actions", (*exam).actions),
		inAWS(groupAlarms, "sight", (*exam).sight), check(groupAlarms, "stop_condition", (*exam).stops),
		check(groupAlarms, "steady_state", (*exam).steady),
		check(groupPager, "token", (*exam).token), check(groupPager, "from", (*exam).sender),
		check(groupPager, "key", (*exam).keys), check(groupPager, "service", (*exam).services),
		check(groupPager, "incidents", (*exam).incidents), check(groupPager, "webhook_secret", (*exam).webhooks),
		check(groupBack, "store", (*exam).store), inAWS(groupBack, "deadman", (*exam).deadman),
		inAWS(groupBack, "leftovers", (*exam).leftovers),
		check(groupWords, "slack", (*exam).slack), check(groupWords, "metrics", (*exam).metrics),
		check(groupWords, "link", (*exam).links),
		inAWS(groupPlan, "plan", (*exam).plans),
	}
}

// The groups, as headings.
const (
	groupPlace  = "where and when"
	groupDrills = "drills and their targets"
	groupAlarms = "alarms and probes"
	groupPager  = "PagerDuty"
	groupBack   = "putting back"
	groupWords  = "words"
	groupPlan   = "all together"
)

// exam is one examination.
type exam struct {
	st     *Steps
	x      Examination
	why    string // why AWS is not asked; empty: it is
	no     *Refusal
	caller error
	found  found
	seen   seenOnce
	told   []Finding // by every check but the last
	first  int       // checks that are done before this round
}

// make makes one check. A panic in a fault, probe or pager is that check's finding.
func (e *exam) make(ctx context.Context, c doctorCheck) (said []Finding) {
	defer func() {
		if r := recover(); r != nil {
			said = append(said, Finding{Health: Wrong, Found: fmt.Sprintf("the check broke: %v", r), Try: "firedrill version, and tell us"})
		}
		said = append(e.before(c.Name), said...)
		for i := range said {
			said[i].Group, said[i].Check = c.Group, c.Name
			if f := &said[i]; f.Try == "" && (f.Health == Ailing || f.Health == Wrong) {
				f.Try = "look at " + cmp.Or(f.On, c.Name) + "   # docs/doctor.md, " + c.Name
			}
		}
	}()
	switch {
	case ctx.Err() != nil:
		return unseen("", "it was called off")
	case c.inAWS && e.why != "":
		return unseen("", "%s", e.why)
	}
	ctx, cancel := context.WithTimeout(ctx, doctorTime)
	defer cancel()
	return c.look(e, ctx, e.st.beside())
}

// before are the findings of a check that were made before.
func (e *exam) before(check string) (list []Finding) {
	for _, f := range e.x.Known {
		if f.Check == check {
			list = append(list, f)
		}
	}
	return list
}

// beside is the same world for somebody who looks at the same time.
func (st *Steps) beside() *Steps {
	return &Steps{World: st.World, Env: st.Env, Lever: st.Lever, Outcome: st.Outcome, caller: st.caller, callerRead: st.callerRead}
}
