package pager

import (
	"slices"
	"time"
)

// agenda is what the pager will do by itself, soonest first.
type agenda struct{ items []item }

type item struct {
	at time.Time
	do func(now time.Time)
}

// add keeps the order of items that are due at the same instant.
func (a *agenda) add(at time.Time, do func(now time.Time)) {
	i := len(a.items)
	for i > 0 && a.items[i-1].at.After(at) {
		i--
	}
	a.items = slices.Insert(a.items, i, item{at, do})
}

// next takes the first item that is due; without one it says how long to wait for it, an hour if nothing is planned.
func (a *agenda) next(now time.Time) (do func(now time.Time), wait time.Duration) {
	if len(a.items) == 0 {
		return nil, time.Hour
	}
	first := a.items[0]
	if first.at.After(now) {
		return nil, first.at.Sub(now)
	}
	a.items = slices.Delete(a.items, 0, 1)
	return first.do, 0
}
