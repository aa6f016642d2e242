package observe

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// labelName is how a label is spelled.
var labelName = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]*$`)

// oneMatcher is a label, an operator and a value, which may stand in quotes.
// https://prometheus.io/docs/alerting/latest/configuration/#matcher
var oneMatcher = regexp.MustCompile(`(?s)^\s*("(?:[^"\\]|\\.)*"|[^\s"=!~{}]+)\s*(=~|!~|!=|=)\s*(.*?)\s*$`)

// matcher is one condition on a label.
type matcher struct {
	name, op, value string
	re              *regexp.Regexp // of =~ and !~
}

func newMatcher(name, op, value string) (matcher, error) {
	m := matcher{name: name, op: op, value: value}
	if op == "=~" || op == "!~" {
		re, err := regexp.Compile("^(?:" + value + ")$")
		if err != nil {
			return m, fmt.Errorf("matcher %s: %w", m, err)
		}
		m.re = re
	}
	return m, nil
}

// escapes are those of a value in quotes.
func escapes() (in, out *strings.Replacer) {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`), strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\"`, `"`)
}

// String is the matcher as it stands in a group's key.
func (m matcher) String() string {
	in, _ := escapes()
	return m.name + m.op + `"` + in.Replace(m.value) + `"`
}

// holds is for one value; a label that is not there is empty.
func (m matcher) holds(value string) bool {
	switch m.op {
	case "=":
		return value == m.value
	case "!=":
		return value != m.value
	case "=~":
		return m.re.MatchString(value)
	default:
		return !m.re.MatchString(value)
	}
}

// parseMatchers reads `a="b", c=~"d"`, in braces or not.
func parseMatchers(text string) (list []matcher, err error) {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		text = strings.TrimSuffix(inner, "}")
	}
	_, out := escapes()
	for _, part := range outsideQuotes(text) {
		if strings.TrimSpace(part) == "" {
			continue
		}
		found := oneMatcher.FindStringSubmatch(part)
		if found == nil {
			return nil, fmt.Errorf("matcher %q cannot be read", part)
		}
		name, value := found[1], found[3]
		for _, s := range []*string{&name, &value} {
			if len(*s) > 1 && strings.HasPrefix(*s, `"`) && strings.HasSuffix(*s, `"`) {
				*s = (*s)[1 : len(*s)-1]
			}
			*s = out.Replace(*s)
		}
		m, err := newMatcher(name, found[2], value)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

// outsideQuotes cuts at commas that stand in no quotes.
func outsideQuotes(text string) (parts []string) {
	quoted, from := false, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				parts = append(parts, text[from:i])
				from = i + 1
			}
		}
	}
	return append(parts, text[from:])
}

// sortMatchers sorts matchers as they stand in a key.
func sortMatchers(list []matcher) {
	slices.SortFunc(list, func(a, b matcher) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value), cmp.Compare(a.op, b.op))
	})
}

// belief says whether something holds; maybeMatch is for labels that nobody has named.
type belief int

const (
	noMatch belief = iota
	maybeMatch
	isMatch
)

// matchAll holds matchers against the labels that are known. open are the labels it would take to tell.
func matchAll(list []matcher, known map[string]string) (a belief, open []string) {
	a = isMatch
	for _, m := range list {
		value, named := known[m.name]
		switch {
		case !named:
			a, open = min(a, maybeMatch), append(open, m.name)
		case !m.holds(value):
			return noMatch, nil
		}
	}
	return a, open
}
