package cmd

import (
	"context"
	"fmt"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// lookAgain is how often a run that goes on elsewhere is looked at.
const lookAgain = time.Second / 2

// follow shows a run as it goes on, on whatever machine, until it has ended. It only looks: whoever stops it stops
// looking.
func (d *Deps) follow(ctx context.Context, store journal.Store, run string) error {
	show := newLive(d, false, nil)
	show.onlooker = true
	defer show.close()
	at := journal.Position{Run: run, After: journal.Start}
	for {
		next, news, err := journal.Tail(ctx, store, at)
		if err != nil {
			return fmt.Errorf("follow run %s: %w", run, err)
		}
		at = next
		show.add(news)
		if len(news) > 0 && !show.fold.Timeline(d.Now()).Ended.IsZero() {
			return nil
		}
		if err := (clock{d.Now}).Wait(ctx, lookAgain); err != nil {
			return err
		}
	}
}
