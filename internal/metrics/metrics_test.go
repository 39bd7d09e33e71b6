package metrics_test

import (
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/metrics"
)

func newMetrics(t *testing.T, pipelines ...string) *metrics.Metrics {
	t.Helper()
	state := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(state, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	m := metrics.New(metrics.Options{StateFile: state, RateUsed: func() float64 { return 0.25 }})
	m.Expect(pipelines...)
	return m
}

// committed is a run that changed something.
func committed(pipeline string) *metrics.Run {
	return &metrics.Run{
		Pipeline: pipeline, Outcome: metrics.Committed, Ended: time.Unix(1_800_000_000, 0), Took: 2 * time.Second,
		Plan: &diff.Plan{
			Summary:    diff.Summary{Read: 30, Insert: 3, Update: 2, Delete: 1},
			Rules:      []diff.RuleTally{{Rule: "named", OnFail: diff.Warn, Count: 3}},
			Quarantine: make([]diff.Quarantined, 4), Withheld: diff.Withheld{Keys: make([]diff.Key, 5)},
		},
		Calls: []metrics.Call{{Class: "success", Took: 40 * time.Millisecond}, {Class: "vendor_fault", Took: time.Second}},
	}
}

func failed(pipeline string) *metrics.Run {
	return &metrics.Run{Pipeline: pipeline, Outcome: metrics.Failed, Took: time.Second, Plan: &diff.Plan{}}
}

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != 200 {
		t.Fatal(w.Code, err)
	}
	return string(body)
}

func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	all := strings.Split(text, "\n")
	for _, line := range lines {
		if !slices.Contains(all, line) {
			t.Errorf("%q is missing in:\n%s", line, text)
		}
	}
}

func TestMetrics(t *testing.T) {
	m := newMetrics(t, "shops", "more")
	has(t, scrape(t, m), `jstsync_runs_total{outcome="failed",pipeline="more"} 0`)
	m.TokenEnds(time.Unix(1_900_000_000, 0))
	m.Alerted("ops", true)
	m.Alerted("ops", false)
	m.Observe(committed("shops"))
	held := committed("shops")
	held.Outcome = metrics.Held
	m.Observe(held)
	m.Observe(failed("shops"))
	text := scrape(t, m)
	has(
		t, text,
		`jstsync_runs_total{outcome="committed",pipeline="shops"} 1`, `jstsync_runs_total{outcome="held",pipeline="shops"} 1`,
		`jstsync_runs_total{outcome="failed",pipeline="shops"} 1`, `jstsync_runs_total{outcome="unchanged",pipeline="shops"} 0`,
		`jstsync_changes_total{op="insert",pipeline="shops"} 3`, `jstsync_changes_total{op="update",pipeline="shops"} 2`,
		`jstsync_changes_total{op="delete",pipeline="shops"} 1`, `jstsync_records{pipeline="shops"} 30`,
		`jstsync_broken_rules_total{on_fail="warn",pipeline="shops",rule="named"} 6`,
		`jstsync_alerts_total{channel="ops",outcome="sent"} 1`, `jstsync_alerts_total{channel="ops",outcome="failed"} 1`,
		`jstsync_quarantined{pipeline="shops"} 4`, `jstsync_withheld_deletes{pipeline="shops"} 5`, `jstsync_held{pipeline="shops"} 1`,
		`jstsync_last_success_timestamp_seconds{pipeline="shops"} 1.8e+09`, `jstsync_token_expiry_timestamp_seconds 1.9e+09`,
		`jstsync_api_calls_total{class="success"} 2`, `jstsync_api_calls_total{class="vendor_fault"} 2`,
		`jstsync_api_call_duration_seconds_bucket{le="0.05"} 2`, `jstsync_run_duration_seconds_count 3`,
		`jstsync_state_bytes 4096`, `jstsync_api_rate_used_ratio 0.25`,
	)
	for _, name := range metrics.Names() {
		if !strings.Contains(text, "# TYPE "+name+" ") {
			t.Errorf("%s is named and not there", name)
		}
	}
	if got, want := strings.Count(text, "# TYPE "), len(metrics.Names()); got != want {
		t.Errorf("got %d metrics, %d are named", got, want)
	}
	m.Expect("more")
	m.TokenEnds(time.Time{})
	if text := scrape(t, m); strings.Contains(text, "shops") || strings.Contains(text, "token_expiry") {
		t.Errorf("what is there no more is still told:\n%s", text)
	}
}

// Counters go on from file to file; what a process did not find out stays.
func TestMetrics_WriteFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jstsync.prom")
	first := newMetrics(t, "shops", "gone")
	first.TokenEnds(time.Unix(1_900_000_000, 0))
	first.Observe(committed("shops"))
	first.Observe(committed("gone"))
	if err := first.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	second := newMetrics(t, "shops", "new")
	second.Observe(committed("new"))
	second.Observe(failed("shops"))
	if err := second.WriteFile(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	has(
		t, string(text),
		`jstsync_runs_total{outcome="committed",pipeline="shops"} 1`, `jstsync_runs_total{outcome="failed",pipeline="shops"} 1`,
		`jstsync_runs_total{outcome="committed",pipeline="new"} 1`, `jstsync_changes_total{op="insert",pipeline="shops"} 3`,
		`jstsync_last_success_timestamp_seconds{pipeline="shops"} 1.8e+09`, `jstsync_token_expiry_timestamp_seconds 1.9e+09`,
		`jstsync_api_calls_total{class="success"} 3`, `jstsync_api_call_duration_seconds_count 6`,
		`jstsync_api_call_duration_seconds_bucket{le="+Inf"} 6`, `jstsync_api_call_duration_seconds_bucket{le="0.05"} 3`,
		`jstsync_run_duration_seconds_sum 7`, `jstsync_records{pipeline="shops"} 30`,
	)
	if strings.Contains(string(text), "gone") {
		t.Error("a pipeline that is gone is still told of")
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("got %v, %v; want a file that the collector may read", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("got %v, %v; want nothing left over", entries, err)
	}
}

// The end of a token that is stored no more is not told on from file to file.
func TestMetrics_WriteFile_tokenGone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "jstsync.prom")
	for _, ends := range []time.Time{time.Unix(1_900_000_000, 0), {}} {
		m := newMetrics(t, "shops")
		m.TokenEnds(ends)
		if err := m.WriteFile(file); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(string(text), "token_expiry"); told == ends.IsZero() {
			t.Errorf("a token that ends at %v: told is %v", ends, told)
		}
	}
}

func TestMetrics_WriteFile_troubles(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "jstsync.prom")
	if err := os.WriteFile(file, []byte("no metrics {"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := newMetrics(t, "shops")
	stale, ok := errors.AsType[*metrics.StaleFileError](m.WriteFile(file))
	if !ok || stale.File != file {
		t.Errorf("got %v, want to be told that counters begin anew", stale)
	}
	if err := m.WriteFile(file); err != nil {
		t.Errorf("got %v: the file was not replaced", err)
	}
	if err := m.WriteFile(filepath.Join(dir, "none", "x.prom")); err == nil || !strings.Contains(err.Error(), "write metrics file") {
		t.Errorf("got %v", err)
	}
}
