package observe

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A private calendar's address is a secret: what goes wrong names its host alone.
func TestFetchesCalendars(t *testing.T) {
	const secret = "private-4f3a"
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
		later  bool
	}{
		"read":      {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("BEGIN:VCALENDAR")) }, "", false},
		"away":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, "status 503", true},
		"too often": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, "status 429", true},
		"gone":      {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, "status 404", false},
		"breaks":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "does not answer", true},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(strings.Repeat("x", calendarBytes+1)))
		}, "longer than 1 MiB", false},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewTLSServer(c.answer)
			defer srv.Close()
			src, err := FetchCalendar(srv.Client())(t.Context(), srv.URL+"/"+secret+"/basic.ics")
			var silent *SilentError
			if c.says == "" {
				if err != nil || string(src) != "BEGIN:VCALENDAR" {
					t.Fatalf("%q, %v", src, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || errors.As(err, &silent) != c.later {
				t.Fatalf("%v, want one that says %q, later %t", err, c.says, c.later)
			}
			if strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "127.0.0.1") {
				t.Errorf("it tells more than the host: %v", err)
			}
		})
	}
	for _, address := range []string{"http://calendar.example.com/x.ics", "ftp://calendar.example.com/x.ics", "", "https://"} {
		if _, err := FetchCalendar(http.DefaultClient)(t.Context(), address); err == nil {
			t.Errorf("%q was fetched", address)
		}
	}
}

func TestACalendarThatHangsIsLetBe(t *testing.T) {
	free := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-free }))
	defer srv.Close()
	defer close(free)
	client := srv.Client()
	client.Timeout = 50 * time.Millisecond // ours is five seconds
	_, err := FetchCalendar(client)(t.Context(), srv.URL)
	var silent *SilentError
	if !errors.As(err, &silent) {
		t.Errorf("%v", err)
	}
}

// Nobody on the way writes our holidays: what begins over https does not go on without.
func TestACalendarIsNotFetchedFromWhereItIsNotSafe(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("BEGIN:VCALENDAR")) }))
	defer plain.Close()
	safe := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer safe.Close()
	if body, err := FetchCalendar(safe.Client())(t.Context(), safe.URL+"/secret/a.ics"); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("%s, %v", body, err)
	}
}
