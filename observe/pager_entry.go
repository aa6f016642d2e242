package observe

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
)

// entry decodes one log entry. What is not an object is left out; everything else is kept, known or not.
func (p *PagerDuty) entry(raw json.RawMessage) (Entry, bool) {
	l := looseOf(raw)
	if l == nil {
		return Entry{}, false
	}
	channel := l.object("channel")
	e := Entry{
		ID: l.id("id"), Type: word(l.text("type")), Channel: word(channel.text("type")),
		Level: max(0, cmp.Or(l.number("escalation_level"), channel.number("escalation_level"))), ErrorS: 0.5,
	}
	created := l.text("created_at")
	e.At = timeOf(created)
	if strings.Contains(created, ".") {
		e.ErrorS = 0.0005
	}
	who, byMachine := l.object("agent"), machine(e.Channel)
	if bare(e.Type) == "notify" {
		who, byMachine = l.object("user"), false // it has no agent, and always comes by itself
	}
	if isUser(who) {
		e.User, e.Name = who.id("id"), nameOf(who)
		e.Human = e.User != "" && !p.bots[e.User] && !byMachine
	}
	e.Kind = kindOf(e.Type, isUser(who))
	e.tell(l, channel)
	if e.At.IsZero() {
		e.Kind = EntryOther // without a time it proves nothing
	}
	if e.Text == "" {
		e.Text = entryText(e.Kind, l, channel)
	}
	return e, true
}

// tell reads what entries of one kind alone tell.
func (e *Entry) tell(l, channel loose) {
	switch e.Kind {
	case EntryNotified:
		e.notified(l, channel)
	case EntryAssigned, EntryReassigned, EntryEscalated:
		e.To = assignedTo(l, channel)
	case EntrySnoozed:
		if s := channel.seconds("duration"); s != nil {
			e.For = time.Duration(min(*s, longest) * float64(time.Second))
		}
	case EntryResolved, EntryMerged:
		e.merged(l, channel)
	}
}

// longest is the longest time in seconds that is believed: a year.
const longest = 366 * 24 * 3600

// notified reads by what means somebody was notified. A notification that did not succeed notified nobody. The
// address in it, a phone number or an e-mail address, is not read at all.
func (e *Entry) notified(l, channel loose) {
	n := channel.object("notification")
	if n == nil {
		n = l.object("notification")
	}
	if by := strings.TrimSuffix(n.text("type"), "_notification"); by != "" {
		e.Channel = word(by)
	}
	if status := n.text("status"); status != "" && status != "success" {
		e.Kind, e.Text = EntryOther, "notification: "+word(status)
		return
	}
	e.Text = "notified by " + cmp.Or(e.Channel, "unknown means")
}

// assignedTo is the ids of those it was assigned to. Some entries tell one alone.
func assignedTo(l, channel loose) string {
	var ids []string
	for _, one := range slices.Concat(l.list("assignees"), channel.list("assignees"), []loose{l.object("assigned_user"), l.object("assignee")}) {
		if id := one.id("id"); id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return strings.Join(ids, " ")
}

// merged reads what an incident was merged into, which resolves it. An incident that took another in was not merged.
// No entry of a merge is documented: what was seen names the other incident in its channel, and says which way.
func (e *Entry) merged(l, channel loose) {
	for _, in := range []loose{l, channel, l.object("event_details")} {
		for _, name := range []string{"resolve_reason", "merged_into", "target_incident"} {
			e.Into = cmp.Or(e.Into, in.object(name).object("incident").id("id"), in.object(name).id("id"))
		}
	}
	if said := strings.ToLower(channel.text("summary")); strings.HasPrefix(said, "merged into") && !strings.Contains(said, "into this") {
		e.Into = cmp.Or(e.Into, channel.object("incident").id("id"))
	}
	if e.Into == l.object("incident").id("id") {
		e.Into = ""
	}
	if e.Kind == EntryMerged && e.Into == "" {
		e.Kind = EntryOther
	}
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

// nameOf is what the pager calls somebody. Some are called by their address, which is nobody's business.
func nameOf(who loose) string { return word(who.text("summary")) }

// address finds e-mail addresses and phone numbers. People's notes are kept as they wrote them.
var address = regexp.MustCompile(`[^\s<>"@]+@[^\s<>"@]+|(?:\+|\b00)\d[\d ().-]{5,}\d|\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}|\d{10,}`)

// word makes one short line of what the pager tells, without addresses.
func word(s string) string { return address.ReplaceAllString(plain(s), redacted) }

// entryText is what an entry tells in words.
func entryText(kind EntryKind, l, channel loose) string {
	if kind == EntryNoted {
		return cmp.Or(l.text("note"), channel.text("summary"), channel.text("content"), l.text("summary"))
	}
	return word(cmp.Or(l.text("note"), l.text("message"), channel.text("summary"), l.text("summary")))
}
