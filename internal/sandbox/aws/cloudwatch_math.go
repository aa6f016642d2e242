package aws

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"
)

// mathValue is what an expression computes: a series by period, or one number.
type mathValue struct {
	points map[int64]float64 // nil for a number
	number float64
}

func scalar(v float64) mathValue { return mathValue{number: v} }

// times lists when a series has points, oldest first.
func (v mathValue) times() []int64 {
	out := make([]int64, 0, len(v.points))
	for at := range v.points {
		out = append(out, at)
	}
	slices.Sort(out)
	return out
}

// metricMath computes expressions over the metrics of one request. What the sandbox does not know it refuses: a wrong
// number would be worse.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
type metricMath struct {
	known    map[string]mathValue // by id
	period   int                  // seconds
	from, to time.Time

	tokens []string
}

// compute evaluates one expression.
func (m metricMath) compute(text string) (v mathValue, err error) {
	if m.tokens, err = mathTokens(text); err != nil {
		return v, err
	}
	if v, err = m.comparison(); err == nil && len(m.tokens) > 0 {
		err = validation("expression %q: %q is not expected", text, m.tokens[0])
	}
	return v, err
}

// mathTokens cuts an expression into names, numbers and signs.
func mathTokens(text string) (out []string, err error) {
	letter := func(c byte) bool {
		return c == '_' || c == '.' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
	}
	for i := 0; i < len(text); {
		j := i + 1
		switch c := text[i]; {
		case strings.IndexByte(" \t\n", c) >= 0:
			i++
			continue
		case letter(c):
			for j < len(text) && letter(text[j]) {
				j++
			}
		case i+1 < len(text) && slices.Contains([]string{"<=", ">=", "==", "!="}, text[i:i+2]):
			j = i + 2
		case strings.IndexByte("+-*/()[],<>", c) < 0:
			return nil, validation("expression %q: the sandbox does not know %q", text, string(c))
		}
		out = append(out, text[i:j])
		i = j
	}
	if len(out) == 0 {
		return nil, validation("an expression is empty")
	}
	return out, nil
}

func (m *metricMath) peek() string {
	if len(m.tokens) == 0 {
		return ""
	}
	return m.tokens[0]
}

func (m *metricMath) next() string {
	t := m.peek()
	m.tokens = m.tokens[min(1, len(m.tokens)):]
	return t
}

// comparison binds least: it is 1 where it holds and 0 where it does not.
func (m *metricMath) comparison() (mathValue, error) {
	return m.chain([]string{"<", ">", "<=", ">=", "==", "!="}, m.sum)
}

func (m *metricMath) sum() (mathValue, error) { return m.chain([]string{"+", "-"}, m.product) }

func (m *metricMath) product() (mathValue, error) { return m.chain([]string{"*", "/"}, m.unary) }

// chain is operand, sign, operand, …, from the left.
func (m *metricMath) chain(signs []string, operand func() (mathValue, error)) (mathValue, error) {
	left, err := operand()
	for err == nil && slices.Contains(signs, m.peek()) {
		sign := m.next()
		var right mathValue
		if right, err = operand(); err == nil {
			left = pairwise(left, right, func(a, b float64) float64 { return operate(sign, a, b) })
		}
	}
	return left, err
}

func operate(sign string, a, b float64) float64 {
	holds := map[bool]float64{true: 1}
	switch sign {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case "<":
		return holds[a < b]
	case ">":
		return holds[a > b]
	case "<=":
		return holds[a <= b]
	case ">=":
		return holds[a >= b]
	case "==":
		return holds[a == b]
	}
	return holds[a != b]
}

// pairwise joins two values where both have a point; a number stands at every point.
func pairwise(a, b mathValue, f func(a, b float64) float64) mathValue {
	if a.points == nil && b.points == nil {
		return scalar(f(a.number, b.number))
	}
	out := mathValue{points: map[int64]float64{}}
	base := a
	if a.points == nil {
		base = b
	}
	for at := range base.points {
		x, okA := a.at(at)
		y, okB := b.at(at)
		if v := f(x, y); okA && okB && !math.IsNaN(v) && !math.IsInf(v, 0) { // what cannot be divided has no datapoint
			out.points[at] = v
		}
	}
	return out
}

func (v mathValue) at(t int64) (float64, bool) {
	if v.points == nil {
		return v.number, true
	}
	x, ok := v.points[t]
	return x, ok
}

func (m *metricMath) unary() (mathValue, error) {
	switch t := m.next(); {
	case t == "":
		return mathValue{}, validation("an expression ends too soon")
	case t == "-":
		v, err := m.unary()
		return pairwise(scalar(0), v, func(a, b float64) float64 { return a - b }), err
	case t == "(":
		v, err := m.comparison()
		if err == nil && m.next() != ")" {
			err = validation("a bracket is not closed")
		}
		return v, err
	case t[0] >= '0' && t[0] <= '9' || t[0] == '.':
		n, err := strconv.ParseFloat(t, 64)
		if err != nil {
			return mathValue{}, validation("%q is not a number", t)
		}
		return scalar(n), nil
	case m.peek() == "(":
		return m.call(t)
	default:
		v, ok := m.known[t]
		if !ok {
			return v, validation("the expression names %q, which is no id of this request", t)
		}
		return v, nil
	}
}

