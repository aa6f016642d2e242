package drills

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/observe"
)

// judge says whether an alarm can see a fault of this drill. Only an alarm on a namespace that the faults move, and on
// nothing that they move there, is called blind: what a team's own metrics show, nobody can say from here.
func (s *sight) judge(what string, a observe.Alarm) seen {
	one := seen{alarm: a}
	switch {
	case a.Composite:
		return s.judgeComposite(what, a)
	case a.Metric == "":
		return s.judgeMath(what, a)
	}
	kin := false // of the namespace of some fault
	for _, m := range s.metric {
		if m.Namespace != a.Namespace {
			continue
		}
		kin = true
		if m.Name != a.Metric || !sameSeries(m, a) {
			continue
		}
		one.moved = m
		if one.why = cannotFire(what, a, m); one.why != "" {
			one.blind = true
			return one
		}
		one.sees = true
		return one
	}
	switch {
	case !s.whole:
		one.why = "a fault of this drill does not say what it moves"
	case !kin:
		one.why = fmt.Sprintf("%s %s may follow from the fault, or not", a.Namespace, a.Metric)
	default:
		one.blind = true
		one.moved = s.nearest(a)
		one.why = s.blindness(what, a, one.moved)
	}
	return one
}

// sameSeries compares dimensions: a metric is another one with every other set of them. A load balancer's are also
// told for each availability zone.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Dimension
func sameSeries(m inject.Metric, a observe.Alarm) bool {
	have := maps.Clone(a.Dimensions)
	if a.Namespace == "AWS/ApplicationELB" {
		delete(have, "AvailabilityZone")
	}
	return maps.Equal(m.Dimensions, have)
}

// cannotFire says why an alarm on the right metric stays silent all the same.
func cannotFire(what string, a observe.Alarm, m inject.Metric) string {
	if m.Falls {
		if strings.HasPrefix(a.Comparison, "GreaterThan") {
			return fmt.Sprintf("%s rings when %s rises, %s makes it fall", what, a.Metric, by(m))
		}
		return ""
	}
	if strings.HasPrefix(a.Comparison, "LessThan") && !strings.Contains(a.Comparison, "Upper") {
		return fmt.Sprintf("%s rings when %s falls, %s makes it rise", what, a.Metric, by(m))
	}
	above := a.Comparison == "GreaterThanThreshold" && m.Most <= a.Threshold ||
		a.Comparison == "GreaterThanOrEqualToThreshold" && m.Most < a.Threshold
	if m.Most > 0 && above && slices.Contains([]string{"Average", "Maximum", "Minimum"}, a.Statistic) {
		return fmt.Sprintf("%s rings when %s passes %s, %s brings it to %s", what, a.Metric, plainNumber(a.Threshold), by(m), plainNumber(m.Most))
	}
	return ""
}

func plainNumber(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// nearest is the moved metric that is most like what an alarm watches: what its owner meant.
func (s *sight) nearest(a observe.Alarm) (best inject.Metric) {
	most := -1
	for _, m := range s.metric {
		if m.Namespace != a.Namespace {
			continue
		}
		alike := likeness(m.Name, a.Metric)
		for k, v := range a.Dimensions {
			if m.Dimensions[k] == v {
				alike++
			}
		}
		if alike > most {
			best, most = m, alike
		}
	}
	return best
}

// likeness counts the letters that two names share at both ends.
func likeness(a, b string) int {
	if a == b {
		return 2 * len(a)
	}
	short, n := min(len(a), len(b)), 0
	for n < short && a[n] == b[n] {
		n++
	}
	for i := 0; i < short-n && a[len(a)-1-i] == b[len(b)-1-i]; i++ {
		n++
	}
	return n
}

// blindness is the sentence that says what is watched and what moves instead.
func (s *sight) blindness(what string, a observe.Alarm, m inject.Metric) string {
	if m.Name != a.Metric {
		return fmt.Sprintf("%s watches %s, %s moves %s", what, a.Metric, by(m), m.Name)
	}
	if a.Metric == "ThrottledRequests" && a.Dimensions["Operation"] == "" {
		return fmt.Sprintf("%s watches ThrottledRequests without an Operation, which has no datapoints: %s moves %s of %s", what, by(m), m.Name, series(m.Dimensions))
	}
	return fmt.Sprintf("%s watches %s of %s, %s moves %s of %s", what, a.Metric, series(a.Dimensions), by(m), m.Name, series(m.Dimensions))
}

// series writes dimensions as people do: TableName=orders, Operation=PutItem.
func series(dimensions map[string]string) string {
	var pairs []string
	for k, v := range dimensions {
		pairs = append(pairs, k+"="+v)
	}
	sort.Strings(pairs)
	if len(pairs) == 0 {
		return "no dimension"
	}
	return strings.Join(pairs, ", ")
}

// instead names an alarm that can see the fault, the ones that tell somebody first, or says what to make.
func (s *sight) instead(blind seen) string {
	var good, silent []string
	for _, a := range s.all {
		switch one := s.judge(a.Name, a); {
		case !one.sees || one.moved.By != blind.moved.By:
		case a.Enabled && len(a.Actions) > 0:
			good = append(good, a.Name)
		default:
			silent = append(silent, a.Name)
		}
	}
	if all := append(good, silent...); len(all) > 0 {
		return "watch: [{alarm: " + all[0] + "}]"
	}
	m := blind.moved
	return fmt.Sprintf("make an alarm on %s %s of %s, or write page: {when: report} and find out who notices", m.Namespace, m.Name, series(m.Dimensions))
}
