package journal

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// childJournal names the journal that this test program writes when it plays the process to be killed.
const childJournal = "FIREDRILL_TEST_CHILD_JOURNAL"

// TestMain lets the program play the child of TestSQLiteSurvivesKill.
func TestMain(m *testing.M) {
	if path := os.Getenv(childJournal); path != "" {
		os.Exit(writeUntilKilled(path))
	}
	os.Exit(m.Run())
}

// TestSQLiteSurvivesKill: whatever was recorded before a kill is there after it, whole and in order, and the lease of
// the killed is taken over at once.
func TestSQLiteSurvivesKill(t *testing.T) {
	for _, kill := range []int{1, 7, 40} {
		path := filepath.Join(t.TempDir(), "firedrill.db")
		child := exec.CommandContext(t.Context(), os.Args[0])
		child.Env = append(os.Environ(), childJournal+"="+path)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		acknowledged := -1
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, err := fmt.Sscan(lines.Text(), &acknowledged); err != nil {
				t.Fatalf("child says %q", lines.Text())
			}
			if acknowledged == kill {
				_ = child.Process.Kill()
			}
		}
		_ = child.Wait()

		s := opened(t, path)
		events, err := s.Load(t.Context(), "r1", Start)
		if err != nil {
			t.Fatal(err)
		}
		if acknowledged < kill || len(events)%2 != 0 || len(events)/2 < acknowledged+1 {
			t.Errorf("%d events stand, %d batches were acknowledged", len(events), acknowledged+1)
		}
		for i, e := range events {
			if e.Seq != int64(i/2) || e.N != i%2 {
				t.Fatalf("event %d stands at %d.%d", i, e.Seq, e.N)
			}
		}
		held, err := s.Held(t.Context(), "r1")
		if err != nil || len(held) != 1 {
			t.Fatalf("held: %v, %v", held, err)
		}
		if Alive(held[0].Holder, us(t)) == Unsure {
			t.Skip("nothing can be proven of processes on this system")
		}
		l, err := s.Take(t.Context(), RunLease("r1"), "r1", us(t), 0, held[0].Expires.Add(-1))
		if err != nil || l.Gen != 2 {
			t.Errorf("taken over from the killed: %+v, %v", l, err)
		}
	}
}
