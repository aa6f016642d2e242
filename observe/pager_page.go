package observe

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	pd "github.com/PagerDuty/go-pagerduty"
)

// Limits of the Events API v2: https://developer.pagerduty.com/docs/events-api-v2-overview and
// https://developer.pagerduty.com/docs/send-alert-event
const (
	maxDedup   = 255
	maxSummary = 1024
	maxEvent   = 512_000
)

// ours begins every dedup key of firedrill; what does not begin so is never resolved.
const ours = "firedrill/"

// keyForm is the form of an integration key of a service. One that begins with R is of a global orchestration, whose
// routing could send a drill to any service.
var keyForm = regexp.MustCompile(`^[0-9A-Za-z]{32}$`)

// Send hands a page over to the Events API v2. It may be repeated at will: the same key is the same alert. Success
// proves only that it was taken in; whether anybody was paged, Find and Log tell.
func (p *PagerDuty) Send(ctx context.Context, key string, page Page) error {
	const op = "send page"
	if err := checkKeys(op, key, page.Key); err != nil {
		return err
	}
	if strings.TrimSpace(page.Title) == "" {
		return &Problem{Op: op, Why: "the page has no title"}
	}
	body, err := eventOf(key, page)
	if err != nil {
		return &Problem{Op: op, Why: redactor(key)(err.Error())}
	}
	return p.enqueue(ctx, op, key, body)
}

// Resolve resolves our own page by its key. It touches no other alert, and one that is not there is no error.
func (p *PagerDuty) Resolve(ctx context.Context, key, dedup string) error {
	const op = "resolve page"
	if err := checkKeys(op, key, dedup); err != nil {
		return err
	}
	body, err := json.Marshal(pd.V2Event{RoutingKey: key, Action: "resolve", DedupKey: dedup})
	if err != nil {
		return &Problem{Op: op, Why: "write the event"}
	}
	return p.enqueue(ctx, op, key, body)
}

// checkKeys refuses what would page somebody else, or resolve what is not ours. The key itself is never told.
func checkKeys(op, key, dedup string) error {
	switch {
	case strings.HasPrefix(key, "R") && len(key) == 32:
		return &Problem{Op: op, Why: "the integration key is of a global event orchestration, which may route to any service",
			Try: "use the key of an Events API v2 integration on the team's service"}
	case !keyForm.MatchString(key):
		return &Problem{Op: op, Why: fmt.Sprintf("the integration key has %d characters and is not 32 letters and digits", len(key)),
			Try: "copy the key of the team's Events API v2 integration; a REST API key is another thing"}
	case dedup == "":
		return &Problem{Op: op, Why: "the dedup key is empty"}
	case !strings.HasPrefix(dedup, ours) || dedup == ours:
		return &Problem{Op: op, Why: fmt.Sprintf("the dedup key %q does not begin with %s and is not ours", plain(dedup), ours)}
	case len(dedup) > maxDedup:
		return &Problem{Op: op, Why: fmt.Sprintf("the dedup key is longer than %d", maxDedup)}
	}
	return nil
}

// eventOf writes the trigger. What is too long is cut, and says so: a page that is refused helps nobody.
func eventOf(key string, page Page) ([]byte, error) {
	title := []rune(page.Title)
	if len(title) > maxSummary {
		title = append(title[:maxSummary-2], ' ', '…')
	}
	source := page.Source
	if source == "" {
		source = "firedrill"
	}
	client, cut := "firedrill", map[string]string{"firedrill": "the details were too long for a page; the debrief has them"}
	if page.Quiet {
		client, cut = "", map[string]string{"details": "too long for a page"}
	}
	event := pd.V2Event{
		RoutingKey: key, Action: "trigger", DedupKey: page.Key, Client: client,
		Payload: &pd.V2Payload{Summary: string(title), Source: source, Severity: "critical"},
	}
	if len(page.Details) > 0 {
		event.Payload.Details = page.Details
	}
	for _, link := range page.Links {
		event.Links = append(event.Links, link)
	}
	body, err := json.Marshal(event)
	if err != nil {
		return nil, fmt.Errorf("write the event: %w", err)
	}
	if len(body) > maxEvent {
		event.Payload.Details = cut
		event.Links = nil
		if body, err = json.Marshal(event); err != nil {
			return nil, fmt.Errorf("write the event: %w", err)
		}
	}
	return body, nil
}

// enqueue posts one event. The dedup key makes repeating it harmless.
func (p *PagerDuty) enqueue(ctx context.Context, op, key string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, pagerSendTime)
	defer cancel()
	_, err := p.wire.do(ctx, call{
		op: op, method: http.MethodPost, url: p.events + "/v2/enqueue", body: body, secret: key, again: true,
	})
	return err
}
