package timeline

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// Fate is what became of a page, in the words in which the plan warned of it.
type Fate string

// The fates.
const (
	Heard               Fate = "heard"                 // a person was notified, by an incident of its own
	NoIncident          Fate = "no_incident"           // none by the deadline
	MergedIntoOther     Fate = "merged_into_other"     // grouped or merged: nobody is notified anew
	LowUrgency          Fate = "low_urgency"           // notifies slowly, and never escalates
	AssignedNotNotified Fate = "assigned_not_notified" // somebody has it, and was told of nothing
	Delayed             Fate = "delayed"               // by suspend, auto-pause or a rule that waits
	MachineAcknowledged Fate = "machine_acknowledged"  // which stops the escalation
	ResolvedByMonitor   Fate = "resolved_by_monitor"   // before a person did anything
	ResolvedBeforeAck   Fate = "resolved_before_acknowledge"
	NobodyOnCall        Fate = "nobody_on_call"
	ServiceOff          Fate = "service_off"
	InMaintenance       Fate = "in_maintenance"
	AutomationFires     Fate = "automation_fires" // orchestration or a workflow acted on the drill
	RuleDisabled        Fate = "rule_disabled"
	Suppressed          Fate = "suppressed"
	Unread              Fate = "unread"
)

// Fates lists them all. Those from NobodyOnCall on, but AutomationFires, are seen only before anybody is paged: what
// comes of them is one of the others.
func Fates() []Fate {
	return []Fate{Heard, NoIncident, MergedIntoOther, LowUrgency, AssignedNotNotified, Delayed, MachineAcknowledged, ResolvedByMonitor,
		ResolvedBeforeAck, NobodyOnCall, ServiceOff, InMaintenance, AutomationFires, RuleDisabled, Suppressed, Unread}
}

const (
	// deadline is when an incident must stand there after our page was taken in, and somebody be told of it after that.
	deadline = 2 * time.Minute
	// slow is how long a page may take on its way before it counts as delayed.
	slow = time.Minute
)

// Hearing is whether one page of the drill was heard, and if not, why. One page may have several fates.
type Hearing struct {
	Incident string    `json:"incident,omitempty"` // id; empty where there is none
	Verdict  Fate      `json:"verdict"`
	Why      string    `json:"why"`
	At       time.Time `json:"at"`               // when it was known, on our clock
	Warned   string    `json:"warned,omitempty"` // what the plan had said of it
}

// ears listens to the incidents of one run.
type ears struct {
	*Fold
	t     Timeline
	until time.Time // when the run stopped looking, or now
	found []Hearing
}

// Hearing tells of every incident of the drill whether the page was heard, and of our own page also where no incident
// came of it.
func (t Timeline) Hearing() []Hearing {
	x := &ears{Fold: foldOf(t.Events), t: t}
	x.until = firstOf(x.ending.stopped, x.sight(t.Now))
	ours := false
	for _, in := range x.incidents.order {
		if in.role != journal.RoleOurs && in.opened != nil && t.Run != "" && in.opened.Fact.Key == "firedrill/"+t.Run {
			ours = true
			x.say(in, MergedIntoOther, in.opened.At, "it was grouped into another incident: %s", in.opened.Fact.Title)
		}
		if in.own() {
			ours = ours || in.role == journal.RoleOurs
			x.listen(in)
		}
	}
	switch due := x.sent.Add(deadline); {
	case x.sent.IsZero() || ours:
	case !x.until.Before(due):
		x.say(nil, NoIncident, due, "no incident of its own came of our page in %s", brevity(deadline))
	case !x.ending.stopped.IsZero():
		x.say(nil, NoIncident, x.until, "no incident of its own had come of our page in %s, when the run stopped looking", brevity(x.until.Sub(x.sent)))
	}
	return x.found
}

// foldOf folds events once more.
func foldOf(events []journal.Event) *Fold {
	f := New()
	for _, e := range events {
		f.Add(e)
	}
	return f
}

// sight is now on the clock that the run began on.
func (f *Fold) sight(now time.Time) time.Time {
	for _, j := range f.jumps {
		now = now.Add(-j.by)
	}
	return now
}

func firstOf(a, b time.Time) time.Time {
	if a.IsZero() {
		return b
	}
	return a
}

func (x *ears) say(in *incident, v Fate, at time.Time, format string, args ...any) {
	h := Hearing{Verdict: v, At: at, Why: fmt.Sprintf(format, args...), Warned: x.warned(v)}
	if in != nil {
		h.Incident = in.id
	}
	x.found = append(x.found, h)
}

// warned is what the plan said of a fate, or of what leads to it.
func (x *ears) warned(v Fate) string {
	causes := map[Fate][]Fate{
		NoIncident:          {NoIncident, ServiceOff, InMaintenance, Suppressed, RuleDisabled, NobodyOnCall, Delayed, Unread},
		AssignedNotNotified: {AssignedNotNotified, NobodyOnCall, RuleDisabled, LowUrgency},
		ResolvedByMonitor:   {ResolvedByMonitor, AutomationFires},
		ResolvedBeforeAck:   {ResolvedBeforeAck, AutomationFires},
		MachineAcknowledged: {MachineAcknowledged, AutomationFires},
	}[v]
	if causes == nil {
		causes = []Fate{v}
	}
	for _, c := range causes {
		for _, r := range x.brief.Risks {
			if r.Verdict == string(c) && v != Heard {
				return r.Why
			}
		}
	}
	return ""
}

