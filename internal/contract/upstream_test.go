package contract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"
)

// upstream is a mistake of go-pagerduty in the version that we link, and what we do instead.
type upstream struct {
	mistake string
	instead string // where it is worked round
	still   func(t *testing.T) bool
}

// mistakes are those that touch what we use of it or would have used. Our client carries every call over one transport
// of its own, observe's wire, and takes from go-pagerduty the shapes of what it sends and reads in the preflight, and the
// verifier of webhooks.
func mistakes() []upstream {
	return []upstream{
		{"NewOAuthClient ignores its options, and speaks to PagerDuty in the US whatever they say", "observe.NewPagerDuty: the wire knows its hosts, and refuses others", func(t *testing.T) bool {
			d := answering(t, 200, `{"abilities":[]}`)
			_, _ = client(pd.NewOAuthClient("x", pd.WithAPIEndpoint("http://127.0.0.1:1")), d).ListAbilitiesWithContext(t.Context())
			return d.host() == "api.pagerduty.com"
		}},
		{"ManageEventWithContext of the package speaks to the US with a client of its own, which never gives up", "observe.(*PagerDuty).Send", func(t *testing.T) bool {
			d := answering(t, 202, `{"status":"success"}`)
			was := http.DefaultClient.Transport
			http.DefaultClient.Transport = d
			defer func() { http.DefaultClient.Transport = was }()
			_, _ = pd.ManageEventWithContext(t.Context(), pd.V2Event{RoutingKey: ourKey, Action: "trigger"})
			return d.host() == "events.pagerduty.com" && http.DefaultClient.Timeout == 0
		}},
		{"the client's own ManageEvent loses what the Events API says is wrong", "observe's explain reads the answer", func(t *testing.T) bool {
			d := answering(t, 400, `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect"]}`)
			_, err := client(pd.NewClient("x"), d).ManageEventWithContext(t.Context(), &pd.V2Event{})
			return err != nil && !strings.Contains(err.Error(), "routing_key")
		}},
		{"any 2xx is taken for the Events API's 202", "none: ours does so too, for nothing else is documented", func(t *testing.T) bool {
			_, err := client(pd.NewClient("x"), answering(t, 204, ``)).ManageEventWithContext(t.Context(), &pd.V2Event{})
			return err == nil || !strings.Contains(err.Error(), "204")
		}},
		{"CreateIncident sends a priority of null, which the contract forbids", "incidents are opened by the Events API alone", func(t *testing.T) bool {
			d := answering(t, 201, `{"incident":{}}`)
			_, _ = client(pd.NewClient("x"), d).CreateIncidentWithContext(t.Context(), "a@example.invalid", &pd.CreateIncidentOptions{Title: "x"})
			return strings.Contains(d.sent(), `"priority":null`)
		}},
		{"SnoozeIncident sends no From, which is required", "firedrill snoozes nothing", func(t *testing.T) bool {
			d := answering(t, 201, `{"incident":{}}`)
			_, _ = client(pd.NewClient("x"), d).SnoozeIncidentWithContext(t.Context(), "Q1", 60)
			return d.header("From") == ""
		}},
		{"an error of the transport hides its cause: a call that was cancelled does not look so", "observe.Problem wraps what the transport said", func(t *testing.T) bool {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, err := pd.NewClient("x", pd.WithAPIEndpoint("http://127.0.0.1:1")).ListAbilitiesWithContext(ctx)
			return err != nil && !errors.Is(err, context.Canceled)
		}},
		{"an APIError has no headers: nobody knows when a rate limit ends", "observe's wire reads ratelimit-reset", func(*testing.T) bool {
			return !hasField[pd.APIError]("Header") && !hasField[pd.APIError]("Headers")
		}},
		{"an error that is no JSON is dropped whole", "observe's explain tells what there is", func(t *testing.T) bool {
			d := answering(t, 502, `<html>the gateway is tired</html>`)
			d.kind = "text/html"
			_, err := client(pd.NewClient("x"), d).ListAbilitiesWithContext(t.Context())
			return err != nil && !strings.Contains(err.Error(), "tired")
		}},
		{"errors told as an object hide the message", "observe's explain takes them as they come", func(t *testing.T) bool {
			d := answering(t, 400, `{"error":{"message":"Not so","code":2001,"errors":{"title":["is missing"]}}}`)
			_, err := client(pd.NewClient("x"), d).ListAbilitiesWithContext(t.Context())
			return err != nil && !strings.Contains(err.Error(), "Not so")
		}},
		{"a channel whose type is null ends the program", "observe's entries are read loosely, one by one", func(t *testing.T) (panicked bool) {
			defer func() { panicked = recover() != nil }()
			_, _ = client(pd.NewClient("x"), answering(t, 200, `{"log_entries":[{"id":"R1","channel":{"type":null}}]}`)).ListIncidentLogEntriesWithContext(t.Context(), "Q1", pd.ListIncidentLogEntriesOptions{})
			return false
		}},
		{"one detail of an event that is no text loses the whole page of the log", "observe's entries are read loosely, one by one", func(t *testing.T) bool {
			_, err := client(pd.NewClient("x"), answering(t, 200, `{"log_entries":[{"id":"R1","event_details":{"n":1}}]}`)).ListIncidentLogEntriesWithContext(t.Context(), "Q1", pd.ListIncidentLogEntriesOptions{})
			return err != nil
		}},
		{"a 429 is not waited out", "observe's wire waits, and then asks again", func(t *testing.T) bool {
			d := answering(t, 429, `{"error":{"message":"Rate Limit Exceeded","code":2020}}`)
			d.told = http.Header{"Ratelimit-Reset": {"0"}}
			_, err := client(pd.NewClient("x"), d).ListAbilitiesWithContext(t.Context())
			return err != nil && d.calls == 1
		}},
		{"a call has no time-out of its own", "each call of observe.PagerDuty has one, and each try", func(*testing.T) bool {
			c, ok := pd.NewClient("x").HTTPClient.(*http.Client)
			return ok && c.Timeout == 0
		}},
		{"a log entry has no note, a notify entry no notification", "observe's entries keep both", func(*testing.T) bool {
			return !hasField[pd.LogEntry]("Note") && !hasField[pd.Channel]("Notification")
		}},
		{"an acknowledgement that never ends looks like one that ends at once", "observe's entries are read loosely", func(*testing.T) bool {
			f, ok := reflect.TypeFor[pd.LogEntry]().FieldByName("AcknowledgementTimeout")
			return !ok || f.Type.Kind() == reflect.Int
		}},
		{"a note does not say by which channel it came, nor that it was edited", "observe.IncidentNote", func(*testing.T) bool {
			return !hasField[pd.IncidentNote]("Channel") && !hasField[pd.IncidentNote]("UpdatedAt")
		}},
		{"a note's From is the summary of its user, which is sent along", "observe.(*PagerDuty).Note writes it itself", func(t *testing.T) bool {
			d := answering(t, 200, `{"note":{}}`)
			_, _ = client(pd.NewClient("x"), d).CreateIncidentNoteWithContext(t.Context(), "Q1", pd.IncidentNote{Content: "x", User: pd.APIObject{Summary: "a@example.invalid"}})
			return d.header("From") == "a@example.invalid" && strings.Contains(d.sent(), `"summary":"a@example.invalid"`)
		}},
		{"an incident has no type", "observe.(*PagerDuty).Mark reads its own", func(*testing.T) bool {
			return !hasField[pd.Incident]("IncidentType")
		}},
		{"alerts cannot be asked for by their key", "observe compares keys itself", func(*testing.T) bool {
			return !hasField[pd.ListIncidentAlertsOptions]("AlertKey")
		}},
		{"incidents, log entries, notes and on-calls come one page only", "observe's pages", func(t *testing.T) bool {
			d := answering(t, 200, `{"incidents":[{"id":"Q1"}],"log_entries":[{"id":"R1"}],"notes":[],"oncalls":[],"limit":1,"offset":0,"more":true}`)
			c := client(pd.NewClient("x"), d)
			_, err1 := c.ListIncidentsWithContext(t.Context(), pd.ListIncidentsOptions{})
			_, err2 := c.ListIncidentLogEntriesWithContext(t.Context(), "Q1", pd.ListIncidentLogEntriesOptions{})
			_, err3 := c.ListOnCallsWithContext(t.Context(), pd.ListOnCallOptions{})
			return errors.Join(err1, err2, err3) == nil && d.calls == 3
		}},
		{"a page of no items that promises more is asked for until the end of time", "observe's pages stop at an empty one", func(t *testing.T) bool {
			d := answering(t, 200, `{"services":[],"limit":0,"offset":0,"more":true}`)
			d.enough = 20
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			_, err := client(pd.NewClient("x"), d).ListServicesPaginated(ctx, pd.ListServiceOptions{})
			return err != nil && d.calls >= d.enough
		}},
	}
}

