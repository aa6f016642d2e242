package inject

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// How an error is verified, as its undo has it. An undo that says nothing is of the time when there was only the first.
const (
	byRequest = "request" // a request of our own through the listener
	byMetric  = "metric"  // the load balancer's own metric, where the listener cannot be reached from here
)

// getMetricData is the one call of CloudWatch that an error makes.
type getMetricData func(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)

// traffic is the metric that says whether anybody asks the load balancer for anything. It counts the requests for which
// a target was chosen: those that it answers itself stand in the witnesses.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
const traffic = "RequestCount"

// reachTime is how long a listener may take to let us in.
const reachTime = 3 * time.Second

// reach says why the listener cannot be reached from here; nil: it can. It connects, and asks for nothing.
func reach(ctx context.Context, base string) error {
	u, err := url.Parse(base)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", base, err)
	}
	ctx, cancel := context.WithTimeout(ctx, reachTime)
	defer cancel()
	var c net.Conn
	if u.Scheme == "https" {
		// As in a visit: the load balancer is reached by a name that no certificate is made out for, and is told nothing.
		d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // see above
		c, err = d.DialContext(ctx, "tcp", u.Host)
	} else {
		c, err = (&net.Dialer{}).DialContext(ctx, "tcp", u.Host)
	}
	if err != nil {
		return fmt.Errorf("connect to %s: %w", base, err)
	}
	_ = c.Close() // nothing was sent
	return nil
}

// witness settles how the error will be verified, and refuses what nobody here could see.
func (f *reply) witness(ctx context.Context, d *replyUndo, now time.Time) error {
	away := reach(ctx, d.Base)
	if ctx.Err() != nil {
		return fmt.Errorf("look at listener %s: %w", d.Listener, context.Cause(ctx))
	}
	sums, err := f.sums(ctx, *d, now)
	if err == nil {
		seen := sums[traffic] + sums[fixedResponses] + sums[redirects]
		d.Traffic = &seen
	}
	if away == nil {
		d.Witness = byRequest
		return nil
	}
	there := fmt.Sprintf("run it where %s answers (docs/where-to-run.md)", d.Base)
	switch {
	case err != nil:
		return Refuse("let it ask CloudWatch (cloudwatch:GetMetricData), or "+there,
			"nothing could say whether the error is felt: the listener is not reachable from here (%v), and %v", away, err)
	case *d.Traffic == 0:
		return Refuse(there+", with load: 5/s, or choose a listener that has traffic",
			"nothing could say whether the error is felt: the listener is not reachable from here (%v), and its load balancer has had no request in the last %s", away, plain(f.timing.Window))
	}
	for _, name := range d.witnesses() {
		if sums[name] == 0 {
			d.Witness, d.Metric, d.Since = byMetric, name, now
			break
		}
	}
	if d.Witness == "" {
		return Refuse(there, "the listener is not reachable from here (%v), and the load balancer's own metrics cannot tell our errors from those that it answers already: %s were not 0 in the last %s",
			away, strings.Join(d.witnesses(), ", "), plain(f.timing.Window))
	}
	d.Warnings = append(d.Warnings, fmt.Sprintf("the listener is not reachable from here (%v): the load balancer's own metric says whether the error is felt, a period of %s at a time", away, plain(f.timing.Period)))
	if d.Load > 0 {
		d.Warnings = append(d.Warnings, fmt.Sprintf("load of %g/s cannot be sent from here, and is left out", d.Load))
		d.Load = 0
	}
	return nil
}

// Names of the load balancer's own metrics.
const (
	fixedResponses = "HTTP_Fixed_Response_Count"
	redirects      = "HTTP_Redirect_Count"
)

// witnesses are the metrics that a fixed response moves, what tells most of it first.
func (d replyUndo) witnesses() []string {
	names := []string{fixedResponses}
	switch d.Status {
	case 500, 502, 503, 504:
		names = append(names, fmt.Sprintf("HTTPCode_ELB_%d_Count", d.Status))
	}
	return append(names, fmt.Sprintf("HTTPCode_ELB_%dXX_Count", d.Status/100))
}

// sums is what the load balancer's metrics amount to over the last window.
func (k *replying) sums(ctx context.Context, d replyUndo, now time.Time) (map[string]float64, error) {
	names := append(d.witnesses(), traffic, redirects)
	series, err := k.series(ctx, d.Balancer, names, now.Add(-k.timing.Window), now)
	if err != nil {
		return nil, err
	}
	sums := map[string]float64{}
	for name, points := range series {
		for _, v := range points {
			sums[name] += v
		}
	}
	return sums, nil
}

// series reads sums by period, by the beginning of each.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
func (k *replying) series(ctx context.Context, balancer string, names []string, from, to time.Time) (map[string]map[time.Time]float64, error) {
	period := int32(k.timing.Period / time.Second)
	in := &cloudwatch.GetMetricDataInput{StartTime: aws.Time(from.Truncate(k.timing.Period)), EndTime: aws.Time(to.Add(k.timing.Period))}
	for i, name := range names {
		in.MetricDataQueries = append(in.MetricDataQueries, types.MetricDataQuery{Id: aws.String(fmt.Sprintf("m%d", i)),
			MetricStat: &types.MetricStat{Period: &period, Stat: aws.String("Sum"), Metric: &types.Metric{
				Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String(name),
				Dimensions: []types.Dimension{{Name: aws.String("LoadBalancer"), Value: &balancer}}}}})
	}
	all := map[string]map[time.Time]float64{}
	for {
		out, err := k.metrics(ctx, in)
		if err != nil {
			return nil, fmt.Errorf("read metrics of load balancer %s: %w", balancer, err)
		}
		for _, r := range out.MetricDataResults {
			i := slices.IndexFunc(in.MetricDataQueries, func(q types.MetricDataQuery) bool { return aws.ToString(q.Id) == aws.ToString(r.Id) })
			if i < 0 || len(r.Timestamps) != len(r.Values) {
				return nil, fmt.Errorf("read metrics of load balancer %s: %w", balancer, errTorn)
			}
			if all[names[i]] == nil {
				all[names[i]] = map[time.Time]float64{}
			}
			for n, at := range r.Timestamps {
				all[names[i]][at.UTC()] += r.Values[n]
			}
		}
		if in.NextToken = out.NextToken; aws.ToString(out.NextToken) == "" {
			return all, nil
		}
	}
}

