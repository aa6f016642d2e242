package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Append is Store's. The batch is synced to the disk before it returns.
func (s *SQLite) Append(ctx context.Context, run string, after int64, gen int, b Batch) error {
	events, data, err := encodeBatch(run, after, gen, b)
	if err != nil {
		return s.fail("append to", err)
	}
	add := func(ctx context.Context, x execer) error {
		done, err := x.ExecContext(ctx, "insert into batches (run, seq, action, gen, events) values (?, ?, ?, ?, ?) on conflict do nothing",
			run, after+1, b.Action, gen, string(data))
		if err != nil {
			return err
		}
		if rows, err := done.RowsAffected(); err != nil {
			return err
		} else if rows == 0 {
			return ErrConflict
		}
		return nil
	}
	if !changesHead(events) { // one statement is a transaction of its own, at half the price
		return s.fail("append to", s.together(ctx, true, func(ctx context.Context, x writer) error { return add(ctx, x) }))
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		if err := add(ctx, tx); err != nil {
			return err
		}
		return digest(ctx, tx, events)
	})
	return s.fail("append to", err)
}

// changesHead says whether events change what Runs tells of their run.
func changesHead(events []Event) bool {
	return !isLever(events[0].Run) && (events[0].Seq == 0 || slices.ContainsFunc(events, func(e Event) bool {
		return e.Kind == RunPlanned || e.Kind == RunFinished || e.Kind == RunReopened
	}))
}

// execer is what sql.DB and sql.Tx have in common for writing.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// digest brings the row of the run up to date where the events may change it.
func digest(ctx context.Context, tx *sql.Tx, events []Event) error {
	run := events[0].Run
	was, err := scanSummary(tx.QueryRowContext(ctx, selectRuns+" where run = ?", run))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	is := summarize(was, events)
	if is == was {
		return nil
	}
	_, err = tx.ExecContext(ctx, "replace into runs (run, drill, environment, planned, finished, outcome) values (?, ?, ?, ?, ?, ?)",
		is.Run, is.Drill, is.Environment, is.Planned.UnixMicro(), is.Finished, is.Outcome)
	return err
}

// Load is Store's.
func (s *SQLite) Load(ctx context.Context, run string, after int64) ([]Event, error) {
	var events []Event
	want := after
	err := s.each(ctx, func(rows *sql.Rows) error {
		var seq int64
		var data []byte
		if err := rows.Scan(&seq, &data); err != nil {
			return err
		}
		if want++; seq != want { // a page that points to another one's rows
			return fmt.Errorf("run %s is damaged: batch %d stands where %d should", run, seq, want)
		}
		batch, err := decodeBatch(run, seq, data)
		events = append(events, batch...)
		return err
	}, "select seq, events from batches where run = ? and seq > ? order by seq", run, after)
	if err != nil {
		return nil, err
	}
	return events, nil
}

const selectRuns = "select run, drill, environment, planned, finished, outcome from runs"

// Runs is Store's.
func (s *SQLite) Runs(ctx context.Context, f Filter) ([]Summary, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = -1
	}
	var out []Summary
	err := s.each(ctx, func(rows *sql.Rows) error {
		sum, err := scanSummary(rows)
		out = append(out, sum)
		return err
	}, selectRuns+` where ?1 in ('', environment) and ?2 in ('', drill) and substr(run, 1, length(?3)) = ?3
		and not (?4 and finished) order by planned desc, run desc limit ?5`, f.Environment, f.Drill, f.Prefix, f.Unfinished, limit)
	if err != nil {
		return nil, err
	}
	return out, nil
}

func scanSummary(row interface{ Scan(...any) error }) (Summary, error) {
	var s Summary
	var planned int64
	if err := row.Scan(&s.Run, &s.Drill, &s.Environment, &planned, &s.Finished, &s.Outcome); err != nil {
		return Summary{}, err
	}
	s.Planned = time.UnixMicro(planned).UTC()
	return s, nil
}

// each calls do for every row of a query; a journal that does not exist yet has none.
func (s *SQLite) each(ctx context.Context, do func(*sql.Rows) error, query string, args ...any) error {
	err := func() error {
		rows, err := s.query(ctx, query, args...)
		if err != nil || rows == nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := do(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}()
	return s.fail("read", err)
}

// query returns nil rows where there is no journal yet.
func (s *SQLite) query(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	err = patiently(ctx, func() error {
		db, err := s.reader(ctx)
		if err != nil || db == nil {
			return err
		}
		rows, err = db.QueryContext(ctx, query, args...)
		return err
	})
	return rows, err
}
