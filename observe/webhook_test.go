package observe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func hookNow() time.Time { return time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC) }

func signature(secret, body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(body))
	return "v1=" + hex.EncodeToString(m.Sum(nil))
}

func signedBy(body string, secrets ...string) http.Header {
	var all []string
	for _, s := range secrets {
		all = append(all, signature(s, body))
	}
	return http.Header{"X-Pagerduty-Signature": {strings.Join(all, ",")}}
}

const (
	hookUser     = `{"id":"PUSER1","type":"user_reference","summary":"Ada","self":"https://api.pagerduty.com/users/PUSER1"}`
	hookIncident = `{"id":"PINC1","type":"incident","title":"[DRILL] Orders","number":7,"status":"acknowledged","urgency":"high",
 "incident_key":"firedrill/01k","created_at":"2026-11-22T09:59:50Z","html_url":"https://acme.pagerduty.com/incidents/PINC1",
 "service":{"id":"PORDERS","type":"service_reference"},"assignees":[{"id":"PUSER1","type":"user_reference"},{"id":"PUSER2","type":"user_reference"}]}`
)

// hook is a webhook's body. The parts are JSON.
func hook(kind, at, agent, client, data string) string {
	return fmt.Sprintf(`{"event":{"id":"01EV-1","event_type":%q,"resource_type":"incident","occurred_at":%q,"agent":%s,"client":%s,"data":%s}}`,
		kind, at, agent, client, data)
}

func acked(at string) string {
	return hook("incident.acknowledged", at, hookUser, `{"name":"PagerDuty"}`, hookIncident)
}

// TestWebhookSignatures: only a secret of ours opens, any of two while one is replaced, and never an empty one.
func TestWebhookSignatures(t *testing.T) {
	body := acked("2026-11-22T09:59:59.500Z")
	spaced := http.Header{"X-Pagerduty-Signature": {signature("other", body) + ", " + signature("new", body)}}
	lines := http.Header{"X-Pagerduty-Signature": {signature("other", body), signature("new", body)}}
	for name, c := range map[string]struct {
		secrets []string
		header  http.Header
		body    string
		want    error
	}{
		"ours":                        {[]string{"new"}, signedBy(body, "new"), body, nil},
		"the old one, while replaced": {[]string{"new", "old"}, signedBy(body, "old"), body, nil},
		"one of two signatures":       {[]string{"new"}, signedBy(body, "old", "new"), body, nil},
		"a blank after the comma":     {[]string{"new"}, spaced, body, nil},
		"on two lines":                {[]string{"new"}, lines, body, nil},
		"a stranger's":                {[]string{"new", "old"}, signedBy(body, "guess"), body, ErrWebhookUnsigned},
		"none":                        {[]string{"new"}, http.Header{}, body, ErrWebhookUnsigned},
		"of another version":          {[]string{"new"}, http.Header{"X-Pagerduty-Signature": {"v2=" + signature("new", body)[3:]}}, body, ErrWebhookUnsigned},
		"no hex":                      {[]string{"new"}, http.Header{"X-Pagerduty-Signature": {"v1=zz"}}, body, ErrWebhookUnsigned},
		"of another body":             {[]string{"new"}, signedBy(body, "new"), body + " ", ErrWebhookUnsigned},
		"made with an empty secret":   {[]string{"", " "}, signedBy(body, "", " "), body, ErrWebhookUnsigned},
		"no secrets at all":           {nil, signedBy(body, ""), body, ErrWebhookUnsigned},
		"empty":                       {[]string{"new"}, signedBy("", "new"), "", ErrWebhookUnsigned},
		"too long":                    {[]string{"new"}, signedBy(body, "new"), strings.Repeat(" ", WebhookLimit+1), ErrWebhookMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := WebhookDoor{Secrets: c.secrets}.Parse(c.header, []byte(c.body), hookNow())
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "v1=") {
				t.Error("the error tells a signature")
			}
		})
	}
}

func parseHook(t *testing.T, body string) (Webhook, error) {
	t.Helper()
	return WebhookDoor{Secrets: []string{"s"}, Bots: []string{"PBOT1"}}.Parse(signedBy(body, "s"), []byte(body), hookNow())
}

func TestWebhookTellsAnAcknowledgement(t *testing.T) {
	w, err := parseHook(t, acked("2026-11-22T09:59:59.512Z"))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 22, 9, 59, 59, 512e6, time.UTC)
	e, in := w.Entry, w.Incident
	if w.ID != "01EV-1" || w.Kind != EntryAcknowledged || !w.At.Equal(at) || w.Key != "firedrill/01k" {
		t.Errorf("%+v", w)
	}
	if e.ID != "webhook/01EV-1" || e.ErrorS != 0.0005 || !e.At.Equal(at) || e.User != "PUSER1" || e.Name != "Ada" || !e.Human || e.To != "PUSER1 PUSER2" {
		t.Errorf("%+v", e)
	}
	if in.ID != "PINC1" || in.Service != "PORDERS" || in.Urgency != "high" || in.CreatedAt.Second() != 50 || in.Number != 7 {
		t.Errorf("%+v", in)
	}
}

