package observe

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// comparison is "<= 5": what a number must be.
type comparison struct {
	op    string
	value float64
}

// parseComparison reads an operator and a number. A number alone is refused: "5" could mean at most or exactly.
func parseComparison(s string) (comparison, error) {
	s = strings.TrimSpace(s)
	for _, op := range []string{"<=", ">=", "==", "!=", "<", ">"} {
		rest, ok := strings.CutPrefix(s, op)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return comparison{}, fmt.Errorf("%q: %q is not a number", s, strings.TrimSpace(rest))
		}
		return comparison{op: op, value: v}, nil
	}
	return comparison{}, fmt.Errorf("%q is not a comparison", s)
}

// holds says whether v is as it must be.
func (c comparison) holds(v float64) bool {
	switch c.op {
	case "<":
		return v < c.value
	case "<=":
		return v <= c.value
	case ">":
		return v > c.value
	case ">=":
		return v >= c.value
	case "!=":
		return v != c.value
	default:
		return v == c.value
	}
}

func (c comparison) String() string { return c.op + " " + number(c.value) }

// number writes a float as people do: 5, not 5.000000.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