// call reads the arguments of a function, lists among them, and applies it.
func (m *metricMath) call(name string) (mathValue, error) {
	m.next()
	var args [][]mathValue // a list is one argument
	var words []string
	for m.peek() != ")" {
		var list []mathValue
		word := m.peek()
		switch {
		case word == "REPEAT" || word == "LINEAR":
			m.next()
		case word == "[":
			for sign := m.next(); sign == "[" || sign == ","; sign = m.next() {
				v, err := m.comparison()
				if err != nil {
					return v, err
				}
				list = append(list, v)
				if m.peek() != "," && m.peek() != "]" {
					return v, validation("a list is not closed")
				}
			}
		default:
			v, err := m.comparison()
			if err != nil {
				return v, err
			}
			list = []mathValue{v}
		}
		args, words = append(args, list), append(words, word)
		if m.peek() == "," {
			m.next()
		} else if m.peek() != ")" {
			return mathValue{}, validation("the arguments of %s are not closed", name)
		}
	}
	m.next()
	return m.apply(name, args, words)
}

func (m *metricMath) apply(name string, args [][]mathValue, words []string) (mathValue, error) {
	lone := func(i int) bool { return i < len(args) && len(args[i]) == 1 }
	switch {
	case slices.Contains([]string{"SUM", "AVG", "MIN", "MAX"}, name) && len(args) == 1:
		if words[0] == "[" {
			return across(name, args[0]), nil
		}
		return scalar(reduce(name, args[0][0])), nil
	case name == "IF" && len(args) == 3 && lone(0) && lone(1) && lone(2):
		return choose(args[0][0], args[1][0], args[2][0]), nil
	case name == "IF" && len(args) == 2 && lone(0) && lone(1):
		return choose(args[0][0], args[1][0], mathValue{points: map[int64]float64{}}), nil
	case name == "ABS" && len(args) == 1 && lone(0):
		return pairwise(args[0][0], scalar(0), func(a, _ float64) float64 { return math.Abs(a) }), nil
	case name == "RATE" && len(args) == 1 && lone(0):
		return rate(args[0][0]), nil
	case name == "FILL" && len(args) == 2 && lone(0) && words[1] != "LINEAR" && (lone(1) || words[1] == "REPEAT"):
		fill := mathValue{}
		if words[1] != "REPEAT" {
			fill = args[1][0]
		}
		return m.filled(args[0][0], fill, words[1] == "REPEAT"), nil
	}
	return mathValue{}, validation("the sandbox does not know %s with these arguments", fmt.Sprintf("%s(%s)", name, strings.Join(words, ", ")))
}

// across joins several series, at every point that one of them has.
func across(name string, list []mathValue) mathValue {
	at := map[int64][]float64{}
	for _, v := range list {
		for t, x := range v.points {
			at[t] = append(at[t], x)
		}
	}
	out := mathValue{points: map[int64]float64{}}
	for t, values := range at {
		out.points[t] = fold(name, values)
	}
	return out
}

// reduce makes one number of a series.
func reduce(name string, v mathValue) float64 {
	if v.points == nil {
		return v.number
	}
	var values []float64
	for _, t := range v.times() {
		values = append(values, v.points[t])
	}
	if len(values) == 0 {
		return 0
	}
	return fold(name, values)
}

func fold(name string, values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	switch name {
	case "MIN":
		return slices.Min(values)
	case "MAX":
		return slices.Max(values)
	case "AVG":
		return sum / float64(len(values))
	}
	return sum
}

// choose takes one value where the condition holds and another where it does not.
func choose(condition, then, otherwise mathValue) mathValue {
	if condition.points == nil {
		if condition.number != 0 {
			return then
		}
		return otherwise
	}
	out := mathValue{points: map[int64]float64{}}
	for t, c := range condition.points {
		from := otherwise
		if c != 0 {
			from = then
		}
		if v, ok := from.at(t); ok {
			out.points[t] = v
		}
	}
	return out
}

// rate is the change from each point to the next, a second.
func rate(v mathValue) mathValue {
	out := mathValue{points: map[int64]float64{}}
	times := v.times()
	for i := 1; i < len(times); i++ {
		a, b := times[i-1], times[i]
		out.points[b] = (v.points[b] - v.points[a]) / float64(b-a)
	}
	return out
}

// filled has a point in every period of the request that is over or has data.
func (m *metricMath) filled(v, with mathValue, repeat bool) mathValue {
	out := mathValue{points: map[int64]float64{}}
	p := int64(m.period)
	last, have := 0.0, false
	for t := m.from.Unix() - m.from.Unix()%p; time.Unix(t, 0).Before(m.to); t += p {
		x, ok := v.points[t]
		switch {
		case ok:
			last, have = x, true
			out.points[t] = x
		case repeat && have:
			out.points[t] = last
		case !repeat:
			if x, ok := with.at(t); ok {
				out.points[t] = x
			}
		}
	}
	return out
}

// series lists the points of a value as a result does, oldest first. A number has the same value in every period.
func (m *metricMath) series(v mathValue) (out []metricSecond) {
	if v.points == nil {
		v = m.filled(mathValue{}, v, false)
	}
	for t, x := range v.points {
		out = append(out, metricSecond{at: t, count: 1, sum: x, min: x, max: x})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].at < out[j].at })
	return out
}
