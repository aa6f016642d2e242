package drills

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// well is a finding of a thing as it should be.
func well(on, found string, args ...any) Finding {
	return Finding{Health: Healthy, On: on, Found: fmt.Sprintf(found, args...)}
}

// ailing is one that a drill can live with.
func ailing(on, try, found string, args ...any) Finding {
	return Finding{Health: Ailing, On: on, Found: fmt.Sprintf(found, args...), Try: try}
}

// wrong is one that keeps drills from running.
func wrong(on, try, found string, args ...any) Finding {
	return Finding{Health: Wrong, On: on, Found: fmt.Sprintf(found, args...), Try: try}
}

// unseen says why a thing was not looked at.
func unseen(on, why string, args ...any) []Finding {
	return []Finding{{Health: Unseen, On: on, Found: fmt.Sprintf(why, args...)}}
}

// finding is a guard's no as a doctor tells it: what must be mended is wrong, what passes with time is not. try is told in
// the place of the guard's own next step, where there is a better one.
func (r *Refusal) finding(on, try string) Finding {
	f := Finding{Health: Wrong, On: on, Found: r.Why, Try: cmp.Or(try, r.Try), refuses: true}
	if r.Later {
		f.Health = Ailing
	}
	return f
}

// told are the warnings that a guard gave on its way.
func (f *found) told(on, try string) (list []Finding) {
	for _, w := range f.warn {
		list = append(list, ailing(on, try, "%s", w))
	}
	return list
}

// gathered joins what several drills have in common: the same finding of the same thing is told once.
func gathered(list []Finding) (out []Finding) {
	for _, f := range list {
		i := slices.IndexFunc(out, func(o Finding) bool {
			return o.On == f.On && o.Health == f.Health && o.Found == f.Found && o.Try == f.Try
		})
		if i < 0 {
			out = append(out, f)
			continue
		}
		for _, d := range f.Drills {
			if !slices.Contains(out[i].Drills, d) {
				out[i].Drills = append(out[i].Drills, d)
			}
		}
	}
	return out
}

// of says which drill findings are about.
func of(drill string, list []Finding) []Finding {
	for i := range list {
		list[i].Drills = []string{drill}
	}
	return list
}

// sideBySide makes n looks, a few at a time, and returns their findings in the order of the things.
func sideBySide(n int, look func(i int) []Finding) (out []Finding) {
	said := make([][]Finding, n)
	var all sync.WaitGroup
	free := make(chan struct{}, doctorInner)
	for i := range n {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			defer func() {
				if r := recover(); r != nil {
					said[i] = []Finding{wrong("", "firedrill version, and tell us", "the check broke: %v", r)}
				}
			}()
			said[i] = look(i)
		})
	}
	all.Wait()
	return slices.Concat(said...)
}
