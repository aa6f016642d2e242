package journal

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// groupMost bounds how many writes stand in one transaction.
const groupMost = 64

// group gathers writes that many runs of one process make at the same time into one transaction: the disk is waited for
// once, and not once for each. A write that comes alone costs what it always did. The zero value is ready.
type group struct {
	mu      sync.Mutex
	waiting []*groupedWrite
	busy    bool // somebody writes
}

// groupedWrite is one write of a group. It either writes nothing and says why, or leaves nothing half done.
type groupedWrite struct {
	do    func(ctx context.Context, x writer) error
	plain bool // one statement: alone it needs no transaction of its own
	err   error
	turn  chan bool // true: yours to write for all who wait; false: done
}

// writer is what sql.DB and sql.Tx have in common.
type writer interface {
	querier
	execer
}

// together makes a write with whatever others wait. Who comes while somebody writes waits for the next turn; the first
// of those who wait writes for all of them.
func (s *SQLite) together(ctx context.Context, plain bool, do func(ctx context.Context, x writer) error) error {
	g, w := &s.group, &groupedWrite{do: do, plain: plain, turn: make(chan bool, 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	if g.busy {
		g.mu.Unlock()
		if ours := <-w.turn; !ours {
			return w.err
		}
		g.mu.Lock()
	}
	g.busy = true
	n := min(len(g.waiting), groupMost)
	batch := g.waiting[:n:n]
	g.waiting = g.waiting[n:]
	g.mu.Unlock()
	defer func() { // whatever happens, nobody waits for ever
		g.mu.Lock()
		defer g.mu.Unlock()
		for _, x := range batch {
			if x != w {
				x.turn <- false
			}
		}
		if g.busy = len(g.waiting) > 0; g.busy {
			g.waiting[0].turn <- true
		}
	}()
	s.commit(context.WithoutCancel(ctx), batch) // who leaves does not take the others' writes along
	return w.err
}

// commit writes a batch, and tells each its own answer. A trouble of the file is everybody's.
func (s *SQLite) commit(ctx context.Context, batch []*groupedWrite) {
	err := errGroup
	defer func() {
		for _, w := range batch {
			if err != nil {
				w.err = err
			}
		}
	}()
	if err = s.writable(); err != nil {
		return
	}
	err = patiently(ctx, func() error {
		if len(batch) == 1 && batch[0].plain {
			return batch[0].try(ctx, s.db)
		}
		return inTx(ctx, s.db, func(tx *sql.Tx) error {
			for _, w := range batch {
				if err := w.try(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// errGroup is what those are told whose write was never tried.
var errGroup = errors.New("the write was not made")

// try makes the write. That it conflicts with what stands is its own answer, and nobody else's trouble.
func (w *groupedWrite) try(ctx context.Context, x writer) error {
	w.err = w.do(ctx, x)
	if errors.Is(w.err, ErrConflict) || errors.Is(w.err, ErrStale) {
		return nil
	}
	return w.err
}
