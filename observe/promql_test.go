package observe

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// monitoring answers as Prometheus or Alertmanager would; the fake remembers nothing it need not.
func monitoring(t *testing.T, do http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(do)
	t.Cleanup(s.Close)
	return s.URL
}

// readVia reads one probe over HTTP.
func readVia(t *testing.T, spec string, secret func(context.Context, string) (string, error)) Reading {
	t.Helper()
	p, err := NewProbe(specOf(t, spec), Clients{Now: time.Now, Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	r := p.Read(t.Context())
	if r.Why == "" || r.From.IsZero() || r.To.Before(r.From) {
		t.Errorf("%s: %+v", spec, r)
	}
	return r
}

func TestPromQLReads(t *testing.T) {
	const vector = `{"status":"success","data":{"resultType":"vector","result":[%]}}`
	one := func(labels, value string) string {
		return `{"metric":{` + labels + `},"value":[1700000000.1,"` + value + `"]}`
	}
	of := func(samples ...string) string { return strings.Replace(vector, "%", strings.Join(samples, ","), 1) }
	for name, c := range map[string]struct {
		status int
		body   string
		extra  string
		want   Value
		why    string
	}{
		"scalar":            {body: `{"status":"success","data":{"resultType":"scalar","result":[1,"4"]}}`, want: OK, why: "the query is 4"},
		"scalar beyond":     {body: `{"status":"success","data":{"resultType":"scalar","result":[1,"5"]}}`, want: Bad, why: "want < 5"},
		"not a number":      {body: `{"status":"success","data":{"resultType":"scalar","result":[1,"NaN"]}}`, want: Unknown, why: "NaN"},
		"infinite":          {body: `{"status":"success","data":{"resultType":"scalar","result":[1,"+Inf"]}}`, want: Bad, why: "+Inf"},
		"one sample":        {body: of(one(`"__name__":"errors"`, "1")), want: OK, why: "errors is 1"},
		"every sample":      {body: of(one(`"zone":"a"`, "1"), one(`"zone":"b"`, "9")), want: Bad, why: `{zone="b"} is 9, want < 5 (one of 2 samples)`},
		"bad beside NaN":    {body: of(one(`"zone":"a"`, "NaN"), one(`"zone":"b"`, "9")), want: Bad, why: `zone="b"`},
		"good beside NaN":   {body: of(one(`"zone":"b"`, "1"), one(`"zone":"a"`, "NaN")), want: Unknown, why: `zone="a"`},
		"histogram":         {body: of(`{"metric":{},"histogram":[1,{}]}`), want: Unknown, why: "not a number"},
		"no sample":         {body: of(), want: Unknown, why: "empty: ok"},
		"no sample is ok":   {body: of(), extra: ", empty: ok", want: OK, why: "no sample"},
		"no sample is bad":  {body: of(), extra: ", empty: bad", want: Bad, why: "no sample"},
		"matrix":            {body: `{"status":"success","data":{"resultType":"matrix","result":[]}}`, want: Unknown, why: "answers a matrix"},
		"warned of, good":   {body: `{"status":"success","warnings":["a store is missing"],"data":{"resultType":"scalar","result":[1,"1"]}}`, want: Unknown, why: "a store is missing"},
		"warned of, bad":    {body: `{"status":"success","warnings":["a store is missing"],"data":{"resultType":"scalar","result":[1,"9"]}}`, want: Bad, why: "a store is missing"},
		"a wrong query":     {status: 400, body: `{"status":"error","errorType":"bad_data","error":"parse error: unexpected end"}`, want: Unknown, why: "bad_data: parse error"},
		"too slow a query":  {status: 503, body: `{"status":"error","errorType":"timeout","error":"query timed out"}`, want: Unknown, why: "timeout"},
		"somebody else":     {status: 502, body: `<html>Bad Gateway</html>`, want: Unknown, why: "status 502, which is no answer of Prometheus"},
		"a door":            {status: 302, body: ``, want: Unknown, why: "status 302"},
		"something strange": {body: `{"status":"success","data":{"resultType":"vector","result":7}}`, want: Unknown, why: "cannot be read"},
	} {
		at := monitoring(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost || r.URL.Path != "/prom/api/v1/query" || r.FormValue("query") != "sum(errors)" {
				t.Errorf("%s: %s %s %v", name, r.Method, r.URL, r.Form)
			}
			reply(w, max(c.status, 0)+map[bool]int{true: 200}[c.status == 0], c.body)
		})
		got := readVia(t, `promql: {url: "`+at+`/prom/", query: "sum(errors)", is: "< 5"`+c.extra+`}`, nil)
		if got.Value != c.want || !strings.Contains(got.Why, c.why) {
			t.Errorf("%s: %s (%s), want %s (%s)", name, got.Value, got.Why, c.want, c.why)
		}
	}
}

// What takes reading only is asked by GET.
func TestPromQLAsksByGetWherePostIsNotTaken(t *testing.T) {
	var methods []string
	at := monitoring(t, func(w http.ResponseWriter, r *http.Request) {
		methods = append(methods, r.Method)
		if r.Method == http.MethodPost {
			reply(w, http.StatusMethodNotAllowed, "")
			return
		}
		if r.URL.Query().Get("query") != "up" {
			t.Errorf("%s", r.URL)
		}
		reply(w, 200, `{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`)
	})
	if got := readVia(t, `promql: {url: "`+at+`", query: up, is: "== 1"}`, nil); got.Value != OK || strings.Join(methods, " ") != "POST GET" {
		t.Errorf("%+v after %v", got, methods)
	}
}

// A token is read by its reference, is shown to nobody but the server, and goes to no other place.
func TestMonitoringIsAskedWithAToken(t *testing.T) {
	const token = "s3cret-token"
	secret := func(_ context.Context, ref string) (string, error) {
		if ref != "env:PROM" {
			t.Errorf("asked for %s", ref)
		}
		return token, nil
	}
	elsewhere := monitoring(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("followed: %s", r.Header) })
	for extra, want := range map[string]string{"": "Bearer " + token, ", user: drills": "Basic ZHJpbGxzOnMzY3JldC10b2tlbg=="} {
		at := monitoring(t, func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Authorization"); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			http.Redirect(w, r, elsewhere, http.StatusFound)
		})
		got := readVia(t, `promql: {url: "`+at+`", query: up, is: "== 1", token: "env:PROM"`+extra+`}`, secret)
		if got.Value != Unknown || strings.Contains(got.Why, token) {
			t.Errorf("%+v", got)
		}
		got = readVia(t, `alertmanager: {url: "`+at+`", alert: X, token: "env:PROM"`+extra+`}`, secret)
		if got.Value != Unknown || strings.Contains(got.Why, token) {
			t.Errorf("%+v", got)
		}
	}
	if got := readVia(t, `promql: {url: "`+elsewhere+`", query: up, is: "== 1", token: "env:PROM"}`, nil); got.Value != Unknown || !strings.Contains(got.Why, "read token") {
		t.Errorf("%+v", got)
	}
}

