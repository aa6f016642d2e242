package observe

import (
	"cmp"
	"context"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// feedAccount is a PagerDuty account that a test writes: with its own clock, its own troubles, and what it was asked.
type feedAccount struct {
	mu        sync.Mutex
	now       time.Time     // our clock
	began     time.Time     // when all began
	skew      time.Duration // its clock minus ours
	trip      func() time.Duration
	incidents []*accountIncident
	asked     []string // "GET /log_entries", with what was asked
	at        []time.Time
	fail      func(path string) int // a status in place of an answer
	header    http.Header           // of such a status
	late      time.Duration         // how late entries are told
	noise     int                   // entries of services that are none of ours, in each answer
	bare      bool                  // entries name their incident by its id alone
}

type accountIncident struct {
	id, service, title, status, key string
	created                         time.Time // its clock
	touched                         time.Time
	entries                         []accountLine
	notes                           []string
}

type accountLine struct {
	id, kind string
	at, told time.Time // its clock; told: ours
}

func newFeedAccount(t *testing.T, o FeedOptions) (*feedAccount, *SharedFeed) {
	t.Helper()
	a := &feedAccount{now: time.Date(2026, 11, 22, 10, 0, 0, 123e6, time.UTC), trip: func() time.Duration { return 100 * time.Millisecond }}
	a.began = a.now
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	p, err := NewPagerDuty(PagerOptions{Region: "us", API: srv.URL, Events: srv.URL, Token: testToken, Now: a.clock, Wait: a.wait})
	if err != nil {
		t.Fatal(err)
	}
	o.Now, o.Wait = a.clock, a.wait
	return a, NewFeed(p, o)
}

func (a *feedAccount) clock() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now
}

func (a *feedAccount) pass(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(d)
}

// open makes an incident, with what PagerDuty does by itself.
func (a *feedAccount) open(service, key string) *accountIncident {
	a.mu.Lock()
	in := &accountIncident{id: fmt.Sprintf("P%d", len(a.incidents)+1), service: service, key: key, title: "of " + service,
		status: "triggered", created: a.now.Add(a.skew)}
	a.incidents = append(a.incidents, in)
	a.mu.Unlock()
	for _, kind := range []string{"trigger", "assign", "notify"} {
		a.happen(in, kind, in.status)
	}
	return in
}

func (a *feedAccount) happen(in *accountIncident, kind, status string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	in.status, in.touched = status, a.now.Add(a.skew)
	in.entries = append(in.entries, accountLine{fmt.Sprintf("%s-%d", in.id, len(in.entries)), kind, a.now.Add(a.skew), a.now.Add(a.late)})
}

func (a *feedAccount) wait(ctx context.Context, d time.Duration) error {
	a.pass(d)
	return ctx.Err()
}

func (a *feedAccount) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked, a.at = append(a.asked, r.URL.Path+"?"+r.URL.RawQuery), append(a.at, a.now)
	trip := a.trip()
	there := time.Duration(rand.Int64N(int64(trip) + 1)) // when in that time the answer is dated
	a.now = a.now.Add(there)
	w.Header().Set("Date", a.now.Add(a.skew).UTC().Format(http.TimeFormat))
	a.now = a.now.Add(trip - there)
	if a.fail != nil {
		if status := a.fail(r.URL.Path); status != 0 {
			for k, v := range a.header {
				w.Header()[k] = v
			}
			w.WriteHeader(status)
			return
		}
	}
	q := r.URL.Query()
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch {
	case r.URL.Path == "/log_entries":
		a.list(w, q, "log_entries", a.log(q, a.incidents, a.noise))
	case r.URL.Path == "/incidents":
		a.list(w, q, "incidents", a.matching(q))
	case len(part) == 3 && part[2] == "log_entries":
		a.list(w, q, part[2], a.log(q, a.of(part[1]), 0))
	case len(part) == 3 && part[2] == "alerts":
		in := a.of(part[1])[0]
		a.list(w, q, "alerts", []string{fmt.Sprintf(`{"id":"A%s","alert_key":%q,"summary":"alarm","integration":{"id":"PINT"}}`, in.id, in.key)})
	case len(part) == 3 && part[2] == "notes":
		var notes []string
		for n, text := range a.of(part[1])[0].notes {
			notes = append(notes, fmt.Sprintf(`{"id":"N%d","content":%q,"user":{"id":"PANN","type":"user_reference"},"created_at":"2026-11-22T10:00:00Z"}`, n, text))
		}
		a.list(w, q, "notes", notes)
	default:
		http.NotFound(w, r)
	}
}

