package hands

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/aws/smithy-go"
)

// Fix is something that could be done to the account: right, useless or wrong. Who plays decides.
type Fix struct {
	Words string // what to say for it, after "fix"
	Says  string // what it does
	Call  Call
}

// Call is one call of AWS, as the AWS CLI makes it and as we do.
type Call struct {
	CLI []string // the words after "aws"
	// Do makes the call. It may say what came back, and which call that leads to.
	Do func(ctx context.Context) (said string, next *Call, err error)
}

// Fixes lists what could be done now: it looks at everything and judges nothing.
func (h *Hands) Fixes(ctx context.Context) ([]Fix, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var all []Fix
	for _, propose := range []func(context.Context) ([]Fix, error){h.tableFixes, h.queueFixes, h.ruleFixes, h.silences} {
		some, err := propose(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// Line is a call as somebody types it into a shell.
func (c Call) Line() string {
	words := []string{"aws"}
	for _, w := range c.CLI {
		words = append(words, shell(w))
	}
	return strings.Join(words, " ")
}

var harmless = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shell quotes a word, if it must be.
func shell(word string) string {
	if harmless.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Refusal is what AWS says when it says no, as the AWS CLI tells it: the code and the sentence.
func Refusal(err error) string {
	var no smithy.APIError
	if errors.As(err, &no) {
		return no.ErrorCode() + ": " + no.ErrorMessage()
	}
	return err.Error()
}
