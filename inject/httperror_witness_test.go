package inject

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// meter answers GetMetricData with a number a minute, by the metric's name; the last one is of the minute that begins now. A
// dash is a minute of which nothing is told.
func meter(now time.Time, rows map[string]string) getMetricData {
	return func(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
		out := &cloudwatch.GetMetricDataOutput{}
		for _, q := range in.MetricDataQueries {
			r := types.MetricDataResult{Id: q.Id}
			row := strings.Fields(rows[aws.ToString(q.MetricStat.Metric.MetricName)])
			for i, word := range row {
				at := now.Truncate(time.Minute).Add(time.Duration(i-len(row)+1) * time.Minute)
				if word == "-" || at.Before(*in.StartTime) || !at.Before(*in.EndTime) {
					continue
				}
				r.Timestamps, r.Values = append(r.Timestamps, at), append(r.Values, float64(len(word)))
				if word == "0" {
					r.Values[len(r.Values)-1] = 0
				}
			}
			out.MetricDataResults = append(out.MetricDataResults, r)
		}
		return out, nil
	}
}

// The newest minute that says something counts. One that is not over, or whose datapoint may still be on its way, cannot
// say no; one in which nobody asked says nothing.
func TestTheWitnessIsReadByMinutes(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 30, 20, 0, time.UTC)
	for name, x := range map[string]struct {
		ours, asked string // a minute a word: how many letters, so many requests
		felt        Tri
		from, began int // minutes before the one that begins now
	}{
		"nothing is told yet":               {"-", "-", Unknown, 0, 0},
		"felt just now":                     {"xx", "x", Yes, 0, 0},
		"felt for a while":                  {"0 x x x -", "x x x x x", Yes, 1, 3},
		"several datapoints came at once":   {"x x - -", "x x - -", Yes, 2, 3},
		"served, and none of ours":          {"- - - - -", "x x x x x", No, 3, 3},
		"the last minutes may be late":      {"- - -", "- x x", Unknown, 0, 0},
		"it has ceased":                     {"xxxxxxxxxx xxxxxxxxxx xxxxxxxxxx xxxxxxxxxx xxxxxxxxxx xxxxxxxxxx xxxxxxxxxx xxxxxxxxxx xxxxxxxxxx xxxxxxxxxx xxxxxxxxxx - - - -", "x x x x x x", No, 3, 3},
		"nobody may have asked for ours":    {"x x - - - -", "x x x x x x", Yes, 4, 5},
		"rarely asked for, and not lately":  {"x - - - - - - - - -", "x x x x x x x x x x", Unknown, 0, 0},
		"somebody else's, from before":      {"x x x x x x x x x x x x x x x x x x x x x x", "x x x x x x x x x x x x x x x x x x x x x x", Unknown, 0, 0},
		"it may have ceased, nobody knows":  {"x x x - -", "x x x x x", Yes, 2, 4},
		"nobody asks any more":              {"x - - - - - - - -", "x - - - - - - - -", Unknown, 0, 0},
		"a zero is told":                    {"0 0 0 0", "x x x x", No, 3, 3},
		"again after it had ceased":         {"x 0 0 x -", "x x x x x", Yes, 1, 1},
		"before the change, it is not ours": {"x x x x x x x x x x x x x x x x x x x x x x x - - - - - - -", "- - - - - - - - - - - - - - - - - - - - - - - - - - - - - -", Unknown, 0, 0},
	} {
		k := &replying{metrics: meter(now, map[string]string{fixedResponses: x.ours, traffic: x.asked}), now: func() time.Time { return now }, timing: AWSTiming()}
		d := replyUndo{Balancer: "app/orders/1", Metric: fixedResponses, Since: now.Add(-20 * time.Minute)}
		r := k.told(t.Context(), d)
		minute := func(n int) time.Time { return now.Truncate(time.Minute).Add(-time.Duration(n) * time.Minute) }
		if r.Felt != x.felt || r.Why == "" || r.Witness != fixedResponses {
			t.Errorf("%s: %+v", name, r)
			continue
		}
		if r.Felt != Unknown && (!r.From.Equal(minute(x.from)) || !r.Began.Equal(minute(x.began)) || r.To.Sub(r.From) != time.Minute) {
			t.Errorf("%s: from %s, began %s", name, r.From, r.Began)
		}
	}
}

// away is a listener at which nobody answers.
func away(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "http://" + l.Addr().String()
}

// What no look from here could see is refused with what to do; the first metric that was silent is the witness.
func TestTheWitnessIsChosenOrRefused(t *testing.T) {
	now := time.Date(2026, 3, 2, 10, 30, 20, 0, time.UTC)
	for name, x := range map[string]struct {
		rows   map[string]string
		err    error
		want   string // the witness
		refuse string
	}{
		"traffic, and silence":          {map[string]string{traffic: "xxx xxx"}, nil, fixedResponses, ""},
		"a rule of theirs answers":      {map[string]string{traffic: "xxx", fixedResponses: "x"}, nil, "HTTPCode_ELB_503_Count", ""},
		"all of its traffic is theirs":  {map[string]string{fixedResponses: "x"}, nil, "HTTPCode_ELB_503_Count", ""},
		"no traffic":                    {nil, nil, "", "has had no request in the last 15m"},
		"no metric is silent":           {map[string]string{traffic: "x", fixedResponses: "x", "HTTPCode_ELB_503_Count": "x", "HTTPCode_ELB_5XX_Count": "x"}, nil, "", "cannot tell our errors from"},
		"CloudWatch may not be asked":   {nil, errors.New("AccessDenied"), "", "AccessDenied"},
		"only redirects, and long past": {map[string]string{redirects: "x - - - - - - - - - - - - - - - - - -"}, nil, "", "no request"},
	} {
		f := &reply{replying: &replying{metrics: meter(now, x.rows), now: func() time.Time { return now }, timing: AWSTiming()}, rate: 5}
		if x.err != nil {
			f.metrics = func(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
				return nil, x.err
			}
		}
		d := replyUndo{Balancer: "app/orders/1", Base: away(t), Status: 503, Load: 5}
		err := f.witness(t.Context(), &d, now)
		var no *Refusal
		if x.refuse != "" {
			if !errors.As(err, &no) || !strings.Contains(no.Why, x.refuse) || !strings.Contains(no.Why, "not reachable from here") || !strings.Contains(no.Try, d.Base) || no.Later {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || d.Witness != byMetric || d.Metric != x.want || !d.Since.Equal(now) || d.Load != 0 || len(d.Warnings) != 2 {
			t.Errorf("%s: %v %+v", name, err, d)
		}
	}
}

// Where the listener lets us in, our own requests are the witness, whatever CloudWatch says.
func TestAListenerThatIsReachedNeedsNoMetric(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	f := &reply{replying: &replying{timing: AWSTiming(), metrics: func(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
		return nil, errors.New("AccessDenied")
	}}}
	d := replyUndo{Base: "http://" + l.Addr().String(), Load: 5}
	if err := f.witness(t.Context(), &d, time.Now()); err != nil || d.Witness != byRequest || d.Load != 5 || d.Traffic != nil {
		t.Errorf("%v %+v", err, d)
	}
}
