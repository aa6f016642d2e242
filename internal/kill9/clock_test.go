package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/killtest"
	"github.com/firedrill/firedrill/observe/timeline"
)

// widest is how wide a bar may be: the truth is known to two seconds.
const widest = 2.0

// slack is what this test's own looks at the truth may be off: a call's time in the log is its arrival, a page's what
// the poll below saw.
const slack = 0.15

// AWS and PagerDuty are five seconds off, each its own way. A drill with people finds every interval of the sandbox's
// own truth inside the bar it prints, and no bar is wider than two seconds.
func TestClocksThatAreOff(t *testing.T) {
	t.Parallel()
	for _, skew := range []struct{ aws, pager float64 }{{5, -5}, {-5, 5}} {
		t.Run(fmt.Sprintf("aws %+.0f s, pager %+.0f s", skew.aws, skew.pager), func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, faults()[0], "auto")
			p.trouble(killtest.Knob{Effect: "skew", SkewS: skew.aws})
			_, err := p.stage.TurnPager(p.ctx, killtest.PagerKnob{Effect: "skew", Skew: skew.pager})
			p.must(err)
			world, err := p.stage.World(p.ctx)
			p.must(err)
			health := watch(p, world.Vars["orders_url"]+"/health")
			run, err := p.Start(p.ctx, "run", "orders-write-throttle")
			p.must(err)
			p.ends(run, 0, 3)
			health.stop()
			p.asBefore()
			p.compare(p.timeline(), p.truth(health), p.spans())
		})
	}
}

// timeline is the run as the journal tells it.
func (p *place) timeline() timeline.Timeline {
	p.Helper()
	store, err := journal.OpenSQLite(p.ctx, filepath.Join(p.State, "firedrill.db"))
	p.must(err)
	defer store.Close()
	runs, err := store.Runs(p.ctx, journal.Filter{})
	p.must(err)
	if len(runs) != 1 {
		p.Fatalf("%d runs", len(runs))
	}
	events, err := store.Load(p.ctx, runs[0].Run, journal.Start)
	p.must(err)
	return timeline.Of(events, time.Now())
}

// truth is when everything really happened, by instant.
func (p *place) truth(h *looks) map[timeline.Name]time.Time {
	p.Helper()
	at := map[timeline.Name]time.Time{timeline.Mitigated: h.better()}
	first := func(name timeline.Name, t time.Time) {
		if was := at[name]; was.IsZero() || t.Before(was) {
			at[name] = t
		}
	}
	calls, err := p.stage.Calls(p.ctx)
	p.must(err)
	for _, c := range calls {
		if c.By == "firedrill" && c.Resource == "orders" && strings.Contains(c.Code, "Throttl") {
			first(timeline.Effective, c.At)
		}
	}
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	history, err := cloudwatch.NewFromConfig(cfg).DescribeAlarmHistory(p.ctx, &cloudwatch.DescribeAlarmHistoryInput{
		AlarmName: aws.String("orders-write-throttled"), HistoryItemType: cwtypes.HistoryItemTypeStateUpdate})
	p.must(err)
	for _, h := range history.AlarmHistoryItems {
		if strings.HasSuffix(aws.ToString(h.HistorySummary), "to ALARM") {
			first(timeline.Detected, *h.Timestamp)
		}
	}
	incidents, err := p.stage.Incidents(p.ctx)
	p.must(err)
	for _, in := range incidents {
		for _, e := range in.Entries {
			switch {
			case e.Type == "notify_log_entry":
				first(timeline.Paged, e.At)
			case e.Type == "acknowledge_log_entry" && e.Channel == "mobile":
				first(timeline.Acknowledged, e.At)
			case e.Type == "resolve_log_entry" && e.Channel == "mobile" && e.At.After(at[timeline.Resolved]):
				at[timeline.Resolved] = e.At
			}
		}
	}
	return at
}

