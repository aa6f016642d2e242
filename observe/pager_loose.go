package observe

import "encoding/json"

// loose is a JSON object whose members may be null, absent, or of another type than documented: PagerDuty promises
// only that ids, booleans and arrays are never null, and its log entries come in more shapes than its schema has.
type loose map[string]json.RawMessage

func looseOf(raw json.RawMessage) loose {
	var l loose
	if json.Unmarshal(raw, &l) != nil {
		return nil
	}
	return l
}

// text is a member that is a text, else "".
func (l loose) text(name string) string {
	var s string
	if json.Unmarshal(l[name], &s) != nil {
		return ""
	}
	return s
}

// number is a member that is a whole number, else 0.
func (l loose) number(name string) int {
	var n int
	if json.Unmarshal(l[name], &n) != nil {
		return 0
	}
	return n
}

// object is a member that is an object, else an empty one.
func (l loose) object(name string) loose { return looseOf(l[name]) }

// seconds is a member that is a number of seconds, else nil: null is not zero.
func (l loose) seconds(name string) *float64 {
	var s *float64
	if json.Unmarshal(l[name], &s) != nil || s == nil || *s < 0 {
		return nil
	}
	return s
}

// list is a member that is a list, else an empty one.
func (l loose) list(name string) []loose {
	var raw []json.RawMessage
	if json.Unmarshal(l[name], &raw) != nil {
		return nil
	}
	var out []loose
	for _, one := range raw {
		if o := looseOf(one); o != nil {
			out = append(out, o)
		}
	}
	return out
}

// id is a member that has the form of one of PagerDuty's ids, else "".
func (l loose) id(name string) string {
	if s := l.text(name); idForm.MatchString(s) {
		return s
	}
	return ""
}

// yes is a member that is true.
func (l loose) yes(name string) bool { return string(l[name]) == "true" }
