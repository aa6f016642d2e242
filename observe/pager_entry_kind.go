package observe

import (
	"cmp"
	"slices"
	"strings"
)

// kindOf reduces PagerDuty's types. Both spellings of the acknowledgement stand in its schema; several of the others
// do not, and were seen all the same. Who assigns by the escalation policy is a service; a user gives it to somebody.
func kindOf(spelled string, byUser bool) EntryKind {
	switch bare(spelled) {
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
	case "assign":
		if byUser {
			return EntryReassigned
		}
		return EntryAssigned
	case "reassign", "delegate":
		return EntryReassigned
	case "snooze":
		return EntrySnoozed
	case "reopen":
		return EntryReopened
	case "merge":
		return EntryMerged
	case "annotate":
		return EntryNoted
	case "resolve":
		return EntryResolved
	default:
		return EntryOther
	}
}

// bare is a type without what all of them end in.
func bare(spelled string) string { return strings.TrimSuffix(spelled, "_log_entry") }

// inOrder sorts one incident's entries by time, then by cause: entries share a second. What would open a resolved
// incident has opened it again: PagerDuty has no entry of its own for that.
func inOrder(entries []Entry) {
	slices.SortStableFunc(entries, before)
	resolved := false
	for i := range entries {
		switch e := &entries[i]; e.Kind {
		case EntryResolved:
			resolved = true
		case EntryUnacknowledged, EntryTriggered:
			if resolved {
				e.Kind = EntryReopened
			}
			resolved = false
		case EntryAcknowledged, EntryReopened:
			resolved = false
		}
	}
}

// before is the order of two entries.
func before(a, b Entry) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(rank(a.Type), rank(b.Type)), cmp.Compare(a.ID, b.ID))
}

// rank is the place of a type among those of the same second: what causes stands before what it causes. A time-out
// takes an acknowledgement back, which escalates, assigns and notifies anew; who snoozes has acknowledged; an incident
// is resolved by being merged.
func rank(spelled string) int {
	order := []string{
		"reopen", "trigger", "unacknowledge", "unsnooze", "escalate", "delegate", "reassign", "assign", "notify",
		"acknowledge", "acknowledgement", "snooze", "annotate", "", "merge", "resolve",
	}
	if i := slices.Index(order, bare(spelled)); i >= 0 {
		return i
	}
	return slices.Index(order, "")
}
