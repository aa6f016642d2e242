package cmd

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe"
)

// Exit codes are API: scripts and CI jobs branch on them.
const (
	exitMet         = 0
	exitFailed      = 1
	exitUsage       = 2
	exitMissed      = 3 // also undetected, unanswered
	exitRefused     = 4
	exitDirty       = 5
	exitAborted     = 6
	exitInvalid     = 7
	exitLater       = 75
	exitInterrupted = 130
)

// exitError ends the program with a code; a nil err prints nothing more.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usage marks a mistake in the words of the command line.
func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// hinted is an error with its next step apart.
type hinted struct {
	err error
	try string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// codeOf maps every error to its exit code, in one place.
func codeOf(err error) int {
	var (
		exit     *exitError
		refusal  *drills.Refusal
		mistakes *drills.Mistakes
		held     *journal.HeldError
	)
	switch {
	case err == nil:
		return exitMet
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &refusal) && refusal.Later, errors.As(err, &held):
		return exitLater
	case errors.As(err, &refusal):
		return exitRefused
	case errors.As(err, &mistakes):
		return exitUsage
	}
	return exitFailed
}

// tell prints an error as one clear line, and the next step on a line of its own.
func tell(w io.Writer, err error) {
	var exit *exitError
	if errors.As(err, &exit) && exit.err == nil {
		return
	}
	var mistakes *drills.Mistakes
	var files *badFiles
	if errors.As(err, &mistakes) || errors.As(err, &files) {
		fmt.Fprintln(w, err) // each line begins with its file, as editors want it
		return
	}
	fmt.Fprintln(w, "firedrill: "+harmless(withoutChain(err.Error())))
	if try := tryOf(err); try != "" && !strings.Contains(err.Error(), "Try: ") {
		fmt.Fprintln(w, "Try: "+harmless(try))
	}
}

// tryOf is the next step that an error carries.
func tryOf(err error) string {
	var (
		h       *hinted
		refusal *drills.Refusal
		problem *observe.Problem
		held    *journal.HeldError
		store   *journal.Error
	)
	switch {
	case errors.As(err, &h):
		return h.try
	case errors.As(err, &refusal):
		return refusal.Try
	case errors.As(err, &problem):
		return problem.Try
	case errors.As(err, &store):
		return store.Try
	case errors.As(err, &held):
		return "firedrill abort " + held.Lease.Run + ", or wait until it has ended"
	}
	return ""
}
