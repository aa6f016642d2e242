package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/sandbox/hands"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// playWord is something a player can say.
type playWord struct {
	name, rest, about string
	do                func(ctx context.Context, rest string) error
}

func (g *game) words() []playWord {
	return []playWord{
		{"ack", "", "acknowledge the page: you are on it", g.ack},
		{"look", strings.Join(hands.Subjects(), "|"), "look at one of these", g.look},
		{"fix", "", "list what could be done, right or wrong", g.fix},
		{"fix", "N or its words", "do it", nil},
		{"note", "TEXT", "write on the incident what you see and do", g.note},
		{"hint", "", "the next hint of the card", g.hint},
		{"resolve", "", "it is well again: close the incident", g.resolve},
		{"status", "", "what is waited for, and how long you have", g.status},
		{"time", "", "how long it has been", g.time},
		{"wait", "page|well", "wait until you are paged, or until all is well", g.wait},
		{"stop", "", "end the drill, and put everything back (^D)", g.stop},
		{"help", "", "this list", g.help},
	}
}

// converse does what the player says until there is nothing more to say, or ctx ends.
func (g *game) converse(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case line, ok := <-g.console.lines:
			if !ok {
				g.hangUp(ctx)
				return
			}
			g.obey(ctx, line)
		}
	}
}

// obey does what one line says.
func (g *game) obey(ctx context.Context, line string) {
	word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	if word == "" || strings.HasPrefix(word, "#") {
		return
	}
	if !g.console.tty {
		g.say("%s%s", prompt, strings.TrimSpace(line))
	}
	for _, w := range g.words() {
		if w.name != word || w.do == nil {
			continue
		}
		if err := w.do(ctx, strings.TrimSpace(rest)); err != nil && ctx.Err() == nil {
			g.say("%s", g.style.of(journal.FaultApplyFailed, wrap("  ", plain(hands.Refusal(err)), g.console.width())))
		}
		return
	}
	g.answer("%q is no word here. Try: help", word)
}

// complete lists the lines that a beginning may become.
func (g *game) complete(line string) (all []string) {
	var whole []string
	for _, w := range g.words() {
		if w.do != nil {
			whole = append(whole, w.name)
		}
	}
	for _, s := range hands.Subjects() {
		whole = append(whole, "look "+s)
	}
	whole = append(whole, "wait page", "wait well")
	g.mu.Lock()
	for _, f := range g.menu {
		whole = append(whole, "fix "+f.Words)
	}
	g.mu.Unlock()
	deep := strings.Contains(line, " ")
	for _, w := range whole {
		if strings.HasPrefix(w, line) && strings.Contains(w, " ") == deep {
			all = append(all, w)
		}
	}
	return all
}

func (g *game) help(context.Context, string) error {
	for _, w := range g.words() {
		name := strings.TrimSpace(w.name + " " + w.rest)
		if len(name) > 16 {
			g.say("  %s\n  %-16s  %s", name, "", w.about)
			continue
		}
		g.say("  %-16s  %s", name, w.about)
	}
	g.say("%s", wrap("  ", "Your own AWS CLI can do all that as well. In another terminal:", g.console.width()))
	g.say("  eval \"$(FIREDRILL_SANDBOX=%s firedrill sandbox env)\"", g.p.world.URL)
	return nil
}

func (g *game) ack(ctx context.Context, _ string) error {
	found := false
	for _, i := range g.open() {
		if i.Status != "triggered" {
			continue
		}
		found = true
		if err := g.hands.Tap(ctx, "acknowledge", i.ID, ""); err != nil {
			return err
		}
		g.done(false, "acknowledged #%d", i.Number)
		g.say("  acknowledged #%d: you are on it", i.Number)
		i.Status = "acknowledged"
		g.update(i, i.Incident)
	}
	if !found {
		g.say("  nothing calls you now. Try: wait page")
	}
	return nil
}

func (g *game) look(ctx context.Context, subject string) error {
	if !slices.Contains(hands.Subjects(), subject) {
		g.answer("look at what? Try: look %s", strings.Join(hands.Subjects(), ", look "))
		return nil
	}
	g.done(true, "%s", subject)
	all, err := g.hands.Look(ctx, subject)
	if err != nil {
		return err
	}
	g.tables(all)
	return nil
}

