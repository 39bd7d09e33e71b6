package main

import (
	"bytes"
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

const intro = `# Performance

Written by ` + "`go run ./bench`" + `; nothing in it is typed by hand.

%s, %d cores, %s/%s; %s; MariaDB %s; %s.
Load average of the last minute when it began: %s, when it ended: %s.
The binary: %s MiB, built with CGO_ENABLED=0.

What is measured are whole processes, from start to end, on this one machine:

- **jstsync, first load**: ` + "`jstsync sync`" + ` without a state file, into an empty database.
- **jstsync, quiet poll**: the same again when nothing changed.
- **jstsync, 0.1 %% changed**: the same again when one record in a thousand changed, at least one.
- **floor**: a minimal Go client that fetches the same signed pages, %d records each, and throws
  them away; one call at a time, as the product's first load does, and %d at a time, as the product
  does when it knows how many pages to expect.

Each round takes all of them in turn and begins with an empty database. The pages come from a
server process whose answers are rendered beforehand and which verifies nothing. ` + "`jstsync.yaml`" + `
sets a rate of a million calls a second: waiting for the API's rate limit is not measured. The
server is a private mariadbd with its default settings, without a binary log, on the same cores;
its CPU time is not in the figures, its answers are in the wall time.

CPU is user and system time; peak memory is the largest resident set: Maxrss of the process's rusage,
which on Linux is its VmHWM or, if that is more, what the process that started it held at that
moment, here at most %s MiB. It includes the pages of the state file that are mapped. The figures are
medians, with the least and the greatest of the rounds in brackets. Calls, connections and the state
file's size are counted by the page server, by MariaDB's counter Connections, and by the file system.
`

// writePage writes the page of all sizes.
func writePage(out *bytes.Buffer, m *machine, all []*series) {
	fmt.Fprintf(out, intro, m.cpu, cores(), runtime.GOOS, runtime.GOARCH, runtime.Version(), version(m.mariadb),
		m.date.UTC().Format(time.DateOnly), m.loadBefore, m.loadAfter, mebibytes(m.binary), pageSize, ahead, mebibytes(starter(all)))
	for _, s := range all {
		writeSeries(out, s)
	}
}

// version cuts what a packager added off a server's version.
func version(text string) string {
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

// order is the order of the lines of a table.
func order() []string { return []string{firstLoad, quietPoll, changedFew, floorOne, floorWide} }

func writeSeries(out *bytes.Buffer, s *series) {
	fmt.Fprintf(out, "\n## %s records\n\n%s pages, %s MiB; %d rounds; %s changed for the third line.\n\n",
		thousands(s.records), thousands(s.served.Pages), mebibytes(int64(s.served.Bytes)), s.rounds, plural(s.served.Changes, "record"))
	out.WriteString("| | CPU ms | wall ms | peak MiB | calls | MySQL connections | state file KiB |\n")
	out.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, name := range order() {
		samples := s.samples[name]
		state := "–"
		if name != floorOne && name != floorWide {
			state = thousands(int(median(samples, func(x sample) float64 { return float64(x.State) }) / 1024))
		}
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s |\n", name,
			spread(samples, cpu), spread(samples, wall), spread(samples, peak),
			count(samples, func(x sample) int { return x.Calls }), count(samples, func(x sample) int { return x.Connections }), state)
	}
	out.WriteString("\n| ratio to the floor | CPU, one call | wall, one call | peak, one call | CPU, 4 calls | wall, 4 calls | peak, 4 calls |\n")
	out.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for _, name := range []string{firstLoad, quietPoll, changedFew} {
		fmt.Fprintf(out, "| %s |", name)
		for _, base := range []string{floorOne, floorWide} {
			fmt.Fprintf(out, " %s | %s | %s |", ratio(s, name, base, cpu), ratio(s, name, base, wall), ratio(s, name, base, peak))
		}
		out.WriteString("\n")
	}
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
	return (all[(n-1)/2] + all[n/2]) / 2
}

// spread is the median and the range.
func spread(samples []sample, of func(sample) float64) string {
	all := values(samples, of)
	return fmt.Sprintf("%s (%s–%s)", figure(median(samples, of)), figure(all[0]), figure(all[len(all)-1]))
}

// count is a number that every round should agree on; where they do not, it is
// the range.
func count(samples []sample, of func(sample) int) string {
	byCount := func(a, b sample) int { return cmp.Compare(of(a), of(b)) }
	least, most := of(slices.MinFunc(samples, byCount)), of(slices.MaxFunc(samples, byCount))
	if least == most {
		return thousands(most)
	}
	return thousands(least) + "–" + thousands(most)
}

func ratio(s *series, name, base string, of func(sample) float64) string {
	return figure(median(s.samples[name], of)/median(s.samples[base], of)) + " ×"
}

// figure writes a number with as many digits as say something.
func figure(x float64) string {
	switch {
	case x < 10:
		return strconv.FormatFloat(x, 'f', 2, 64)
	case x < 100:
		return strconv.FormatFloat(x, 'f', 1, 64)
	default:
		return thousands(int(x + 0.5))
	}
}

func mebibytes(n int64) string { return figure(float64(n) / (1 << 20)) }

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return thousands(n) + " " + what + "s"
}
