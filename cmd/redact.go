package cmd

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// redacted stands where a secret stood.
const redacted = "[redacted]"

// shortest is the length of the shortest secret that is known by its value: nobody's key is shorter, and a word that is
// would tear holes into every text.
const shortest = 8

// secrecy knows by value every secret that this process has read, and takes it out of whatever leaves: what is printed,
// journaled, written and sent to people. Errors quote what servers say, and servers quote what they were sent. The zero
// value knows nothing yet.
type secrecy struct {
	mu    sync.RWMutex
	forms []string // the longest first: one secret may begin with another
}

// learn takes in secrets, each in every form in which a text may carry it.
func (s *secrecy) learn(secrets ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range secrets {
		if len(secret) < shortest || slices.Contains(s.forms, secret) {
			continue
		}
		quoted, _ := json.Marshal(secret) // a text always can
		within := func(q string) string { return q[1 : len(q)-1] }
		for _, form := range []string{secret, within(string(quoted)), within(strconv.Quote(secret)), url.QueryEscape(secret), url.PathEscape(secret)} {
			if !slices.Contains(s.forms, form) {
				s.forms = append(s.forms, form)
			}
		}
	}
	slices.SortFunc(s.forms, func(a, b string) int { return len(b) - len(a) })
}

// clean is a text without secrets.
func (s *secrecy) clean(text string) string {
	out, _ := s.scan(text, true)
	return out
}

// scan takes the secrets out of a text. Where more may come (not all), what may be the beginning of one is left over.
func (s *secrecy) scan(text string, all bool) (out, left string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var b strings.Builder
	done := 0
	for i := 0; i < len(text); {
		match := ""
		for _, f := range s.forms {
			if rest := text[i:]; f[0] != text[i] {
				continue
			} else if !all && len(rest) < len(f) && strings.HasPrefix(f, rest) {
				b.WriteString(text[done:i])
				return b.String(), rest
			} else if match == "" && strings.HasPrefix(rest, f) {
				match = f
			}
		}
		if match == "" {
			i++
			continue
		}
		b.WriteString(text[done:i] + redacted)
		i += len(match)
		done = i
	}
	b.WriteString(text[done:])
	return b.String(), ""
}

// clearWriter writes without secrets, however a text is cut into writes: what may be the beginning of one waits for the
// rest.
type clearWriter struct {
	secrecy *secrecy
	to      io.Writer
	mu      sync.Mutex
	waits   string
}

// writer is one that lets no secret through; one that does so already is itself.
func (s *secrecy) writer(to io.Writer) *clearWriter {
	if w, ok := to.(*clearWriter); ok && w.secrecy == s {
		return w
	}
	return &clearWriter{secrecy: s, to: to}
}

// Write takes all of p, or fails as the writer behind it does.
func (w *clearWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text, left := w.secrecy.scan(w.waits+string(p), false)
	w.waits = left
	if text == "" {
		return len(p), nil
	}
	if _, err := io.WriteString(w.to, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush writes what waits: nothing more comes.
func (w *clearWriter) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := w.secrecy.clean(w.waits)
	if w.waits = ""; text == "" {
		return nil
	}
	_, err := io.WriteString(w.to, text)
	return err
}