// spans is how long the two intervals really took that begin with a change of ours: effective, from the change of the
// table to the first throttled answer, and restore, from the first call of the undo, which our load ends before, to the
// last look at the table.
func (p *place) spans() map[string]float64 {
	p.Helper()
	calls, err := p.stage.Calls(p.ctx)
	p.must(err)
	var change, felt, undo, back time.Time
	for _, c := range calls {
		if c.By != "firedrill" || c.Service != "dynamodb" {
			continue
		}
		switch {
		case c.Operation == "UpdateTable" && change.IsZero():
			change = c.At
		case strings.Contains(c.Code, "Throttl") && felt.IsZero():
			felt = c.At
		case c.Operation == "UpdateItem":
			undo = time.Time{}
		case undo.IsZero():
			undo = c.At
		}
		back = c.At
	}
	if change.IsZero() || !felt.After(change) || undo.IsZero() || !back.After(undo) {
		p.Fatalf("the call log tells no change (%s), effect (%s), undo (%s) or read-back (%s)", change, felt, undo, back)
	}
	return map[string]float64{"effective": felt.Sub(change).Seconds(), "restore": back.Sub(undo).Seconds()}
}

// compare holds what was printed against the truth.
func (p *place) compare(t timeline.Timeline, truth map[timeline.Name]time.Time, spans map[string]float64) {
	p.Helper()
	starts := map[string]timeline.Name{"detect": timeline.Effective, "page": timeline.Effective, "acknowledge": timeline.Paged,
		"mitigate": timeline.Effective, "resolve": timeline.Effective}
	ends := map[string]timeline.Name{"detect": timeline.Detected, "page": timeline.Paged, "acknowledge": timeline.Acknowledged,
		"mitigate": timeline.Mitigated, "resolve": timeline.Resolved}
	for _, i := range t.Intervals {
		if !i.Known {
			p.Errorf("%s is not known: %s", i.Name, i.Reason)
			continue
		}
		if 2*i.ErrorS > widest {
			p.Errorf("the bar of %s is %.2f s wide: %.2f ± %.2f s", i.Name, 2*i.ErrorS, i.Seconds, i.ErrorS)
		}
		from, to := truth[starts[i.Name]], truth[ends[i.Name]]
		real, ours := spans[i.Name] // effective and restore begin on our own clock
		if !ours && (from.IsZero() || to.IsZero()) {
			p.Errorf("the truth does not tell %s: from %s to %s", i.Name, from, to)
			continue
		}
		if !ours {
			real = to.Sub(from).Seconds()
		}
		p.Logf("%-12s %6.2f ± %.2f s, really %6.2f s", i.Name, i.Seconds, i.ErrorS, real)
		if real < i.Seconds-i.ErrorS-slack || real > i.Seconds+i.ErrorS+slack {
			p.Errorf("%s took %.2f s, printed is %.2f ± %.2f s", i.Name, real, i.Seconds, i.ErrorS)
		}
	}
	for name, at := range truth {
		i := t.Instant(name)
		if early, late := i.At.Add(-i.Early-150*time.Millisecond), i.At.Add(i.Late+150*time.Millisecond); at.Before(early) || at.After(late) {
			p.Errorf("%s was at %s, printed is %s -%s +%s", name, at.Format("15:04:05.000"), i.At.Format("15:04:05.000"), i.Early, i.Late)
		}
	}
}

// looks are the test's own looks at a page, many a second.
type looks struct {
	mu    sync.Mutex
	bad   time.Time // the last answer that was bad
	good  time.Time // the first good one after it
	end   context.CancelFunc
	ended chan struct{}
}

func watch(p *place, url string) *looks {
	ctx, cancel := context.WithCancel(p.ctx)
	l := &looks{end: cancel, ended: make(chan struct{})}
	p.Cleanup(l.stop)
	go func() {
		defer close(l.ended)
		_ = killtest.Until(ctx, func() (bool, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return false, err
			}
			if res, err := http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
				l.add(res.StatusCode < 400, time.Now())
			}
			return false, nil
		})
	}()
	return l
}

func (l *looks) add(good bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case !good:
		l.bad, l.good = now, time.Time{}
	case !l.bad.IsZero() && l.good.IsZero():
		l.good = now
	}
}

// better is when the page got better for good.
func (l *looks) better() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.good
}

func (l *looks) stop() {
	l.end()
	<-l.ended
}
