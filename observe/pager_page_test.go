package observe

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	pd "github.com/PagerDuty/go-pagerduty"
)

func accept(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusAccepted, `{"status":"success","message":"Event processed","dedup_key":"x"}`)
}

func TestSendIsATriggerOfOurs(t *testing.T) {
	p, f := newFake(t, accept)
	page := Page{
		Key: testPage, Title: "[DRILL] Order writes are throttled", Source: "orders",
		Details: map[string]any{"limit": "60m", "firedrill": map[string]string{"run": "01jdrun"}},
		Links:   []Link{{Href: "https://wiki.example.com/orders", Text: "runbook"}},
	}
	if err := p.Send(t.Context(), testKey, page); err != nil {
		t.Fatal(err)
	}
	c := f.calls[0]
	if c.Method != "POST" || c.Path != "/events/v2/enqueue" || c.Header.Get("Authorization") != "" {
		t.Errorf("%s %s, Authorization %q: the events API takes no token", c.Method, c.Path, c.Header.Get("Authorization"))
	}
	want := `{"routing_key":"` + testKey + `","event_action":"trigger","dedup_key":"` + testPage + `","links":[{"href":"https://wiki.example.com/orders","text":"runbook"}],` +
		`"client":"firedrill","payload":{"summary":"[DRILL] Order writes are throttled","source":"orders","severity":"critical","custom_details":{"firedrill":{"run":"01jdrun"},"limit":"60m"}}}`
	if c.Body != want {
		t.Errorf("sent %s\nwant %s", c.Body, want)
	}
	if err := p.Resolve(t.Context(), testKey, testPage); err != nil {
		t.Fatal(err)
	}
	if got, want := f.calls[1].Body, `{"routing_key":"`+testKey+`","event_action":"resolve","dedup_key":"`+testPage+`"}`; got != want {
		t.Errorf("sent %s\nwant %s", got, want)
	}
}

// A page that is to tell only later that it is a drill names firedrill in its key alone, however long it is.
func TestAQuietPageNamesNobody(t *testing.T) {
	p, f := newFake(t, accept)
	for _, note := range []string{"writes fail", strings.Repeat("x", maxEvent)} {
		page := Page{Key: testPage, Title: "Order writes are throttled", Source: "prod", Details: map[string]any{"note": note}, Quiet: true}
		if err := p.Send(t.Context(), testKey, page); err != nil {
			t.Fatal(err)
		}
		got := strings.Replace(f.calls[len(f.calls)-1].Body, testPage, "", 1)
		if strings.Contains(got, "drill") {
			t.Errorf("sent %.300s", got)
		}
	}
}

func TestOnlyOurKeysAreSentOrResolved(t *testing.T) {
	p, f := newFake(t, accept)
	for name, c := range map[string][2]string{
		"no dedup key":          {testKey, ""},
		"somebody else's":       {testKey, "48cddba5eea07"},
		"the bare prefix":       {testKey, "firedrill/"},
		"too long":              {testKey, ours + strings.Repeat("x", 255)},
		"no integration key":    {"", testPage},
		"a REST key":            {testToken, testPage},
		"a global orchestrator": {"R" + testKey[1:], testPage},
		"a newline":             {testKey[:31] + "\n", testPage},
	} {
		if err := p.Resolve(t.Context(), c[0], c[1]); err == nil {
			t.Errorf("%s: resolved", name)
		} else if len(c[0]) > 8 && strings.Contains(err.Error(), c[0][:8]) {
			t.Errorf("%s: tells the key: %v", name, err)
		}
		if err := p.Send(t.Context(), c[0], Page{Key: c[1], Title: "x"}); err == nil {
			t.Errorf("%s: sent", name)
		}
	}
	if err := p.Send(t.Context(), testKey, Page{Key: testPage, Title: " "}); err == nil {
		t.Error("sent without a title")
	}
	if f.count() != 0 {
		t.Errorf("%d requests went out", f.count())
	}
}

func TestLongPagesAreCut(t *testing.T) {
	p, f := newFake(t, accept)
	page := Page{Key: testPage, Title: strings.Repeat("ü", 2000), Details: map[string]any{"evidence": strings.Repeat("x", 600_000)}}
	if err := p.Send(t.Context(), testKey, page); err != nil {
		t.Fatal(err)
	}
	var sent pd.V2Event
	if err := json.Unmarshal([]byte(f.calls[0].Body), &sent); err != nil {
		t.Fatal(err)
	}
	if n := len([]rune(sent.Payload.Summary)); n != maxSummary {
		t.Errorf("summary of %d runes", n)
	}
	if len(f.calls[0].Body) > maxEvent || !strings.Contains(f.calls[0].Body, "too long") {
		t.Errorf("sent %d bytes", len(f.calls[0].Body))
	}
	if err := p.Send(t.Context(), testKey, Page{Key: testPage, Title: "x", Details: map[string]any{"f": func() {}}}); err == nil {
		t.Error("sent what is not JSON")
	}
}

func TestARefusedEventSaysWhy(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 400, `{"status":"invalid event","message":"Event object is invalid","errors":["Length of 'routing_key' is incorrect"]}`)
	})
	err := p.Send(t.Context(), testKey, Page{Key: testPage, Title: "x"})
	if err == nil || !strings.Contains(err.Error(), "Length of 'routing_key' is incorrect") || f.count() != 1 {
		t.Errorf("%v after %d requests", err, f.count())
	}
}

func TestNoteIsWrittenAsTheBot(t *testing.T) {
	p, f := newFake(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"note":{}}`) })
	if err := p.Note(t.Context(), "PINC", "This is a drill"); err != nil {
		t.Fatal(err)
	}
	c := f.calls[0]
	if c.Path != "/pagerduty/incidents/PINC/notes" || c.Header.Get("From") != "drills@example.com" || c.Body != `{"note":{"content":"This is a drill"}}` {
		t.Errorf("%s From %q %s", c.Path, c.Header.Get("From"), c.Body)
	}
	p.from = ""
	if err := p.Note(t.Context(), "PINC", "x"); err == nil {
		t.Error("written as nobody")
	}
	if err := p.Note(t.Context(), "PINC", " \n"); err == nil {
		t.Error("written empty")
	}
}
