package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver called sqlite
)

// How a journal file says that it is one, and in which schema.
const (
	sqliteSchema = 1
	sqliteAppID  = 0x66647231 // "fdr1"
)

// The tables. A batch is one row, so that it stands whole or not at all; runs is a digest of the batches, written with
// them; a lease that was let go stays, for its generation.
const sqliteTables = `
create table batches (
	run    text    not null,
	seq    integer not null,
	action text    not null,
	gen    integer not null,
	events text    not null,
	primary key (run, seq)
) strict, without rowid;
create table runs (
	run         text    not null primary key,
	drill       text    not null,
	environment text    not null,
	planned     integer not null,
	finished    integer not null,
	outcome     text    not null
) strict;
create table leases (
	name    text    not null primary key,
	run     text    not null,
	gen     integer not null,
	holder  text    not null,
	expires integer not null,
	free    integer not null
) strict;`

// SQLite is a store in one file, for one machine. Many processes may have it open at once, and many goroutines use it.
type SQLite struct {
	// Alive proves whether a lease's holder lives; tests replace it.
	Alive func(Holder) Liveness

	path     string
	readOnly bool

	group group

	mu   sync.Mutex
	db   *sql.DB
	file fs.FileInfo
}

var _ Store = (*SQLite)(nil)

// OpenSQLite opens the journal at path, and makes it where there is none: the directory for its owner alone (0700), the
// file too (0600). Errors are *Error; a file of a newer schema, of another program, or damaged, is refused.
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
	s := &SQLite{Alive: aliveHere(), path: path}
	if err := s.create(ctx); err != nil {
		return nil, s.fail("open", err)
	}
	return s, nil
}

// ReadSQLite opens the journal at path for reading. Where there is none it reads as empty, until somebody makes one.
func ReadSQLite(ctx context.Context, path string) (*SQLite, error) {
	s := &SQLite{Alive: aliveHere(), path: path, readOnly: true}
	if err := patiently(ctx, func() error { _, err := s.reader(ctx); return err }); err != nil {
		return nil, s.fail("open", err)
	}
	return s, nil
}

func (s *SQLite) create(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	s.file, err = f.Stat()
	if err == nil && s.file.Mode().Perm()&0o077 != 0 {
		err = f.Chmod(0o600)
	}
	if err == nil {
		err = cutShort(s.file)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	db, err := s.connect("rw", "_pragma=synchronous(full)", "_pragma=fullfsync(1)")
	if err != nil {
		return err
	}
	if err := patiently(ctx, func() error { return prepare(ctx, db) }); err != nil {
		return errors.Join(err, db.Close())
	}
	s.db = db
	return nil
}

// reader returns the database to read from, or nil while there is none.
func (s *SQLite) reader(ctx context.Context) (*sql.DB, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db != nil || !s.readOnly {
		return s.db, nil
	}
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = cutShort(info)
	}
	if err != nil {
		return nil, err
	}
	db, err := s.connect("ro", "_pragma=query_only(1)")
	if err != nil {
		return nil, err
	}
	ready, err := inspect(ctx, db)
	if err != nil || !ready {
		return nil, errors.Join(err, db.Close())
	}
	s.db = db
	return db, nil
}

// cutShort refuses a file with less than a page in it, which SQLite takes for an empty database: what it was is lost.
// https://www.sqlite.org/fileformat2.html
func cutShort(info fs.FileInfo) error {
	if n := info.Size(); n > 0 && n < 512 {
		return fmt.Errorf("%w: it is %d bytes long", ErrDamaged, n)
	}
	return nil
}

// connect makes a pool of one connection: SQLite has one writer at a time anyway, and waiting in line for it is
// fairer and cheaper than polling its lock. The file must exist: a journal that is taken away must not be made anew.
func (s *SQLite) connect(mode string, params ...string) (*sql.DB, error) {
	path, err := filepath.Abs(s.path)
	if err != nil {
		return nil, err
	}
	query := "mode=" + mode + "&_txlock=immediate&_pragma=busy_timeout(" + strconv.FormatInt(busyPatience.Milliseconds(), 10) + ")"
	for _, p := range params {
		query += "&" + p
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// querier is what sql.DB and sql.Tx have in common.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// inspect says whether the file has our tables; an empty one has not yet. Whose it is comes before anything is changed.
func inspect(ctx context.Context, db querier) (bool, error) {
	var app, schema, tables int
	// One statement, hence one moment: another process may be making the tables.
	err := db.QueryRowContext(ctx, `select application_id, user_version, (select count(*) from sqlite_schema)
		from pragma_application_id, pragma_user_version`).Scan(&app, &schema, &tables)
	if err != nil {
		return false, err
	}
	switch {
	case app == 0 && schema == 0 && tables == 0:
		return false, nil
	case app != sqliteAppID:
		return false, errForeign
	case schema > sqliteSchema:
		return false, fmt.Errorf("%w: schema %d, this one knows %d", errNewer, schema, sqliteSchema)
	}
	return true, nil
}

// prepare makes the tables where there are none.
func prepare(ctx context.Context, db *sql.DB) error {
	if _, err := inspect(ctx, db); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "pragma journal_mode = wal"); err != nil {
		return err
	}
	return inTx(ctx, db, func(tx *sql.Tx) error {
		ready, err := inspect(ctx, tx) // again: another process may have been faster
		if err != nil || ready {
			return err
		}
		_, err = tx.ExecContext(ctx, fmt.Sprintf("%s pragma application_id = %d; pragma user_version = %d",
			sqliteTables, sqliteAppID, sqliteSchema))
		return err
	})
}

func inTx(ctx context.Context, db *sql.DB, do func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // the first error is the one to tell
		return err
	}
	return tx.Commit()
}

// write runs do in a transaction of the file that stands at the path: a record in one that was deleted is none.
func (s *SQLite) write(ctx context.Context, do func(tx *sql.Tx) error) error {
	if err := s.writable(); err != nil {
		return err
	}
	return patiently(ctx, func() error { return inTx(ctx, s.db, do) })
}

// writable says that the file still stands at the path, and may be written.
func (s *SQLite) writable() error {
	if s.readOnly {
		return errReadOnly
	}
	now, err := os.Stat(s.path)
	if err == nil && !os.SameFile(now, s.file) {
		err = errReplaced
	}
	return err
}

// busyPatience is how long a locked file is waited for.
const busyPatience = 5 * time.Second

// patiently does it again while another process has the file locked. SQLite waits by itself (busy_timeout) but not in
// every case: not when the log is begun, recovered after a crash, or cleared by the last to close.
func patiently(ctx context.Context, do func() error) error {
	ctx, cancel := context.WithTimeout(ctx, busyPatience)
	defer cancel()
	for {
		err := do()
		if code := codeOf(err); code != codeBusy && code != codeLocked {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Close lets the file go.
func (s *SQLite) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	if err := s.db.Close(); err != nil {
		return s.fail("close", err)
	}
	return nil
}