// listen tells what became of one incident of the drill.
func (x *ears) listen(in *incident) {
	opened := exactly(x.until)
	if in.opened != nil {
		opened = x.place(in.opened)
		x.arrived(in, opened)
	}
	if in.merged != nil {
		x.say(in, MergedIntoOther, x.place(in.merged).at, "it was merged into %s: nobody is notified anew", cmp.Or(in.into, "another incident"))
	}
	for _, e := range in.log {
		if e.Kind == journal.IncidentLogged && (strings.Contains(e.Fact.Type, "workflow") || strings.Contains(e.Fact.Type, "automation")) {
			x.say(in, AutomationFires, x.place(e).at, "automation acted on it: %s", strings.ReplaceAll(e.Fact.Type, "_", " "))
			break
		}
	}
	told := x.earliest(in, in.notified, func(journal.Event) bool { return true }, nil)
	ack := x.earliest(in, in.acks, human, nil)
	x.notified(in, opened, told, ack)
	x.machines(in, ack)
	switch {
	case told != nil:
		x.say(in, Heard, told.at, "%s was notified", cmp.Or(told.by, "somebody"))
	case ack != nil:
		x.say(in, Heard, ack.at, "%s acknowledged before anybody was notified", cmp.Or(ack.by, "somebody"))
	}
}

// arrived judges how an incident came into being: late, within another, or too quietly.
func (x *ears) arrived(in *incident, opened span) {
	ours, e := in.role == journal.RoleOurs, in.opened
	cause := x.sent
	if !ours {
		cause = time.Time{}
		if x.effective != nil {
			cause = x.effective.lo
		}
	}
	switch {
	case !cause.IsZero() && opened.hi.Before(cause):
		x.say(in, MergedIntoOther, cause, "it joined an incident that had stood there since %s", clockOf(opened.at))
	case ours && e.Fact.Alerts > 1:
		x.say(in, MergedIntoOther, opened.at, "its incident holds %d alerts: whoever is notified may be told of another", e.Fact.Alerts)
	}
	if ours && !x.sent.IsZero() && opened.lo.Sub(x.sent) > slow {
		x.say(in, Delayed, opened.at, "the incident came %s after our page", brevity(opened.at.Sub(x.sent)))
	}
	if e.Fact.Urgency == "low" {
		x.say(in, LowUrgency, opened.at, "its urgency is low: it notifies slowly, and never escalates")
	}
}

// notified judges whether and when somebody was told of it.
func (x *ears) notified(in *incident, opened span, told, ack *found) {
	switch due := opened.at.Add(deadline); {
	case told != nil && told.lo.Sub(opened.hi) > slow:
		x.say(in, Delayed, told.at, "somebody was notified only %s after it had been opened", brevity(told.at.Sub(opened.at)))
	case told != nil || ack != nil && !ack.at.After(due):
	case !x.until.Before(due):
		x.say(in, AssignedNotNotified, due, "nobody was notified in %s%s", brevity(deadline), holder(in))
	case !x.ending.stopped.IsZero() && in.opened != nil:
		x.say(in, AssignedNotNotified, x.until, "nobody had been notified in %s, when the run stopped looking%s", brevity(x.until.Sub(opened.at)), holder(in))
	}
}

// holder names who an incident was assigned to.
func holder(in *incident) string {
	for _, e := range in.log {
		if e.Kind == journal.IncidentLogged && strings.HasPrefix(e.Fact.Type, "assign") && strings.HasPrefix(e.Fact.Text, "Assigned") {
			return ": " + e.Fact.Text
		}
	}
	return ""
}

// machines judges what no person did: before a person acknowledged, and before we put anything back, after which a
// monitor does well to resolve.
func (x *ears) machines(in *incident, ack *found) {
	early := func(e *journal.Event) (span, bool) {
		s := x.place(e)
		return s, (ack == nil || s.hi.Before(ack.lo)) && (x.revert.IsZero() || s.at.Before(x.revert))
	}
	for _, e := range in.acks {
		if s, ok := early(e); ok && machine(*e) {
			x.say(in, MachineAcknowledged, s.at, "%s acknowledged: that stops the escalation while nobody may have looked", tool(e))
			break
		}
	}
	for _, e := range in.resolves {
		s, ok := early(e)
		switch {
		case !ok || in.merged != nil && !s.lo.After(x.place(in.merged).hi):
			continue
		case machine(*e):
			x.say(in, ResolvedByMonitor, s.at, "%s resolved it before anybody acknowledged", tool(e))
		default:
			x.say(in, ResolvedBeforeAck, s.at, "%s resolved it, and nobody had acknowledged", cmp.Or(who(*e), "somebody"))
		}
		return
	}
}

// tool names the machine that did something.
func tool(e *journal.Event) string {
	switch name := who(*e); {
	case name != "":
		return name + ", acting for itself,"
	case e.Fact.Channel != "":
		return "a machine (" + e.Fact.Channel + ")"
	}
	return "a machine"
}

// brevity is a duration in a sentence: 1m30s.
func brevity(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	s := d.Round(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	return s
}
