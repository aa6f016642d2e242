package observe

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestForecast(t *testing.T) {
	const config = `
route: {receiver: pd, group_by: [alertname]}
inhibit_rules:
  - {source_matchers: ['alertname="Down"'], target_match: {team: orders}, equal: [zone]}
  - {source_match: {alertname: Else}, target_match_re: {team: 'orders|web'}}
receivers: [{name: pd, pagerduty_configs: [{routing_key: <secret>}]}]`
	broken := ""
	at := monitoring(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == broken {
			reply(w, 500, "down")
			return
		}
		switch r.URL.Path {
		case "/api/v2/status":
			reply(w, 200, jsonOf(t, map[string]any{"config": map[string]any{"original": config}}))
		case "/api/v2/silences":
			reply(w, 200, `[
				{"id":"s1","endsAt":"2026-11-22T12:00:00Z","status":{"state":"active"},"matchers":[{"name":"team","value":"orders","isRegex":false,"isEqual":true}]},
				{"id":"s2","endsAt":"2026-11-22T12:00:00Z","status":{"state":"active"},"matchers":[{"name":"host","value":"a.*","isRegex":true}]},
				{"id":"s3","endsAt":"2026-11-22T12:00:00Z","status":{"state":"active"},"matchers":[{"name":"team","value":"orders","isEqual":false}]},
				{"id":"s4","endsAt":"2026-11-22T12:00:00Z","status":{"state":"expired"},"matchers":[{"name":"team","value":"orders"}]}]`)
		case "/api/v2/alerts":
			reply(w, 200, `[{"labels":{"alertname":"Down","zone":"b"},"status":{"state":"active"}},{"labels":{"alertname":"Else"},"status":{"state":"active"}}]`)
		}
	})
	p := specOf(t, `alertmanager: {url: "`+at+`", alert: OrdersFail, labels: {team: orders}}`)
	f, err := Forecast(t.Context(), p, Clients{Now: time.Now})
	if err != nil || len(f.Keys()) != 1 || f.Keys()[0] != f.Routes[0].Key || f.Routes[0].Group != `{}:{alertname="OrdersFail"}` || f.Unknown != nil {
		t.Errorf("%+v %v", f, err)
	}
	want := []string{"silence s1 keeps it quiet until 2026-11-22T12:00:00Z", "silence s2 keeps it quiet until 2026-11-22T12:00:00Z, if its host fits",
		"alert Down is active and inhibits it, if its zone fits", "alert Else is active and inhibits it"}
	if strings.Join(f.Silenced, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(f.Silenced, "\n"))
	}
	broken = "/api/v2/silences"
	if f, err := Forecast(t.Context(), p, Clients{Now: time.Now}); err != nil || len(f.Unknown) != 1 || len(f.Routes) != 1 || len(f.Silenced) != 2 {
		t.Errorf("%+v %v", f, err)
	}
	broken = "/api/v2/status"
	if f, err := Forecast(t.Context(), p, Clients{Now: time.Now}); err == nil || !strings.Contains(err.Error(), "status 500") {
		t.Errorf("%+v %v", f, err)
	}
}
