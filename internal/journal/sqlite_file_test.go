package journal

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func opened(t *testing.T, path string) *SQLite {
	t.Helper()
	s, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func aNote(action string) Batch {
	return Batch{Action: action, Events: []Event{{Kind: NoteWritten, Fact: Fact{Text: strings.Repeat("smoke ", 100)}}}}
}

func mustAppend(t *testing.T, s Store, after int64, b Batch) {
	t.Helper()
	if err := s.Append(t.Context(), "r1", after, 1, b); err != nil {
		t.Fatal(err)
	}
}

// oneClearError: an *Error on one line, that holds each of the words.
func oneClearError(t *testing.T, err error, words ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want an *Error", err)
	}
	for _, w := range append(words, e.Path) {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("%q is more than a line", err)
	}
}

func TestSQLiteIsPrivate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "firedrill")
	path := filepath.Join(dir, "firedrill.db")
	mustAppend(t, opened(t, path), Start, aNote("a"))
	for name, want := range map[string]os.FileMode{dir: 0o700, filepath.Dir(dir): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v, want %v", name, info.Mode().Perm(), err, want)
		}
	}
	lax := filepath.Join(t.TempDir(), "lax.db")
	if err := os.WriteFile(lax, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	opened(t, lax)
	if info, err := os.Stat(lax); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("a file others could read stayed so: %v, %v", info.Mode(), err)
	}
}

func TestSQLiteIsDurable(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "firedrill.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000"} {
		var got string
		if err := s.db.QueryRowContext(t.Context(), "pragma "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", pragma, got, err, want)
		}
	}
}

func TestSQLiteKeepsWhatItHas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a name?with#odd%20 signs&mode=memory.db")
	for i := range 3 {
		s := opened(t, path)
		mustAppend(t, s, int64(i)-1, aNote("a"))
		if l, err := s.Take(t.Context(), "arn:x", "r1", Holder{}, time.Second, time.Time{}); err != nil || l.Gen != i+1 {
			t.Errorf("lease of opening %d: %+v, %v", i, l, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
	if events, err := opened(t, path).Load(t.Context(), "r1", Start); len(events) != 3 || err != nil {
		t.Errorf("%d events, %v, want 3", len(events), err)
	}
}

func TestSQLiteOpenedByManyAtOnce(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "firedrill.db")
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				s, err := OpenSQLite(t.Context(), path)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				if _, err := s.Runs(t.Context(), Filter{}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
}

func TestSQLiteRefusesFile(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(t *testing.T, path string)
		words []string
		is    error
	}{
		"a newer schema": {func(t *testing.T, path string) {
			execSQL(t, opened(t, path).db, "pragma user_version = 2")
		}, []string{"open journal", "newer firedrill", "schema 2", "Try: "}, errNewer},
		"another program's": {func(t *testing.T, path string) {
			db, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			execSQL(t, db, "create table songs (title text)")
		}, []string{"another program", "--state"}, errForeign},
		"no database": {func(t *testing.T, path string) {
			write(t, path, strings.Repeat("this is a shopping list\n", 200))
		}, []string{"damaged", "Try: "}, ErrDamaged},
		"a directory": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, []string{"open journal", "is a directory"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "firedrill.db")
			c.make(t, path)
			before, _ := os.ReadFile(path)
			for how, open := range map[string]func(context.Context, string) (*SQLite, error){"write": OpenSQLite, "read": ReadSQLite} {
				_, err := open(t.Context(), path)
				if how == "read" && c.is == nil {
					if err == nil {
						t.Error("opened for reading")
					}
					continue
				}
				oneClearError(t, err, c.words...)
				if c.is != nil && !errors.Is(err, c.is) {
					t.Errorf("to %s: %v, want %v", how, err, c.is)
				}
			}
			if after, _ := os.ReadFile(path); string(after) != string(before) {
				t.Error("the refused file was changed")
			}
		})
	}
}

func execSQL(t *testing.T, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSQLiteDamagedWithin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "firedrill.db")
	s := opened(t, path)
	for i := range 50 {
		mustAppend(t, s, int64(i)-1, aNote("a"))
	}
	if err := s.Close(); err != nil { // writes the log into the file
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(data); i++ { // the first page with the tables' names stays
		data[i] = 0xa5
	}
	write(t, path, string(data))
	r, err := ReadSQLite(t.Context(), path)
	if err == nil {
		defer r.Close()
		_, err = r.Load(t.Context(), "r1", Start)
	}
	oneClearError(t, err, "damaged", "Try: ")
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("%v, want ErrDamaged", err)
	}
}

func TestSQLiteDiskFull(t *testing.T) {
	s := opened(t, filepath.Join(t.TempDir(), "firedrill.db"))
	mustAppend(t, s, Start, aNote("a"))
	execSQL(t, s.db, "pragma max_page_count = 1") // SQLite takes the present size: from now on there is no room
	var err error
	after := int64(0)
	for ; err == nil && after < 100; after++ {
		err = s.Append(t.Context(), "r1", after, 1, aNote("b"))
	}
	oneClearError(t, err, "append to journal", "full", "Try: free space")
	events, lerr := s.Load(t.Context(), "r1", Start)
	if lerr != nil || int64(len(events)) != after { // the last append failed, and the first was before the loop
		t.Errorf("%d events, %v, want %d", len(events), lerr, after)
	}
	execSQL(t, s.db, "pragma max_page_count = 1000000")
	mustAppend(t, s, after-1, aNote("c")) // once there is room it goes on
}

func TestSQLiteTakenAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "firedrill.db")
	s := opened(t, path)
	mustAppend(t, s, Start, aNote("a"))
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	oneClearError(t, s.Append(t.Context(), "r1", 0, 1, aNote("b")), "append to journal", "no such file", "Try: ")
	write(t, path, "")
	oneClearError(t, s.Append(t.Context(), "r1", 0, 1, aNote("b")), "another file")
}

func TestReadSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "firedrill.db")
	r, err := ReadSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	read := func(want int) {
		t.Helper()
		events, err := r.Load(t.Context(), "r1", Start)
		if err != nil || len(events) != want {
			t.Errorf("load: %d events, %v, want %d", len(events), err, want)
		}
		if runs, err := r.Runs(t.Context(), Filter{}); err != nil || len(runs) != min(want, 1) {
			t.Errorf("runs = %v, %v", runs, err)
		}
		if held, err := r.Held(t.Context(), ""); err != nil || len(held) != 0 {
			t.Errorf("held = %v, %v", held, err)
		}
	}
	read(0)
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Error("reading made the directory")
	}
	w := opened(t, path)
	read(0)
	mustAppend(t, w, Start, aNote("a"))
	read(1)
	oneClearError(t, r.Append(t.Context(), "r1", 0, 1, aNote("b")), "append to journal", "reading")
	_, err = r.Take(t.Context(), "arn:x", "r1", Holder{}, time.Second, time.Time{})
	oneClearError(t, err, "reading")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	read(1)
}
