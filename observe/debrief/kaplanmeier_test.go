package debrief_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/firedrill/firedrill/observe/debrief"
)

func ended(seconds ...float64) (out []debrief.Lasted) {
	for _, s := range seconds {
		out = append(out, debrief.Lasted{Seconds: s})
	}
	return out
}

func open(seconds ...float64) []debrief.Lasted {
	out := ended(seconds...)
	for i := range out {
		out[i].Censored = true
	}
	return out
}

// Remission of acute leukaemia under 6-mercaptopurine, in weeks (Freireich and others, Blood 21 (1963), 699): the
// example of most textbooks on survival, with the estimate that they print.
func TestKaplanMeierOfTheTextbook(t *testing.T) {
	all := slices.Concat(ended(6, 6, 6, 7, 10, 13, 16, 22, 23), open(6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35))
	want := []struct {
		at            float64
		atRisk, ended int
		left          float64
	}{{6, 21, 3, 0.857}, {7, 17, 1, 0.807}, {10, 15, 1, 0.753}, {13, 12, 1, 0.690}, {16, 11, 1, 0.627}, {22, 7, 1, 0.538}, {23, 6, 1, 0.448}}
	curve := debrief.KaplanMeier(all)
	if len(curve) != len(want) {
		t.Fatalf("%+v", curve)
	}
	for i, w := range want {
		got := curve[i]
		if got.Seconds != w.at || got.AtRisk != w.atRisk || got.Ended != w.ended || math.Abs(got.Left-w.left) > 0.0005 {
			t.Errorf("got %+v, want %+v", got, w)
		}
	}
	if m, ok := curve.Quantile(0.5); !ok || m != 23 {
		t.Errorf("median %v %v, the books say 23 weeks", m, ok)
	}
	if _, ok := curve.Quantile(0.9); ok {
		t.Error("nine in ten did not relapse while they were watched, and yet there is a p90")
	}
	placebo := debrief.KaplanMeier(ended(1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23))
	if m, ok := placebo.Quantile(0.5); !ok || m != 8 {
		t.Errorf("median of the others %v %v, the books say 8 weeks", m, ok)
	}
}

// Worked out by hand.
func TestQuantiles(t *testing.T) {
	for name, c := range map[string]struct {
		all     []debrief.Lasted
		p, want float64
		ok      bool
	}{
		"nothing":                       {nil, 0.5, 0, false},
		"nothing ended":                 {open(1, 2, 3), 0.5, 0, false},
		"odd":                           {ended(3, 1, 2), 0.5, 2, true},
		"even: the lesser of the two":   {ended(4, 3, 2, 1), 0.5, 2, true},
		"ties":                          {ended(5, 5, 5, 9), 0.5, 5, true},
		"one lost late changes nothing": {slices.Concat(ended(1, 2), open(9)), 0.5, 2, true},
		"one lost early weighs on the rest: 1·½·0":           {slices.Concat(open(1), ended(2, 3)), 0.5, 2, true},
		"half never ended: ¾, ½":                             {slices.Concat(ended(10, 20), open(30, 30)), 0.5, 20, true},
		"more than half never ended: ⅘, ⅗":                   {slices.Concat(ended(10, 20), open(30, 30, 30)), 0.5, 0, false},
		"lost in the moment of another's end: still at risk": {slices.Concat(open(5), ended(5)), 0.5, 5, true},
		"nine in ten":                  {ended(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 0.9, 9, true},
		"⅔·½ and the rest is not seen": {slices.Concat(ended(1, 3), open(2, 4, 4)), 0.9, 0, false},
		"what is no time is left out":  {slices.Concat(ended(math.NaN(), math.Inf(1), -1), ended(7)), 0.5, 7, true},
	} {
		if got, ok := debrief.KaplanMeier(c.all).Quantile(c.p); got != c.want || ok != c.ok {
			t.Errorf("%s: %v %v, want %v %v", name, got, ok, c.want, c.ok)
		}
	}
}

func TestKaplanMeierHolds(t *testing.T) {
	one := rapid.Custom(func(t *rapid.T) debrief.Lasted {
		return debrief.Lasted{Seconds: float64(rapid.IntRange(0, 40).Draw(t, "s")), Censored: rapid.Bool().Draw(t, "censored")}
	})
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(one, 1, 40).Draw(t, "all")
		kept := slices.Clone(all)
		curve := debrief.KaplanMeier(all)
		if !slices.Equal(all, kept) {
			t.Fatal("it changed what it was given")
		}
		p := rapid.Float64Range(0.01, 0.99).Draw(t, "p")
		q, ok := curve.Quantile(p)

		// It falls, from at most 1 to at least 0, and quantiles rise with p.
		last := 1.0
		for _, x := range curve {
			if x.Left > last || x.Left < 0 || x.Ended > x.AtRisk {
				t.Fatalf("%+v", curve)
			}
			last = x.Left
		}
		if more, ok2 := curve.Quantile(min(0.99, p+0.1)); ok2 && (!ok || more < q) {
			t.Fatalf("quantile %v is %v, and a greater one %v", p, q, more)
		}

		// Another unit gives the same in that unit, and another order the same.
		scaled := slices.Clone(all)
		for i := range scaled {
			scaled[i].Seconds *= 8
		}
		slices.Reverse(scaled)
		if s, ok2 := debrief.KaplanMeier(scaled).Quantile(p); ok2 != ok || s != 8*q {
			t.Fatalf("scaled by 8: %v %v, was %v %v", s, ok2, q, ok)
		}

		// To lose sight of one can only make it longer.
		i := rapid.IntRange(0, len(all)-1).Draw(t, "i")
		lost := slices.Clone(all)
		lost[i].Censored = true
		if s, ok2 := debrief.KaplanMeier(lost).Quantile(p); ok2 && (!ok || s < q) {
			t.Fatalf("lost sight of %v: %v, was %v %v", lost[i], s, q, ok)
		}

		// With all of them seen to the end it is the empirical quantile.
		var seen []float64
		for i := range all {
			all[i].Censored = false
			seen = append(seen, all[i].Seconds)
		}
		slices.Sort(seen)
		want := seen[int(math.Ceil(p*float64(len(seen))-1e-9))-1]
		if got, ok := debrief.KaplanMeier(all).Quantile(p); !ok || got != want {
			t.Fatalf("quantile %v of %v: %v %v, want %v", p, seen, got, ok, want)
		}
	})
}
