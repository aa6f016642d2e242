package cmd

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// pushBy is how long pushing the metrics of all runs of a process may take, reading their history included.
const pushBy = 5 * time.Second

// pushes are the drills whose metrics have changed: they are pushed when the verb is done, and nothing waits for it but
// the process's own end. Nothing that is put back ever does.
type pushes struct {
	mu   sync.Mutex
	open map[pushed]bool
}

// pushed is a group of metrics: those of one drill in one environment.
type pushed struct{ environment, drill string }

// changed notes that a run of a drill has ended, or has been put back.
func (p *pushes) changed(environment, drill string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = map[pushed]bool{}
	}
	p.open[pushed{environment, drill}] = true
}

// push sends what has changed to the Pushgateways of the environments. What does not arrive is told once.
func (d *Deps) push(ctx context.Context) {
	d.pushes.mu.Lock()
	open := d.pushes.open
	d.pushes.open = nil
	d.pushes.mu.Unlock()
	if len(open) == 0 {
		return
	}
	f, err := d.file()
	if err != nil {
		return // without the environment file there is nowhere to push to, and who reads it has said so
	}
	ctx, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), pushBy, fmt.Errorf("it took longer than %s", pushBy))
	defer cancel()
	groups := slices.SortedFunc(maps.Keys(open), func(a, b pushed) int {
		return cmp.Or(strings.Compare(a.environment, b.environment), strings.Compare(a.drill, b.drill))
	})
	errs := make([]error, len(groups))
	var wg sync.WaitGroup
	turn := make(chan struct{}, planAtOnce)
	for i, g := range groups {
		to := f.Environments[g.environment].Metrics.Pushgateway
		if to == "" {
			continue
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			turn <- struct{}{}
			defer func() { <-turn }()
			errs[i] = d.pushGroup(ctx, to, g)
		}()
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			fmt.Fprintf(d.Err, "firedrill: the metrics are not pushed: %v\n", err)
			return
		}
	}
}

// pushGroup sends all that the journal says of a drill in an environment: the numbers are those of serve and report.
func (d *Deps) pushGroup(ctx context.Context, to string, g pushed) error {
	store, err := d.reading(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	runs, err := store.Runs(ctx, journal.Filter{Environment: g.environment, Drill: g.drill})
	var all []timeline.Timeline
	for _, r := range runs {
		if err != nil {
			break
		}
		var events []journal.Event
		if events, err = readable(ctx, store, r.Run); err == nil {
			all = append(all, timeline.Of(events, d.Now()))
		}
	}
	if err != nil || ctx.Err() != nil {
		return cmp.Or(context.Cause(ctx), err)
	}
	metrics, err := debrief.Collect(all)
	if err != nil {
		return err
	}
	group := map[string]string{"environment": g.environment, "drill": g.drill}
	return observe.PushMetrics(ctx, observe.Pushgateway{URL: to, Group: group}, metrics)
}
