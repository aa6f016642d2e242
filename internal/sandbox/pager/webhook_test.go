package pager

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PagerDuty/go-pagerduty/webhookv3"
)

// inbox is somebody's server for webhooks.
type inbox struct {
	mu     sync.Mutex
	got    []mail
	status []int // of the next answers; 200 when used up
	srv    *httptest.Server
}

// mail is one webhook as it came.
type mail struct {
	header http.Header
	body   []byte
	event  struct {
		ID         string
		Type       string `json:"event_type"`
		Resource   string `json:"resource_type"`
		OccurredAt string `json:"occurred_at"`
		Agent      *ref
		Data       struct {
			ID, Type, Status, Title, Content string
			Trimmed                          bool
			CreatedAt                        string `json:"created_at"`
			Incident                         ref
			Assignees                        []ref
			Kind                             typeName `json:"incident_type"`
			Reason                           *struct {
				Type     string
				Incident ref
			} `json:"resolve_reason"`
		}
	}
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	b := &inbox{}
	b.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		m := mail{header: r.Header.Clone(), body: body}
		var e struct{ Event json.RawMessage }
		if err := json.Unmarshal(body, &e); err != nil {
			t.Errorf("body: %v", err)
		}
		if err := json.Unmarshal(e.Event, &m.event); err != nil {
			t.Errorf("event: %v in %s", err, body)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		b.got = append(b.got, m)
		if len(b.status) > 0 {
			w.WriteHeader(b.status[0])
			b.status = b.status[1:]
		}
	}))
	t.Cleanup(b.srv.Close)
	return b
}

func (b *inbox) mail() []mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.got)
}

func (b *inbox) kinds() (out []string) {
	for _, m := range b.mail() {
		out = append(out, m.event.Type)
	}
	return out
}

// posted lets what is due be delivered, and waits for it.
func (d *desk) posted() {
	d.t.Helper()
	for d.p.work(); d.p.deliver(d.t.Context()); d.p.work() {
		d.p.sending.Wait()
	}
}

const everyEvent = `"incident.triggered","incident.acknowledged","incident.unacknowledged","incident.annotated","incident.reassigned",
	"incident.delegated","incident.escalated","incident.reopened","incident.resolved","incident.incident_type.changed","incident.priority_updated",
	"incident.workflow.started"`

// subscribe makes a subscription on a service and returns its id and secret.
func (d *desk) subscribe(b *inbox) (id, secret string) {
	d.t.Helper()
	var out subscriptionAnswer
	body := `{"webhook_subscription":{"type":"webhook_subscription","delivery_method":{"type":"http_delivery_method","url":"` + b.srv.URL +
		`","custom_headers":[{"name":"X-Door","value":"open"}]},"events":[` + everyEvent + `],"filter":{"type":"service_reference","id":"PORDERS"}}}`
	if got := d.call("POST", "/pagerduty/webhook_subscriptions", body, &out); got != http.StatusOK {
		d.t.Fatalf("subscribe: %d", got)
	}
	return out.Subscription.ID, *out.Subscription.Method.Secret
}

func verified(t *testing.T, m mail, secret string) bool {
	t.Helper()
	r := httptest.NewRequest("POST", "/", bytes.NewReader(m.body))
	r.Header = m.header
	return webhookv3.VerifySignature(r, secret) == nil
}

