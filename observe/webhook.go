package observe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/PagerDuty/go-pagerduty/webhookv3"
)

// WebhookLimit is the most bytes that are read of a webhook. PagerDuty cuts its own at 256 KB:
// https://developer.pagerduty.com/docs/webhooks-behavior
const WebhookLimit = 256<<10 + 8<<10

// A webhook is repeated for two days at most, so an older one is a replay: its signature covers no time. One from the
// future is from a clock that is wrong; ours may be the one.
const (
	webhookOldest = 48*time.Hour + 5*time.Minute
	webhookAhead  = 2*time.Minute + 90*time.Second
)

// Why a webhook is not taken in.
var (
	// ErrWebhookUnsigned: it carries no signature made with a secret of ours. Anybody may have sent it.
	ErrWebhookUnsigned = errors.New("the webhook is not signed with a secret of ours")
	// ErrWebhookMalformed: it is signed, and not what PagerDuty documents.
	ErrWebhookMalformed = errors.New("the webhook is not what PagerDuty documents")
	// ErrWebhookTime: it is signed, and tells of a time that a delivery cannot be of: a replay, or a clock that is wrong.
	ErrWebhookTime = errors.New("the webhook tells of another time")
)

// Webhook is one event that PagerDuty has sent by itself. It is told at least once, and in no order that counts.
type Webhook struct {
	ID       string    // of the event, the same in each of its deliveries
	Type     string    // as PagerDuty spells it: incident.acknowledged
	Kind     EntryKind // EntryOther for every type that a drill does not ask for
	At       time.Time // the pager's clock, in milliseconds
	Key      string    // the incident's key: of the alert that opened it, where monitoring gave one
	Incident Incident  // without alerts; an event about a note tells the id, the title and the address alone
	Entry    Entry     // as a log entry tells it; its ID is webhook/<ID>, for the log has another one
	Note     string    // id of the note it is about
	Trimmed  bool      // the text was too long, and is left out: it is to be read from the pager
	Unsure   bool      // a user did it, and nothing tells whether through a tool: Entry.Human says nothing
}

// WebhookDoor lets the webhooks of our own subscriptions in.
type WebhookDoor struct {
	Secrets []string // of our subscriptions, two while one is replaced; an empty one opens nothing
	Bots    []string // ids of our own users: what they do is no person's doing
}

// Parse reads a V3 webhook: its whole body, as it came, and its header. now is the receiver's clock.
func (d WebhookDoor) Parse(header http.Header, body []byte, now time.Time) (Webhook, error) {
	if err := d.signed(header, body); err != nil {
		return Webhook{}, err
	}
	event := looseOf(body).object("event")
	w := Webhook{ID: event.text("id"), Type: plain(event.text("event_type")), At: timeOf(event.text("occurred_at"))}
	switch {
	case !webhookID.MatchString(w.ID):
		return w, fmt.Errorf("%w: its event has no id", ErrWebhookMalformed)
	case w.Type == "" || w.At.IsZero():
		return w, fmt.Errorf("%w: event %s has no type, or no time", ErrWebhookMalformed, w.ID)
	case now.Sub(w.At) > webhookOldest, w.At.Sub(now) > webhookAhead:
		return w, fmt.Errorf("%w: %s, and here it is %s", ErrWebhookTime, stamp(w.At), stamp(now))
	}
	data := event.object("data")
	w.Kind = kindOfEvent(w.Type, data)
	if err := w.incident(data); err != nil {
		return w, err
	}
	w.entry(d.Bots, event, data)
	return w, nil
}

// webhookID is the form of an event's id; it becomes a part of the name of what is recorded.
var webhookID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