func (a *feedAccount) of(id string) []*accountIncident {
	i := slices.IndexFunc(a.incidents, func(in *accountIncident) bool { return in.id == id })
	return a.incidents[i : i+1]
}

// list answers one page.
func (a *feedAccount) list(w http.ResponseWriter, q url.Values, name string, items []string) {
	var offset int
	_, _ = fmt.Sscan(q.Get("offset"), &offset)
	to := min(offset+100, len(items))
	reply(w, 200, fmt.Sprintf(`{%q:[%s],"more":%t}`, name, strings.Join(items[min(offset, to):to], ","), to < len(items)))
}

func (a *feedAccount) matching(q url.Values) (list []string) {
	since, _ := time.Parse(time.RFC3339, q.Get("since"))
	for _, in := range a.incidents {
		open := len(q["statuses[]"]) == 0 || in.status != "resolved"
		if slices.Contains(q["service_ids[]"], in.service) && open && !in.created.Before(since) {
			list = append(list, in.json())
		}
	}
	return list
}

func (in *accountIncident) json() string {
	return fmt.Sprintf(`{"id":%q,"incident_number":%s,"title":%q,"status":%q,"urgency":"high","created_at":%q,"updated_at":%q,"service":{"id":%q},"alert_counts":{"all":1}}`,
		in.id, in.id[1:], in.title, in.status, stamp(in.created), stamp(in.touched), in.service)
}

// log lists entries in no order.
func (a *feedAccount) log(q url.Values, of []*accountIncident, noise int) (list []string) {
	since, _ := time.Parse(time.RFC3339, q.Get("since"))
	for _, in := range of {
		for _, e := range in.entries {
			if e.at.Before(since) || a.now.Before(e.told) {
				continue
			}
			incident := `{"id":"` + in.id + `","type":"incident_reference"}`
			if slices.Contains(q["include[]"], "incidents") && !a.bare {
				incident = in.json()
			}
			who := `"agent":{"id":"PANN","type":"user_reference","summary":"Ann"},"user":{"id":"PANN","type":"user_reference"}`
			list = append(list, fmt.Sprintf(`{"id":%q,"type":"%s_log_entry","created_at":%q,%s,"channel":{"type":"mobile","incident_key":%q},"service":{"id":%q},"incident":%s}`,
				e.id, e.kind, stamp(e.at), who, in.key, in.service, incident))
		}
	}
	for n := range noise {
		list = append(list, fmt.Sprintf(`{"id":"X%d-%d","type":"notify_log_entry","created_at":%q,"service":{"id":"POTHER"},"incident":{"id":"PX%d"}}`, len(a.asked), n, stamp(a.now), n))
	}
	order := func(s string) uint32 { return crc32.ChecksumIEEE([]byte(s)) } // one that means nothing, and is the same for every page
	slices.SortFunc(list, func(a, b string) int { return cmp.Compare(order(a), order(b)) })
	return list
}

// calls counts what was asked of paths that begin so.
func (a *feedAccount) calls(prefix string) (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range a.asked {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

// busiest is the most requests that any minute held.
func (a *feedAccount) busiest() (most int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range a.at {
		n := 0
		for _, at := range a.at[i:] {
			if at.Sub(a.at[i]) < time.Minute {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}
