package cmd

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox/hands"
	"github.com/firedrill/firedrill/observe/debrief"
)

// fix without more lists what could be done now; with a number of that list, or with its words, it does it.
func (g *game) fix(ctx context.Context, what string) error {
	if what == "" {
		return g.propose(ctx)
	}
	f, err := g.find(ctx, what)
	if err != nil || f == nil {
		return err
	}
	for c := &f.Call; c != nil; {
		g.say("  %s", g.style.of(journal.NoteWritten, "$ "+plain(c.Line())))
		said, next, err := c.Do(ctx)
		if err != nil {
			g.done(false, "tried: %s", c.Line())
			return err
		}
		g.done(false, "%s", c.Line())
		g.record(ctx, c.Line())
		if said == "" {
			said = "done"
		}
		g.say("  %s", plain(said))
		c = next
	}
	return nil
}

// record writes a change into the run. What cannot be written has been done all the same.
func (g *game) record(ctx context.Context, line string) {
	err := g.tell(ctx, "note", journal.Event{Kind: journal.NoteWritten, At: g.d.Now(), Fact: journal.Fact{Text: "fixed: " + line, By: g.d.operator()}})
	if err != nil && ctx.Err() == nil {
		g.say("  (not in the debrief: %v)", err)
	}
}

// longestLine is how much of a line of the AWS CLI the list shows, in characters: a policy has more.
const longestLine = 230

// propose lists what could be done, each as the line of the AWS CLI that it is.
func (g *game) propose(ctx context.Context) error {
	all, err := g.hands.Fixes(ctx)
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.menu = all
	g.mu.Unlock()
	g.say("%s", wrap("  ", "Some of this is right, some useless, some wrong. fix N does it, or its words.", g.console.width()))
	for i, f := range all {
		line := []rune(plain(f.Call.Line()))
		if len(line) > longestLine {
			line = append(line[:longestLine], '…') // it is shown whole when it is done
		}
		// the command is not broken: it may be copied
		g.say("%s\n     %s", wrap(fmt.Sprintf("%3d  ", i+1), plain(f.Words+": "+f.Says), g.console.width()), g.style.dim(string(line)))
	}
	return nil
}

// find is the fix that is meant; nil where there is none, which is told. A number counts in the list that was shown,
// words in what is so now.
func (g *game) find(ctx context.Context, what string) (*hands.Fix, error) {
	g.mu.Lock()
	menu := g.menu
	g.mu.Unlock()
	if n, err := strconv.Atoi(what); err == nil {
		if n < 1 || n > len(menu) {
			g.say("  there is no %d in the list. Try: fix", n)
			return nil, nil
		}
		return &menu[n-1], nil
	}
	all, err := g.hands.Fixes(ctx)
	if err != nil {
		return nil, err
	}
	var fits []hands.Fix
	for _, f := range all {
		if f.Words == what {
			return &f, nil
		}
		if strings.HasPrefix(f.Words, what+" ") {
			fits = append(fits, f)
		}
	}
	if len(fits) == 1 {
		return &fits[0], nil
	}
	if len(fits) == 0 {
		g.answer("nothing that could be done now begins with %q. Try: fix", what)
		return nil, nil
	}
	g.answer("%d things that could be done now begin with %q. Try: fix, which lists them", len(fits), what)
	return nil, nil
}

// resolve closes what is open. Whether it is well is the shop's business: the drill goes on until it is.
func (g *game) resolve(ctx context.Context, words string) error {
	if words == "" {
		words = "looks well again"
	}
	open := g.open()
	if len(open) == 0 {
		g.say("  nothing is open")
	}
	for _, i := range open {
		g.mu.Lock()
		g.mine[i.ID] = true
		g.mu.Unlock()
		if err := g.hands.Tap(ctx, "resolve", i.ID, words); err != nil {
			if now, _ := g.hands.Incident(ctx, i.ID); now.Status == "resolved" {
				g.say("  #%d was closed a moment before you, by its alarm", i.Number)
				g.update(i, now)
				continue
			}
			return err
		}
		g.done(false, "resolved #%d", i.Number)
		g.say("  resolved #%d", i.Number)
		i.Status = "resolved"
		g.update(i, i.Incident)
	}
	if why := g.hands.Answers(ctx); why != "" {
		g.say("%s", wrap("  ", "mind: "+why+". A drill whose shop is not well goes on", g.console.width()))
	}
	return nil
}

// wait waits until the phone has called, or until the shop answers everything: three looks in a row, as a careful person
// does. An alarm that rings on is no reason to wait: when it falls silent it closes its incident by itself.
func (g *game) wait(ctx context.Context, what string) error {
	good := 0
	holds := map[string]func() bool{
		"page": func() bool {
			return slices.ContainsFunc(g.open(), func(i call) bool { return i.Status == "triggered" })
		},
		"well": func() bool {
			if good++; g.hands.Answers(ctx) != "" {
				good = 0
			}
			return good >= 3
		},
	}[what]
	if holds == nil {
		g.say("  wait for what? Try: wait page, or wait well")
		return nil
	}
	t := time.NewTicker(beat)
	defer t.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
	}
	if what == "well" {
		g.say("  the shop answers everything")
	}
	return nil
}

// hangUp is the end of what the player says. Who has resolved has done what there was to do; anybody else stops.
func (g *game) hangUp(ctx context.Context) {
	g.mu.Lock()
	finished := len(g.called) > 0 && len(g.mine) >= len(g.called)
	g.mu.Unlock()
	if finished {
		return
	}
	if err := g.stop(ctx, ""); err != nil && ctx.Err() == nil {
		g.say("  stop: %v. Try: firedrill abort", err)
	}
}

// welcome says what this is, before anything happens.
func (g *game) welcome() {
	width := g.console.width()
	g.say("%s", wrap("", fmt.Sprintf("You are on call for a small shop: a table, a queue, a load balancer, alarms and a pager, all in this process. "+
		"In a moment something breaks. Find it and mend it: %s. The drill ends after %s at the latest, and everything is put back then.",
		g.allowed(), debrief.Duration(g.p.preview.Plan.Limit)), width))
	g.say("%s", g.style.dim("help: what you can say · stop or ^D: end it · ^C: end it at once"))
	g.say("Wait for the page.")
}
