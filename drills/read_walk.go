package drills

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// reader walks a file's tree and gathers everything wrong in it.
type reader struct {
	file   string
	vars   map[string]string // nil: no environment is known, and only the spelling of ${var} is checked
	noVars bool              // an environment file: ${var} means nothing there
	kinds  Kinds
	found  []Mistake
}

// wrong notes a mistake; what is formatted.
func (r *reader) wrong(at place, try, what string, args ...any) {
	r.found = append(r.found, Mistake{r.file, at.line, at.col, fmt.Sprintf(what, args...), try})
}

// field is one key that a mapping may have.
type field struct {
	key  string
	must string // an example, for a key that may not be missing
	read func(v *node)
}

// object reads a mapping, key by key; what names it for people ("a drill").
func (r *reader) object(n *node, what string, fields ...field) {
	if !r.is(n, isMapping, what) {
		return
	}
	known := make([]string, len(fields))
	for i, f := range fields {
		known[i] = f.key
	}
	seen := map[string]bool{}
	for _, p := range n.pairs {
		f, ok := fieldOf(fields, p.key)
		if !ok {
			r.wrong(p.at, suggest(p.key, known), "unknown key %q in %s", p.key, what)
			if meant, ok := nearest(p.key, known); ok {
				seen[meant] = true // misspelled is not missing
			}
			continue
		}
		if !seen[p.key] { // a key that stands twice is told by the parser
			f.read(p.value)
		}
		seen[p.key] = true
	}
	for _, f := range fields {
		if f.must != "" && !seen[f.key] {
			r.wrong(n.at, f.must, "%s has no %s", what, f.key)
		}
	}
}

func fieldOf(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

// muted is what stands in the place of something refused: it is told already.
func muted(n *node) bool { return n.kind == isNull && n.text != "" }

// is tells when a node is of another kind.
func (r *reader) is(n *node, want kind, what string) bool {
	if n.kind == want || muted(n) {
		return n.kind == want
	}
	if n.kind == isNull {
		r.wrong(n.at, "write it, or leave the key out", "%s is empty", what)
		return false
	}
	if want == isText && (n.kind == isList || n.kind == isMapping) {
		r.wrong(n.at, "text alone", "%s must be %s, and this is %s", what, want, n.kind)
		return false
	}
	try := map[kind]string{isMapping: "key: value", isList: "[a, b], or a line with - for each", isText: "put it in quotes",
		isNumber: "digits alone, without quotes", isBool: "true or false, without quotes"}[want]
	r.wrong(n.at, try, "%s must be %s, and this is %s", what, want, n.kind)
	return false
}

// text reads text that is not empty, its variables replaced.
func (r *reader) text(n *node, what string) string {
	if !r.is(n, isText, what) {
		return ""
	}
	s := r.expand(n, false)
	if strings.TrimSpace(s) == "" {
		r.wrong(n.at, "write it, or leave the key out", "%s is empty", what)
	}
	return s
}

// matching reads text of one form; form says which, for people, and example is one.
func (r *reader) matching(n *node, what string, form *regexp.Regexp, wants, example string) string {
	s := r.text(n, what)
	if s != "" && !r.unknown(n) && !form.MatchString(s) {
		r.wrong(n.at, example, "%s must be %s", what, wants)
		return ""
	}
	return s
}

// The forms of words.
var (
	nameForm    = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	wordForm    = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)
	urlForm     = regexp.MustCompile(`^https?://[^/\s?#]+\S*$`)
	pictureForm = regexp.MustCompile(`^https://[^/\s?#]+\S*$`)
	nonNames    = regexp.MustCompile(`[^a-z0-9]+`)
	kindForm    = regexp.MustCompile(`^[a-z][a-z0-9]*\.[a-z][a-z0-9-]*$`)
	lastOfKind  = regexp.MustCompile(`[^.]*$`)
)

// The longest names. An id is part of a schedule's name, firedrill-<run>-<id>-<try>, which AWS bounds at 64
// characters: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html
const (
	maxName = 63
	maxID   = 24
)

// name reads a name: lower-case letters, digits and dashes.
func (r *reader) name(n *node, what string, most int) string {
	if !r.is(n, isText, what) {
		return ""
	}
	return r.checkName(n.text, n.at, what, most)
}

func (r *reader) checkName(s string, at place, what string, most int) string {
	if !nameForm.MatchString(s) {
		try := strings.Trim(nonNames.ReplaceAllString(strings.ToLower(s), "-"), "-")
		if !nameForm.MatchString(try) {
			try = "orders-write-throttle"
		}
		r.wrong(at, try, "%s %q is not a name: lower-case letters, digits and dashes", what, s)
		return ""
	}
	if len(s) > most {
		r.wrong(at, s[:most], "%s is %d characters long, and %d are the most", what, len(s), most)
		return ""
	}
	return s
}

