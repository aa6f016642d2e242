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
// number is bounded. Only known intervals are observed: what did not happen has no time.
func Collect(runs []timeline.Timeline) (*prometheus.Registry, error) {
	m := newMetrics()
	last := map[string]timeline.Timeline{}
	for _, t := range runs {
		b := t.Brief
		drill, team, env := label(b.Drill), label(b.Team), label(b.Environment)
		for _, f := range t.Faults {
			in := 0.0
			if f.InPlace() {
				in = 1
			}
			m.inPlace.WithLabelValues(env, drill, label(f.Kind)).Add(in)
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
	return m.registry()
}

// label makes a value that Prometheus takes.
func label(s string) string { return strings.ToValidUTF8(s, "?") }

type metrics struct {
	seconds *prometheus.HistogramVec
	last    *prometheus.GaugeVec
	runs    *prometheus.CounterVec
	inPlace *prometheus.GaugeVec
	when    *prometheus.GaugeVec
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
	}
}

func (m metrics) registry() (*prometheus.Registry, error) {
	r := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{m.seconds, m.last, m.runs, m.inPlace, m.when} {
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
