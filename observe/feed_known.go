package observe

import (
	"cmp"
	"slices"
	"time"
)

// knownIncident is an incident as the feed knows it.
type knownIncident struct {
	Incident
	found incidentJSON // as it was told last
	first time.Time    // when we heard of it first, our clock
	asked time.Time    // when something of it was read last
	noted time.Time    // when its notes were read last
	sure  time.Time    // when the last look began after which nothing of it was withheld, our clock

	log    map[string]Entry // by id
	order  []Entry          // the same, sorted; nil: to be made
	keys   []Alert          // the alerts that its log tells of
	notes  []IncidentNote
	marked string // what its alerts were read at

	bare      bool // something of it is not known: its id alone, or how it stands
	relogged  bool // its log was read by itself once
	told      bool // whoever asks may be told: its alerts are known
	alertless bool // its alerts are to be read
	logless   bool // its log is to be read by itself
	noteless  bool // its notes are to be read
}

// take takes in an entry of the account's log. What belongs to nobody who asks is let pass.
func (f *SharedFeed) take(e accountEntry, now time.Time) {
	in := f.known[e.Incident]
	if in == nil && f.services[e.Service] == nil {
		return
	}
	if e.Now.Status != "" && e.Now.CreatedAt != "" && f.services[e.Now.Service.ID] != nil {
		in = f.meet(e.Now, now)
	}
	if in == nil {
		in = f.named(e.Incident, e.Service, now)
	}
	if !in.add(e.Entry) {
		return
	}
	if e.Key != "" && !slices.ContainsFunc(in.keys, func(a Alert) bool { return a.Key == e.Key }) {
		in.keys = append(in.keys, Alert{Key: e.Key, Summary: e.Text, CreatedAt: e.At})
	}
	if e.Now.Status == "" {
		in.bare = true // something of it has changed, and the entry does not tell how it stands
	}
	in.noteless = in.noteless || e.Kind == EntryNoted
}

// named is the incident of that id.
func (f *SharedFeed) named(id, service string, now time.Time) *knownIncident {
	in := f.known[id]
	if in == nil {
		in = &knownIncident{Incident: Incident{ID: id, Service: service}, first: now, bare: true, log: map[string]Entry{}}
		if s := f.services[service]; s != nil {
			in.sure = s.whole // which did not see it
		}
		f.known[id] = in
	}
	return in
}

// meet takes in an incident as it stands.
func (f *SharedFeed) meet(found incidentJSON, now time.Time) *knownIncident {
	in := f.named(found.ID, found.Service.ID, now)
	alerts := in.Alerts
	in.found, in.bare = found, false
	in.Incident = found.whole()
	in.Alerts = alerts
	return in
}

// add takes in one entry, once.
func (in *knownIncident) add(e Entry) bool {
	id := cmp.Or(e.ID, e.Type+" "+e.At.String()+" "+e.User)
	if _, is := in.log[id]; is {
		return false
	}
	in.log[id], in.order = e, nil
	return true
}

// relog has the log read of an incident that began before the account's log was read, or of any while that is too long.
func (in *knownIncident) relog(covered time.Time, crowded bool) *knownIncident {
	old := !in.relogged && !covered.IsZero() && in.CreatedAt.Before(covered)
	if old || crowded && (in.Status != "resolved" || in.marked != in.found.mark()) {
		in.logless, in.relogged = true, true
	}
	return in
}

// settle finds out whether its alerts and notes need to be read. Pages of ours tell of themselves in their log; what
// some monitoring sent is read whole.
func (in *knownIncident) settle(now time.Time) {
	if in.bare {
		return
	}
	if in.found.mark() != in.marked || in.found.UpdatedAt == "" {
		known := !slices.ContainsFunc(in.keys, func(a Alert) bool { return !ownKey(a.Key) })
		switch {
		case known && in.found.Counts.All <= len(in.keys):
			in.alerts(in.keys, in.found.mark())
		case in.told && in.Status == "resolved":
			in.marked = in.found.mark() // they were read while it was open
		default:
			in.alertless = true
		}
	}
	if !in.noted.IsZero() && len(in.notes) > 0 && in.Status != "resolved" && now.Sub(in.noted) >= feedRenote {
		in.noteless = true
	}
}

// alerts are those of the incident as it was told with this mark.
func (in *knownIncident) alerts(list []Alert, mark string) {
	in.Alerts, in.marked, in.alertless, in.told = slices.Clone(list), mark, false, true
}

// withheld says that something of it is there and is not told yet: all of it, or entries of its log.
func (in *knownIncident) withheld() bool { return !in.told || in.logless }

// unread says that something of it is to be read.
func (in *knownIncident) unread(notes bool) bool {
	return !in.bare && (in.alertless || in.logless || in.noteless && notes)
}

// seen is the incident as somebody is told.
func (in *knownIncident) seen(at time.Time) SeenIncident {
	if in.order == nil {
		in.order = make([]Entry, 0, len(in.log))
		for _, e := range in.log {
			in.order = append(in.order, e)
		}
		inOrder(in.order)
	}
	out := SeenIncident{Incident: in.Incident, Log: slices.Clone(in.order), Notes: slices.Clone(in.notes)}
	out.Alerts = slices.Clone(in.Alerts)
	out.Whole = !in.bare && !in.alertless && !in.logless && !in.noteless && !at.IsZero()
	return out
}
