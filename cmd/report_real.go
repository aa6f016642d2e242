package cmd

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
	"github.com/firedrill/firedrill/observe/debrief"
	"github.com/firedrill/firedrill/observe/timeline"
)

// analyst is a pager whose analytics can be read.
type analyst interface {
	RealIncidents(ctx context.Context, service string, from, to time.Time) ([]observe.RealIncident, error)
}

// realSpan is how far back real incidents are looked at where nobody says.
const realSpan = 90 * 24 * time.Hour

// realIncidents reads how long real incidents took, of every service that a drill has paged. What may not be read is
// told as unknown, and never keeps a report from being written.
func (d *Deps) realIncidents(ctx context.Context, store journal.Store, runs []timeline.Timeline, span [2]time.Time) ([]debrief.Beside, error) {
	since, until := span[0], span[1]
	everything, err := d.timelines(ctx, store, "") // another drill's incident on the same service is no real one either
	if err != nil {
		return nil, err
	}
	f, err := d.file()
	if err != nil {
		return nil, err
	}
	env, stop, err := d.environment(ctx, f, sandboxUse{})
	if err != nil {
		return nil, err
	}
	defer stop()
	if until.IsZero() {
		until = d.Now()
	}
	if since.IsZero() {
		since = until.Add(-realSpan)
	}
	services, drills := map[string]bool{}, []string{}
	for _, t := range runs {
		services[t.Brief.PageService] = true
	}
	for _, t := range everything {
		drills = append(drills, debrief.Incidents(t)...)
	}
	delete(services, "")
	out, err := d.connect(ctx, env, "report")
	var pager analyst
	if err == nil {
		pager, err = analystOf(out)
	}
	var all []debrief.Beside
	for _, service := range slices.Sorted(maps.Keys(services)) {
		b := debrief.Beside{Environment: env.Name, Service: service, Since: since.UTC(), Until: until.UTC()}
		list, listErr := []observe.RealIncident(nil), err
		if pager != nil {
			list, listErr = pager.RealIncidents(ctx, service, since, until)
		}
		if listErr != nil {
			b.Unknown = d.known.clean(listErr.Error())
		}
		all = append(all, debrief.BesideOf(b, asReal(list), drills))
	}
	return all, nil
}

func analystOf(out *outside) (analyst, error) {
	pager := out.world.Pager
	if c, ok := pager.(*clearPager); ok {
		pager = c.Pager
	}
	if a, ok := pager.(analyst); ok {
		return a, nil
	}
	return nil, errors.New("the environment has no PagerDuty token")
}

func asReal(list []observe.RealIncident) (out []debrief.RealIncident) {
	for _, x := range list {
		out = append(out, debrief.RealIncident{ID: x.ID, Service: x.Service, Type: x.Type, CreatedAt: x.CreatedAt,
			AcknowledgeS: x.AcknowledgeS, ResolveS: x.ResolveS})
	}
	return out
}
