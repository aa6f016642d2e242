package observe

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// redactor takes secrets out of any text that leaves this package: errors quote what servers say, and servers quote
// what they were sent. Secrets live in closures, which no printing of a struct shows.
func redactor(secrets ...string) func(string) string {
	var pairs []string
	for _, s := range secrets {
		if s == "" {
			continue
		}
		quoted, _ := json.Marshal(s) // a string always can
		for _, form := range []string{s, strings.Trim(string(quoted), `"`), url.QueryEscape(s), url.PathEscape(s)} {
			pairs = append(pairs, form, redacted)
		}
	}
	known := strings.NewReplacer(pairs...)
	return func(s string) string { return keyLike.ReplaceAllString(known.Replace(s), redacted) }
}

// keyLike finds integration keys that we were not told: a server may quote one of its own.
var keyLike = regexp.MustCompile(`\b[0-9a-fA-F]{32}\b`)

// hidden keeps the identity of an error (errors.Is) and gives away nothing of its text but what is redacted.
type hidden struct {
	text  string
	cause error
}

func (h *hidden) Error() string { return h.text }

// Is compares with the cause, which Unwrap would print in full.
func (h *hidden) Is(target error) bool { return errors.Is(h.cause, target) }

// plain makes one short line of what a server said: no control characters, which could write on a terminal.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > 300 {
		s = string(runes[:300]) + " …"
	}
	return s
}
