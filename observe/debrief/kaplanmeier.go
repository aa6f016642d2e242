package debrief

import (
	"cmp"
	"math"
	"slices"
)

// Lasted is how long something took in one run, in seconds. Censored: it had not ended by then, and nobody looked on;
// how long it really took is unknown, and longer.
type Lasted struct {
	Seconds  float64
	Censored bool
}

// Survival is a Kaplan–Meier curve: one point for each time at which something ended, in order of time.
type Survival []SurvivalPoint

// SurvivalPoint is one step of the curve.
type SurvivalPoint struct {
	Seconds float64 // at this time
	AtRisk  int     // so many were still looked at and had not ended just before
	Ended   int     // so many ended at it
	Left    float64 // estimated share that takes longer than this
}

// KaplanMeier estimates which share takes longer than t, where some were not watched to their end: S(t) is the product
// of 1 − d/n over all times up to t at which d of the n still at risk ended. Who was censored at a time was still at
// risk then. What is not a finite, non-negative number of seconds is left out.
//
// E. L. Kaplan and P. Meier, Nonparametric Estimation from Incomplete Observations, Journal of the American
// Statistical Association 53 (1958), 457–481: https://doi.org/10.1080/01621459.1958.10501452
func KaplanMeier(all []Lasted) (curve Survival) {
	all = slices.DeleteFunc(slices.Clone(all), func(x Lasted) bool { return !(x.Seconds >= 0) || math.IsInf(x.Seconds, 1) })
	slices.SortFunc(all, func(a, b Lasted) int { return cmp.Compare(a.Seconds, b.Seconds) })
	left := 1.0
	for i := 0; i < len(all); {
		at, ended, same := all[i].Seconds, 0, i
		for ; same < len(all) && all[same].Seconds == at; same++ {
			if !all[same].Censored {
				ended++
			}
		}
		if atRisk := len(all) - i; ended > 0 {
			left *= float64(atRisk-ended) / float64(atRisk)
			curve = append(curve, SurvivalPoint{Seconds: at, AtRisk: atRisk, Ended: ended, Left: left})
		}
		i = same
	}
	return curve
}

// rounding is what a product of fractions may be off.
const rounding = 1e-9

// Quantile is the least time by which the share p has ended: the smallest t with S(t) ≤ 1 − p. It is always a time that
// some run has shown. Not ok: the curve does not come down so far, because too many were not watched to their end.
//
// R. Brookmeyer and J. Crowley, A Confidence Interval for the Median Survival Time, Biometrics 38 (1982), 29–41:
// https://doi.org/10.2307/2530286
func (c Survival) Quantile(p float64) (seconds float64, ok bool) {
	for _, point := range c {
		if point.Left <= 1-p+rounding {
			return point.Seconds, true
		}
	}
	return 0, false
}
