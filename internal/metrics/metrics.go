// Package metrics counts what runs do, for Prometheus.
//
// A [Metrics] is told of each run that ended and of what it found out about the
// account; it answers a scrape ([Metrics.Handler]), or writes a file for
// node_exporter's textfile collector ([Metrics.WriteFile]), in which counters go
// on from one process to the next.
//
// Guarantees: nothing is read at a scrape but memory and the size of the state
// file; series of a pipeline exist from the start, so that the first event of a
// kind is an increase. Non-guarantees: counters of a long-running process begin
// at zero with it.
package metrics

import (
	"net/http"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"jstsync/diff"
)

// Outcome is how a run ended.
type Outcome string

// The outcomes.
const (
	Unchanged   Outcome = "unchanged"
	Committed   Outcome = "committed"
	Held        Outcome = "held"
	Busy        Outcome = "busy"        // another runner has the state file, or an unfinished run is in doubt
	Diverged    Outcome = "diverged"    // the target is not where the state file left it
	Interrupted Outcome = "interrupted" // told to stop
	Failed      Outcome = "failed"      // anything else
)

func outcomes() []Outcome {
	return []Outcome{Unchanged, Committed, Held, Busy, Diverged, Interrupted, Failed}
}

// Good reports whether source and target were in step after the run.
func (o Outcome) Good() bool { return o == Unchanged || o == Committed }

// Names returns the names of all metrics but those of the process.
func Names() []string {
	return []string{
		"jstsync_alerts_total", "jstsync_api_call_duration_seconds", "jstsync_api_calls_total", "jstsync_api_rate_used_ratio", "jstsync_broken_rules_total",
		"jstsync_changes_total", "jstsync_held", "jstsync_last_success_timestamp_seconds", "jstsync_quarantined", "jstsync_records",
		"jstsync_run_duration_seconds", "jstsync_runs_total", "jstsync_state_bytes", "jstsync_token_expiry_timestamp_seconds",
		"jstsync_withheld_deletes",
	}
}

// Call is one attempt of an API call.
type Call struct {
	Class string
	Took  time.Duration
}

// Run is a run that ended.
type Run struct {
	Pipeline string
	Outcome  Outcome
	Ended    time.Time
	Took     time.Duration
	Plan     *diff.Plan // as far as it got
	Calls    []Call
}

// Options say what is read at a scrape.
type Options struct {
	StateFile string
	RateUsed  func() float64 // share of the calls that the API allows in a minute
	Process   bool           // also tell of the process: memory, open files, goroutines
}

// Metrics holds the counters of one process. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	alerts      *prometheus.CounterVec
	runs        *prometheus.CounterVec
	runTime     prometheus.Histogram
	changes     *prometheus.CounterVec
	records     *prometheus.GaugeVec
	calls       *prometheus.CounterVec
	callTime    prometheus.Histogram
	rules       *prometheus.CounterVec
	quarantined *prometheus.GaugeVec
	withheld    *prometheus.GaugeVec
	held        *prometheus.GaugeVec
	success     *prometheus.GaugeVec
	token       *prometheus.GaugeVec
	looked      atomic.Bool // at the tokens
	pipelines   []string
}

// New returns metrics without any pipeline.
func New(o Options) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		alerts:   counters("jstsync_alerts_total", "Messages to a channel of alerts: sent, or failed.", "channel", "outcome"),
		runs:     counters("jstsync_runs_total", "Runs that ended, by how they did.", "pipeline", "outcome"),
		runTime: histogram("jstsync_run_duration_seconds", "How long runs took.",
			.1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800),
		changes: counters("jstsync_changes_total", "Rows inserted, updated and deleted.", "pipeline", "op"),
		records: gauges("jstsync_records", "Records that the last whole reading of the source found.", "pipeline"),
		calls:   counters("jstsync_api_calls_total", "Attempts of API calls: success, or the class of the failure.", "class"),
		callTime: histogram("jstsync_api_call_duration_seconds", "How long attempts of API calls took.",
			.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30),
		rules:       counters("jstsync_broken_rules_total", "Records found by runs to break a data-quality rule; one that is set aside counts in each run.", "pipeline", "rule", "on_fail"),
		quarantined: gauges("jstsync_quarantined", "Records that the last run set aside.", "pipeline"),
		withheld:    gauges("jstsync_withheld_deletes", "Deletes that the last run did not make for want of a witness.", "pipeline"),
		held:        gauges("jstsync_held", "1 when the guard held the last run back.", "pipeline"),
		success:     gauges("jstsync_last_success_timestamp_seconds", "When the last run ended that left the target in step.", "pipeline"),
		token:       gauges("jstsync_token_expiry_timestamp_seconds", "When the first of the stored access tokens ends."),
	}
	m.registry.MustRegister(
		m.alerts, m.runs, m.runTime, m.changes, m.records, m.calls, m.callTime, m.rules, m.quarantined, m.withheld, m.held, m.success, m.token,
		gauge("jstsync_state_bytes", "Size of the state file.", func() float64 { return size(o.StateFile) }),
		gauge("jstsync_api_rate_used_ratio", "Share of the calls allowed in a minute that the last minute used.", o.RateUsed),
	)
	if o.Process {
		m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	}
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauges(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string, value func() float64) prometheus.GaugeFunc {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
}

