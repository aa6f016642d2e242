package journal

import (
	"context"
	"fmt"
	"os"
	"time"
)

// writeUntilKilled leases and writes a run, and says so batch by batch.
func writeUntilKilled(path string) int {
	ctx := context.Background()
	s, err := OpenSQLite(ctx, path)
	if err != nil {
		return complain(err)
	}
	self, err := Self()
	if err != nil {
		return complain(err)
	}
	if _, err := s.Take(ctx, RunLease("r1"), "r1", self, time.Hour, time.Now()); err != nil {
		return complain(err)
	}
	at := Position{Run: "r1", After: Start, Gen: 1}
	for {
		b := aNote(fmt.Sprintf("note/%d", at.After+1))
		b.Events = append(b.Events, b.Events...)
		if at, _, err = Record(ctx, s, at, b); err != nil {
			return complain(err)
		}
		fmt.Println(at.After)
	}
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
