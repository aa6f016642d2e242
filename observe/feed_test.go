package observe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// looks has a service looked at each second, as a run does, and returns what was seen last.
func looks(t *testing.T, a *feedAccount, f *SharedFeed, n int, services ...string) (seen Seen) {
	t.Helper()
	since := a.began
	for range n {
		for _, s := range services {
			var err error
			if seen, err = f.Look(t.Context(), []string{s}, since); err != nil {
				t.Fatal(err)
			}
		}
		a.pass(time.Second)
	}
	return seen
}

// only is the one incident that was seen.
func only(t *testing.T, seen Seen) SeenIncident {
	t.Helper()
	if len(seen.Incidents) != 1 {
		t.Fatalf("saw %+v", seen)
	}
	return seen.Incidents[0]
}

func TestARunIsToldOfItsPage(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	if seen := looks(t, a, f, 20, "PORDERS"); len(seen.Incidents) != 0 || seen.At.IsZero() {
		t.Fatalf("before anything happened: %+v", seen)
	}
	in := a.open("PORDERS", "firedrill/run")
	got := only(t, looks(t, a, f, 8, "PORDERS"))
	if got.ID != in.id || len(got.Alerts) != 1 || got.Alerts[0].Key != "firedrill/run" || len(got.Log) != 3 || !got.Whole || got.Status != "triggered" {
		t.Errorf("%+v", got)
	}
	if got.Log[0].Kind != EntryTriggered {
		t.Errorf("in no order: %+v", got.Log)
	}
	a.happen(in, "acknowledge", "acknowledged")
	if got = only(t, looks(t, a, f, 8, "PORDERS")); got.Status != "acknowledged" || len(got.Log) != 4 {
		t.Errorf("%+v", got)
	}
	if n := a.calls("/incidents/"); n != 0 {
		t.Errorf("%d questions about an incident whose log tells everything: %q", n, a.asked)
	}
}

// Twelve a minute, however long the drill and whatever happens in it.
func TestOneDrillCostsAtMostTwelveAMinute(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	looks(t, a, f, 90, "PORDERS")
	in := a.open("PORDERS", "firedrill/run")
	theirs := a.open("PORDERS", "alarm")
	looks(t, a, f, 300, "PORDERS")
	a.happen(in, "acknowledge", "acknowledged")
	in.notes = []string{"looking"}
	a.happen(in, "annotate", "acknowledged")
	looks(t, a, f, 300, "PORDERS")
	a.happen(in, "resolve", "resolved")
	a.happen(theirs, "resolve", "resolved")
	seen := looks(t, a, f, 120, "PORDERS")
	if most := a.busiest(); most > callsOfOne {
		t.Errorf("%d requests in a minute", most)
	}
	if len(seen.Incidents) != 2 || seen.Incidents[0].Status != "resolved" || len(seen.Incidents[0].Notes) != 1 || seen.Incidents[1].Alerts[0].Integration != "PINT" {
		t.Errorf("%+v", seen)
	}
}

// Five hundred drills, paged within a minute: sixty a minute, and each is told of its own.
func TestFiveHundredDrillsCostAtMostSixtyAMinute(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	var services []string
	for n := range 500 {
		services = append(services, fmt.Sprintf("PS%03d", n))
	}
	since, went := a.clock(), map[string]time.Time{}
	for second := range 240 {
		for n, s := range services {
			if second == 20+n/10 && n%10 == second%10 || second == 80 && went[s].IsZero() {
				a.open(s, "firedrill/"+s)
				went[s] = a.clock()
			}
			if (n+second)%5 == 0 {
				seen, err := f.Look(t.Context(), []string{s}, since)
				if err != nil {
					t.Fatal(err)
				}
				if len(seen.Incidents) > 1 || len(seen.Incidents) == 1 && seen.Incidents[0].Service != s {
					t.Fatalf("%s was told of %+v", s, seen.Incidents)
				}
				if second > 80+60 && (len(seen.Incidents) == 0 || len(seen.Incidents[0].Log) != 3) {
					t.Fatalf("%s was told nothing by second %d: %+v", s, second, seen)
				}
			}
		}
		if second == 75 { // others ask the account too, and leave little of the minute
			for range 40 {
				f.heard(a.clock(), a.clock(), nil, false)
			}
		}
		a.pass(time.Second)
	}
	if most := a.busiest(); most > callsAtMost {
		t.Errorf("%d requests in a minute", most)
	}
	if !f.crowded.IsZero() {
		t.Error("a minute without room was taken for an account with too much traffic")
	}
}

func TestEntriesThatComeLateAreTaken(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	a.skew, a.late = 90*time.Second, 100*time.Second
	looks(t, a, f, 10, "PORDERS")
	a.open("PORDERS", "firedrill/run")
	if got := only(t, looks(t, a, f, 130, "PORDERS")); len(got.Log) != 3 {
		t.Errorf("%+v", got)
	}
}

func TestAnIncidentKnownByItsIDAloneIsListed(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	a.bare = true
	looks(t, a, f, 10, "PORDERS")
	in := a.open("PORDERS", "firedrill/run")
	looks(t, a, f, 7, "PORDERS")
	a.happen(in, "acknowledge", "acknowledged")
	if got := only(t, looks(t, a, f, 14, "PORDERS")); got.Status != "acknowledged" || got.Title == "" || !got.Whole {
		t.Errorf("%+v", got)
	}
}