func TestASubscriptionTellsItsSecretOnce(t *testing.T) {
	d, b := newDesk(t), newInbox(t)
	id, secret := d.subscribe(b)
	if len(secret) < 32 {
		t.Errorf("secret of %d characters", len(secret))
	}
	for _, path := range []string{"", "/" + id} {
		res, body := d.raw("GET", "/pagerduty/webhook_subscriptions"+path, "")
		if res.StatusCode != 200 || bytes.Contains(body, []byte(secret)) || !bytes.Contains(body, []byte(`"secret":null`)) ||
			bytes.Contains(body, []byte(`"open"`)) {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	for name, body := range map[string]string{
		"no address": `"delivery_method":{"url":"nowhere"},"events":["incident.triggered"],"filter":{"type":"account_reference"}`,
		"no events":  `"delivery_method":{"url":"http://x"},"events":[],"filter":{"type":"account_reference"}`,
		"event":      `"delivery_method":{"url":"http://x"},"events":["dance"],"filter":{"type":"account_reference"}`,
		"service":    `"delivery_method":{"url":"http://x"},"events":["incident.triggered"],"filter":{"type":"service_reference","id":"PNONE"}`,
	} {
		if got := d.call("POST", "/pagerduty/webhook_subscriptions", `{"webhook_subscription":{`+body+`}}`, nil); got != http.StatusBadRequest {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := d.call("POST", "/pagerduty/webhook_subscriptions/"+id+"/ping", "", nil); got != http.StatusAccepted {
		t.Errorf("ping: %d", got)
	}
	d.posted()
	if got := b.kinds(); !slices.Equal(got, []string{"pagey.ping"}) {
		t.Errorf("got %v", got)
	}
	if got := d.call("DELETE", "/pagerduty/webhook_subscriptions/"+id, "", nil); got != http.StatusNoContent {
		t.Errorf("delete: %d", got)
	}
	d.opened(ourKey, "k")
	d.posted()
	if n := len(b.mail()); n != 1 {
		t.Errorf("%d webhooks after the end of the subscription", n)
	}
}

func TestWebhooksTellAWholeIncident(t *testing.T) {
	d, b := newDesk(t, webService("")), newInbox(t)
	d.put("/account", `{"types":[{"id":"PTDRILL","name":"drill","display_name":"Drill"}],"priorities":[{"id":"PP1","name":"P1"}]}`)
	_, secret := d.subscribe(b)
	d.opened(webKey, "another service")
	i := d.opened(ourKey, "k")
	step := func(user, action, more string) {
		t.Helper()
		if got := d.tapped(user, action, i.ID, more); got != http.StatusNoContent {
			t.Fatalf("%s: %d", action, got)
		}
		d.pass(time.Second)
		d.posted()
	}
	d.posted()
	step("PRESP01", "acknowledge", "")
	step("PRESP01", "note", `"content":"I see it"`)
	step("PRESP01", "unacknowledge", "")
	step("PRESP01", "reassign", `"to":"PRESP02"`)
	step("PRESP01", "delegate", `"to":"PEPORD"`)
	step("PRESP01", "escalate", `"level":2`)
	step("PRESP01", "priority", `"priority":"PP1"`)
	d.call("PUT", "/pagerduty/incidents/"+i.ID, `{"incident":{"type":"incident_reference","incident_type":{"name":"drill"}}}`, nil, "From", "drills@example.invalid")
	d.posted()
	step("PRESP02", "resolve", "")
	step("PRESP02", "reopen", "")
	step("PRESP02", "acknowledge", "")
	step("PRESP02", "unacknowledge", "")
	want := []string{"incident.triggered", "incident.acknowledged", "incident.annotated", "incident.unacknowledged", "incident.reassigned",
		"incident.delegated", "incident.escalated", "incident.priority_updated", "incident.incident_type.changed", "incident.resolved", "incident.reopened",
		"incident.acknowledged", "incident.unacknowledged"}
	if got := b.kinds(); !slices.Equal(got, want) {
		t.Fatalf("got %v\nwant %v", got, want)
	}
	ids := map[string]bool{}
	for _, m := range b.mail() {
		ids[m.event.ID], ids[m.header.Get("X-Webhook-Id")] = true, true
		if !verified(t, m, secret) || m.header.Get("X-Door") != "open" || m.event.Resource != "incident" {
			t.Errorf("%s: headers %v", m.event.Type, m.header)
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", m.event.OccurredAt); err != nil {
			t.Errorf("%s: occurred at %s", m.event.Type, m.event.OccurredAt)
		}
	}
	if len(ids) != 2*len(want) {
		t.Errorf("%d ids", len(ids))
	}
	logged := map[string]int{}
	for _, e := range d.told(i.ID) {
		logged[e["created_at"].(string)]++
	}
	for _, m := range b.mail() {
		if second := m.event.OccurredAt[:len("2026-11-23T10:00:00")] + "Z"; logged[second] == 0 {
			t.Errorf("%s at %s: the log has nothing of that second", m.event.Type, m.event.OccurredAt)
		}
	}
	ack, note, typed := b.mail()[1].event, b.mail()[2].event, b.mail()[8].event
	if ack.Agent.ID != "PRESP01" || ack.Agent.Type != "user_reference" || ack.Data.ID != i.ID || ack.Data.Status != acknowledged || len(ack.Data.Assignees) != 1 {
		t.Errorf("acknowledged: %+v", ack)
	}
	if note.Data.Content != "I see it" || note.Data.Trimmed || note.Data.Incident.ID != i.ID {
		t.Errorf("annotated: %+v", note)
	}
	if typed.Data.Kind.Name != "drill" {
		t.Errorf("type: %+v", typed)
	}
}

func TestAWebhookIsMoreExactThanTheLog(t *testing.T) {
	d, b := newDesk(t), newInbox(t)
	d.subscribe(b)
	i := d.opened(ourKey, "k")
	d.clock.add(123 * time.Millisecond)
	at := d.clock.Now()
	d.tapped("PRESP01", "acknowledge", i.ID, "")
	d.knob(`{"effect":"skew","skew_s":90}`)
	d.clock.add(2 * time.Second)
	d.posted()
	if got := b.mail()[1].event.OccurredAt; got != at.Add(90*time.Second).Format("2006-01-02T15:04:05.000Z") {
		t.Errorf("got %s, happened %v", got, at)
	}
}

func TestKnobsOfWebhooks(t *testing.T) {
	for name, tt := range map[string]struct {
		knob string
		want func(t *testing.T, secret string, got []mail)
	}{
		"duplicate": {`{"effect":"duplicate","count":1}`, func(t *testing.T, _ string, got []mail) {
			if len(got) != 4 || got[0].header.Get("X-Webhook-Id") != got[1].header.Get("X-Webhook-Id") || got[0].event.ID != got[1].event.ID {
				t.Errorf("%d came", len(got))
			}
		}},
		"reorder": {`{"effect":"reorder","count":1,"delay_s":1}`, func(t *testing.T, _ string, got []mail) {
			if len(got) != 3 || got[2].event.Type != "incident.triggered" || got[0].event.Type != "incident.acknowledged" {
				t.Errorf("the first was not the last of %d", len(got))
			}
		}},
		"replay": {`{"effect":"replay","count":1,"delay_s":2}`, func(t *testing.T, secret string, got []mail) {
			if len(got) != 4 || got[3].event.ID != got[0].event.ID || !verified(t, got[3], secret) {
				t.Errorf("%d came", len(got))
			}
		}},
		"trim": {`{"effect":"trim"}`, func(t *testing.T, _ string, got []mail) {
			if e := got[2].event.Data; !e.Trimmed || e.Content != "a long sto" {
				t.Errorf("got %+v", e)
			}
		}},
		"forge": {`{"effect":"forge","count":1}`, func(t *testing.T, secret string, got []mail) {
			if verified(t, got[0], secret) || !verified(t, got[1], secret) {
				t.Error("the first should be forged, the second true")
			}
		}},
		"rotate": {`{"effect":"rotate","secret":"new one"}`, func(t *testing.T, secret string, got []mail) {
			if n := strings.Count(got[0].header.Get("X-PagerDuty-Signature"), "v1="); n != 2 || !verified(t, got[0], secret) || !verified(t, got[0], "new one") {
				t.Errorf("%d signatures: %s", n, got[0].header.Get("X-PagerDuty-Signature"))
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			d, b := newDesk(t), newInbox(t)
			_, secret := d.subscribe(b)
			d.knob(tt.knob)
			d.send(ourKey, "trigger", "k")
			d.pass(2 * time.Second)
			i := d.all()[0]
			d.tapped("PRESP01", "acknowledge", i.ID, "")
			d.phone("PRESP01", "note", i.ID, "a long story")
			for range 4 {
				d.posted()
				d.clock.add(time.Second)
			}
			tt.want(t, secret, b.mail())
		})
	}
}

func TestAMergeNamesItsTargetInTheWebhook(t *testing.T) {
	d, b := newDesk(t), newInbox(t)
	d.subscribe(b)
	a, c := d.opened(ourKey, "a"), d.opened(otherKey, "b")
	d.tapped("PRESP01", "merge", a.ID, `"into":"`+c.ID+`"`)
	d.posted()
	got := b.mail()
	if e := got[len(got)-1].event; e.Type != "incident.resolved" || e.Data.Reason == nil || e.Data.Reason.Incident.ID != c.ID {
		t.Errorf("got %+v", e)
	}
}

func TestRunDeliversByItself(t *testing.T) {
	d, b := newDesk(t, func(o *Options) { o.Now, o.MinDelay, o.MaxDelay = time.Now, time.Millisecond, 2*time.Millisecond }), newInbox(t)
	d.subscribe(b)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = d.p.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	d.send(ourKey, "trigger", "k")
	for deadline := time.After(10 * time.Second); len(b.mail()) == 0; {
		select {
		case <-deadline:
			t.Fatal("no webhook came")
		case <-time.After(5 * time.Millisecond):
		}
	}
}
