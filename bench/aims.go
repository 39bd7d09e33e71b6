package main

import (
	"bytes"
	"fmt"
	"math"
)

// aim is something that the product is held to.
type aim struct {
	what    string
	most    string
	figure  string
	reached bool
}

// atMost compares a figure with the most that it may be.
func atMost(what string, got, most float64, unit string) aim {
	return aim{what, figure(most) + unit, figure(got) + unit, got <= most}
}

// aims lists those that were measured.
func (r *report) aims() (all []aim) {
	for _, s := range r.sizes {
		switch s.records {
		case 200, 1204:
			all = append(all, atMost(fmt.Sprintf("quiet poll of %s records: CPU above floor (a)", thousands(s.records)), s.above(quietPoll), 15, " ms"))
		case 100_000:
			all = append(all, s.aims()...)
		case 1_000_000:
			if ten := r.size(10_000); ten != nil {
				each := func(s *series) float64 { return s.median(quietPoll, cpu) / float64(s.records) }
				all = append(all, atMost("quiet poll of 1,000,000 records: CPU a record over that of 10,000", each(s)/each(ten), 1.2, " ×"))
			}
			all = append(all, atMost("quiet poll of 1,000,000 records: peak memory", s.median(quietPoll, peak), 128, " MiB"),
				atMost("first load of 1,000,000 records: peak memory", s.median(firstLoad, peak), 256, " MiB"))
		}
	}
	if r.reading != nil {
		all = append(all, r.reading.aims()...)
	}
	return append(all, atMost("`jstsync version`", median(r.start, wall), 15, " ms"),
		atMost("binary", float64(r.machine.binary)/(1<<20), 25, " MiB"))
}

// aims lists those of 100,000 records.
func (s *series) aims() []aim {
	quiet, floor := s.median(quietPoll, cpu), s.median(floorOne, cpu)
	n := float64(s.differ[changedFew])
	statements := func(x sample) float64 { return float64(x.Statements) }
	return []aim{
		atMost("quiet poll of 100,000 records: CPU over floor (a)", quiet/floor, 1.8, " ×"),
		atMost("the same with shuffled members", s.median(quietMixed, cpu)/floor, 2, " ×"),
		atMost("quiet poll of 100,000 records: peak memory", s.median(quietPoll, peak), 48, " MiB"),
		atMost("quiet poll: connections to MySQL", s.median(quietPoll, func(x sample) float64 { return float64(x.Connections) }), 0, ""),
		atMost("0.1 % of 100,000 changed: CPU over the quiet poll's", s.median(changedFew, cpu)/quiet, 1.15, " ×"),
		atMost("the same: rows changed beyond the changes", s.median(changedFew, func(x sample) float64 { return math.Abs(float64(x.Rows) - n) }), 0, ""),
		atMost("the same: rows changed in the checkpoint table", s.median(changedFew, func(x sample) float64 { return float64(x.Checkpoint) }), 1, ""),
		atMost("the same: statements", s.median(changedFew, statements), 2+math.Ceil(n/500)+15, ""),
		atMost("first load of 100,000 records: wall over floors (a) and (b)",
			s.median(firstLoad, wall)/(s.median(floorOne, wall)+s.median(floorLoad, wall)), 1.8, " ×"),
	}
}

// above returns the CPU time above floor (a) in milliseconds.
func (s *series) above(name string) float64 { return s.median(name, cpu) - s.median(floorOne, cpu) }

func (r *report) size(records int) *series {
	for _, s := range r.sizes {
		if s.records == records {
			return s
		}
	}
	return nil
}

func (r *report) writeAims(out *bytes.Buffer) {
	out.WriteString("\n## Aims\n\n| | at most | measured | |\n| --- | ---: | ---: | --- |\n")
	for _, a := range r.aims() {
		verdict := "reached"
		if !a.reached {
			verdict = "**missed**"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s |\n", a.what, a.most, a.figure, verdict)
	}
}
