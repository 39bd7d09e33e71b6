package metrics

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// WriteFile replaces the file, in one step, by these metrics, readable by all.
// Counters go on from those in the file that it replaces, and so does what was
// not found out anew. With an unreadable file they begin anew; that is told by
// the error of kind [StaleFileError], with which the file has been written.
func (m *Metrics) WriteFile(name string) error {
	before, unread := readFile(name)
	err := prometheus.WriteToTextfile(name, prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		now, err := m.registry.Gather()
		if err != nil {
			return nil, err
		}
		return m.continued(now, before), nil
	}))
	switch {
	case err != nil:
		return fmt.Errorf("write metrics file %s: %w", name, err)
	case unread != nil:
		return &StaleFileError{name, unread}
	}
	return nil
}

// StaleFileError says that an earlier metrics file could not be read, so that
// the counters began anew.
type StaleFileError struct {
	File string
	Err  error
}

// Error names the file.
func (e *StaleFileError) Error() string {
	return fmt.Sprintf("the counters in metrics file %s begin anew: %v", e.File, e.Err)
}

// Unwrap returns why it could not be read.
func (e *StaleFileError) Unwrap() error { return e.Err }

// readFile returns what an earlier process wrote; nothing when there is no file.
func readFile(name string) (map[string]*dto.MetricFamily, error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(f)
	if err != nil {
		return nil, err
	}
	return families, nil
}

// continued returns the metrics with those of an earlier process added. What
// that one had of kinds and pipelines that are unknown now is dropped.
func (m *Metrics) continued(now []*dto.MetricFamily, before map[string]*dto.MetricFamily) []*dto.MetricFamily {
	have := map[string]*dto.MetricFamily{}
	for _, family := range now {
		have[family.GetName()] = family
	}
	for _, name := range Names() {
		old, family := before[name], have[name]
		if old == nil || family != nil && family.GetType() != old.GetType() {
			continue
		}
		if family == nil {
			if name == "jstsync_token_expiry_timestamp_seconds" && m.looked.Load() {
				continue // it was found out that none is known to end
			}
			family = &dto.MetricFamily{Name: old.Name, Help: old.Help, Type: old.Type}
			now = append(now, family)
		}
		m.addTo(family, old)
	}
	slices.SortFunc(now, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return slices.DeleteFunc(now, func(f *dto.MetricFamily) bool { return len(f.Metric) == 0 })
}

// addTo adds the series of an earlier process.
func (m *Metrics) addTo(family, old *dto.MetricFamily) {
	series := map[string]*dto.Metric{}
	for _, metric := range family.Metric {
		series[labels(metric)] = metric
	}
	for _, metric := range old.Metric {
		switch same := series[labels(metric)]; {
		case same != nil:
			add(same, metric)
		case m.known(metric):
			family.Metric = append(family.Metric, metric)
		}
	}
}

// labels returns the labels as a key.
func labels(metric *dto.Metric) string {
	var text []string
	for _, l := range metric.Label {
		text = append(text, fmt.Sprintf("%q=%q", l.GetName(), l.GetValue()))
	}
	slices.Sort(text)
	return strings.Join(text, ",")
}

// known reports whether the series is of no pipeline, or of one that there is.
func (m *Metrics) known(metric *dto.Metric) bool {
	for _, l := range metric.Label {
		if l.GetName() == "pipeline" {
			return slices.Contains(m.pipelines, l.GetValue())
		}
	}
	return true
}

// add adds what counts up; of a gauge the newer value stays.
func add(metric, old *dto.Metric) {
	if c := metric.Counter; c != nil && old.Counter != nil {
		sum := c.GetValue() + old.Counter.GetValue()
		c.Value = &sum
	}
	if h := metric.Histogram; h != nil && old.Histogram != nil {
		addHistogram(h, old.Histogram)
	}
}

func addHistogram(h, old *dto.Histogram) {
	if !slices.EqualFunc(h.Bucket, finite(old.Bucket), func(a, b *dto.Bucket) bool { return a.GetUpperBound() == b.GetUpperBound() }) {
		return // of a version with other buckets
	}
	for i, b := range h.Bucket {
		n := b.GetCumulativeCount() + old.Bucket[i].GetCumulativeCount()
		b.CumulativeCount = &n
	}
	count, sum := h.GetSampleCount()+old.GetSampleCount(), h.GetSampleSum()+old.GetSampleSum()
	h.SampleCount, h.SampleSum = &count, &sum
}

// finite returns the buckets without the last, which the text form adds.
func finite(buckets []*dto.Bucket) []*dto.Bucket {
	if n := len(buckets); n > 0 && buckets[n-1].GetUpperBound() > 1e300 {
		return buckets[:n-1]
	}
	return buckets
}
