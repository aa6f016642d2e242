package drills_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// leavings is an account with something of ours in it.
type leavings struct {
	left   []inject.Leftover
	calls  []inject.Leftover // schedules
	unread []inject.Unread
	fail   int // how many tries to put back fail
	settle int // how many looks say that it has not settled
	arn    string
	tags   map[string]string
	who    error // of Identity
	put    []string
	err    error
}

func (l *leavings) Find(context.Context) (inject.Survey, error) {
	return inject.Survey{Leftovers: l.left, Unread: l.unread}, l.err
}

func (l *leavings) Schedules(context.Context) (inject.Survey, error) {
	return inject.Survey{Leftovers: l.calls, Unread: l.unread}, l.err
}

func (l *leavings) PutBack(_ context.Context, one inject.Leftover) (inject.Outcome, []inject.Item, error) {
	l.put = append(l.put, one.Thing)
	if l.fail--; l.fail >= 0 {
		return "", nil, errors.New("it fails")
	}
	return inject.Restored, nil, nil
}

func (l *leavings) Settled(context.Context, inject.Leftover) (bool, string, error) {
	l.settle--
	return l.settle < 0, "it has not settled", nil
}

func (l *leavings) Identity(_ context.Context, one inject.Leftover) (string, map[string]string, error) {
	if l.arn != "" {
		return l.arn, l.tags, l.who
	}
	return one.ARN, l.tags, l.who
}

const sweptRun = "01k9zzzzzzzzzzzzzzzzzzzzzz"

// sweeping is a sweep of an environment with one throttled table.
type sweeping struct {
	*drills.Sweep
	world *leavings
	store *journal.Memory
	clock *fakeClock
}

func newSweeping() *sweeping {
	x := &sweeping{clock: &fakeClock{t: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}, store: journal.NewMemory()}
	x.world = &leavings{tags: map[string]string{"firedrill": "allowed"}}
	x.leave(-time.Minute)
	env := &drills.Environment{Name: "staging", AWS: drills.AWSSpec{Account: account, Regions: []string{"eu-west-1"}}, Tags: map[string]string{"firedrill": "allowed"},
		Deadman: drills.DeadmanSpec{Role: "arn:aws:iam::" + account + ":role/firedrill-deadman"}}
	world := drills.World{Leftovers: x.world, Clock: x.clock,
		Caller: func(context.Context) (drills.Caller, error) {
			return drills.Caller{Account: account, Region: "eu-west-1"}, nil
		}}
	x.Sweep = &drills.Sweep{Steps: &drills.Steps{World: world, Env: env}, Store: x.store, Holder: journal.Holder{Host: "here", PID: 1}}
	return x
}

// leave leaves a table of a run whose limit is that far away.
func (x *sweeping) leave(until time.Duration) {
	mark := inject.Mark{Run: sweptRun, Fault: "throttle", Until: x.clock.Now().Add(until)}
	x.world.left = []inject.Leftover{{Thing: "table orders", ARN: tableARN, Mark: mark, Finds: "writes: 1",
		Undo: &inject.Undo{Kind: "move", Mark: mark, Target: inject.Target{ARN: tableARN, Account: account}}}}
}

