package observe

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// said is an error in PagerDuty's own words. The REST API wraps it in "error", the Events API does not, and neither
// keeps to one type for "errors".
type said struct {
	Message string          `json:"message"`
	Code    int             `json:"code"`
	Errors  json.RawMessage `json:"errors"`
}

// words reads what a refusal says. HTML and the like say nothing.
func words(body []byte) (string, int) {
	var wrapped struct {
		Error json.RawMessage `json:"error"`
		said
	}
	if err := json.Unmarshal(body, &wrapped); err != nil {
		return "", 0
	}
	s := wrapped.said
	if len(wrapped.Error) > 0 {
		if err := json.Unmarshal(wrapped.Error, &s); err != nil {
			_ = json.Unmarshal(wrapped.Error, &s.Message) // "error" may be a text
		}
	}
	text := s.Message
	var list []string
	if err := json.Unmarshal(s.Errors, &list); err == nil && len(list) > 0 {
		text += ": " + strings.Join(list, "; ")
	}
	return plain(text), s.Code
}

// explain turns a refusal into plain words and a next step.
// https://developer.pagerduty.com/docs/errors
func explain(a *answer, region string, event bool) *Problem {
	text, code := words(a.body)
	p := &Problem{Status: a.status}
	why := func(s string) { p.Why = fmt.Sprintf("%d: %s", a.status, s) }
	switch {
	case a.status == http.StatusUnauthorized:
		why("the token is wrong, or is not of region " + region)
		p.Try = "check pagerduty.token and pagerduty.region of the environment"
	case a.status == http.StatusPaymentRequired:
		why("the account's plan does not have this")
	case a.status == http.StatusForbidden:
		why("the token may not do this")
		p.Try = "give it what docs/pagerduty.md lists; notes need incidents.write"
	case a.status == http.StatusNotFound:
		why("there is no such thing, or the token may not see it")
		p.Try = "check the ids and the region of the environment's pagerduty"
	case a.status == http.StatusTooManyRequests:
		why("too many requests")
		p.Try = "wait a minute, and give firedrill a key of its own: limits are counted for each"
	case a.status/100 == 3:
		why("it answered with a redirect, which is not followed")
	case a.status >= 500:
		why("PagerDuty is in trouble")
		p.Try = "see https://status.pagerduty.com"
	case event:
		why("the event was refused")
		p.Try = "check the team's integration key"
	case code == 1008 || code == 1028 || strings.Contains(text, "From"):
		why("the From address is refused")
		p.Try = "set pagerduty.from to the e-mail address of a user of the account"
	default:
		why("refused")
	}
	if text != "" {
		p.Why += " (" + text + ")"
	}
	return p
}
