package drills

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// tellTime bounds speaking to people: an undo never waits longer for it.
const tellTime = 20 * time.Second

// page tells the on-call. That the pager took it in proves nothing; that somebody was notified is read later.
func (st *Steps) page(ctx context.Context, s *State) journal.Event {
	e := journal.Event{Kind: journal.PageSent, Fact: journal.Fact{Key: Dedup(s.Run), Service: s.Plan.Page.Service, Title: s.Plan.pageTitle()}}
	err := st.send(ctx, s.Plan.Page.Key, observe.Page{
		Key: Dedup(s.Run), Title: s.Plan.pageTitle(), Source: s.Plan.pageSource(), Details: s.pageDetails(), Links: s.Plan.Page.Links, Quiet: s.Plan.quiet()})
	if err != nil {
		e.Fact.Err = err.Error()
		if s.PageTries+1 >= pageTries {
			e.Kind, e.Fact.Reason, e.Fact.Why = journal.AbortRequested, ReasonPager, err.Error()
		}
	}
	return e
}

// pageTries is how often our page is handed over before the drill gives up: nobody would come.
const pageTries = 4

func (st *Steps) send(ctx context.Context, ref string, p observe.Page) error {
	if st.World.Pager == nil {
		return fmt.Errorf("page %s: this environment has no pager", p.Key)
	}
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	key, err := st.World.Secret(ctx, ref)
	if err != nil {
		return fmt.Errorf("page %s: %w", p.Key, err)
	}
	return st.World.Pager.Send(ctx, key, p)
}

// resolvePage resolves our own page and nothing else.
func (st *Steps) resolvePage(ctx context.Context, s *State) journal.Event {
	e := journal.Event{Kind: journal.PageResolved, Fact: journal.Fact{Key: Dedup(s.Run), Service: s.Plan.Page.Service}}
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	err := fmt.Errorf("resolve page %s: this process has no pager. Try: resolve it by hand", Dedup(s.Run))
	if st.World.Pager != nil {
		var key string
		if key, err = st.World.Secret(ctx, s.Plan.Page.Key); err == nil {
			err = st.World.Pager.Resolve(ctx, key, Dedup(s.Run))
		}
	}
	if err != nil {
		e.Fact.Err = err.Error()
	}
	return e
}

// pageOwner pages for real: something is left in place.
func (st *Steps) pageOwner(ctx context.Context, s *State) journal.Event {
	e := journal.Event{Kind: journal.PageSent, Fact: journal.Fact{Role: rolePageOwner, Key: Dedup(s.Run) + "/left"}}
	left := st.left(s)
	byHand := st.byHand(s)
	e.Fact.Left, e.Fact.ByHand = left, byHand
	if s.Plan.Owner == "" {
		e.Fact.Err, e.Fact.Reason = "the environment names no owner to page", reasonNoOwner
		return e
	}
	title := fmt.Sprintf("firedrill left something in place in %s: %s", s.Plan.Environment, strings.Join(s.InPlace(), ", "))
	if len(s.InPlace()) == 0 {
		title = fmt.Sprintf("%s is not well after drill %s, although everything is put back", s.Plan.Environment, s.Plan.Drill)
	}
	err := st.send(ctx, s.Plan.Owner, observe.Page{
		Key:     Dedup(s.Run) + "/left",
		Title:   title,
		Source:  "firedrill",
		Details: map[string]any{"left in place": left, "by hand": byHand, "put it back": "firedrill recover " + s.Run + " --env " + s.Plan.Environment},
	})
	if err != nil {
		e.Fact.Err = err.Error()
	}
	return e
}

// ringing names the watched alarms that are not OK.
func (st *Steps) ringing(ctx context.Context, s *State) (names []string) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	alarms, err := st.World.Alarms.Describe(ctx, s.Plan.alarms(s.Plan.Watch))
	if err != nil {
		return nil
	}
	for _, a := range alarms {
		if a.State != "OK" {
			names = append(names, a.Name+" is "+a.State)
		}
	}
	return names
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