// TestWebhookTells: who did it, by a person's hand or not, and what it was.
func TestWebhookTells(t *testing.T) {
	const at, web = "2026-11-22T09:59:59.500Z", `{"name":"PagerDuty"}`
	note := func(more string) string {
		return `{"id":"PNOTE1","type":"incident_note","content":"checked +49 30 1234567",` + more + `"incident":{"id":"PINC1","type":"incident_reference","summary":"Orders"}}`
	}
	merged := strings.Replace(hookIncident, `"number":7`, `"resolve_reason":{"type":"merge_resolve_reason","incident":{"id":"PINC2"}}`, 1)
	bot := strings.ReplaceAll(hookUser, "PUSER1", "PBOT1")
	for name, c := range map[string]struct {
		body string
		want func(Webhook) bool
	}{
		"automation": {hook("incident.acknowledged", at, "null", "null", hookIncident), func(w Webhook) bool { return !w.Entry.Human && !w.Unsure && w.Entry.User == "" }},
		"monitoring": {hook("incident.resolved", at, `{"id":"PINT","type":"integration_reference"}`, "null", hookIncident),
			func(w Webhook) bool { return w.Kind == EntryResolved && !w.Entry.Human && w.Entry.User == "" }},
		"our bot":   {hook("incident.acknowledged", at, bot, web, hookIncident), func(w Webhook) bool { return !w.Entry.Human && w.Entry.User == "PBOT1" }},
		"a tool":    {hook("incident.acknowledged", at, hookUser, `{"name":"API"}`, hookIncident), func(w Webhook) bool { return !w.Entry.Human && w.Entry.Channel == "api" }},
		"who knows": {hook("incident.acknowledged", at, hookUser, "null", hookIncident), func(w Webhook) bool { return !w.Entry.Human && w.Unsure }},
		"an agent without a type": {hook("incident.acknowledged", at, `{"id":"PUSER1","self":"https://api.pagerduty.com/users/PUSER1"}`, web, hookIncident),
			func(w Webhook) bool { return w.Entry.Human }},
		"a name that is an address": {hook("incident.acknowledged", at, strings.Replace(hookUser, "Ada", "ada@example.com", 1), web, hookIncident),
			func(w Webhook) bool { return !strings.Contains(w.Entry.Name, "@") }},
		"opened":     {hook("incident.triggered", at, "null", "null", hookIncident), func(w Webhook) bool { return w.Kind == EntryTriggered }},
		"taken back": {hook("incident.unacknowledged", at, "null", "null", hookIncident), func(w Webhook) bool { return w.Kind == EntryUnacknowledged }},
		"delegated":  {hook("incident.delegated", at, hookUser, web, hookIncident), func(w Webhook) bool { return w.Kind == EntryReassigned }},
		"merged":     {hook("incident.resolved", at, hookUser, web, merged), func(w Webhook) bool { return w.Kind == EntryMerged && w.Entry.Into == "PINC2" }},
		"a note": {hook("incident.annotated", at, hookUser, web, note("")), func(w Webhook) bool {
			return w.Kind == EntryNoted && w.Note == "PNOTE1" && w.Incident.ID == "PINC1" && w.Entry.Text == "checked +49 30 1234567" && !w.Trimmed
		}},
		"a long note":     {hook("incident.annotated", at, hookUser, web, note(`"trimmed":true,`)), func(w Webhook) bool { return w.Trimmed && w.Entry.Text == "" }},
		"an unknown type": {hook("incident.sung_about", at, hookUser, web, hookIncident), func(w Webhook) bool { return w.Kind == EntryOther && w.Incident.ID == "PINC1" }},
		"of a service":    {hook("service.updated", at, "null", "null", `{"id":"PORDERS","type":"service"}`), func(w Webhook) bool { return w.Kind == EntryOther && w.Incident.ID == "" }},
		"a ping":          {hook("pagey.ping", at, "null", "null", `{"message":"Hello from your friend Pagey!","type":"ping"}`), func(w Webhook) bool { return w.Kind == EntryOther }},
		"odd data":        {hook("incident.frozen", at, `"someone"`, "7", `[1]`), func(w Webhook) bool { return w.Kind == EntryOther && w.Entry.User == "" }},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := parseHook(t, c.body)
			if err != nil || !c.want(w) {
				t.Errorf("%v: %+v", err, w)
			}
		})
	}
}

// TestWebhookRefuses what is signed and still makes no sense, or is a replay.
func TestWebhookRefuses(t *testing.T) {
	good := acked("2026-11-22T09:59:59.500Z")
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"no JSON":           {"hello", ErrWebhookMalformed},
		"no event":          {"{}", ErrWebhookMalformed},
		"no id":             {strings.Replace(good, "01EV-1", "", 1), ErrWebhookMalformed},
		"a path for an id":  {strings.Replace(good, "01EV-1", "../../x", 1), ErrWebhookMalformed},
		"no type":           {hook("", "2026-11-22T09:59:59Z", "null", "null", hookIncident), ErrWebhookMalformed},
		"no time":           {acked("yesterday"), ErrWebhookMalformed},
		"no incident":       {hook("incident.acknowledged", "2026-11-22T09:59:59Z", "null", "null", "{}"), ErrWebhookMalformed},
		"older than a try":  {acked("2026-11-20T09:00:00Z"), ErrWebhookTime},
		"from the future":   {acked("2026-11-22T10:05:00Z"), ErrWebhookTime},
		"a clock 90 s fast": {acked("2026-11-22T10:01:30Z"), nil},
		"after a day":       {acked("2026-11-21T10:00:00Z"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseHook(t, c.body); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

// FuzzWebhook: whatever is signed is told or refused, and never ends the process.
func FuzzWebhook(f *testing.F) {
	f.Add(acked("2026-11-22T09:59:59.500Z"))
	f.Add(hook("incident.annotated", "2026-11-22T09:59:59Z", "{}", "[]", `{"incident":{"id":"P1"},"trimmed":"yes"}`))
	f.Add(`{"event":[]}`)
	f.Fuzz(func(t *testing.T, body string) {
		w, err := WebhookDoor{Secrets: []string{"s"}}.Parse(signedBy(body, "s"), []byte(body), hookNow())
		if err == nil && (w.ID == "" || w.At.IsZero() || w.Kind == "" || w.Entry.ID != "webhook/"+w.ID) {
			t.Errorf("%+v", w)
		}
	})
}
