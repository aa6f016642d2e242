package drills

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// faults reads what is broken, and gives the faults without an id one.
func (r *reader) faults(n *node, marks *drillMarks) []FaultSpec {
	var out []FaultSpec
	var at []place
	r.list(n, "faults", func(v *node) {
		if f, ok := r.fault(v, marks); ok {
			out, at = append(out, f), append(at, v.at)
		}
	})
	r.ids(out, at)
	return out
}

// fault reads one: id, after, and exactly one kind with its parameters.
func (r *reader) fault(n *node, marks *drillMarks) (FaultSpec, bool) {
	var f FaultSpec
	if !r.is(n, isMapping, "a fault") {
		return f, false
	}
	kinds := 0
	for _, p := range n.pairs {
		switch p.key {
		case "id":
			f.ID = r.name(p.value, "id", maxID)
		case "after":
			f.After = r.duration(p.value, "after", anyDelay())
			marks.times = append(marks.times, timeMark{"the fault's after", f.After, p.value.at})
		default:
			kinds++
			if kinds == 1 {
				f.Kind = p.key
			}
			f.Params = r.params(p)
		}
	}
	if kinds != 1 {
		r.wrong(n.at, "{id: throttle, dynamodb.throttle: {…}}", "a fault is of exactly one kind, and this has %s", count(kinds))
		return f, false
	}
	return f, true
}

func count(n int) string {
	if n == 0 {
		return "none"
	}
	return strconv.Itoa(n)
}

// params reads the parameters of a kind.
func (r *reader) params(p pair) []byte {
	known := append(slices.Sorted(maps.Keys(r.kinds)), "id", "after")
	if r.kinds == nil {
		if !kindForm.MatchString(p.key) {
			r.wrong(p.at, "dynamodb.throttle", "%q is not the name of a kind of fault", p.key)
		} else if r.is(p.value, isMapping, p.key) {
			p.value.each(func(text *node) { r.expand(text, false) })
			var anything map[string]any
			return r.decode(p.value, p.key, &anything)
		}
		return nil
	}
	kind, ok := r.kinds[p.key]
	if !ok {
		r.wrong(p.at, suggest(p.key, known), "unknown kind of fault %q", p.key)
		return nil
	}
	raw := r.decode(p.value, p.key, kind.Params())
	if raw != nil && kind.Check != nil && !r.vague(p.value) {
		r.refusal(p, kind.Check(raw))
	}
	return raw
}

// ids fills in the ids left out (the kind's last word, numbered from the second on) and tells those that stand twice.
func (r *reader) ids(faults []FaultSpec, at []place) {
	taken := map[string]bool{}
	for i, f := range faults {
		if f.ID != "" && taken[f.ID] {
			r.wrong(at[i], f.ID+"-2", "two faults have the id %q", f.ID)
		}
		taken[f.ID] = true
	}
	for i := range faults {
		if faults[i].ID != "" {
			continue
		}
		word := strings.Trim(lastOfKind.FindString(faults[i].Kind), "-")
		id := word
		for n := 2; taken[id]; n++ {
			id = word + "-" + strconv.Itoa(n)
		}
		faults[i].ID, taken[id] = id, true
	}
}
