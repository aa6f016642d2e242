package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	fistypes "github.com/aws/aws-sdk-go-v2/service/fis/types"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/internal/killtest"
)

// stopCells are the ways out that somebody or something wants.
func stopCells() map[string]func(p *place) ending {
	return map[string]func(p *place) ending{
		"limit":                   limited,
		"stop condition":          stopBad,
		"abort":                   aborted,
		"drill stop":              noted,
		"safety lever":            halted,
		"safety lever of AWS FIS": haltedByFIS,
		"real incident":           realIncident,
		"dead-man's switch fired": switchFired,
	}
}

// runs starts the cell's drill with more in its file, and waits until its fault is felt.
func (p *place) runs(more string) *killtest.Process {
	p.Helper()
	run, err := p.Start(p.ctx, "run", p.variant(more))
	p.must(err)
	p.Cleanup(func() { _ = run.Kill() })
	p.says(run, "effective: ")
	return run
}

// limited: the drill expects somebody later than its limit allows to wait.
func limited(p *place) ending {
	run, err := p.Start(p.ctx, "run", p.changed("effective: 8s", "effective: 4s", "acknowledge: 2s", "acknowledge: 7s", "limit: 14s", "limit: 8s"))
	p.must(err)
	p.Cleanup(func() { _ = run.Kill() })
	code := p.code(run)
	for _, e := range p.events() {
		if e.Kind == journal.FaultPrepared {
			return ending{code: code, from: e.At.Add(8 * time.Second)}
		}
	}
	p.Fatal("nothing was prepared")
	return ending{}
}

// changed is the cell's drill with words replaced.
func (p *place) changed(pairs ...string) string {
	p.Helper()
	path := p.variant("")
	p.must(edit(path, func(text string) string { return strings.NewReplacer(pairs...).Replace(text) }))
	return path
}

// stopBad: a page of ours that the fault does not touch turns bad.
func stopBad(p *place) ending {
	var mu sync.Mutex
	var bad, seen time.Time
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !bad.IsZero() {
			if seen.IsZero() {
				seen = time.Now()
			}
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	p.Cleanup(page.Close)
	run := p.runs(fmt.Sprintf("stop_conditions:\n  - http: {url: %q, status: 200}\n", page.URL+"/customers"))
	mu.Lock()
	bad = time.Now()
	mu.Unlock()
	code := p.code(run)
	mu.Lock()
	defer mu.Unlock()
	if late := seen.Sub(bad); seen.IsZero() || late > 3*time.Second {
		p.Errorf("nobody looked for %s", late)
	}
	return ending{code: code, from: seen}
}

func aborted(p *place) ending {
	run := p.inPlace()
	p.verb(0, "abort")
	return ending{code: p.code(run), from: p.asked(journal.AbortRequested)}
}

// asked is when an event was recorded.
func (p *place) asked(kind journal.Kind) time.Time {
	p.Helper()
	for _, e := range p.events() {
		if e.Kind == kind {
			return e.At
		}
	}
	p.Fatalf("no %s", kind)
	return time.Time{}
}

// noted: whoever is paged writes on the incident that it shall end.
func noted(p *place) ending {
	run, err := p.Start(p.ctx, "run", p.changed("acknowledge: 2s", "acknowledge: 12s"))
	p.must(err)
	p.Cleanup(func() { _ = run.Kill() })
	p.must(killtest.Until(p.ctx, func() (bool, error) {
		incidents, err := p.stage.Incidents(p.ctx)
		if err != nil || len(incidents) == 0 {
			return run.Ended(), err
		}
		return true, p.stage.Note(p.ctx, incidents[0].ID, "Drill stop!")
	}))
	code := p.code(run)
	for _, e := range p.events() {
		if e.Kind == journal.CommandHeard {
			return ending{code: code, from: e.At}
		}
	}
	p.Fatal("nothing was heard")
	return ending{}
}

func halted(p *place) ending {
	run := p.inPlace()
	p.verb(0, "halt", "--env", "sandbox", "--why", "an exercise in stopping")
	store, err := journal.OpenSQLite(p.ctx, p.State+"/firedrill.db")
	p.must(err)
	defer store.Close()
	events, err := store.Load(p.ctx, journal.LeverRun("sandbox"), journal.Start)
	p.must(err)
	e := ending{code: p.code(run), from: events[0].At}
	p.verb(0, "halt", "--env", "sandbox", "--release")
	return e
}

func haltedByFIS(p *place) ending {
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	lever := func(status fistypes.SafetyLeverStatusInput) {
		_, err = fis.NewFromConfig(cfg).UpdateSafetyLeverState(p.ctx, &fis.UpdateSafetyLeverStateInput{Id: aws.String("default"),
			State: &fistypes.UpdateSafetyLeverStateInput{Status: status, Reason: aws.String("an exercise in stopping")}})
		p.must(err)
	}
	run := p.inPlace()
	lever(fistypes.SafetyLeverStatusInputEngaged)
	from := time.Now()
	e := ending{code: p.code(run), from: from}
	lever(fistypes.SafetyLeverStatusInputDisengaged)
	return e
}

// realIncident: an alarm rings that has nothing to do with the drill, until the run has ended.
func realIncident(p *place) ending {
	cfg, err := p.stage.AWS(p.ctx)
	p.must(err)
	run, err := p.Start(p.ctx, "run", p.changed("acknowledge: 2s", "acknowledge: 12s"))
	p.must(err)
	p.Cleanup(func() { _ = run.Kill() })
	p.says(run, "effective: ")
	p.must(killtest.Until(p.ctx, func() (bool, error) {
		_, err := cloudwatch.NewFromConfig(cfg).SetAlarmState(p.ctx, &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("orders-dead-letters"),
			StateValue: cwtypes.StateValueAlarm, StateReason: aws.String("a customer called")})
		return run.Ended(), err
	}))
	code := p.code(run)
	incidents, err := p.stage.Incidents(p.ctx)
	p.must(err)
	for _, in := range incidents {
		if strings.Contains(in.Title, "orders-dead-letters") {
			return ending{code: code, from: in.CreatedAt}
		}
	}
	p.Fatalf("no incident of theirs: %+v", incidents)
	return ending{}
}

// switchFired: the Scheduler's clock is ahead, and it makes the calls of the dead-man's switch while the run holds its
// fault in place.
func switchFired(p *place) ending {
	run := p.inPlace()
	made, err := p.stage.AdvanceSchedules(p.ctx, time.Hour)
	p.must(err)
	if made == 0 {
		p.Error("the switch made no call")
	}
	return ending{code: p.code(run), back: "the switch"}
}
