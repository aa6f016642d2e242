package observe

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestAlertsAreAskedForAgainOnlyWhenSomethingChanged(t *testing.T) {
	updated, alerts, asked := "2026-11-22T10:00:00Z", []string{alert("A1", testPage)}, 0
	p, _ := newFake(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/alerts") {
			asked++
			reply(w, 200, `{"alerts":[`+strings.Join(alerts, ",")+`]}`)
			return
		}
		body := strings.TrimSuffix(incident("PINC", "PORDERS", "2026-11-22T10:00:00Z"), "}")
		reply(w, 200, fmt.Sprintf(`{"incidents":[%s,"updated_at":%q,"alert_counts":{"all":%d,"triggered":%d,"resolved":0}}]}`, body, updated, len(alerts), len(alerts)))
	})
	look := func(want, wantAsked int) {
		t.Helper()
		got, err := p.Incidents(t.Context(), []string{"PORDERS"}, time.Now())
		if err != nil || len(got) != 1 || len(got[0].Alerts) != want || asked != wantAsked {
			t.Fatalf("%d alerts after asking %d times, want %d and %d: %v", len(got[0].Alerts), asked, want, wantAsked, err)
		}
		got[0].Alerts[0].Key = "changed by the caller"
	}
	look(1, 1)
	look(1, 1)
	alerts = append(alerts, alert("A2", "other")) // one more was grouped in
	look(2, 2)
	look(2, 2)
	updated = "2026-11-22T10:00:05Z"
	look(2, 3)
	if inc, err := p.Find(t.Context(), "PORDERS", testPage, time.Now()); err != nil || inc == nil || asked != 3 {
		t.Errorf("found %+v, %v after asking %d times", inc, err, asked)
	}
	updated = "" // a source that does not tell is asked each time
	look(2, 4)
	look(2, 5)
}

func TestTheShelfIsBounded(t *testing.T) {
	s := &alertShelf{}
	for n := range 3 * shelfSize {
		s.put(incidentJSON{ID: fmt.Sprint(n), UpdatedAt: "x"}, nil)
	}
	if len(s.kept) > shelfSize {
		t.Errorf("%d incidents are kept", len(s.kept))
	}
}
