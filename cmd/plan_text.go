package cmd

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// printPlan answers on stdout; colour is for terminals.
func (d *Deps) printPlan(v *drills.Preview, no *drills.Refusal) error {
	p := &page{w: d.Out}
	if d.Terminal() {
		p.width = d.Width()
		if d.Color() {
			p.style = colours()
		}
	}
	if v.Plan == nil {
		return nil
	}
	p.plan(v)
	switch {
	case no != nil && no.Later:
		p.line("\n%s", p.style.of(journal.GuardRefused, "This drill may not run now."))
	case no != nil:
		p.line("\n%s", p.style.of(journal.GuardRefused, "This drill may not run."))
	case v.Plan.Sandbox != nil:
		p.line("\nNothing was changed. Try: firedrill run %s --env %s", v.Plan.Drill, v.Plan.Environment)
	default:
		p.line("\nNothing was changed, nobody was told. Try: firedrill run %s --env %s", v.Plan.Drill, v.Plan.Environment)
	}
	return p.err
}

// printPreview shows the plan to who must confirm it.
func (d *Deps) printPreview(v *drills.Preview) {
	p := &page{w: d.Err, width: d.Width()}
	if d.Color() {
		p.style = colours()
	}
	p.plan(v)
}

func (p *page) plan(v *drills.Preview) {
	title := v.Plan.Drill
	if v.Brief.Title != "" {
		title += ": " + v.Brief.Title
	}
	p.line("%s", p.style.of(journal.RunFinished, title))
	p.line("in %s: account %s, region %s", v.Plan.Environment, v.Plan.Account, v.Plan.Region)
	for i := range v.Faults {
		p.fault(&v.Faults[i], v.Plan.Faults[i].After)
	}
	p.paged(v)
	p.alarms(v)
	p.times(v)
	p.guards(v)
	p.permissions(v)
	if mind := minded(v); len(mind) > 0 {
		p.head("Mind")
		for _, w := range mind {
			p.text("  "+p.style.of(journal.AlarmFired, "!")+" ", harmless(w))
		}
	}
}

func (p *page) fault(f *drills.PreviewFault, after time.Duration) {
	when := ""
	if after > 0 {
		when = ", " + period(after) + " after the first"
	}
	p.head(fmt.Sprintf("Fault %s (%s%s)", f.ID, f.Kind, when))
	p.line("  on %s", strings.Join(append([]string{f.Undo.Target.ARN}, f.Undo.Target.Also...), "\n     "))
	p.changes(f)
	for _, q := range f.Costs.Quotas {
		p.item("quota", q)
	}
	if f.Costs.Money != "" {
		p.item("cost", f.Costs.Money)
	}
	if f.Witness != "" {
		p.item("verified", f.Witness)
	}
	if f.Costs.Undo > 0 {
		p.item("undo", "within "+period(f.Costs.Undo)+" as a rule")
	}
	for _, n := range f.Costs.Notes {
		p.item("note", n)
	}
	p.deadman(f.Switch)
}

// deadman tells what puts the fault back when firedrill and everybody else is gone.
func (p *page) deadman(s drills.PreviewSwitch) {
	switch {
	case s.Why != "":
		p.item("deadman", "none: "+s.Why)
		return
	case !s.Expires.IsZero():
		p.item("deadman", "not needed: it ends by itself at "+s.Expires.UTC().Format("15:04:05 MST")+" at the latest, counted from now")
	case len(s.Schedules) == 0:
		p.item("deadman", "EventBridge Scheduler deletes what the fault is made of; its name is known once it stands, inert")
	}
	for _, x := range s.Schedules {
		p.item("deadman", fmt.Sprintf("at %s: %s:%s %s", x.At.Format("15:04 MST"), x.Call.Service, x.Call.Action, x.Call.Input))
	}
	for _, o := range s.Overwrites {
		p.item("", "it cannot look: it overwrites "+o)
	}
	for _, l := range s.Leaves {
		p.item("", "it leaves "+l)
	}
}

// changes are a table where there is room for one, else a few lines each.
func (p *page) changes(f *drills.PreviewFault) {
	rows := [][]string{{"", "before", "during", "after"}}
	for _, c := range f.Changes {
		rows = append(rows, []string{c.What, c.Before, c.During, c.After})
	}
	if slices.ContainsFunc(rows, func(r []string) bool { return visible(strings.Join(r, "")) > p.columns()-10 }) {
		for _, c := range f.Changes {
			p.line("  %s", c.What)
			p.item("before", c.Before)
			p.item("during", p.style.of(journal.FaultApplied, c.During))
			p.item("after", c.After)
		}
		return
	}
	p.table(rows, func(row, column int, text string) string {
		switch {
		case row == 0:
			return p.style.dim(text)
		case column == 2:
			return p.style.of(journal.FaultApplied, text)
		}
		return text
	})
}