func TestMonitoringThatDoesNotAnswerIsUnknown(t *testing.T) {
	release := make(chan struct{})
	slow := monitoring(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	defer close(release)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	big := monitoring(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, maxAnswer+1)) })
	for at, why := range map[string]string{slow: "no answer within 50ms", gone.URL: "refused", big: "longer than"} {
		for _, rest := range []string{`promql: {query: up, is: "== 1"`, `alertmanager: {alert: X`} {
			timeout := "3s"
			if at == slow {
				timeout = "50ms"
			}
			if got := readVia(t, rest+`, url: "`+at+`", timeout: `+timeout+`}`, nil); got.Value != Unknown || !strings.Contains(got.Why, why) {
				t.Errorf("%s: %+v, want %q", rest, got, why)
			}
		}
	}
}

func TestMonitoringSpecs(t *testing.T) {
	for text, label := range map[string]string{
		`promql: {url: "https://prom.example.com/x", query: "sum(rate(\n  errors[1m]))", is: "< 5"}`:       "promql sum(rate( errors[1m])) < 5 at prom.example.com",
		`promql: {url: "${prom_url}", query: up, is: "== ${n}", token: "file:/run/token", empty: bad}`:     "promql up == ${n} at ${prom_url}",
		`alertmanager: {url: "https://am.example.com", alert: OrdersFail, labels: {team: orders, env: s}}`: "alertmanager OrdersFail{env=s,team=orders} at am.example.com",
		`alertmanager: {url: "http://127.0.0.1:9093", alert: OrdersFail, user: me, token: "env:X"}`:        "alertmanager OrdersFail at 127.0.0.1:9093",
		`incident: {integration: PMON}`:                    "incident of PMON",
		`incident: {integration: PMON, title: "*orders*"}`: `incident of PMON "*orders*"`,
		`incident: {title: "[FIRING:*] Orders*"}`:          `incident "[FIRING:*] Orders*"`,
	} {
		if s := specOf(t, text); s.Problems() != nil || s.Label() != label {
			t.Errorf("%s: %q %q, want %q", text, s.Label(), s.Problems(), label)
		}
	}
	for text, want := range map[string]string{
		`promql: {query: up, is: "< 5"}`:                                     "promql has no url",
		`promql: {url: "ftp://x", query: up, is: "< 5"}`:                     "not an http or https address",
		`promql: {url: "https://u:p@x", query: up, is: "< 5"}`:               "no place for a password",
		`promql: {url: "https://x/?a=b", query: up, is: "< 5"}`:              "without a query",
		`promql: {url: "https://x", query: " ", is: "< 5"}`:                  "promql has no query",
		`promql: {url: "https://x", query: up}`:                              "is is missing",
		`promql: {url: "https://x", query: up, is: "5"}`:                     "not a comparison",
		`promql: {url: "https://x", query: up, is: "< 5", empty: good}`:      "empty",
		`promql: {url: "https://x", query: up, is: "< 5", token: glsa_abc}`:  "token is a secret itself",
		`promql: {url: "https://x", query: up, is: "< 5", user: me}`:         "user has no token",
		`promql: {url: "https://x", query: up, is: "< 5", timeout: 2m}`:      "timeout",
		`alertmanager: {url: "https://x"}`:                                   "names no alert",
		`alertmanager: {alert: X}`:                                           "alertmanager has no url",
		`alertmanager: {url: "https://x", alert: X, labels: {alertname: Y}}`: "alertname stands under labels",
		`alertmanager: {url: "https://x", alert: X, labels: {"a b": Y}}`:     "not spelled",
		`incident: {}`:           "neither integration nor title",
		`incident: {title: "*"}`: "matches every incident",
	} {
		if got := strings.Join(specOf(t, text).Problems(), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
