package aws

import "time"

// sample is one observation that a service hands to CloudWatch.
type sample struct {
	Namespace  string
	Metric     string
	Dimensions map[string]string
	Value      float64
	At         time.Time
}

// meter is where services put their metrics; the cloudwatch service implements it.
type meter interface {
	observe(s sample)
}
