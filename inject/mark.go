package inject

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// The tags that stand on what we change, from before the change until it is read back.
const (
	TagRun   = "firedrill:run"
	TagFault = "firedrill:fault"
	TagUntil = "firedrill:until" // RFC 3339, UTC
	TagUndo  = "firedrill:undo"  // the old values in short: writes=-1 (no maximum), reads=100
	TagState = "firedrill:state" // prepared, applied, reverting: how far we know to have come
)

// The values of TagState.
const (
	statePrepared  = "prepared"
	stateApplied   = "applied"
	stateReverting = "reverting"
)

// ErrGone says that a target does not exist (any more).
var ErrGone = errors.New("it is not there")

// tags are the mark as tags; undo and state are left out when empty.
func (m Mark) tags(undo, state string) map[string]string {
	t := map[string]string{TagRun: m.Run, TagFault: m.Fault, TagUntil: m.Until.UTC().Format(time.RFC3339)}
	if undo != "" {
		t[TagUndo] = undo
	}
	if state != "" {
		t[TagState] = state
	}
	return t
}

// owns says whether tags carry this mark.
func (m Mark) owns(tags map[string]string) bool {
	return tags[TagRun] == m.Run && tags[TagFault] == m.Fault && m.Run != ""
}

// name is the mark in one word.
func (m Mark) name() string { return m.Run + "/" + m.Fault }

// another says which later run's mark the tags carry, if one is still on: what stands there is that run's to put
// back. Runs sort by when they began: an earlier one's mark was written by a process that was asleep, and like a mark
// whose time is over it protects nothing.
func (m Mark) another(tags map[string]string, now time.Time) (run string, yes bool) {
	run = tags[TagRun]
	until, err := time.Parse(time.RFC3339, tags[TagUntil])
	return run, run > m.Run && err == nil && now.Before(until)
}

// ourTags lists the names of the tags we may have put, for taking them away.
func ourTags() []string { return []string{TagRun, TagFault, TagUntil, TagUndo, TagState} }

// refuseMarked refuses a target that another run, or a leftover of this one, has marked.
func refuseMarked(what string, tags map[string]string) error {
	run, marked := tags[TagRun]
	if !marked {
		return nil
	}
	return Refuse("firedrill recover "+run, "%s still carries run %s (fault %s)", what, run, tags[TagFault])
}

// maxTags is how many tags a table or a queue takes.
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-queue-tags.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Tagging.html
const maxTags = 50

// refuseFull refuses a target that has no room for as many tags as we may write.
func refuseFull(what string, tags map[string]string, ours int) error {
	if len(tags)+ours <= maxTags {
		return nil
	}
	return Refuse(fmt.Sprintf("take %d of its tags off", len(tags)+ours-maxTags), "%s has %d tags, and no room for %d of ours (%d at most)", what, len(tags), ours, maxTags)
}

// check refuses marks that would not survive as tags.
func (m Mark) check() error {
	if m.Run == "" || m.Fault == "" {
		return errors.New("mark without run or fault")
	}
	return nil
}

// targetOf reads account and region out of an ARN.
func targetOf(name string) (Target, error) {
	a, err := arn.Parse(name)
	if err != nil {
		return Target{}, fmt.Errorf("read ARN %q: %w", name, err)
	}
	return Target{ARN: name, Account: a.AccountID, Region: a.Region}, nil
}

// lastPart is what follows the last sep: the name in an ARN.
func lastPart(s, sep string) string { return s[strings.LastIndex(s, sep)+1:] }

// pause waits d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
