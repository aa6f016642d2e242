package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// published is PagerDuty's OpenAPI, as `make pagerduty-schema` left it.
type published struct {
	rest, events routers.Router
	commit       string
}

// schema reads what was published, or skips the test, and says how to get it.
func schema(t *testing.T) published {
	t.Helper()
	dir := os.Getenv("FIREDRILL_PD_SCHEMA")
	required := dir != "" // it is fetched from GitHub, which CI does not do
	if dir == "" {
		dir = filepath.Join("..", "..", "bin", "pagerduty-schema")
	}
	commit, err := os.ReadFile(filepath.Join(dir, "commit"))
	switch {
	case err != nil && required:
		t.Fatalf("PagerDuty's OpenAPI is not in %s: %v", dir, err)
	case err != nil:
		t.Skip("PagerDuty's OpenAPI is not here, and nothing is checked against it: make pagerduty-schema")
	}
	return published{
		rest:   router(t, filepath.Join(dir, "rest.json"), nil),
		events: router(t, filepath.Join(dir, "events.json"), openapi3.Servers{{URL: "/v2"}}),
		commit: strings.TrimSpace(string(commit)),
	}
}

func router(t *testing.T, file string, servers openapi3.Servers) routers.Router {
	t.Helper()
	loader := openapi3.NewLoader()
	doc, err := loader.LoadFromFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = servers // whatever the host: ours is a test server's
	for _, path := range doc.Paths.Map() {
		path.Servers = nil
	}
	err = doc.Validate(t.Context(), openapi3.DisableExamplesValidation(), openapi3.DisableSchemaDefaultsValidation(), openapi3.DisableSchemaPatternValidation())
	if err != nil {
		t.Fatal(err)
	}
	r, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// complaints are what is wrong with an exchange, each naming its side.
func (p published) complaints(ctx context.Context, x exchange) (all []string) {
	say := func(format string, args ...any) { all = append(all, x.String()+": "+fmt.Sprintf(format, args...)) }
	r, err := http.NewRequestWithContext(ctx, x.Method, "http://pagerduty.test"+x.Path, bytes.NewReader(x.Body))
	if err != nil {
		return []string{err.Error()}
	}
	r.URL.RawQuery, r.Header = x.Query.Encode(), x.Header.Clone()
	from := p.rest
	if x.Events {
		from = p.events
	}
	route, params, err := from.FindRoute(r)
	if err != nil {
		say("request: PagerDuty publishes no such call: %v", err)
		return all
	}
	for _, bad := range queryComplaints(route, x) {
		say("request: %s", bad)
	}
	o := &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, ExcludeReadOnlyValidations: true,
		SkipSettingDefaults: true, IncludeResponseStatus: true, MultiError: true}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: o}
	if err := openapi3filter.ValidateRequest(ctx, in); err != nil {
		say("request: %s", short(err))
	}
	if x.Status >= 400 && route.Operation.Responses.Status(x.Status) == nil {
		return all // PagerDuty documents few refusals of each call; our own list knows their form
	}
	for _, answer := range documented(x.Answer) {
		err = openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: x.Status, Header: x.Told,
			Body: io.NopCloser(bytes.NewReader(answer)), Options: o})
		if err != nil {
			say("answer: %s\n%s", short(err), answer)
		}
	}
	return all
}

// documented is an answer as it can be checked. A log is checked entry by entry, so that a complaint names one; entries
// of types that PagerDuty sends and does not publish are left out: recorded logs have them, and a log that told no merge
// would be no likeness. Types that nobody has seen stay, and are complained about.
func documented(answer []byte) [][]byte {
	var page map[string]json.RawMessage
	var entries []json.RawMessage
	if json.Unmarshal(answer, &page) != nil || json.Unmarshal(page["log_entries"], &entries) != nil || len(entries) == 0 {
		return [][]byte{answer}
	}
	var out [][]byte
	for _, raw := range entries {
		var e struct{ Type string }
		if json.Unmarshal(raw, &e) == nil && slices.Contains([]string{"merge_log_entry", "priority_change_log_entry"}, e.Type) {
			continue
		}
		page["log_entries"] = json.RawMessage("[" + string(raw) + "]")
		if one, err := json.Marshal(page); err == nil {
			out = append(out, one)
		}
	}
	return out
}

// short leaves out the schema that an error quotes.
func short(err error) string {
	var kept []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimRight(line, "\n"); strings.Contains(line, "rror at") || !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "{") && !strings.HasPrefix(line, "}") && line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "; ")
}

