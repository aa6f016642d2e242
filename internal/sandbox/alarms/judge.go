package alarms

import "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

// judge decides the state from the evaluation range, as CloudWatch documents it with its tables: the newest N
// datapoints that exist are judged, and missing ones are filled in only where fewer than N exist.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
func (a alarm) judge(points []point) types.StateValue {
	real := a.newest(points)
	breaching := 0
	for _, p := range real {
		if a.breaches(p.value) {
			breaching++
		}
	}
	gaps := a.periods - len(real)
	switch {
	case breaching >= a.needed:
		return types.StateValueAlarm
	case gaps == 0, a.missing == "notBreaching":
		return types.StateValueOk
	case a.missing == "breaching":
		if breaching+gaps >= a.needed {
			return types.StateValueAlarm
		}
		return types.StateValueOk
	case len(real) == 0 && a.missing == "ignore":
		return a.state
	case len(real) == 0:
		return types.StateValueInsufficientData
	case breaching < len(real):
		return types.StateValueOk
	case a.missing == "missing" && age(points) >= a.needed:
		return types.StateValueAlarm // all there is breaches, and for long enough
	}
	return a.state // too early to tell
}

// newest are the newest datapoints that exist, at most N, oldest first.
func (a alarm) newest(points []point) []point {
	var real []point
	for _, p := range points {
		if p.exists {
			real = append(real, p)
		}
	}
	return real[max(0, len(real)-a.periods):]
}

// age counts the periods from the oldest datapoint that exists to the newest period, both included.
func age(points []point) int {
	for i, p := range points {
		if p.exists {
			return len(points) - i
		}
	}
	return 0
}
