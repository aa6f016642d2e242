package debrief

import (
	"fmt"
	"io"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/firedrill/firedrill/observe/timeline"
)

// Buckets of firedrill_run_seconds, in seconds: from a second, which a sandbox takes, to the two hours nobody wants.
func Buckets() []float64 {
	return []float64{1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200}
}

// Collect folds runs into metrics. Labels come from drill and environment files, never from runs or people, so their
// number is bounded. A time that is not known is nowhere a time: what had not happened is counted as such.
func Collect(runs []timeline.Timeline) (*prometheus.Registry, error) {
	m := newMetrics()
	last := map[string]timeline.Timeline{}
	for _, t := range runs {
		b := t.Brief
		drill, team, env := label(b.Drill), label(b.Team), label(b.Environment)
		for _, f := range t.Faults {
			m.inPlace.WithLabelValues(env, drill, label(f.Kind)).Add(float64(truth(f.InPlace())))
		}
		if t.Outcome == "" {
			continue
		}
		m.runs.WithLabelValues(drill, team, env, string(t.Outcome)).Inc()
		if t.Outcome == timeline.Refused {
			continue // nothing was practised
		}
		for _, i := range t.Intervals {
			if i.Known {
				m.seconds.WithLabelValues(i.Name, drill, team, env, string(t.Outcome)).Observe(i.Seconds)
			}
		}
		key := drill + "\x00" + env
		if was, ok := last[key]; !ok || was.Ended.Before(t.Ended) {
			last[key] = t
		}
	}
	for _, t := range last {
		drill, team, env := label(t.Brief.Drill), label(t.Brief.Team), label(t.Brief.Environment)
		m.when.WithLabelValues(drill, env).Set(float64(t.Ended.UnixMilli()) / 1000)
		for _, i := range t.Intervals {
			if i.Known {
				m.last.WithLabelValues(i.Name, drill, team, env).Set(i.Seconds)
			}
		}
	}
	m.estimates(ReportOf(runs))
	m.alarms(CoverageIn(runs))
	return m.registry()
}

// estimates are what the runs of a drill say together.
func (m metrics) estimates(r Report) {
	for _, x := range r.Drills {
		drill, team, env := label(x.Drill), label(x.Team), label(x.Environment)
		for _, phase := range phases() {
			e := x.Estimates[phase]
			if e.N == 0 {
				continue
			}
			m.counted.WithLabelValues(phase, drill, team, env, "known").Set(float64(e.N - e.Censored))
			m.counted.WithLabelValues(phase, drill, team, env, "censored").Set(float64(e.Censored))
			if e.P50S != nil {
				m.p50.WithLabelValues(phase, drill, team, env).Set(*e.P50S)
			}
			if e.P90S != nil {
				m.p90.WithLabelValues(phase, drill, team, env).Set(*e.P90S)
			}
		}
	}
}

// alarms are what has been put to the test.
func (m metrics) alarms(c Coverage) {
	for _, env := range c.Environments {
		for _, x := range env.Cells {
			if x.Tests == 0 {
				continue
			}
			values := []string{label(x.Alarm), label(x.Drill), label(env.Environment)}
			m.tests.WithLabelValues(append(values, Rang)...).Add(float64(x.Rang))
			m.tests.WithLabelValues(append(values, Silent)...).Add(float64(x.Tests - x.Rang))
			m.rang.WithLabelValues(values...).Set(float64(truth(x.State == Rang)))
			if x.LatencyS != nil {
				m.latency.WithLabelValues(values...).Set(*x.LatencyS)
			}
		}
	}
}

// longestLabel is how much of a name a label shows.
const longestLabel = 200

// label makes a value that Prometheus takes.
func label(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if r := []rune(s); len(r) > longestLabel {
		s = string(r[:longestLabel])
	}
	return s
}

type metrics struct {
	seconds       *prometheus.HistogramVec
	last          *prometheus.GaugeVec
	runs          *prometheus.CounterVec
	inPlace       *prometheus.GaugeVec
	when          *prometheus.GaugeVec
	p50, p90      *prometheus.GaugeVec
	counted       *prometheus.GaugeVec
	tests         *prometheus.CounterVec
	rang, latency *prometheus.GaugeVec
}

func newMetrics() metrics {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	}
	return metrics{
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "firedrill_run_seconds",
			Help: "How long each phase of a drill took. Only what happened is counted.", Buckets: Buckets()},
			[]string{"phase", "drill", "team", "environment", "outcome"}),
		last: gauge("firedrill_last_run_seconds", "How long each phase took in the last run that was not refused; absent where it did not happen.",
			"phase", "drill", "team", "environment"),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "firedrill_runs_total", Help: "Runs that have ended, by outcome."},
			[]string{"drill", "team", "environment", "outcome"}),
		inPlace: gauge("firedrill_fault_in_place", "Faults that may be in place now. While no run is on, anything but 0 needs a person.",
			"environment", "drill", "kind"),
		when: gauge("firedrill_last_run_timestamp_seconds", "When the last run that was not refused ended, in Unix time.",
			"drill", "environment"),
		p50: gauge("firedrill_p50_seconds", "Within how long half of the runs got through a phase, by Kaplan and Meier; absent below three runs, and where half of them did not.",
			"phase", "drill", "team", "environment"),
		p90: gauge("firedrill_p90_seconds", "Within how long nine of ten runs got through a phase, by Kaplan and Meier; absent below ten runs, and where nine of ten did not.",
			"phase", "drill", "team", "environment"),
		counted: gauge("firedrill_phase_runs", "Runs that say something of a phase: known, or censored, which had not got through it when they stopped looking.",
			"phase", "drill", "team", "environment", "result"),
		tests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "firedrill_alarm_tests_total", Help: "How often a drill has put what it watches to the test, and whether it rang."},
			[]string{"alarm", "drill", "environment", "result"}),
		rang: gauge("firedrill_alarm_last_rang", "Whether what a drill watches rang in the last run that put it to the test: 1, or 0 where it was silent.",
			"alarm", "drill", "environment"),
		latency: gauge("firedrill_alarm_last_latency_seconds", "How long after the fault was felt it rang in that run; absent where it was silent.",
			"alarm", "drill", "environment"),
	}
}

func (m metrics) registry() (*prometheus.Registry, error) {
	r := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{m.seconds, m.last, m.runs, m.inPlace, m.when, m.p50, m.p90, m.counted, m.tests, m.rang, m.latency} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return r, nil
}

// Textfile writes metrics in the text format that Prometheus and node_exporter's textfile collector read.
func Textfile(w io.Writer, g prometheus.Gatherer) error {
	families, err := g.Gather()
	if err != nil {
		return fmt.Errorf("gather metrics: %w", err)
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return fmt.Errorf("write metrics: %w", err)
		}
	}
	return nil
}