// A run that is taken over has a past, which the account's log is not read for.
func TestThePastOfAnIncidentIsReadOnce(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	since := a.clock()
	a.open("PORDERS", "firedrill/run")
	a.pass(2 * time.Hour)
	var seen Seen
	for range 100 {
		var err error
		if seen, err = f.Look(t.Context(), []string{"PORDERS"}, since); err != nil {
			t.Fatal(err)
		}
		a.pass(time.Second)
	}
	if got := only(t, seen); len(got.Log) != 3 || got.Alerts[0].Key != "firedrill/run" || !got.Whole {
		t.Errorf("%+v", got)
	}
	if n := a.calls("/incidents/P1/log_entries"); n != 1 {
		t.Errorf("its log was read %d times", n)
	}
}

func TestAnAccountWithTooMuchTrafficIsReadByItsIncidents(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	a.noise = 900
	looks(t, a, f, 10, "PORDERS")
	in := a.open("PORDERS", "firedrill/run")
	looks(t, a, f, 40, "PORDERS")
	a.happen(in, "acknowledge", "acknowledged")
	got := only(t, looks(t, a, f, 40, "PORDERS"))
	if got.Status != "acknowledged" || len(got.Log) != 4 || a.busiest() > callsOfOne {
		t.Errorf("%d requests in a minute: %+v", a.busiest(), got)
	}
	if n := a.calls("/log_entries"); n > callsOfOne/2 {
		t.Errorf("the account's log was read on: %d pages", n)
	}
}

func TestTroubleIsToldAndLetBe(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header http.Header
		least  time.Duration
	}{
		"429 with headers":    {429, http.Header{"Ratelimit-Reset": {"20"}}, 19 * time.Second},
		"429 without headers": {429, nil, 5 * time.Second},
		"502":                 {502, nil, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			a, f := newFeedAccount(t, FeedOptions{})
			looks(t, a, f, 10, "PORDERS")
			a.fail, a.header = func(string) int { return c.status }, c.header
			a.pass(time.Minute)
			began, asked := a.clock(), a.calls("/")
			_, err := f.Look(t.Context(), []string{"PORDERS"}, began)
			var p *Problem
			if !errors.As(err, &p) || p.Status != c.status || !strings.Contains(err.Error(), "asked again at") {
				t.Fatalf("%v", err)
			}
			for a.clock().Sub(began) < c.least {
				if _, err := f.Look(t.Context(), []string{"PWEB"}, began); err == nil {
					t.Fatal("another run is told nothing of it")
				}
				a.pass(500 * time.Millisecond)
			}
			if n := a.calls("/") - asked; n != 1 {
				t.Errorf("%d requests in %s", n, c.least)
			}
			a.fail = nil
			a.pass(10 * time.Second)
			if seen, err := f.Look(t.Context(), []string{"PORDERS"}, began); err != nil || seen.At.Before(began) {
				t.Errorf("%v %v", seen, err)
			}
		})
	}
}

func TestWhoLeavesSpoilsNothingForTheOthers(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	ctx, cancel := contextOf(t)
	a.fail = func(string) int { cancel(); return 0 }
	if _, err := f.Look(ctx, []string{"PORDERS"}, a.clock()); err == nil {
		t.Fatal("called off, and no error")
	}
	a.fail = nil
	a.pass(5 * time.Second)
	if seen := looks(t, a, f, 1, "PORDERS"); seen.At.IsZero() {
		t.Error("the next one does not look")
	}
}

// A pager that hangs is lost to every run, whoever of them happens to look: the others are not told for ever what was
// known before.
func TestAPagerThatHangsIsLostToAll(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	looks(t, a, f, 10, "PORDERS", "PWEB")
	a.pass(time.Minute)
	since, flying := a.began, make(chan struct{}, 8)
	hung := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		flying <- struct{}{}
		<-r.Context().Done()
	}))
	defer hung.Close()
	f.p.api, f.p.wire.hosts[hung.URL] = hung.URL, true
	look := func(service string) chan error {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		ended := make(chan error, 1)
		go func() {
			defer cancel()
			_, err := f.Look(ctx, []string{service}, since)
			ended <- err
		}()
		<-flying
		return ended
	}
	if err := <-look("PORDERS"); err == nil {
		t.Fatal("it hangs, and no error")
	}
	a.pass(time.Minute)
	ended := look("PORDERS")
	if _, err := f.Look(t.Context(), []string{"PWEB"}, since); err == nil {
		t.Error("whoever does not look is told what was known two minutes ago")
	}
	<-ended
}

func TestManyAskAtOnce(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	since := a.clock()
	var all sync.WaitGroup
	for n := range 40 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 20 {
				if _, err := f.Look(t.Context(), []string{fmt.Sprintf("PS%d", n)}, since); err != nil {
					t.Error(err)
				}
				f.Clock()
				a.pass(50 * time.Millisecond)
			}
		}()
	}
	all.Wait()
	if most := a.busiest(); most > callsAtMost {
		t.Errorf("%d requests in a minute", most)
	}
}

func TestWhatNobodyAsksForIsForgotten(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	looks(t, a, f, 10, "PWEB")
	a.open("PWEB", "firedrill/run")
	looks(t, a, f, 10, "PWEB")
	a.pass(forgetAfter)
	looks(t, a, f, 10, "PORDERS")
	if len(f.services) != 1 || len(f.known) != 0 {
		t.Errorf("%d services, %d incidents are remembered", len(f.services), len(f.known))
	}
}

func TestAFeedRefusesWhatWouldBeEverybodys(t *testing.T) {
	a, f := newFeedAccount(t, FeedOptions{})
	for _, services := range [][]string{nil, {""}, {"P/../x"}} {
		if _, err := f.Look(t.Context(), services, a.clock()); err == nil {
			t.Errorf("%q was looked at", services)
		}
	}
	if n := a.calls("/"); n != 0 {
		t.Errorf("%d requests", n)
	}
}