func (p *page) paged(v *drills.Preview) {
	p.head("Page")
	switch at := v.Plan.Page; at.When {
	case drills.PageAlarm:
		p.item("when", "their own alarm fires; after "+period(at.Fallback)+" without one we page, and the run is undetected")
	case drills.PageDirect:
		p.item("when", "as soon as the fault is felt, by us")
	case drills.PageReport:
		p.item("when", "as soon as the fault is felt, as on the card; no alarm is expected")
	}
	p.item("title", v.Plan.Page.Title)
	p.words(v.Plan)
	c := v.Check
	if c == nil {
		p.item("service", v.Plan.Page.Service)
		return
	}
	p.item("service", fmt.Sprintf("%s (%s), urgency %s", c.Name, v.Plan.Page.Service, c.Urgency))
	for _, o := range c.OnCall {
		p.item("on call", fmt.Sprintf("level %d: %s (%s)", o.Level, o.Name, o.User))
	}
	for _, r := range c.Risks {
		paint := journal.AlarmFired
		if r.Refuses {
			paint = journal.GuardRefused
		}
		p.text("  "+p.style.of(paint, fmt.Sprintf("%-8s", "risk"))+" ", harmless(drills.RiskText(r)))
	}
	if len(c.Risks) == 0 && len(c.Problems) == 0 {
		p.item("heard", "nothing was found that would keep the page from people")
	}
}

// minded are the warnings that stand nowhere else in the plan.
func minded(v *drills.Preview) []string {
	told := map[string]bool{}
	if v.Check != nil {
		for _, r := range v.Check.Risks {
			told[drills.RiskText(r)] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(v.Warn), func(w string) bool { return told[w] })
}

func (p *page) alarms(v *drills.Preview) {
	if len(v.Alarms) == 0 {
		return
	}
	p.head(cmp.Or(v.Reaching, "Alarms"))
	var rows [][]string
	for _, a := range v.Alarms {
		rows = append(rows, []string{a.Name, a.Verdict, a.Why})
	}
	p.table(rows, func(row, column int, text string) string {
		if column != 1 {
			return text
		}
		switch a := v.Alarms[row]; {
		case a.Verdict == drills.VerdictWatch:
			return p.style.of(journal.AlarmCleared, text)
		case a.Verdict == drills.VerdictAbort && a.Moved != "":
			return p.style.of(journal.GuardRefused, text)
		}
		return p.style.dim(text)
	})
	if v.Reach != "" {
		p.text("  ", p.style.dim("("+v.Reach+")"))
	}
}

func (p *page) times(v *drills.Preview) {
	p.head("Times")
	rows := [][]string{{"", "given", "floor"}}
	for _, f := range v.Floors {
		given, least := "none", period(f.Least)
		if f.Given > 0 {
			given = period(f.Given)
		}
		if !f.Sure {
			least = strings.TrimPrefix("over "+least, "over 0s")
			least = cmp.Or(least, "unknown")
		}
		rows = append(rows, []string{f.Name, given, least, f.Why})
	}
	if len(v.Floors) > 0 {
		p.table(rows, func(row, column int, text string) string {
			if row == 0 || column == 3 {
				return p.style.dim(text)
			}
			return text
		})
	}
	p.item("limit", period(v.Plan.Limit)+" from the first change, then everything is put back")
	if len(v.Faults) > 0 { // an early refusal has not looked at them
		p.item("undo", fmt.Sprintf("within %s as a rule; tried for %s, then the owner is paged for real", period(v.Undo()), period(v.Plan.Patience)))
	}
	p.item("settle", "at most "+period(v.Plan.Settle)+" for watched alarms to be OK again")
}

func (p *page) guards(v *drills.Preview) {
	p.head("Checked")
	var facts []string
	for _, k := range slices.Sorted(maps.Keys(v.Facts)) {
		if v.Facts[k] != "" && k != "incidents_before" {
			facts = append(facts, strings.ReplaceAll(k, "_", " ")+" "+v.Facts[k])
		}
	}
	p.text("  ", strings.Join(facts, " · "))
}

// permissions are grouped: actions of one moment on one thing under one condition. What a plan needs a run needs too, and is
// told once.
func (p *page) permissions(v *drills.Preview) {
	p.head("Permissions")
	type group struct{ when, service, rest string }
	actions, order, told := map[group][]string{}, []group{}, map[string]bool{}
	for _, x := range v.Permissions() {
		line := x.Action + " " + x.Resource + " " + fmt.Sprint(x.Condition)
		if x.When != "plan" && x.When != "run" || told[line] {
			continue // firedrill policy has the other roles
		}
		told[line] = true
		service, action, _ := strings.Cut(x.Action, ":")
		g := group{x.When, service, "on " + x.Resource}
		for _, k := range slices.Sorted(maps.Keys(x.Condition)) {
			g.rest += " if " + k + " is " + strings.ReplaceAll(x.Condition[k], "|", " or ")
		}
		if _, known := actions[g]; !known {
			order = append(order, g)
		}
		if !slices.Contains(actions[g], action) {
			actions[g] = append(actions[g], action)
		}
	}
	slices.SortStableFunc(order, func(a, b group) int { return strings.Compare(a.when, b.when) })
	for _, g := range order {
		p.item(g.when, g.service+": "+strings.Join(actions[g], ", ")+" "+g.rest)
	}
	p.rights(v.Rights)
}

// rights is what IAM says of the credentials, where it was asked.
func (p *page) rights(c *drills.PermissionCheck) {
	switch {
	case c == nil:
	case c.Unchecked != "":
		p.item("unknown", c.Unchecked)
	case len(c.Missing) == 0:
		p.item("allowed", fmt.Sprintf("%s may do all of it, by what IAM says (%d lines)", c.Principal, c.Checked))
	}
	if c != nil {
		for _, x := range c.Missing {
			p.item("missing", x.Action+" on "+x.Resource+", to "+x.When)
		}
	}
}
