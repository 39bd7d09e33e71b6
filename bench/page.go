package main

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

const intro = `# Performance

Written by ` + "`go run ./bench`" + `; nothing in it is typed by hand.

%s, %d cores, %s/%s; %s; MariaDB %s; %s.
Load average of the last minute when it began: %s, when it ended: %s.
The binary: %s MiB, built with CGO_ENABLED=0. ` + "`jstsync version`" + ` takes %s ms.

What is measured are whole processes, from start to end, on this one machine. Each round takes all of
them in turn, in this order, and begins with an empty database and without a state file:

- **first load**: ` + "`jstsync sync`" + ` with all records new.
- **floor (b)**: the stock client loads the rows that the first load wrote from a local file into an
  empty table of the same shape, by LOAD DATA LOCAL INFILE.
- **floor (a)**: a minimal Go client that fetches the same signed pages, %d records each, and throws
  them away, one call at a time; once more with %d at a time, as jstsync does when it knows how many
  pages to expect.
- **quiet poll**: ` + "`jstsync sync`" + ` when nothing changed; once more with the members of every
  record in another order.
- **0.1 %% changed**, **10 %% changed**: so many records have another name; at least one.
- **1 %% deleted**: so many records are gone. Each is asked for by its id before it is deleted.

The pages come from a server process whose answers are rendered beforehand and which verifies nothing.
Whenever the source has changed, all pages are fetched once before anything is measured.
` + "`jstsync.yaml`" + ` sets a rate of a million calls a second: waiting for the API's rate limit is not
measured; at the vendor's limits a million records take 100 minutes to fetch. The database is a private
mariadbd with its default settings, without a binary log, on the same cores; its CPU time is a column
of its own, its answers are in the wall time.

CPU is user and system time; peak memory is the largest resident set: Maxrss of the process's rusage,
which on Linux is its VmHWM or, if that is more, what the process that started it held at that
moment, here at most %s MiB. It includes the pages of the state file that are mapped. The figures are
medians, with the least and the greatest of the rounds in brackets. Statements, bytes received and
connections are the server's own counters, rows changed those of its TABLE_STATISTICS; the calls are
counted by the page server, file syncs by strace in a round of its own.
`

// report is everything that was measured.
type report struct {
	machine machine
	start   []sample // of jstsync version
	sizes   []*series
	past    *chronicle // nil when it was not measured
	reading *reading   // likewise
}

// write writes the page.
func (r *report) write(out *bytes.Buffer) {
	m := &r.machine
	fmt.Fprintf(out, intro, m.cpu, cores(), runtime.GOOS, runtime.GOARCH, runtime.Version(), version0(m.mariadb),
		m.date.UTC().Format(time.DateOnly), m.loadBefore, m.loadAfter, mebibytes(m.binary), spread(r.start, wall), pageSize, ahead, mebibytes(starter(r.sizes)))
	r.writeAims(out)
	if len(r.sizes) > 1 {
		fmt.Fprintf(out, "\n![CPU time a record, by size](%s)\n![Peak memory, by size](%s)\n", plotCPU, plotMemory)
	}
	for _, s := range r.sizes {
		writeSeries(out, s)
	}
	if r.past != nil {
		writeAudit(out, r.past)
	}
	if r.reading != nil {
		writeReaders(out, r.reading)
	}
}

// version0 cuts what a packager added off a server's version.
func version0(text string) string {
	number, _, _ := strings.Cut(text, "-")
	return number
}

// starter returns the most that a starting process held.
func starter(all []*series) (most int64) {
	for _, s := range all {
		for _, samples := range s.samples {
			for i := range samples {
				most = max(most, samples[i].Own)
			}
		}
	}
	return most
}

func writeSeries(out *bytes.Buffer, s *series) {
	fmt.Fprintf(out, "\n## %s records\n\n%s pages, %s MiB; %s.", thousands(s.records), thousands(s.served.Pages),
		mebibytes(int64(s.served.Bytes)), plural(s.rounds, "round"))
	for _, st := range s.steps {
		if n := s.differ[st.name]; n > 0 {
			fmt.Fprintf(out, " %s: %s.", st.name, plural(n, "record"))
		}
	}
	out.WriteString("\n\n| | CPU ms | wall ms | peak MiB | CPU × floor (a) | CPU − floor (a), ms |\n| --- | ---: | ---: | ---: | ---: | ---: |\n")
	for _, st := range s.steps {
		samples := s.samples[st.name]
		above := fmt.Sprintf(" %s | %s", ratio(s.median(st.name, cpu), s.median(floorOne, cpu)), figure(s.median(st.name, cpu)-s.median(floorOne, cpu)))
		if !st.isProduct() {
			above = " – | –"
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s |%s |\n", st.name, spread(samples, cpu), spread(samples, wall), spread(samples, peak), above)
	}
	out.WriteString("\n| | calls | connections | statements | received KiB | rows changed | in the checkpoint | mariadbd CPU ms | file syncs | state file KiB |\n" +
		"| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, st := range s.steps {
		if st.name != floorOne && st.name != floorWide {
			s.writeCounts(out, st)
		}
	}
}

func (s *series) writeCounts(out *bytes.Buffer, st step) {
	samples := s.samples[st.name]
	syncs, state := "–", "–"
	if n, ok := s.fsyncs[st.name]; ok {
		syncs = thousands(n)
	}
	if st.isProduct() {
		state = count(samples, func(x sample) int { return int(x.State >> 10) })
	}
	fmt.Fprintf(out, "| %s |", st.name)
	for _, of := range []func(sample) int{
		func(x sample) int { return x.Calls }, func(x sample) int { return x.Connections }, func(x sample) int { return x.Statements },
		func(x sample) int { return int(x.Received >> 10) }, func(x sample) int { return x.Rows }, func(x sample) int { return x.Checkpoint },
	} {
		fmt.Fprintf(out, " %s |", count(samples, of))
	}
	fmt.Fprintf(out, " %s | %s | %s |\n", spread(samples, func(x sample) float64 { return milliseconds(x.Server) }), syncs, state)
}

func (s *series) median(name string, of func(sample) float64) float64 {
	return median(s.samples[name], of)
}

func cpu(x sample) float64  { return milliseconds(x.CPU) }
func wall(x sample) float64 { return milliseconds(x.Wall) }
func peak(x sample) float64 { return float64(x.Peak) / (1 << 20) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func values(samples []sample, of func(sample) float64) []float64 {
	all := make([]float64, len(samples))
	for i := range samples {
		all[i] = of(samples[i])
	}
	slices.Sort(all)
	return all
}

func median(samples []sample, of func(sample) float64) float64 {
	all := values(samples, of)
	n := len(all)
	if n == 0 {
		return 0
	}
	return (all[(n-1)/2] + all[n/2]) / 2
}
