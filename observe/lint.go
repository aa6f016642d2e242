package observe

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Lint warns, in plain words, of what keeps an alarm from doing its work in a drill: from paging, or from clearing.
func Lint(a Alarm) []string {
	var warnings []string
	warn := func(text string, args ...any) { warnings = append(warnings, fmt.Sprintf(text, args...)) }
	switch a.State {
	case "ALARM":
		warn("%s is in ALARM already: actions run only when the state changes, so this drill cannot ring it", a.Name)
	case "INSUFFICIENT_DATA":
		warn("%s has INSUFFICIENT_DATA: nobody can say whether it is quiet", a.Name)
	}
	switch {
	case len(a.Actions) == 0:
		warn("%s has no alarm action: it tells nobody", a.Name)
	case !a.Enabled:
		warn("the actions of %s are disabled: it tells nobody", a.Name)
	}
	switch {
	case a.Suppressed != "":
		warn("the actions of %s are suppressed now (%s): it tells nobody", a.Name, plain(a.Suppressed))
	case a.Suppressor != "":
		warn("%s tells nobody while alarm %s rings, which suppresses its actions", a.Name, a.Suppressor)
	}
	if why := hides(a); why != "" {
		warn("%s may hide the fault: %s", a.Name, why)
	}
	if len(a.Actions) > 0 && len(a.OKActions) == 0 {
		warn("%s has no OK action: its incident is never resolved by itself", a.Name)
	}
	if reason := stuck(a); reason != "" {
		warn("%s may never clear: %s. Try: treat missing data as notBreaching", a.Name, reason)
	}
	return warnings
}

// hides says how an alarm's treatment of missing data keeps a fault from showing, "" when it does not. A metric of what
// is well (successes, heartbeats) stops when its source does, and then good news is missing data.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func hides(a Alarm) string {
	if a.Composite || sparse(a) || !strings.HasPrefix(a.Comparison, "LessThan") || strings.Contains(a.Comparison, "Upper") {
		return ""
	}
	switch a.Missing {
	case "notBreaching":
		return "it rings when a metric falls, and a metric that stops altogether counts as good (missing data is notBreaching). Try: treat missing data as breaching"
	case "ignore":
		return "it rings when a metric falls, and a metric that stops altogether changes nothing (missing data is ignored). Try: treat missing data as breaching"
	case "", "missing":
		if len(a.Insufficient) == 0 {
			return "it rings when a metric falls, and a metric that stops altogether ends in INSUFFICIENT_DATA, which tells nobody. Try: treat missing data as breaching"
		}
	}
	return ""
}

// stuck says why an alarm may stay as it is after its cause is gone, "" when it will not. Some metrics of AWS come
// only while there is something to count, so good news is no news, and missing data decides. On AWS/DynamoDB it is
// ignored unless configured otherwise:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func stuck(a Alarm) string {
	if !sparse(a) {
		return ""
	}
	switch {
	case a.Missing == "notBreaching":
		return ""
	case a.Missing == "breaching":
		return a.Metric + " comes only while there is trouble, and missing data counts as breaching"
	case a.Missing == "ignore" || a.Namespace == "AWS/DynamoDB" && a.Missing != "missing":
		return a.Metric + " comes only while there is trouble, and missing data leaves the state as it is"
	default:
		return a.Metric + " comes only while there is trouble, and missing data ends in INSUFFICIENT_DATA, which resolves no incident"
	}
}

// sparse says that a metric has datapoints only when there is something to count:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html and
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
func sparse(a Alarm) bool {
	switch a.Namespace {
	case "AWS/DynamoDB":
		return strings.Contains(a.Metric, "Throttle") || slices.Contains([]string{"SystemErrors", "UserErrors"}, a.Metric)
	case "AWS/ApplicationELB":
		return strings.HasPrefix(a.Metric, "HTTPCode_") || strings.HasSuffix(a.Metric, "_Count")
	default:
		return false
	}
}

// SoonestFire is the floor under an alarm's detection: it cannot be promised sooner than
//
//	period × M + evaluation interval + delay
//
// where M is the number of datapoints to alarm and delay how long the metric's datapoint takes to be had. CloudWatch
// evaluates each minute for periods of a minute and more, every ten seconds for periods of 10, 20 and 30 seconds, and
// hourly when the periods together are longer than a day; below ten seconds (the sandbox alone has such periods) it is
// each second: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
// A composite alarm has no period of its own: its floor is the delay, and its children's floors count.
func SoonestFire(a Alarm, delay time.Duration) time.Duration {
	if a.Composite {
		return delay
	}
	period := a.Period
	if period <= 0 {
		period = time.Minute
	}
	interval := time.Minute
	switch {
	case period < 10*time.Second:
		interval = time.Second
	case period < time.Minute:
		interval = 10 * time.Second
	case period*time.Duration(max(1, a.Evaluations)) > 24*time.Hour:
		interval = time.Hour
	}
	return period*time.Duration(max(1, a.Datapoints)) + interval + delay
}
