package journal

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkSQLiteAppend appends one batch to the journal and the same bytes to a bare file, synced, by turns on the
// same disk. Its fsync-ratio says what the journal costs over what no durable record can do without.
func BenchmarkSQLiteAppend(b *testing.B) {
	dir := b.TempDir()
	s, err := OpenSQLite(b.Context(), filepath.Join(dir, "firedrill.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	bare, err := os.Create(filepath.Join(dir, "bare"))
	if err != nil {
		b.Fatal(err)
	}
	defer bare.Close()

	batch := aNote("poll/1")
	_, data, err := encodeBatch("r1", 0, 1, batch)
	if err != nil {
		b.Fatal(err)
	}
	var store, sync time.Duration
	after := Start
	for b.Loop() {
		began := time.Now()
		if err := s.Append(b.Context(), "r1", after, 1, batch); err != nil {
			b.Fatal(err)
		}
		store += time.Since(began)
		after++

		began = time.Now()
		if _, err := bare.Write(data); err != nil {
			b.Fatal(err)
		}
		if err := bare.Sync(); err != nil {
			b.Fatal(err)
		}
		sync += time.Since(began)
	}
	b.ReportMetric(float64(store.Microseconds())/float64(b.N), "append-µs")
	b.ReportMetric(float64(sync.Microseconds())/float64(b.N), "fsync-µs")
	b.ReportMetric(float64(store)/float64(sync), "fsync-ratio")
}

// BenchmarkLoad reads a run of a thousand events.
func BenchmarkLoad(b *testing.B) {
	s, err := OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "firedrill.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for i := range int64(1000) {
		if err := s.Append(b.Context(), "r1", i-1, 1, aNote("poll")); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if events, err := s.Load(b.Context(), "r1", Start); err != nil || len(events) != 1000 {
			b.Fatal(len(events), err)
		}
	}
}