// signed asks go-pagerduty's verifier, which compares in constant time, whether any of our secrets made any of the
// signatures. It is given no empty secret (it takes one for a secret like any other) and no blanks (it stumbles over
// them), and every line of the header.
func (d WebhookDoor) signed(header http.Header, body []byte) error {
	const name = "X-PagerDuty-Signature"
	if len(body) > WebhookLimit {
		return fmt.Errorf("%w: it is longer than PagerDuty's are", ErrWebhookMalformed)
	}
	given := strings.ReplaceAll(strings.Join(header.Values(name), ","), " ", "")
	for _, secret := range d.Secrets {
		if strings.TrimSpace(secret) == "" {
			continue
		}
		r := &http.Request{Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body))}
		r.Header.Set(name, given)
		if webhookv3.VerifySignature(r, secret) == nil {
			return nil
		}
	}
	return ErrWebhookUnsigned
}

// kindOfEvent reduces PagerDuty's types: https://developer.pagerduty.com/docs/webhooks-overview#event-types
// There is none for a notification: those stand in the log alone.
func kindOfEvent(spelled string, data loose) EntryKind {
	switch spelled {
	case "incident.triggered":
		return EntryTriggered
	case "incident.acknowledged":
		return EntryAcknowledged
	case "incident.unacknowledged":
		return EntryUnacknowledged
	case "incident.escalated":
		return EntryEscalated
	case "incident.reassigned", "incident.delegated":
		return EntryReassigned
	case "incident.reopened":
		return EntryReopened
	case "incident.annotated":
		return EntryNoted
	case "incident.resolved":
		if strings.HasPrefix(data.object("resolve_reason").text("type"), "merge") {
			return EntryMerged
		}
		return EntryResolved
	default:
		return EntryOther
	}
}

// incident reads whose event it is: the incident itself, or what refers to one.
func (w *Webhook) incident(data loose) error {
	in := data
	if strings.HasPrefix(w.Type, "incident.") && data.text("type") != "incident" {
		in = data.object("incident")
	}
	if !strings.HasPrefix(w.Type, "incident.") {
		return nil
	}
	id := in.text("id")
	if checkID("read webhook", "incident", id) != nil {
		if w.Kind == EntryOther {
			return nil
		}
		return fmt.Errorf("%w: event %s names no incident", ErrWebhookMalformed, w.ID)
	}
	w.Key = plain(in.text("incident_key"))
	w.Incident = Incident{
		ID: id, Number: in.number("number"), Title: plain(textOr(in, "title", "summary")), Status: plain(in.text("status")),
		Urgency: plain(in.text("urgency")), Service: plain(in.object("service").text("id")), CreatedAt: timeOf(in.text("created_at")),
		URL: plain(in.text("html_url")), Into: plain(in.object("resolve_reason").object("incident").text("id")),
		Type: plain(in.object("incident_type").text("name")), UpdatedAt: w.At,
	}
	return nil
}

func textOr(l loose, name, other string) string {
	if s := l.text(name); s != "" {
		return s
	}
	return l.text(other)
}

// entry tells who did it, as a log entry would.
func (w *Webhook) entry(bots []string, event, data loose) {
	w.Entry = Entry{ID: "webhook/" + w.ID, Type: w.Type, Kind: w.Kind, At: w.At, ErrorS: 0.0005, Into: w.Incident.Into}
	if agent := event.object("agent"); isUser(agent) {
		by := strings.ToLower(plain(event.object("client").text("name")))
		w.Entry.User, w.Entry.Name = plain(agent.text("id")), address.ReplaceAllString(plain(agent.text("summary")), redacted)
		w.Unsure = by == "" && !slices.Contains(bots, w.Entry.User)
		w.Entry.Human = w.Entry.User != "" && !w.Unsure && !slices.Contains(bots, w.Entry.User) && !machine(by)
		if by != "pagerduty" { // which is where everything was done
			w.Entry.Channel = by
		}
	}
	for _, who := range assignees(data) {
		w.Entry.To = strings.TrimSpace(w.Entry.To + " " + who)
	}
	switch {
	case w.Kind == EntryNoted:
		w.Note, w.Entry.Text = plain(data.text("id")), data.text("content")
	case w.Kind == EntryOther:
		w.Entry.Text = address.ReplaceAllString(plain(data.text("message")), redacted)
	}
	if w.Trimmed = data.truth("trimmed"); w.Trimmed {
		w.Entry.Text = ""
	}
}
