package drills

import (
	"strconv"
	"time"
)

// Verb is what an action does, in the imperative.
type Verb string

// The verbs, in about the order of a run.
const (
	Guard       Verb = "guard"   // every check, and the leases on the targets
	Steady      Verb = "steady"  // the steady state, before anything is touched
	Prepare     Verb = "prepare" // read the target and make the undo
	Stage       Verb = "stage"   // make our own objects, inert
	Arm         Verb = "arm"     // make the dead-man's switch
	Apply       Verb = "apply"   // issue the change
	Page        Verb = "page"    // tell people
	Poll        Verb = "poll"    // load, and everything that looks
	Hear        Verb = "hear"    // what notes on the incident ask
	Revert      Verb = "revert"  // put back
	Settle      Verb = "settle"  // read back
	Disarm      Verb = "disarm"  // delete the dead-man's switch
	ResolvePage Verb = "resolve_page"
	PageOwner   Verb = "page_owner" // something is left in place
	Calm        Verb = "calm"       // after the undo: alarms OK, steady state good
	HandBack    Verb = "hand_back"  // tell people how it ended
	Finish      Verb = "finish"
	Wait        Verb = "wait" // nothing is due
	Done        Verb = "done"
)

// Action is the next thing to do. Its ID is derived from the state alone, so that whoever repeats it meets the
// record of the first time.
type Action struct {
	ID    string
	Verb  Verb
	Fault int           // index into Plan.Faults, where the verb is about one
	Try   int           //
	Until time.Time     // for Wait and Poll: when to come back at the latest
	For   time.Duration // for Poll: how long load and observers may run
}

// wayOut says whether the action puts back: it runs on a context that no signal ends, and without a record if need be.
func (a Action) wayOut() bool {
	switch a.Verb {
	case Revert, Settle, Disarm, ResolvePage, PageOwner, HandBack, Finish, Wait, Done:
		return true
	}
	return false
}

func (s *State) act(v Verb, fault, try int) Action {
	id := string(v)
	if fault >= 0 {
		id += "/" + s.Plan.Faults[fault].ID
	}
	return Action{ID: id + "/" + strconv.Itoa(try), Verb: v, Fault: fault, Try: try}
}
