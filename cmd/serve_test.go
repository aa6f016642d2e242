package cmd

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

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
