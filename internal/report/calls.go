package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
)

// calls writes what a run's calls came to, and each of them that is on record.
func (t Text) calls(b *strings.Builder, r *diff.Run) error {
	s := r.CallStats
	if s.Calls > 0 {
		fmt.Fprintf(b, "%s  %s\n", pad(t.Lang.Text("calls"), 12), t.Lang.Sprintf("%s, %d failed, %d repeated, %s bytes, mean %s, longest %s",
			plural(t.Lang, s.Calls, "attempt"), s.Failed, s.Retries, thousands(int(s.Bytes)), round(s.Mean()), round(s.Max)))
	}
	if len(r.Calls) == 0 {
		return nil
	}
	b.WriteString("\n")
	rows := [][]string{t.heads("PAGE", "ATTEMPT", "STATUS", "CODE", "BYTES", "TOOK", "ASKED, AND WHAT WENT WRONG")}
	for i := range r.Calls {
		c := &r.Calls[i]
		what := c.Params
		if c.Path != "" && c.Params == "" {
			what = c.Path
		}
		if c.Err != "" {
			what += "  " + t.Lang.Sentence(c.Err)
		}
		rows = append(rows, []string{
			strconv.Itoa(c.Page), strconv.Itoa(c.Attempt), strconv.Itoa(c.Status), strconv.Itoa(c.Code),
			thousands(int(c.Bytes)), round(c.Duration).String(), elide(plain(what), t.width()),
		})
	}
	return table(b, rows)
}

func round(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

func (w *writer) calls(r *diff.Run) {
	s := r.CallStats
	w.member("call_stats", map[string]any{
		"calls": s.Calls, "failed": s.Failed, "retries": s.Retries, "bytes": s.Bytes,
		"mean_ms": millisOf(s.Mean()), "max_ms": millisOf(s.Max),
	})
	if r.Calls == nil {
		return
	}
	w.token(jsontext.String("calls"), jsontext.BeginArray)
	for i := range r.Calls {
		c := &r.Calls[i]
		w.token(jsontext.BeginObject)
		w.text("at", moment(c.At))
		w.text("path", c.Path)
		w.text("params", c.Params)
		w.member("page", c.Page)
		w.member("attempt", c.Attempt)
		w.member("status", c.Status)
		w.member("code", c.Code)
		w.text("message", c.Message)
		w.member("bytes", c.Bytes)
		w.member("dur_ms", millisOf(c.Duration))
		w.text("error", c.Err)
		w.text("body", c.Body)
		w.token(jsontext.EndObject)
	}
	w.token(jsontext.EndArray)
}

func millisOf(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// RunsSummary is the runs of one pipeline in sum.
type RunsSummary struct {
	Pipeline    string
	Runs        int
	Outcomes    map[diff.Status]int
	First, Last time.Time // starts
	Calls       diff.CallStats
}

// Summarize sums runs up by pipeline, in the order of their names.
func Summarize(runs []diff.Run) []RunsSummary {
	sums := map[string]*RunsSummary{}
	for i := range runs {
		r := &runs[i]
		s := sums[r.Pipeline]
		if s == nil {
			s = &RunsSummary{Pipeline: r.Pipeline, Outcomes: map[diff.Status]int{}, First: r.Started, Last: r.Started}
			sums[r.Pipeline] = s
		}
		s.Runs++
		s.Outcomes[r.Status]++
		if r.Started.Before(s.First) {
			s.First = r.Started
		}
		if r.Started.After(s.Last) {
			s.Last = r.Started
		}
		s.Calls.Add(r.CallStats)
	}
	list := make([]RunsSummary, 0, len(sums))
	for _, s := range sums {
		list = append(list, *s)
	}
	slices.SortFunc(list, func(a, b RunsSummary) int { return strings.Compare(a.Pipeline, b.Pipeline) })
	return list
}

// outcomes are the statuses of finished runs, in the order they are told.
func outcomes() []diff.Status {
	return []diff.Status{diff.Unchanged, diff.Committed, diff.Held, diff.Failed, diff.Aborted, diff.Pending}
}

// Sums writes runs in sum.
func (t Text) Sums(out io.Writer, sums []RunsSummary) error {
	l := t.Lang
	for i := range sums {
		s := &sums[i]
		parts := []string{fmt.Sprintf("%s  %s", plain(s.Pipeline), plural(l, s.Runs, "run"))}
		for _, o := range outcomes() {
			if n := s.Outcomes[o]; n > 0 {
				parts = append(parts, l.Sprintf("%s "+string(o), thousands(n)))
			}
		}
		_, err := fmt.Fprintf(out, "%s\n  %s\n  %s\n", strings.Join(parts, " · "), l.Sprintf("from %s to %s", moment(s.First), moment(s.Last)),
			l.Sprintf("%s, %d failed, %d repeated, mean %s, 95 %% within %s, longest %s",
				plural(l, s.Calls.Calls, "call"), s.Calls.Failed, s.Calls.Retries,
				round(s.Calls.Mean()), round(s.Calls.Quantile(0.95)), round(s.Calls.Max)))
		if err != nil {
			return err
		}
	}
	return nil
}

// SummaryJSON writes the sums, one object a line.
func SummaryJSON(out io.Writer, sums []RunsSummary) error {
	w := newWriter(out)
	for i := range sums {
		s := &sums[i]
		w.token(jsontext.BeginObject)
		w.text("pipeline", s.Pipeline)
		w.member("runs", s.Runs)
		w.token(jsontext.String("outcomes"), jsontext.BeginObject)
		for _, o := range outcomes() {
			w.member(string(o), s.Outcomes[o])
		}
		w.token(jsontext.EndObject)
		w.text("first", moment(s.First))
		w.text("last", moment(s.Last))
		c := &s.Calls
		w.member("calls", c.Calls)
		w.member("failed_calls", c.Failed)
		w.member("retries", c.Retries)
		w.member("bytes", c.Bytes)
		w.member("mean_ms", millisOf(c.Mean()))
		w.member("p95_ms", millisOf(c.Quantile(0.95)))
		w.member("max_ms", millisOf(c.Max))
		w.token(jsontext.EndObject)
	}
	if w.err != nil {
		return fmt.Errorf("write summary: %w", w.err)
	}
	return nil
}
