package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// maxAppend is what an append may cost over a bare write and fsync of the same bytes on the same disk.
const maxAppend = 2.0

// An append is durable when it returns, and so is the bare file's: they are measured in turns.
func TestSQLiteAppend(t *testing.T) {
	dir := t.TempDir()
	store := must(journal.OpenSQLite(t.Context(), filepath.Join(dir, "firedrill.db")))(t)
	defer store.Close()
	bare := must(os.Create(filepath.Join(dir, "bare")))(t)
	defer bare.Close()
	batch := journal.Batch{Action: "poll/1", Events: []journal.Event{{Kind: journal.NoteWritten, At: time.Now(), Fact: journal.Fact{Text: "checked the dashboard"}}}}
	data := must(json.Marshal(batch.Events))(t)
	var appends, syncs []time.Duration
	for i := range rounds * 50 { // a log that has grown is written over: the first hundreds cost more, for the file grows too
		began := time.Now()
		ok(t, store.Append(t.Context(), "r1", int64(i)-1, 1, batch))
		appends = append(appends, time.Since(began))
		began = time.Now()
		_, err := bare.Write(data)
		ok(t, err)
		ok(t, bare.Sync())
		syncs = append(syncs, time.Since(began))
	}
	t.Logf("an append %v, a bare write and fsync %v", median(appends), median(syncs))
	row(t, "append in SQLite / bare write and fsync, medians", float64(median(appends))/float64(median(syncs)), maxAppend, "")
}
