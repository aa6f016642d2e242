package cmd

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/firedrill/firedrill/internal/journal"
)

// clearStore is a journal that takes no secret in. Words for people are taken out of its events; what puts things back
// is never touched: a plan or an undo in which the value of a secret stands is not recorded at all, and without a record
// nothing is changed.
type clearStore struct {
	journal.Store
	secrecy *secrecy
}

// Append is the journal's, without secrets.
func (c *clearStore) Append(ctx context.Context, run string, after int64, gen int, b journal.Batch) error {
	events := slices.Clone(b.Events)
	for i := range events {
		f := &events[i].Fact
		for what, raw := range map[string][]byte{"plan": f.Plan, "undo": f.Undo} {
			if text := string(raw); c.secrecy.clean(text) != text {
				return &hinted{fmt.Errorf("record %s of run %s: the value of a secret stands in its %s", b.Action, run, what),
					"choose another secret, or another name for what is called like it"}
			}
		}
		c.secrecy.fact(f)
	}
	b.Events = events
	return c.Store.Append(ctx, run, after, gen, b)
}

// fact takes secrets out of what an event says to people. Names, ids and codes are what folds live on, and stay.
func (s *secrecy) fact(f *journal.Fact) {
	for _, text := range []*string{&f.Title, &f.URL, &f.By, &f.Text, &f.Was, &f.Why, &f.Try, &f.Err, &f.Holder} {
		*text = s.clean(*text)
	}
	f.Left, f.ByHand = s.cleanAll(f.Left), s.cleanAll(f.ByHand)
	f.Facts = maps.Clone(f.Facts)
	for k, v := range f.Facts {
		f.Facts[k] = s.clean(v)
	}
	if f.Brief == nil {
		return
	}
	brief := *f.Brief
	for _, text := range []*string{&brief.Title, &brief.Scenario, &brief.Runbook, &brief.Operator, &brief.Approved} {
		*text = s.clean(*text)
	}
	brief.Evidence, brief.Hints = s.cleanAll(brief.Evidence), s.cleanAll(brief.Hints)
	brief.Risks = slices.Clone(brief.Risks)
	for i := range brief.Risks { // names of rules, as people gave them
		brief.Risks[i].Why = s.clean(brief.Risks[i].Why)
	}
	brief.Look = maps.Clone(brief.Look)
	for k, v := range brief.Look {
		brief.Look[k] = s.clean(v)
	}
	f.Brief = &brief
}

func (s *secrecy) cleanAll(texts []string) []string {
	texts = slices.Clone(texts)
	for i := range texts {
		texts[i] = s.clean(texts[i])
	}
	return texts
}
