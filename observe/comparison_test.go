package observe

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAComparisonReadsWhatItWrites(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := comparison{
			op:    rapid.SampledFrom([]string{"<", "<=", ">", ">=", "==", "!="}).Draw(r, "op"),
			value: rapid.Float64Range(-1e12, 1e12).Draw(r, "value"),
		}
		again, err := parseComparison(c.String())
		if err != nil || again != c {
			r.Fatalf("%v became %v, %v", c, again, err)
		}
		v := rapid.Float64Range(-1e12, 1e12).Draw(r, "v")
		opposite := map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
		if c.holds(v) == (comparison{op: opposite[c.op], value: c.value}).holds(v) {
			r.Fatalf("%v %v and its opposite agree", v, c)
		}
	})
}

func FuzzComparison(f *testing.F) {
	for _, seed := range []string{"<= 5", ">", "== 1e3", "< 0x10", "!= +Inf", "<<5", "", "5"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseComparison(s)
		if err != nil {
			return
		}
		if c.value != c.value || !strings.HasPrefix(strings.TrimSpace(s), c.op) {
			t.Errorf("%q was read as %v", s, c)
		}
		if again, err := parseComparison(c.String()); err != nil || again != c {
			t.Errorf("%v became %v, %v", c, again, err)
		}
	})
}