// queryComplaints checks what the validator does not: that every parameter is a documented one, and every value of a
// list one of its enum.
func queryComplaints(route *routers.Route, x exchange) (all []string) {
	known := map[string]*openapi3.Parameter{}
	for _, list := range []openapi3.Parameters{route.PathItem.Parameters, route.Operation.Parameters} {
		for _, p := range list {
			if p.Value != nil && p.Value.In == "query" {
				known[p.Value.Name] = p.Value
			}
		}
	}
	for name, values := range x.Query {
		p := known[name]
		if p == nil {
			all = append(all, "query parameter "+name+" is not documented")
			continue
		}
		if !strings.HasSuffix(name, "[]") && len(values) > 1 {
			all = append(all, "query parameter "+name+" is there twice")
		}
		enum := enumOf(p)
		for _, v := range values {
			if len(enum) > 0 && !slices.Contains(enum, v) {
				all = append(all, fmt.Sprintf("query parameter %s is %q, not one of %v", name, v, enum))
			}
		}
	}
	slices.Sort(all)
	return all
}

func enumOf(p *openapi3.Parameter) (out []string) {
	if p.Schema == nil || p.Schema.Value == nil {
		return nil
	}
	s := p.Schema.Value
	if s.Items != nil && s.Items.Value != nil && len(s.Enum) == 0 {
		s = s.Items.Value
	}
	for _, v := range s.Enum {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// The contract says no: to each of these, and to what is right it does not.
func TestTheContractSaysNo(t *testing.T) {
	p := schema(t)
	header := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/vnd.pagerduty+json;version=2"}, "From": {"drills@firedrill.invalid"}}
	note := exchange{Method: "POST", Path: "/incidents/Q1ABCDE/notes", Header: header, Body: []byte(`{"note":{"content":"x"}}`), Status: 200,
		Told: http.Header{"Content-Type": {"application/json"}}, Answer: []byte(`{"note":{"id":"PNOTE01","content":"x","created_at":"2026-11-22T10:00:00Z"}}`)}
	list := exchange{Method: "GET", Path: "/incidents", Query: url.Values{"statuses[]": {"triggered", "resolved"}, "time_zone": {"UTC"}}, Header: header, Status: 200, Told: note.Told,
		Answer: []byte(`{"incidents":[{"id":"Q1","type":"incident","status":"resolved","urgency":"high","created_at":"2026-11-22T10:00:00Z","resolved_at":null}],"limit":25,"offset":0,"more":false}`)}
	page := exchange{Method: "POST", Path: "/v2/enqueue", Events: true, Header: http.Header{"Content-Type": {"application/json"}}, Status: 202, Told: note.Told,
		Body:   []byte(`{"routing_key":"` + ourKey + `","event_action":"trigger","dedup_key":"firedrill/x","payload":{"summary":"x","source":"y","severity":"critical"}}`),
		Answer: []byte(`{"status":"success","message":"Event processed","dedup_key":"firedrill/x"}`)}
	for name, c := range map[string]struct {
		x      exchange
		change func(x *exchange)
		wrong  bool
	}{
		"a note":                            {note, func(*exchange) {}, false},
		"a list":                            {list, func(*exchange) {}, false},
		"a page":                            {page, func(*exchange) {}, false},
		"a note by nobody":                  {note, func(x *exchange) { x.Header = header.Clone(); x.Header.Del("From") }, true},
		"a note without content":            {note, func(x *exchange) { x.Body = []byte(`{"note":{}}`) }, true},
		"a note that is a number":           {note, func(x *exchange) { x.Body = []byte(`{"note":{"content":1}}`) }, true},
		"a call that there is not":          {note, func(x *exchange) { x.Path = "/incidents/Q1ABCDE/nodes" }, true},
		"a parameter that there is not":     {list, func(x *exchange) { x.Query = url.Values{"services[]": {"P1"}} }, true},
		"a second status that there is not": {list, func(x *exchange) { x.Query = url.Values{"statuses[]": {"triggered", "open"}} }, true},
		"no Accept":                         {list, func(x *exchange) { x.Header = http.Header{"Content-Type": {"application/json"}} }, true},
		"an incident that is open":          {list, func(x *exchange) { x.Answer = bytes.Replace(x.Answer, []byte("resolved"), []byte("open"), 1) }, true},
		"a time that is none": {list, func(x *exchange) {
			x.Answer = bytes.Replace(x.Answer, []byte("2026-11-22T10:00:00Z"), []byte("today"), 1)
		}, true},
		"an answer without a list":     {list, func(x *exchange) { x.Answer = []byte(`{"limit":25}`) }, true},
		"an answer as text":            {list, func(x *exchange) { x.Told = http.Header{"Content-Type": {"text/plain"}} }, true},
		"a severity that there is not": {page, func(x *exchange) { x.Body = bytes.Replace(x.Body, []byte("critical"), []byte("mild"), 1) }, true},
		"an event without a key":       {page, func(x *exchange) { x.Body = []byte(`{"event_action":"trigger"}`) }, true},
	} {
		c.change(&c.x)
		if got := p.complaints(t.Context(), c.x); (len(got) > 0) != c.wrong {
			t.Errorf("%s: %q", name, got)
		}
	}
}
