package observe

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// checks a service on and on, at times of a test's own, and counts what each check costs.
type checks struct {
	t     *testing.T
	s     shelves
	p     *PagerDuty
	f     *fakePager
	now   time.Time
	calls int
}

func newChecks(t *testing.T, s shelves) *checks {
	c := &checks{t: t, s: s, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	c.p, c.f = newFake(t, func(w http.ResponseWriter, r *http.Request) { c.s.ServeHTTP(w, r) })
	c.p.now = func() time.Time { return c.now }
	c.p.wire.now = c.p.now
	return c
}

// costs checks once more and wants so many calls.
func (c *checks) costs(want int, why string) ServiceCheck {
	c.t.Helper()
	got, err := c.p.Check(c.t.Context(), "PORDERS")
	if err != nil {
		c.t.Fatal(err)
	}
	if n := c.f.count() - c.calls; n != want {
		c.t.Errorf("%s: %d calls, want %d", why, n, want)
	}
	c.calls = c.f.count()
	return got
}

func TestWhatPeopleConfiguredIsKeptForAWhile(t *testing.T) {
	c := newChecks(t, shelves{"/alert_grouping_settings": "402"})
	first := c.costs(8, "the first check")
	c.now = c.now.Add(settingsAge - time.Second)
	if again := c.costs(3, "the second: service, windows, who is on call"); fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("%+v, and then %+v", first, again)
	}
	c.s["/services/PORDERS"] = strings.Replace(`{"service":`+fineService+`}`, `"active"`, `"disabled"`, 1)
	if got := c.costs(3, "the service is never kept"); len(got.Problems) != 1 {
		t.Errorf("a service that was disabled meanwhile: %+v", got)
	}
	c.now = c.now.Add(time.Second)
	c.costs(8, "after a minute")
	c.now = c.now.Add(-time.Hour)
	c.costs(8, "when the clock was set back")
}

func TestWhoMendsSomethingIsBelievedAtOnce(t *testing.T) {
	c := newChecks(t, ruled(rule("mute", `{"suppress":true}`)))
	if got := c.costs(9, "a check that refuses"); len(got.Problems) != 1 {
		t.Errorf("%+v", got)
	}
	c.s[orderState] = `{"active":false}`
	if got := c.costs(8, "mended"); len(got.Problems) != 0 {
		t.Errorf("mended, and still: %+v", got)
	}
}

func TestTheSettingsShelfIsBounded(t *testing.T) {
	s := &settingsShelf{}
	for n := range 3 * settingsSize {
		s.put(map[string]setting{fmt.Sprint(n): {}})
	}
	if len(s.kept) > settingsSize {
		t.Errorf("%d answers are kept", len(s.kept))
	}
}
