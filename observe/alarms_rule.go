package observe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// ruleWord is one word of a composite alarm's rule:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html
var ruleWord = regexp.MustCompile(`^\s*(?:(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:"([^"]+)"|'([^']+)'|([^\s"'()]+))\s*\)|(AND|OR|NOT|TRUE|FALSE)\b|([()]))`)

// AlarmRule is the rule of a composite alarm, read.
type AlarmRule struct {
	op    string // AND, OR, NOT, TRUE, FALSE, or a state: ALARM, OK, INSUFFICIENT_DATA
	alarm string // of a state
	parts []AlarmRule
}

// ParseAlarmRule reads a rule. What it does not know (AT_LEAST) is an error: then nobody can say what the alarm does.
func ParseAlarmRule(text string) (AlarmRule, error) {
	p := &ruleReader{rest: text}
	rule, err := p.either()
	if err == nil && strings.TrimSpace(p.rest) != "" {
		err = fmt.Errorf("%q is not expected", plain(p.rest))
	}
	if err != nil {
		return AlarmRule{}, fmt.Errorf("read alarm rule: %w", err)
	}
	return rule, nil
}

// Children are the names of the alarms that a rule is made of.
func (r AlarmRule) Children() (names []string) {
	if r.alarm != "" {
		return []string{r.alarm}
	}
	for _, part := range r.parts {
		for _, name := range part.Children() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// Ringing says what is known of one child: how it stands, and whether and when it will ring.
type Ringing struct {
	State string
	Rings bool // it will, After so long
	After time.Duration
	Maybe bool // nobody can say whether it will
}

// When says how soon a rule can be true, given its children. sure is false where that hangs on what nobody can say;
// never is true where it surely will not be.
func (r AlarmRule) When(child func(name string) Ringing) (after time.Duration, sure, never bool) {
	switch r.op {
	case "TRUE":
		return 0, true, false
	case "FALSE":
		return 0, true, true
	case "NOT":
		// Something that rings later is quiet until then; how long that matters nobody can say.
		_, known, not := r.parts[0].When(child)
		return 0, known && not, false
	case "AND":
		sure = true
		for _, part := range r.parts {
			d, known, not := part.When(child)
			if known && not {
				return 0, true, true
			}
			after, sure = max(after, d), sure && known
		}
		return after, sure, false
	case "OR":
		never, sure = true, true
		for _, part := range r.parts {
			d, known, not := part.When(child)
			sure = sure && known
			if not && known {
				continue
			}
			if known && (never || d < after) {
				after = d
			}
			never = false
		}
		return after, sure, never
	}
	return r.whenState(child(r.alarm))
}

func (r AlarmRule) whenState(c Ringing) (after time.Duration, sure, never bool) {
	switch {
	case c.Maybe:
		return 0, false, false
	case r.op == "ALARM" && c.Rings:
		return c.After, true, false
	case r.op == c.State && !c.Rings:
		return 0, true, false
	case c.Rings: // it is as asked for only until it rings
		return 0, r.op != c.State, r.op != c.State
	}
	return 0, true, true
}

// ruleReader reads from the left: NOT binds tightest, then AND, then OR.
type ruleReader struct{ rest string }

func (p *ruleReader) take(words ...string) (string, bool) {
	m := ruleWord.FindStringSubmatch(p.rest)
	if m == nil || m[1] != "" || !slices.Contains(words, m[5]+m[6]) {
		return "", false
	}
	p.rest = p.rest[len(m[0]):]
	return m[5] + m[6], true
}

func (p *ruleReader) either() (AlarmRule, error) { return p.joined("OR", p.both) }

func (p *ruleReader) both() (AlarmRule, error) { return p.joined("AND", p.one) }

func (p *ruleReader) joined(word string, part func() (AlarmRule, error)) (AlarmRule, error) {
	first, err := part()
	all := []AlarmRule{first}
	for err == nil {
		if _, ok := p.take(word); !ok {
			break
		}
		var next AlarmRule
		next, err = part()
		all = append(all, next)
	}
	if len(all) == 1 {
		return first, err
	}
	return AlarmRule{op: word, parts: all}, err
}

func (p *ruleReader) one() (AlarmRule, error) {
	if word, ok := p.take("NOT", "(", "TRUE", "FALSE"); ok {
		switch word {
		case "NOT":
			inner, err := p.one()
			return AlarmRule{op: "NOT", parts: []AlarmRule{inner}}, err
		case "(":
			inner, err := p.either()
			if _, closed := p.take(")"); err == nil && !closed {
				err = fmt.Errorf("a bracket is not closed before %q", plain(p.rest))
			}
			return inner, err
		}
		return AlarmRule{op: word}, nil
	}
	m := ruleWord.FindStringSubmatch(p.rest)
	if m == nil || m[1] == "" {
		return AlarmRule{}, fmt.Errorf("%q is not known here", plain(p.rest))
	}
	p.rest = p.rest[len(m[0]):]
	name := m[2] + m[3] + m[4]
	if _, tail, ok := strings.Cut(name, ":alarm:"); ok {
		name = tail
	}
	return AlarmRule{op: m[1], alarm: name}, nil
}
