package cmd

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"charm.land/huh/v2"
)

// errUnasked is what becomes of questions that nobody answers to the end.
func errUnasked() error { return usage("not asked to the end: nothing was written") }

// askPlain puts a question in words alone, with what an empty line stands for.
func (d *Deps) askPlain(q question) error {
	empty := *q.into
	fmt.Fprintf(d.Err, "%s\nsuch as %s\n", q.title, q.example)
	for {
		if empty != "" {
			fmt.Fprintf(d.Err, "(nothing: %s) ", empty)
		}
		fmt.Fprint(d.Err, "> ")
		line, err := d.line()
		if err != nil {
			return err
		}
		if line == "" {
			line = empty
		}
		if err := q.check(line); err != nil {
			fmt.Fprintln(d.Err, err)
			continue
		}
		*q.into = line
		fmt.Fprintln(d.Err)
		return nil
	}
}

// choosePlain puts a list in words alone.
func (d *Deps) choosePlain(title, about string, options []huh.Option[string], into *string, valid []func(string) error) error {
	fmt.Fprintln(d.Err, title)
	for i, o := range options {
		fmt.Fprintf(d.Err, "%d. %s\n", i+1, o.Key)
	}
	if about != "" {
		fmt.Fprintln(d.Err, about)
	}
	for {
		fmt.Fprintf(d.Err, "a number, 1 to %d > ", len(options))
		line, err := d.line()
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(line)
		if err != nil || n < 1 || n > len(options) {
			continue
		}
		for _, v := range valid {
			err = errors.Join(err, v(options[n-1].Value))
		}
		if err != nil {
			fmt.Fprintln(d.Err, err)
			continue
		}
		*into = options[n-1].Value
		fmt.Fprintln(d.Err)
		return nil
	}
}

// line reads one line, and nothing behind it: that is the next answer.
func (d *Deps) line() (string, error) {
	var typed []byte
	one := make([]byte, 1)
	for {
		n, err := d.In.Read(one)
		if n > 0 && one[0] == '\n' {
			return strings.TrimSpace(string(typed)), nil
		}
		typed = append(typed, one[:n]...)
		switch {
		case errors.Is(err, io.EOF):
			fmt.Fprintln(d.Err)
			return "", errUnasked()
		case err != nil:
			return "", fmt.Errorf("read an answer: %w", err)
		}
	}
}
