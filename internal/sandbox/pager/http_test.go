package pager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PagerDuty/go-pagerduty"
)

func TestTokens(t *testing.T) {
	d := newDesk(t)
	for name, tt := range map[string]struct {
		header, method, path string
		want                 int
	}{
		"account key":       {"Token token=" + token, "GET", "/services", 200},
		"bearer":            {"Bearer " + token, "GET", "/services", 200},
		"key of the EU":     {"Token token=eu", "GET", "/services", 401},
		"none":              {"", "GET", "/services", 401},
		"me by account key": {"Token token=" + token, "GET", "/users/me", 400},
		"me by user key":    {"Token token=user-token", "GET", "/users/me", 200},
		"write, read-only":  {"Token token=read-token", "PUT", "/incidents", 403},
		"read, read-only":   {"Token token=read-token", "GET", "/incidents", 200},
	} {
		t.Run(name, func(t *testing.T) {
			if got := d.call(tt.method, "/pagerduty"+tt.path, "{}", nil, "Authorization", tt.header); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestAUserKeyNeedsNoFrom(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	got := d.call("POST", "/pagerduty/incidents/"+i.ID+"/notes", `{"note":{"content":"x"}}`, nil, "Authorization", "Token token=user-token")
	if got != 200 {
		t.Errorf("got %d", got)
	}
}

func TestRESTIsLimitedByKey(t *testing.T) {
	d := newDesk(t, func(o *Options) { o.RequestsPerMinute = 3 })
	for range 3 {
		d.call("GET", "/pagerduty/abilities", "", nil)
	}
	_, err := d.pd.ListAbilitiesWithContext(t.Context())
	var apiErr pagerduty.APIError
	if !errors.As(err, &apiErr) || !apiErr.RateLimited() || apiErr.APIError.ErrorObject.Code != 2020 {
		t.Fatalf("got %v", err)
	}
	res, _ := d.raw("GET", "/pagerduty/abilities", "")
	if res.Header.Get("ratelimit-limit") != "3" || res.Header.Get("ratelimit-remaining") != "0" || res.Header.Get("ratelimit-reset") != "60" {
		t.Errorf("got %v", res.Header)
	}
	if got := d.call("GET", "/pagerduty/abilities", "", nil, "Authorization", "Token token=user-token"); got != 200 {
		t.Errorf("another's key: %d", got)
	}
	d.clock.add(time.Minute)
	if got := d.call("GET", "/pagerduty/abilities", "", nil); got != 200 {
		t.Errorf("a minute later: %d", got)
	}
}

func TestKnobsTroubleRequests(t *testing.T) {
	d := newDesk(t)
	for effect, want := range map[string]int{"429": 429, "401": 401, "403": 403, "500": 500, "502": 502} {
		id := d.knob(`{"effect":"` + effect + `","path":"/pagerduty"}`)
		if got := d.call("GET", "/pagerduty/abilities", "", nil); got != want {
			t.Errorf("%s: got %d", effect, got)
		}
		if got := d.call("DELETE", "/back/knobs/"+id, "", nil); got != 204 {
			t.Errorf("delete: %d", got)
		}
		if got := d.call("DELETE", "/back/knobs/"+id, "", nil); got != 404 {
			t.Errorf("delete twice: %d", got)
		}
	}
	if got := d.call("GET", "/pagerduty/abilities", "", nil); got != 200 {
		t.Errorf("knobs outlive their deletion: %d", got)
	}
	d.knob(`{"effect":"401","nth":2,"count":1,"token":"` + token + `","method":"GET"}`)
	for n, want := range []int{200, 401, 200} {
		if got := d.call("GET", "/pagerduty/abilities", "", nil); got != want {
			t.Errorf("request %d: got %d, want %d", n+1, got, want)
		}
	}
	for _, bad := range []string{`{"effect":"dance"}`, `{"effect":"700"}`, `{"colour":1}`} {
		if got := d.call("POST", "/back/knobs", bad, nil); got != 400 {
			t.Errorf("%s: %d", bad, got)
		}
	}
	d.knob(`{"effect":"429","bare":true}`)
	res, _ := d.raw("GET", "/pagerduty/abilities", "")
	if res.StatusCode != 429 || res.Header.Get("ratelimit-reset") != "" || res.Header.Get("Content-Type") == "application/json" {
		t.Errorf("bare 429: %d %v", res.StatusCode, res.Header)
	}
}

func TestDownBreaksTheConnectionLostBreaksItAfterwards(t *testing.T) {
	d := newDesk(t)
	post := func() error {
		body, _ := json.Marshal(event{RoutingKey: ourKey, Action: "trigger", DedupKey: "k",
			Payload: payload{Summary: "s", Source: "x", Severity: "error"}})
		req, err := http.NewRequestWithContext(t.Context(), "POST", d.srv.URL+"/events/v2/enqueue", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		return err
	}
	id := d.knob(`{"effect":"down"}`)
	if err := post(); err == nil {
		t.Error("down: answered")
	}
	d.call("DELETE", "/back/knobs/"+id, "", nil)
	if n := len(d.outcomes()); n != 0 {
		t.Errorf("down: %d events accepted", n)
	}
	d.knob(`{"effect":"lost","count":1}`)
	if err := post(); err == nil {
		t.Error("lost: answered")
	}
	if err := post(); err != nil {
		t.Errorf("retry: %v", err)
	}
	d.pass(2 * time.Second)
	if is := d.all(); len(is) != 1 {
		t.Errorf("a retried event makes %d incidents, want 1", len(is))
	}
}

func TestSkewShiftsEveryTimeItTells(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	d.knob(`{"effect":"skew","skew_s":90}`)
	res, _ := d.raw("GET", "/pagerduty/abilities", "")
	date, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil || date.Sub(d.clock.Now()) < 89*time.Second {
		t.Errorf("Date %v, now %v", date, d.clock.Now())
	}
	if got, want := d.incident(i.ID).CreatedAt, i.CreatedAt; diff(t, got, want) != 90*time.Second {
		t.Errorf("created_at %s, was %s", got, want)
	}
	for _, e := range d.entries(i.ID) {
		if e.Type == "trigger_log_entry" && diff(t, e.CreatedAt, i.CreatedAt) != 90*time.Second {
			t.Errorf("entry at %s, was %s", e.CreatedAt, i.CreatedAt)
		}
	}
	var tr truth
	d.call("GET", "/back/truth", "", &tr)
	at := tr.Incidents[0].CreatedAt
	if at.After(d.clock.Now()) || at.Nanosecond() == 0 {
		t.Errorf("the truth is exact and not skewed, got %v", at)
	}
}

func TestSlowAnswersLate(t *testing.T) {
	d := newDesk(t)
	d.knob(`{"effect":"slow","delay_s":0.2}`)
	began := time.Now()
	d.call("GET", "/pagerduty/abilities", "", nil)
	if took := time.Since(began); took < 200*time.Millisecond {
		t.Errorf("took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, "GET", d.srv.URL+"/pagerduty/abilities", nil)
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
		t.Error("answered in time")
	}
}

func TestRunWorksByItselfAndEnds(t *testing.T) {
	d := newDesk(t, func(o *Options) {
		o.Now = time.Now
		o.MinDelay, o.MaxDelay = time.Millisecond, 20*time.Millisecond
		o.NotifyAfter = 10 * time.Millisecond
	})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = d.p.Run(ctx) })
	d.send(ourKey, "trigger", "k")
	deadline := time.Now().Add(5 * time.Second)
	for {
		if is := d.all(); len(is) == 1 && d.kinds(is[0].ID)["notify"] > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody was notified")
		}
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	wg.Wait()
}

func diff(t *testing.T, a, b string) time.Duration {
	t.Helper()
	x, err1 := time.Parse(time.RFC3339, a)
	y, err2 := time.Parse(time.RFC3339, b)
	if err1 != nil || err2 != nil {
		t.Fatalf("%v, %v", err1, err2)
	}
	return x.Sub(y)
}

// TestAStoppedClientStopsNobodyElse leaves a request half sent, as a process that was stopped does.
func TestAStoppedClientStopsNobodyElse(t *testing.T) {
	d := newDesk(t)
	i := d.opened(ourKey, "k")
	for _, path := range []string{"/pagerduty/incidents/" + i.ID, "/back/services/PORDERS"} {
		c, err := net.Dial("tcp", strings.TrimPrefix(d.srv.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_, err = c.Write([]byte("PUT " + path + " HTTP/1.1\r\nHost: x\r\nAuthorization: Token token=" + token +
			"\r\nFrom: drills@example.invalid\r\nContent-Length: 100\r\n\r\n{"))
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := d.pd.ListAbilitiesWithContext(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond) // let the half request reach its handler
	}
}
