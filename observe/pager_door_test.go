package observe

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What PagerDuty tells of people's phones and mail boxes stays outside, in whatever object of an entry it stands; a note is
// kept as its author wrote it.
func TestAddressesAreDroppedAtTheDoor(t *testing.T) {
	const phone, mail = "+49 171 5550199", "canary.responder@example.invalid"
	p := &PagerDuty{bots: map[string]bool{}}
	rapid.Check(t, func(r *rapid.T) {
		var object func(depth int) map[string]any
		object = func(depth int) map[string]any {
			o := map[string]any{}
			for _, name := range []string{"summary", "note", "message", "address", "email", "name", "content", "details"} {
				if rapid.Bool().Draw(r, name) {
					o[name] = rapid.SampledFrom([]string{phone, mail, "Mobile " + phone, "Ann <" + mail + ">"}).Draw(r, "value")
				}
			}
			o["type"] = rapid.SampledFrom([]string{"user_reference", "sms_notification", "api", "mobile", ""}).Draw(r, "type")
			o["id"] = "P1"
			for _, name := range []string{"channel", "notification", "user", "agent", "contact_methods"} {
				if depth > 0 && rapid.Bool().Draw(r, name) {
					o[name] = object(depth - 1)
				}
			}
			return o
		}
		l := object(3)
		l["type"] = rapid.SampledFrom([]string{"notify_log_entry", "trigger_log_entry", "acknowledge_log_entry", "resolve_log_entry", "assign_log_entry", "new_log_entry"}).Draw(r, "entry")
		raw, err := json.Marshal(l)
		if err != nil {
			r.Fatal(err)
		}
		e, ok := p.entry(raw)
		if said := fmt.Sprintf("%+v", e); !ok || strings.Contains(said, "5550199") || strings.Contains(said, "canary.responder") {
			r.Fatalf("%s came in of %s", said, raw)
		}
	})
	e, _ := p.entry(json.RawMessage(`{"type":"annotate_log_entry","created_at":"2026-01-02T03:04:05Z","channel":{"type":"note","content":"call me: ` + phone + `"}}`))
	if e.Text != "call me: "+phone {
		t.Errorf("a note became %q", e.Text)
	}
}