func (g *game) note(ctx context.Context, text string) error {
	if text == "" {
		g.say("  a note without words. Try: note the write metrics are red")
		return nil
	}
	if len(text) > longestNote {
		g.say("  a note of %d bytes is too long. Try: %d at most", len(text), longestNote)
		return nil
	}
	if err := g.write(ctx, text); err != nil {
		return err
	}
	g.done(false, "note: %s", text)
	g.say("  noted")
	return nil
}

// write writes on the incident, or into the run where nobody has been paged yet.
func (g *game) write(ctx context.Context, text string) error {
	if id := g.incident(); id != "" {
		return g.hands.Tap(ctx, "note", id, text)
	}
	return g.tell(ctx, "note", journal.Event{Kind: journal.NoteWritten, At: g.d.Now(), Fact: journal.Fact{Text: text, By: g.d.operator()}})
}

// incident is the one that called last; rather not one that only rang as well: nobody reads what is written there.
func (g *game) incident() (id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ripple := map[string]bool{}
	for _, e := range g.events {
		if e.Fact.Role == journal.RoleRipple {
			ripple[e.Fact.Incident] = true
		}
	}
	for _, i := range g.called {
		if id == "" || !ripple[i.ID] {
			id = i.ID
		}
	}
	return id
}

// hint gives the next hint of the card. It is asked for as anybody asks in a drill, by a note: so it stands in the story
// as told. What is shown here does not wait for the next look at the notes.
func (g *game) hint(ctx context.Context, _ string) error {
	hints := g.p.spec.Hints
	g.mu.Lock()
	n := g.asked
	g.asked = min(n+1, len(hints))
	g.mu.Unlock()
	if n >= len(hints) {
		g.say("  there are no more hints. Try: fix, which lists what could be done")
		return nil
	}
	g.say("%s", wrap("  ", fmt.Sprintf("hint %d of %d: %s", n+1, len(hints), hints[n].Say), g.console.width()))
	g.done(false, "asked for hint %d", n+1)
	return g.write(ctx, "drill hint")
}

func (g *game) stop(ctx context.Context, _ string) error {
	g.mu.Lock()
	again := g.stopped
	g.stopped = true
	g.mu.Unlock()
	if again {
		return nil
	}
	why := "stopped by who played"
	err := g.tell(ctx, "abort", journal.Event{Kind: journal.AbortRequested, At: g.d.Now(),
		Fact: journal.Fact{Reason: drills.ReasonAbort, Why: why, By: g.d.operator()}})
	if err != nil {
		g.mu.Lock()
		g.stopped = false // it may be said again
		g.mu.Unlock()
		return err
	}
	g.done(false, "stopped")
	return nil
}

func (g *game) status(ctx context.Context, _ string) error {
	g.say("  %s", waitingFor(g.story()))
	g.mu.Lock()
	called := slices.Clone(g.called)
	g.mu.Unlock()
	for _, i := range called {
		g.say("  #%d %s: %s", i.Number, plain(i.Title), i.Status)
	}
	return g.time(ctx, "")
}

// time says how long it has hurt, and how long there is.
func (g *game) time(context.Context, string) error {
	t, now := g.story(), g.d.Now()
	said := "it does not hurt yet; "
	if felt := t.Instant(timeline.Effective).At; !felt.IsZero() {
		left := g.p.preview.Plan.Limit - now.Sub(t.Prepared)
		said = fmt.Sprintf("it has hurt for %s, and the drill ends in %s at the latest; ", debrief.Duration(now.Sub(felt)), debrief.Duration(left))
	}
	g.say("%s", wrap("  ", said+g.allowed(), g.console.width()))
	return nil
}

// allowed is what the drill expects of people.
func (g *game) allowed() string {
	x := g.p.preview.Plan.Expect
	var all []string
	for _, e := range []struct {
		name string
		d    time.Duration
	}{{"to acknowledge", x.Acknowledge}, {"to mitigate", x.Mitigate}, {"to resolve", x.Resolve}} {
		if e.d > 0 {
			all = append(all, debrief.Duration(e.d)+" "+e.name)
		}
	}
	return "you have " + strings.Join(all, ", ")
}
