package cmd

import (
	"cmp"
	"errors"
	"strings"

	"github.com/firedrill/firedrill/drills"
)

// wrong says what the file would be refused for, before anybody is asked or reached: by its reader, which knows all of it.
// What is not known yet is taken to be right.
func (e environmentDraft) wrong() error {
	e.Account = cmp.Or(e.Account, "123456789012")
	e.Service = cmp.Or(e.Service, "PORDERS")
	e.From = cmp.Or(e.From, "drills@example.com")
	if len(e.Regions) == 0 {
		e.Regions = []string{"eu-west-1"}
	}
	src, err := e.render()
	if err != nil {
		return err
	}
	_, err = drills.ReadEnvironments(drills.ConfigName, src)
	var all *drills.Mistakes
	if !errors.As(err, &all) {
		return err
	}
	var lines []string
	for _, m := range all.All { // without its place, in a file that nobody has seen
		line := m.What
		if m.Try != "" {
			line += ". Try: " + m.Try
		}
		lines = append(lines, line)
	}
	return usage("%s", strings.Join(lines, "\n"))
}

// fits is the check of one answer: set puts it into a draft that is right otherwise.
func (e *environmentDraft) fits(set func(e *environmentDraft, answer string)) func(string) error {
	return func(answer string) error {
		with := *e
		set(&with, strings.TrimSpace(answer))
		err := with.wrong()
		if err == nil {
			return nil
		}
		first, _, _ := strings.Cut(err.Error(), "\n")
		return errors.New(first)
	}
}

// regionsOf are the regions that somebody has typed.
func regionsOf(typed string) []string {
	return strings.FieldsFunc(typed, func(r rune) bool { return r == ',' || r == ' ' })
}