// errTorn says that an answer of CloudWatch does not fit its question.
var errTorn = errors.New("the answer does not fit the question")

// told reads the witness. The newest period in which the load balancer gave such answers says yes. One that was told before
// the change says nothing ever: somebody else gives such answers, and whose ours are nobody knows. Periods that are complete, in
// which people asked and none got one, say no as long as there was no yes before; after one only where so many are not
// to be had by luck, for people may have asked for something else.
func (k *replying) told(ctx context.Context, d replyUndo) Reading {
	now := k.now()
	first := d.Since.Truncate(k.timing.Period).UTC()
	from := maxTime(first.Add(-spoken*k.timing.Period), now.Add(-lookBack)).Truncate(k.timing.Period).UTC()
	series, err := k.series(ctx, d.Balancer, []string{d.Metric, traffic}, from, now)
	if err != nil {
		return Reading{Felt: Unknown, Why: err.Error(), Witness: d.Metric}
	}
	ours, asked := series[d.Metric], series[traffic]
	span := func(at time.Time) string {
		return at.Format("15:04:05") + " to " + at.Add(k.timing.Period).Format("15:04:05 MST")
	}
	for at := from; at.Before(first); at = at.Add(k.timing.Period) {
		if ours[at] > 0 {
			return Reading{Felt: Unknown, Witness: d.Metric,
				Why: fmt.Sprintf("%s of %s was %g from %s, before the change: it cannot tell our errors from those of others", d.Metric, d.Balancer, ours[at], span(at))}
		}
	}
	complete := now.Add(-k.timing.Period - k.timing.MetricDelay)
	oldest := now.Add(-spoken*k.timing.Period - k.timing.MetricDelay)
	var quiet []time.Time // the complete periods in which none of ours was given, the newest first
	for at := now.Truncate(k.timing.Period).UTC(); !at.Before(maxTime(first, from)); at = at.Add(-k.timing.Period) {
		if ours[at] > 0 {
			if k.missed(ours, maxTime(first, from), at)*float64(len(quiet)) >= plenty {
				break
			}
			if at.Before(oldest) {
				return k.silent(d)
			}
			r := Reading{Felt: Yes, Witness: d.Metric, From: at, To: at.Add(k.timing.Period), Began: at}
			for b := at.Add(-k.timing.Period); ours[b] > 0 && !b.Before(first); b = b.Add(-k.timing.Period) {
				r.Began = b
			}
			r.Why = fmt.Sprintf("%s of %s was %g from %s: the load balancer's own metric", d.Metric, d.Balancer, ours[at], span(at))
			return r
		}
		if asked[at] > 0 && !at.Add(k.timing.Period).After(complete) {
			quiet = append(quiet, at)
		}
	}
	if len(quiet) == 0 || quiet[0].Before(oldest) {
		return k.silent(d)
	}
	at := quiet[0]
	return Reading{Felt: No, Witness: d.Metric, From: at, To: at.Add(k.timing.Period), Began: at,
		Why: fmt.Sprintf("%s of %s was 0 from %s, while %g requests were served", d.Metric, d.Balancer, span(at), asked[at])}
}

// silent is a witness that has nothing to say.
func (k *replying) silent(d replyUndo) Reading {
	return Reading{Felt: Unknown, Witness: d.Metric,
		Why: fmt.Sprintf("%s of %s tells of no request of the last %s", d.Metric, d.Balancer, plain(spoken*k.timing.Period))}
}

// missed is how many answers of ours a period has had, from the change to the last one that had any.
func (k *replying) missed(ours map[time.Time]float64, from, to time.Time) float64 {
	sum, n := 0.0, 0.0
	for at := from; !at.After(to); at = at.Add(k.timing.Period) {
		sum, n = sum+ours[at], n+1
	}
	return sum / n
}

// lookBack is as far as a look at the witness reaches, spoken how many periods old what it says may be, and plenty how many
// answers of ours must be missing for no chance to explain it: none where five are usual comes to pass once in 150 times.
const (
	lookBack = 2 * time.Hour
	spoken   = 5
	plenty   = 5
)

func maxTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// Witness says, for a plan, how it will be known that the error is felt.
func (f *reply) Witness(u Undo) string {
	d, err := readReplyUndo(u)
	switch {
	case err != nil:
		return ""
	case d.Witness != byMetric:
		return "by a request of its own through " + d.Base
	}
	return fmt.Sprintf("by the load balancer's metric %s: ±%s; expects traffic: %s requests in the last %s",
		d.Metric, plain(f.timing.Period), d.requests(), plain(f.timing.Window))
}

// requests is how many the load balancer had when it was looked at.
func (d replyUndo) requests() string {
	if d.Traffic == nil {
		return "unknown"
	}
	return fmt.Sprintf("%.0f", *d.Traffic)
}

// plain writes 1m, and not 1m0s.
func plain(d time.Duration) string {
	if s := d.String(); strings.HasSuffix(s, "m0s") {
		return strings.TrimSuffix(s, "0s")
	}
	return d.String()
}