// TestUpstream looks whether each mistake is still there. One that is not is good news: what works round it may go.
func TestUpstream(t *testing.T) {
	for _, m := range mistakes() {
		t.Run(m.mistake, func(t *testing.T) {
			if !m.still(t) {
				t.Errorf("go-pagerduty does not do this any more: %s. What works round it may go, or be looked at anew: %s", m.mistake, m.instead)
			}
		})
	}
}

// TestOurClientHasNoneOfThem: the same troubles, over our own client.
func TestOurClientHasNoneOfThem(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/log_entries") && r.URL.Query().Get("offset") == "0":
			_, _ = io.WriteString(w, `{"log_entries":[{"id":"R1","type":"acknowledge_log_entry","created_at":"2026-11-22T10:00:00Z","channel":{"type":null},"event_details":{"n":1},"agent":{"id":"P1","type":"user_reference"}}],"limit":1,"offset":0,"more":true}`)
		case strings.HasSuffix(r.URL.Path, "/log_entries"):
			_, _ = io.WriteString(w, `{"log_entries":[],"limit":0,"offset":1,"more":true}`)
		default:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"error":{"message":"Not so","code":2001,"errors":{"title":["is missing"]}}}`)
		}
	}))
	defer srv.Close()
	d := &desk{t: t, url: srv.URL, witness: &witness{next: http.DefaultTransport}}
	c := d.client(rest)
	log, err := c.Log(t.Context(), "Q1ABCDE")
	if err != nil || len(log) != 1 || log[0].User != "P1" || len(d.all()) != 2 {
		t.Errorf("%+v %v after %d requests", log, err, len(d.all()))
	}
	if err := c.Note(t.Context(), "Q1ABCDE", "x"); err == nil || !strings.Contains(err.Error(), "Not so") {
		t.Errorf("error %v", err)
	}
	sent := d.all()[2]
	var body map[string]map[string]any
	if err := json.Unmarshal(sent.Body, &body); err != nil || len(body["note"]) != 1 || sent.Header.Get("From") != "drills@firedrill.invalid" {
		t.Errorf("%s %v", sent.Body, sent.Header)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Notes(ctx, "Q1ABCDE"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want one that says that it was called off", err)
	}
}

// double answers every request with the same, whatever its host.
type double struct {
	status int
	kind   string
	body   string
	told   http.Header
	enough int // fails from so many calls on

	calls int
	last  *http.Request
	saw   []byte
}

func answering(t *testing.T, status int, body string) *double {
	t.Helper()
	return &double{status: status, body: body, kind: "application/json"}
}

// client makes a client of theirs speak to a double.
func client(c *pd.Client, d *double) *pd.Client {
	c.HTTPClient = d
	return c
}

// Do is what a client of theirs calls.
func (d *double) Do(r *http.Request) (*http.Response, error) { return d.RoundTrip(r) }

func (d *double) RoundTrip(r *http.Request) (*http.Response, error) {
	d.calls++
	d.last, d.saw = r, nil
	if d.enough > 0 && d.calls >= d.enough {
		return nil, errors.New("enough")
	}
	if r.Body != nil {
		d.saw, _ = io.ReadAll(r.Body)
	}
	h := d.told.Clone()
	if h == nil {
		h = http.Header{}
	}
	h.Set("Content-Type", d.kind)
	return &http.Response{StatusCode: d.status, Header: h, Body: io.NopCloser(bytes.NewBufferString(d.body)), Request: r}, nil
}

func (d *double) host() string {
	if d.last == nil {
		return ""
	}
	return d.last.URL.Host
}

func (d *double) header(name string) string {
	if d.last == nil {
		return ""
	}
	return d.last.Header.Get(name)
}

func (d *double) sent() string { return string(d.saw) }

func hasField[T any](name string) bool {
	return slices.ContainsFunc(reflect.VisibleFields(reflect.TypeFor[T]()), func(f reflect.StructField) bool { return f.Name == name })
}
