package cmd

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/firedrill/firedrill/internal/journal"
)

// TestServeTellsWhatTheJournalKnowsNow: every scrape reads anew, and the same as report -o prometheus.
func TestServeTellsWhatTheJournalKnowsNow(t *testing.T) {
	d := newDesk(t)
	d.env["FIREDRILL_STATE"] = filepath.Join(t.TempDir(), "state")
	store, err := d.reading(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	s := httptest.NewServer(d.handler(store))
	defer s.Close()

	get := func(path string) (int, string) {
		t.Helper()
		res, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}
	if code, body := get("/metrics"); code != 200 || strings.Contains(body, "firedrill_runs_total{") {
		t.Errorf("before the first run: %d %s", code, body)
	}
	d.tell(t, tale{run: "01kaaa", drill: "first", env: "staging", planned: day(0), kinds: undone, outcome: "met"},
		tale{run: "01kbbb", drill: "second", env: "sandbox", planned: day(1), kinds: applied})
	code, body := get("/metrics")
	for _, want := range []string{`firedrill_runs_total{drill="first",environment="staging"`,
		`firedrill_fault_in_place{drill="second",environment="sandbox",kind="dynamodb.throttle"} 1`} {
		if code != 200 || !strings.Contains(body, want) {
			t.Errorf("no %s in\n%s", want, body)
		}
	}
	d.tell(t, tale{run: "01kccc", drill: "third", env: "staging", planned: day(2), kinds: undone, outcome: "met"})
	if _, body = get("/metrics"); !strings.Contains(body, `drill="third"`) {
		t.Error("a new run is not told")
	}
	if d.run(t, "report", "-o", "prometheus") != 0 || d.out.String() != body {
		t.Errorf("report -o prometheus says something else:\n%s\n---\n%s", d.out.String(), body)
	}
	if code, body := get("/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", code, body)
	}
	if code, _ := get("/"); code != 404 {
		t.Errorf("/: %d", code)
	}

}

// TestServeOfALostJournal: both addresses say so, and neither tells the world where the journal is.
func TestServeOfALostJournal(t *testing.T) {
	d, store := newDesk(t), journal.NewMemory()
	store.Lose(errors.New("read /secret/path: no such disk"))
	for _, path := range []string{"/metrics", "/healthz"} {
		w := httptest.NewRecorder()
		d.handler(store).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code < 500 || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %q", path, w.Code, w.Body.String())
		}
	}
	if !strings.Contains(d.err.String(), "/secret/path") {
		t.Error("who runs it is not told")
	}
}

// A connection on which nothing comes is nobody's to keep: before a request, within one, and after it.
func TestServeKeepsNoConnectionForNothing(t *testing.T) {
	s := server(http.NewServeMux())
	if s.ReadHeaderTimeout <= 0 || s.ReadTimeout <= 0 || s.IdleTimeout <= 0 || s.WriteTimeout <= 0 {
		t.Fatalf("%+v", s)
	}
	s.ReadHeaderTimeout, s.ReadTimeout, s.IdleTimeout = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	for _, sent := range []string{"", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx"} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, sent)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("after %q it is kept open", sent)
		}
		_ = c.Close()
	}
}