// knows makes the journal know the run: with its fault in place, or ended; holder has its lease.
func (x *sweeping) knows(t *testing.T, ended bool, holder string) {
	t.Helper()
	p := &drills.Plan{V: 1, Run: sweptRun, Drill: "d", Environment: "staging", Faults: []drills.PlannedFault{{ID: "throttle", Kind: "move"}}}
	first, err := p.Planned(x.clock.Now(), journal.Brief{Drill: "d", Environment: "staging"})
	if err != nil {
		t.Fatal(err)
	}
	undo, _ := json.Marshal(x.world.left[0].Undo)
	events := []journal.Event{first, {Kind: journal.FaultPrepared, Fact: journal.Fact{Fault: "throttle", Undo: undo}}}
	if ended {
		events = append(events, journal.Event{Kind: journal.FaultReverted, Fact: journal.Fact{Fault: "throttle"}},
			journal.Event{Kind: journal.FaultSettled, Fact: journal.Fact{Fault: "throttle"}},
			journal.Event{Kind: journal.RunFinished, Fact: journal.Fact{Outcome: "aborted"}})
	}
	for i := range events {
		events[i].At = x.clock.Now()
	}
	if _, _, err := journal.Record(t.Context(), x.store, journal.Position{Run: sweptRun, After: journal.Start, Gen: 1}, journal.Batch{Action: "all", Events: events}); err != nil {
		t.Fatal(err)
	}
	if holder != "" {
		if _, err := x.store.Take(t.Context(), journal.RunLease(sweptRun), sweptRun, journal.Holder{Host: holder, PID: 7}, 15*time.Second, x.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
}

// ends ends the known run.
func (x *sweeping) ends(t *testing.T, outcome string) {
	t.Helper()
	e := journal.Event{Kind: journal.RunFinished, At: x.clock.Now(), Fact: journal.Fact{Outcome: outcome}}
	if _, _, err := journal.Record(t.Context(), x.store, journal.Position{Run: sweptRun, After: 0, Gen: 1}, journal.Batch{Action: "finish", Events: []journal.Event{e}}); err != nil {
		t.Fatal(err)
	}
}

// TestWhoPutsALeftoverBack: the sweep takes what is nobody's any more, and nothing else.
func TestWhoPutsALeftoverBack(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(x *sweeping)
		by   drills.Keeper
		says string
	}{
		"its time is over":                     {func(*sweeping) {}, drills.KeeperMark, ""},
		"it may be on somewhere else":          {func(x *sweeping) { x.leave(time.Minute) }, drills.KeeperRun, "may be on somewhere else until 2026-03-02T10:01:00Z"},
		"and somebody says that it is not":     {func(x *sweeping) { x.leave(time.Minute); x.Force = true }, drills.KeeperMark, ""},
		"no journal can be read":               {func(x *sweeping) { x.Store = nil }, drills.KeeperMark, ""},
		"its run lives":                        {func(x *sweeping) { x.knows(t, false, "there") }, drills.KeeperRun, "its run lives (pid 7 on there)"},
		"its run lives, whatever anybody says": {func(x *sweeping) { x.knows(t, false, "there"); x.Force = true }, drills.KeeperRun, "its run lives"},
		"its run lives and is past its limit":  {func(x *sweeping) { x.leave(-time.Hour); x.knows(t, false, "there") }, drills.KeeperRun, "its run lives"},
		"its lease has ended":                  {func(x *sweeping) { x.knows(t, false, "there"); x.clock.t = x.clock.t.Add(time.Minute) }, drills.KeeperJournal, "tells more"},
		"its run died":                         {func(x *sweeping) { x.knows(t, false, "") }, drills.KeeperJournal, "tells more"},
		"its run ended, and a call came late":  {func(x *sweeping) { x.leave(time.Hour); x.knows(t, true, "") }, drills.KeeperMark, ""},
		"another thing stands there":           {func(x *sweeping) { x.world.arn = "arn:aws:dynamodb:eu-west-1:999999999999:table/orders" }, drills.KeeperPerson, "in its place"},
		"it lost the environment's tags":       {func(x *sweeping) { x.world.tags = nil }, drills.KeeperPerson, "no tag firedrill"},
		"it names production":                  {func(x *sweeping) { x.world.tags["stage"] = "prod" }, drills.KeeperPerson, "names production"},
		"its tags cannot be read":              {func(x *sweeping) { x.world.who = errors.New("denied") }, drills.KeeperPerson, "denied"},
		"it is gone":                           {func(x *sweeping) { x.world.who = inject.ErrGone }, drills.KeeperMark, ""},
		"its mark does not suffice":            {func(x *sweeping) { x.world.left[0].Undo, x.world.left[0].Why = nil, "no old values" }, drills.KeeperPerson, "no old values"},
	} {
		t.Run(name, func(t *testing.T) {
			x := newSweeping()
			c.set(x)
			list, _, err := x.Look(t.Context())
			if err != nil || len(list) != 1 {
				t.Fatalf("%+v, %v", list, err)
			}
			if list[0].By != c.by || !strings.Contains(list[0].Why, c.says) {
				t.Errorf("%s: %q, want %s: %q", list[0].By, list[0].Why, c.by, c.says)
			}
			after := x.PutBack(t.Context(), list)
			if did := after[0].How != ""; did != (c.by == drills.KeeperMark) || did != (len(x.world.put) > 0) {
				t.Errorf("put back %v: %+v", x.world.put, after[0])
			}
		})
	}
}

// A schedule tells only when it fires: its run's limit is told by what else it left.
func TestSchedulesGoWithTheirRun(t *testing.T) {
	x := newSweeping()
	call := inject.Leftover{Thing: "schedule s", Schedule: "s", Mark: inject.Mark{Run: sweptRun, Fault: "throttle", Until: x.clock.Now().Add(time.Hour)}}
	x.world.left = append(x.world.left, call)
	list, _, err := x.Look(t.Context())
	if err != nil || list[1].By != drills.KeeperMark {
		t.Errorf("%+v %v", list, err)
	}
	x.world.left = x.world.left[1:]
	if list, _, err = x.Look(t.Context()); err != nil || list[0].By != drills.KeeperRun {
		t.Errorf("alone: %+v %v", list, err)
	}
}

// A sweep is refused in another account, and in one that is called production.
func TestSweepIsGuarded(t *testing.T) {
	for says, spoil := range map[string]func(x *sweeping){
		"not sweeping: these credentials stand in account": func(x *sweeping) { x.Steps.Env.AWS.Account = "999999999999" },
		"region eu-west-1": func(x *sweeping) { x.Steps.Env.AWS.Regions = []string{"us-east-1"} },
		"names production": func(x *sweeping) { x.Steps.Env.Name = "prod" },
	} {
		x := newSweeping()
		spoil(x)
		_, _, err := x.Look(t.Context())
		var no *drills.Refusal
		if !errors.As(err, &no) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// A sweep tries a few times, and leaves the rest to the next one; it notes what it did in the run's own record.
func TestSweepTriesAgain(t *testing.T) {
	for _, c := range []struct {
		fail, settle int
		ok           bool
	}{{0, 0, true}, {3, 0, true}, {0, 3, true}, {100, 0, false}, {0, 100, false}} {
		x := newSweeping()
		x.knows(t, true, "")
		list, _, err := x.Look(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		x.world.fail, x.world.settle = c.fail, c.settle
		told := 0
		x.Tell = func(drills.Swept) { told++ }
		after := x.PutBack(t.Context(), list)
		if (after[0].Err == nil) != c.ok || told != 1 || len(x.world.put) > 6 {
			t.Errorf("%+v: %v after %d tries, told %d times", c, after[0].Err, len(x.world.put), told)
		}
		events, err := x.store.Load(t.Context(), sweptRun, journal.Start)
		if err != nil {
			t.Fatal(err)
		}
		last := events[len(events)-1]
		if noted := last.Kind == journal.NoteWritten && strings.Contains(last.Fact.Text, "table orders"); noted != c.ok {
			t.Errorf("%+v: the last event is %s %q", c, last.Kind, last.Fact.Text)
		}
	}
}

// Every run looks first: a run that died refuses the next; what may be another machine's is told.
func TestEveryRunLooksFirst(t *testing.T) {
	schedule := func(x *sweeping) {
		x.world.calls = []inject.Leftover{{Thing: "schedule s", Schedule: "s", Finds: "it makes a call", Mark: inject.Mark{Run: sweptRun, Fault: "throttle"}}}
	}
	for name, c := range map[string]struct {
		set            func(x *sweeping)
		refuses, tells string
	}{
		"nothing is left":               {func(*sweeping) {}, "", ""},
		"a run is on":                   {func(x *sweeping) { x.knows(t, false, "there") }, "", ""},
		"a run is on with its schedule": {func(x *sweeping) { x.knows(t, false, "there"); schedule(x) }, "", ""},
		"a run has died":                {func(x *sweeping) { x.knows(t, false, "") }, "has died, and nobody has put back", ""},
		"a run has ended":               {func(x *sweeping) { x.knows(t, true, "") }, "", ""},
		"a run has ended dirty":         {func(x *sweeping) { x.knows(t, false, ""); x.ends(t, "dirty") }, "", "has ended with something left"},
		"its schedule stands":           {func(x *sweeping) { x.knows(t, true, ""); schedule(x) }, "still stands, which has ended", ""},
		"a stranger's schedule stands":  {schedule, "", "does not know"},
		"schedules cannot be read":      {func(x *sweeping) { x.world.unread = []inject.Unread{{What: "schedules", Err: errors.New("denied")}} }, "", "is unknown: denied"},
		"no switch, and no right to look": {func(x *sweeping) {
			x.Steps.Env.Deadman.Role = ""
			x.world.unread = []inject.Unread{{What: "schedules", Err: errors.New("denied")}}
		}, "", ""},
		"it was another environment": {func(x *sweeping) { x.knows(t, false, ""); x.Steps.Env.Name = "other" }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			x := newSweeping()
			c.set(x)
			warn, refusal := x.First(t.Context())
			why := ""
			if refusal != nil {
				why = refusal.Why
				if !refusal.Later || !strings.HasPrefix(refusal.Try, "firedrill recover ") {
					t.Errorf("%+v", refusal)
				}
			}
			if said := strings.Join(warn, "\n"); (why != "") != (c.refuses != "") || !strings.Contains(why, c.refuses) || (said != "") != (c.tells != "") || !strings.Contains(said, c.tells) {
				t.Errorf("refuses %q, tells %q", why, said)
			}
		})
	}
}