// url reads an absolute web address.
func (r *reader) url(n *node, what string) string {
	return r.matching(n, what, urlForm, "an address that begins with http:// or https://", "https://example.com/…")
}

// list reads each item of a list that is not empty.
func (r *reader) list(n *node, what string, item func(v *node)) {
	if !r.is(n, isList, what) {
		return
	}
	if len(n.items) == 0 {
		r.wrong(n.at, "at least one", "%s is empty", what)
	}
	for _, v := range n.items {
		item(v)
	}
}

// texts reads a list of texts in which none stands twice.
func (r *reader) texts(n *node, what string, item func(v *node) string) []string {
	var out []string
	seen := map[string]bool{}
	r.list(n, what, func(v *node) {
		s := item(v)
		if s == "" {
			return
		}
		if seen[s] {
			r.wrong(v.at, "take one out", "%q stands twice in %s", s, what)
		}
		seen[s] = true
		out = append(out, s)
	})
	return out
}

// single reads a mapping of exactly one key, as in {slack: "checkout is slow"}.
func (r *reader) single(n *node, what, example string) (pair, bool) {
	if n.kind != isMapping {
		if !muted(n) {
			r.wrong(n.at, example, "%s must be a mapping, and this is %s", what, n.kind)
		}
		return pair{}, false
	}
	if len(n.pairs) != 1 {
		r.wrong(n.at, example, "%s has one key, and this has %d", what, len(n.pairs))
		return pair{}, false
	}
	return n.pairs[0], true
}

// bounds of a duration.
type bounds struct{ least, most time.Duration }

// duration reads 8m, 1h30m, 0s: always with a unit.
func (r *reader) duration(n *node, what string, b bounds) time.Duration {
	if n.kind == isNumber {
		r.wrong(n.at, n.text+"m or "+n.text+"s", "%s must be a duration with its unit", what)
		return 0
	}
	if !r.is(n, isText, what) || r.text(n, what) == "" || r.unknown(n) {
		return 0
	}
	d, err := time.ParseDuration(r.expand(n, true))
	switch {
	case err != nil:
		r.wrong(n.at, "8m, 90s or 1h30m", "%s %q is not a duration", what, n.text)
	case d < b.least && b.least >= time.Second:
		r.wrong(n.at, short(b.least)+" or more", "%s is %s, and %s is the least", what, short(d), short(b.least))
	case d < b.least && b.least > 0:
		r.wrong(n.at, "8m, or leave it out", "%s is %s, and must be above 0s", what, short(d))
	case d < b.least:
		r.wrong(n.at, "0s or more", "%s is %s, and cannot be below 0s", what, short(d))
	case d > b.most:
		r.wrong(n.at, short(b.most), "%s is %s, and %s is the most", what, short(d), short(b.most))
	default:
		return d
	}
	return 0
}

// short writes a duration without the zeroes that Go adds: 12h, 1h30m, 8m.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// oneOf reads one of a few words.
func (r *reader) oneOf(n *node, what string, words ...string) string {
	s := r.text(n, what)
	for _, w := range words {
		if s == w {
			return s
		}
	}
	if s != "" {
		r.wrong(n.at, suggest(s, words), "%s must be %s, not %q", what, strings.Join(words, " or "), s)
	}
	return ""
}

// truth reads true or false.
func (r *reader) truth(n *node, what string) bool {
	return r.is(n, isBool, what) && n.text == "true"
}

// value is the node as JSON has it. Its mistakes are told elsewhere.
func (r *reader) value(n *node) any {
	switch n.kind {
	case isText:
		return r.expand(n, true)
	case isBool:
		return n.text == "true"
	case isNumber:
		return number(n.text)
	case isList:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = r.value(item)
		}
		return out
	case isMapping:
		out := make(map[string]any, len(n.pairs))
		for _, p := range n.pairs {
			out[p.key] = r.value(p.value)
		}
		return out
	}
	return nil
}

// number reads what YAML calls one: 10, 0x10, 1_000, 1.5.
func number(text string) any {
	clean := strings.ReplaceAll(text, "_", "")
	if i, err := strconv.ParseInt(clean, 0, 64); err == nil {
		return i
	}
	f, err := strconv.ParseFloat(clean, 64)
	if err != nil || f-f != 0 { // infinite or not a number: JSON has neither
		return text
	}
	return f
}
