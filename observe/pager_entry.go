package observe

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// entry decodes one log entry. What is not an object is left out; everything else is kept, known or not.
func (p *PagerDuty) entry(raw json.RawMessage) (Entry, bool) {
	l := looseOf(raw)
	if l == nil {
		return Entry{}, false
	}
	channel := l.object("channel")
	e := Entry{
		ID: plain(l.text("id")), Type: plain(l.text("type")), Channel: plain(channel.text("type")),
		Level: l.number("escalation_level"), ErrorS: 0.5,
	}
	e.Kind = kindOf(e.Type)
	created := l.text("created_at")
	if e.At = timeOf(created); e.At.IsZero() {
		e.Kind = EntryOther // without a time it proves nothing
	}
	if strings.Contains(created, ".") {
		e.ErrorS = 0.0005
	}
	who, byMachine := l.object("agent"), machine(e.Channel)
	if e.Type == "notify_log_entry" {
		who, byMachine = l.object("user"), false // it has no agent, and always comes by itself
		e.notified(l, channel)
	}
	if isUser(who) {
		e.User, e.Name = plain(who.text("id")), address.ReplaceAllString(plain(who.text("summary")), redacted) // some are called by their address
		e.Human = e.User != "" && !p.bots[e.User] && !byMachine
	}
	if e.Text == "" {
		e.Text = entryText(e.Kind, l, channel)
	}
	return e, true
}

// kindOf reduces PagerDuty's types. Both spellings of the acknowledgement stand in its schema.
func kindOf(spelled string) EntryKind {
	switch strings.TrimSuffix(spelled, "_log_entry") {
	case "trigger":
		return EntryTriggered
	case "notify":
		return EntryNotified
	case "acknowledge", "acknowledgement":
		return EntryAcknowledged
	case "unacknowledge":
		return EntryUnacknowledged
	case "escalate":
		return EntryEscalated
	case "annotate":
		return EntryNoted
	case "resolve":
		return EntryResolved
	default:
		return EntryOther
	}
}

// notified reads by what means somebody was notified. A notification that did not succeed notified nobody. The
// address in it, a phone number or an e-mail address, is not read at all.
func (e *Entry) notified(l, channel loose) {
	n := channel.object("notification")
	if n == nil {
		n = l.object("notification")
	}
	if by := strings.TrimSuffix(n.text("type"), "_notification"); by != "" {
		e.Channel = plain(by)
	}
	if status := n.text("status"); status != "" && status != "success" {
		e.Kind, e.Text = EntryOther, "notification: "+plain(status)
		return
	}
	e.Text = "notified by " + cmp.Or(e.Channel, "unknown means")
}

// machine says that a channel is one by which tools act in a user's name.
func machine(channel string) bool {
	return slices.Contains([]string{"api", "auto", "timeout", "nagios", "email-integration"}, channel)
}

// isUser says that an agent is a person's account. Some agents come without a type, and then their address tells.
func isUser(agent loose) bool {
	kind := agent.text("type")
	return strings.HasPrefix(kind, "user") || kind == "" && strings.Contains(agent.text("self"), "/users/")
}

// address finds e-mail addresses and phone numbers. People's notes are kept as they wrote them.
var address = regexp.MustCompile(`[^\s<>"@]+@[^\s<>"@]+|\+\d[\d ().-]{5,}\d|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|\d{10,}`)

// entryText is what an entry tells in words.
func entryText(kind EntryKind, l, channel loose) string {
	if kind == EntryNoted {
		return cmp.Or(l.text("note"), channel.text("summary"), channel.text("content"), l.text("summary"))
	}
	said := cmp.Or(l.text("note"), l.text("message"), channel.text("summary"), l.text("summary"))
	return address.ReplaceAllString(plain(said), redacted)
}

// inOrder sorts by time, then by cause: entries share a second.
func inOrder(entries []Entry) {
	slices.SortStableFunc(entries, before)
}

// before is the order of two entries.
func before(a, b Entry) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(rank(a.Type), rank(b.Type)), cmp.Compare(a.ID, b.ID))
}

// rank is the place of a type among those of the same second: what causes stands before what it causes. A time-out
// takes an acknowledgement back, which escalates, assigns and notifies anew.
func rank(spelled string) int {
	order := []string{"trigger", "unacknowledge", "escalate", "assign", "notify", "acknowledge", "annotate", "", "resolve"}
	if i := slices.Index(order, strings.TrimSuffix(spelled, "_log_entry")); i >= 0 {
		return i
	}
	return slices.Index(order, "")
}