func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets})
}

// size returns a file's size, 0 when there is none.
func size(file string) float64 {
	info, err := os.Stat(file)
	if err != nil {
		return 0
	}
	return float64(info.Size())
}

// Expect says which pipelines there are. Those that are there no more are
// forgotten.
func (m *Metrics) Expect(pipelines ...string) {
	for _, gone := range m.pipelines {
		if !slices.Contains(pipelines, gone) {
			m.forget(gone)
		}
	}
	m.pipelines = slices.Clone(pipelines)
	for _, pipeline := range pipelines {
		for _, outcome := range outcomes() {
			m.runs.WithLabelValues(pipeline, string(outcome))
		}
		for _, op := range []string{"insert", "update", "delete"} {
			m.changes.WithLabelValues(pipeline, op)
		}
	}
	m.calls.WithLabelValues("success")
}

func (m *Metrics) forget(pipeline string) {
	of := prometheus.Labels{"pipeline": pipeline}
	for _, vec := range []interface{ DeletePartialMatch(prometheus.Labels) int }{
		m.runs, m.changes, m.records, m.rules, m.quarantined, m.withheld, m.held, m.success,
	} {
		vec.DeletePartialMatch(of)
	}
}

// Alerted counts a message to a channel.
func (m *Metrics) Alerted(channel string, sent bool) {
	outcome := "failed"
	if sent {
		outcome = "sent"
	}
	m.alerts.WithLabelValues(channel, outcome).Inc()
}

// Observe counts a run.
func (m *Metrics) Observe(r *Run) {
	m.runs.WithLabelValues(r.Pipeline, string(r.Outcome)).Inc()
	m.runTime.Observe(r.Took.Seconds())
	for _, c := range r.Calls {
		m.calls.WithLabelValues(c.Class).Inc()
		m.callTime.Observe(c.Took.Seconds())
	}
	for _, t := range r.Plan.Rules {
		m.rules.WithLabelValues(r.Pipeline, t.Rule, string(t.OnFail)).Add(float64(t.Count))
	}
	if r.Outcome.Good() {
		m.Succeeded(r.Pipeline, r.Ended)
	}
	if r.Outcome.Good() || r.Outcome == Held {
		m.found(r)
	}
}

// found tells what a run found that read the source to its end.
func (m *Metrics) found(r *Run) {
	sum := &r.Plan.Summary
	m.records.WithLabelValues(r.Pipeline).Set(float64(sum.Read))
	m.quarantined.WithLabelValues(r.Pipeline).Set(float64(len(r.Plan.Quarantine)))
	m.withheld.WithLabelValues(r.Pipeline).Set(float64(len(r.Plan.Withheld.Keys)))
	held := 0.0
	if r.Outcome == Held {
		held = 1
	}
	m.held.WithLabelValues(r.Pipeline).Set(held)
	if r.Outcome == Committed {
		m.changes.WithLabelValues(r.Pipeline, "insert").Add(float64(sum.Insert))
		m.changes.WithLabelValues(r.Pipeline, "update").Add(float64(sum.Update))
		m.changes.WithLabelValues(r.Pipeline, "delete").Add(float64(sum.Delete))
	}
}

// Succeeded says when a pipeline was last known to be in step.
func (m *Metrics) Succeeded(pipeline string, at time.Time) {
	m.success.WithLabelValues(pipeline).Set(float64(at.UnixMilli()) / 1000)
}

// TokenEnds says when the first access token ends; zero is not known.
func (m *Metrics) TokenEnds(at time.Time) {
	m.looked.Store(true)
	if at.IsZero() {
		m.token.Reset()
		return
	}
	m.token.WithLabelValues().Set(float64(at.Unix()))
}

// scrapes is how many may be answered at once.
const scrapes = 4

// Handler answers scrapes.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes, EnableOpenMetrics: true})
}
