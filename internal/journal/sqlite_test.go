package journal_test

import (
	"path/filepath"
	"testing"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/journal/journaltest"
)

func openSQLite(t *testing.T, path string) *journal.SQLite {
	t.Helper()
	s, err := journal.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSQLite(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journal.Store {
		return openSQLite(t, filepath.Join(t.TempDir(), "firedrill.db"))
	})
}

func TestSQLiteHandles(t *testing.T) {
	journaltest.RunHandles(t, func(t *testing.T) (a, b journal.Store) {
		path := filepath.Join(t.TempDir(), "firedrill.db")
		return openSQLite(t, path), openSQLite(t, path)
	})
}
