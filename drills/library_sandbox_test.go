package drills

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/sandbox"
	"github.com/firedrill/firedrill/observe"
)

// Every drill we ship suits the sandbox as it stands: its faults would go in, its steady state holds, its alarms are
// there and OK, and its team can be paged. The sandbox's consumer has to be seen at work first, so it is given time.
func TestShippedDrillsSuitTheSandbox(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	box, err := sandbox.Start(ctx, sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	}()
	w := box.World()
	key := w.Keys["firedrill"]
	clients, err := inject.Open(ctx, inject.Options{Endpoint: w.AWS, Region: w.Region, AccessKey: key.ID, Secret: key.Secret, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	catalog := inject.NewCatalog(clients, inject.CatalogOptions{Timing: inject.SandboxTiming()})
	looks := observe.Clients{HTTP: http.DefaultClient, CloudWatch: observe.CloudWatchOf(clients.Config), SQS: clients.SQS, Now: time.Now}
	library := NewLibrary(nil, KnownKinds(catalog))
	list, err := library.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range list {
		s, err := library.Find(l.Name)
		if err == nil {
			s, err = s.Resolve(w.Vars)
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if _, ok := w.Teams[s.Team]; !ok {
			t.Errorf("%s: the sandbox has no team %s", s.Drill, s.Team)
		}
		for _, f := range s.Faults {
			prepares(ctx, t, catalog, s, f)
		}
		for _, p := range append(append(s.SteadyState, s.Watch...), s.StopConditions...) {
			becomesOK(ctx, t, s.Drill, p, looks)
		}
	}
}

// prepares asks a fault to prepare, which only reads, until it does or time is up.
func prepares(ctx context.Context, t *testing.T, catalog inject.Catalog, s *Spec, f FaultSpec) {
	t.Helper()
	fault, err := catalog[f.Kind].New(f.Params)
	if err != nil {
		t.Errorf("%s: %v", s.Drill, err)
		return
	}
	m := inject.Mark{Run: "01k00000000000000000000000", Fault: f.ID, Until: time.Now().Add(s.Limit)}
	until(ctx, t, func() (bool, string) {
		_, err := fault.Prepare(ctx, m, time.Now())
		if err != nil {
			return false, s.Drill + ": " + err.Error()
		}
		return true, ""
	})
}

func becomesOK(ctx context.Context, t *testing.T, drill string, p observe.ProbeSpec, c observe.Clients) {
	t.Helper()
	probe, err := observe.NewProbe(p, c)
	if err != nil {
		t.Errorf("%s: %v", drill, err)
		return
	}
	until(ctx, t, func() (bool, string) {
		r := probe.Read(ctx)
		return r.Value == observe.OK, drill + ": " + probe.Label() + ": " + string(r.Value) + ", " + r.Why
	})
}

// until looks again and again for ten seconds.
func until(ctx context.Context, t *testing.T, look func() (ok bool, why string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		ok, why := look()
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Error(why)
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}
