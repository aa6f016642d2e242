package pager

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// envelope is an SNS notification.
type envelope struct {
	Type    string `json:"Type"`
	Subject string `json:"Subject"`
	Message string `json:"Message"`
}

// enqueueAlarm takes a CloudWatch alarm out of its SNS envelope. What is no alarm is accepted and ignored.
func (p *Pager) enqueueAlarm(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxEvent))
	if err != nil {
		return
	}
	key := r.PathValue("key")
	if !p.hasDoor(key, CloudWatch) {
		answer(w, http.StatusNotFound, eventAnswer{Status: "invalid event", Message: "No such integration"})
		return
	}
	var env envelope
	if err := json.Unmarshal(body, &env); err != nil {
		answer(w, http.StatusBadRequest, eventAnswer{Status: "invalid event", Message: "Invalid JSON in body"})
		return
	}
	e, ok := env.event(key)
	if !ok {
		answer(w, http.StatusAccepted, eventAnswer{Status: "success", Message: "Event ignored"})
		return
	}
	p.accept(w, e)
}

// hasDoor says whether a routing key is that of an integration of this kind.
func (p *Pager) hasDoor(key, kind string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, door := p.o.Account.door(key)
	return door != nil && door.Type == kind
}

// event reads an alarm: its subject must begin with the state that the message tells, and only ALARM and OK mean
// something. The key is PagerDuty's own; nobody can compute it.
func (env *envelope) event(key string) (event, bool) {
	var alarm struct {
		AlarmName     string
		AlarmArn      string
		NewStateValue string
		Region        string
	}
	if env.Type != "Notification" || json.Unmarshal([]byte(env.Message), &alarm) != nil {
		return event{}, false
	}
	if !strings.HasPrefix(env.Subject, alarm.NewStateValue+": ") {
		return event{}, false
	}
	sum := sha256.Sum256([]byte(alarm.AlarmArn + alarm.AlarmName + alarm.Region))
	e := event{RoutingKey: key, DedupKey: hex.EncodeToString(sum[:16]), Client: "AWS CloudWatch"}
	switch alarm.NewStateValue {
	case "ALARM":
		e.Action = "trigger"
	case "OK":
		e.Action = "resolve"
	default:
		return event{}, false
	}
	e.Payload = payload{Summary: env.Subject, Source: alarm.AlarmName, Severity: "critical",
		Details: json.RawMessage(env.Message)}
	return e, true
}
