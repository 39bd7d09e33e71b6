package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// readersSize is how many readers turn pages beside how many runs.
type readersSize struct {
	records, readers, phases int
	phase                    time.Duration
}

// reading is what was measured of runs beside readers.
type reading struct {
	readersSize
	alone, beside []sample // runs that changed something: wall alone
	pages, errors int64
	early, late   int64 // resident bytes after the first phase with readers and after the last
}

// runPause is how far runs are apart.
const runPause = 300 * time.Millisecond

// measureReaders lets a serving process run again and again, each time with one
// record in ten changed, in turn with and without readers of its console who go
// from page to page without a pause.
func (b *bench) measureReaders(ctx context.Context, size readersSize, progress io.Writer, now func() time.Time) (r *reading, err error) {
	server, stop, err := b.startServer(ctx, size.records)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	b.served = server
	address, err := freeAddress(ctx)
	if err = errors.Join(err, b.db.empty(ctx), b.configure()); err != nil {
		return nil, err
	}
	if err := b.schedule(address); err != nil {
		return nil, err
	}
	process, end, err := b.startServe(ctx, b.file("jstsync.yaml"), address)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	r = &reading{readersSize: size}
	for n := range size.phases {
		fmt.Fprintf(progress, "readers: round %d of %d\n", n+1, size.phases)
		alone, err := b.runsDuring(ctx, now, func() error { return b.alternate(ctx, size.phase) })
		if err != nil {
			return nil, err
		}
		beside, err := b.runsDuring(ctx, now, func() error {
			return r.read(ctx, "http://"+address, func() error { return b.alternate(ctx, size.phase) })
		})
		if err != nil {
			return nil, err
		}
		r.alone, r.beside = append(r.alone, alone...), append(r.beside, beside...)
		if r.late = resident(process.Pid); n == 0 {
			r.early = r.late
		}
	}
	return r, nil
}

// schedule adds to the configuration what serve needs.
func (b *bench) schedule(address string) error {
	text, err := os.ReadFile(b.file("jstsync.yaml"))
	if err != nil {
		return err
	}
	settings := strings.Replace(string(text), "shops: {", "shops: {every: "+runPause.String()+", ", 1) + "serve: {listen: \"" + address + "\", language: en}\n"
	return os.WriteFile(b.file("jstsync.yaml"), []byte(settings), 0o600)
}

// alternate shows two versions in turn, so that each run finds changes.
func (b *bench) alternate(ctx context.Context, long time.Duration) error {
	for n := range int(long / runPause) {
		v := asLoaded
		if n%2 == 0 {
			v = many
		}
		if _, err := b.show(ctx, v); err != nil {
			return err
		}
		time.Sleep(runPause)
	}
	return nil
}

// read lets readers go through the pages while work is under way.
func (r *reading) read(ctx context.Context, url string, work func() error) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: r.readers}}
	defer client.CloseIdleConnections()
	ctx, stop := context.WithCancel(ctx)
	var all sync.WaitGroup
	for i := range r.readers {
		all.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				if _, _, err := ask(ctx, client, url+pathOf(n)); ctx.Err() == nil && err != nil {
					atomic.AddInt64(&r.errors, 1)
				} else if err == nil {
					atomic.AddInt64(&r.pages, 1)
				}
			}
		})
	}
	err := work()
	stop()
	all.Wait()
	return err
}

// pathOf is one of the console's pages.
func pathOf(n int) string {
	run := strconv.Itoa(1 + n%20)
	paths := []string{"/", "/runs", "/runs/" + run, "/changes", "/table", "/compare?a=1&b=" + run, "/quarantine", "/api"}
	return paths[n%len(paths)]
}

// runsDuring returns how long each run took that began while work was under way
// and changed something.
func (b *bench) runsDuring(ctx context.Context, now func() time.Time, work func() error) (took []sample, err error) {
	began := now()
	if err := work(); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, b.product, "--quiet", "--config", b.file("jstsync.yaml"), "runs", "--format", "json").Output()
	if err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var run struct {
			Status         string
			Started, Ended time.Time
		}
		if err := dec.Decode(&run); err != nil {
			return nil, err
		}
		if run.Started.After(began) && run.Status == "committed" {
			took = append(took, sample{usage: usage{Wall: run.Ended.Sub(run.Started)}})
		}
	}
	if len(took) == 0 {
		return nil, errors.New("no run changed anything")
	}
	return took, nil
}

// resident returns how much memory a process has, 0 where that cannot be told.
func resident(pid int) int64 {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	i := slices.Index(fields, "VmRSS:")
	if i < 0 || i+1 >= len(fields) {
		return 0
	}
	kilobytes, _ := strconv.ParseInt(fields[i+1], 10, 64)
	return kilobytes << 10
}

func writeReaders(out *bytes.Buffer, r *reading) {
	fmt.Fprintf(out, "\n## Readers\n\n"+
		"`jstsync serve` runs every %s, each time with a tenth of %s records changed: alone, and while %d readers go from page to\n"+
		"page of its console without a pause, in turn, %s each. They got %s pages and %s; the process had %s MiB\n"+
		"after the first phase with readers and %s MiB after the last.\n\n"+
		"| | runs | ms | mean |\n| --- | ---: | ---: | ---: |\n| alone | %d | %s | %s |\n| beside %d readers | %d | %s | %s |\n",
		runPause, thousands(r.records), r.readers, plural(r.phases, "phase"), thousands(int(r.pages)), plural(int(r.errors), "error"),
		mebibytes(r.early), mebibytes(r.late), len(r.alone), spread(r.alone, wall), figure(mean(r.alone, wall)), r.readers, len(r.beside), spread(r.beside, wall), figure(mean(r.beside, wall)))
}

// mean says more than the median of times that are whole milliseconds.
func mean(samples []sample, of func(sample) float64) (sum float64) {
	for i := range samples {
		sum += of(samples[i])
	}
	return sum / float64(len(samples))
}

func (r *reading) aims() []aim {
	return []aim{
		atMost(fmt.Sprintf("a run beside %d readers of the console, over one alone", r.readers), mean(r.beside, wall)/mean(r.alone, wall), 1.1, " ×"),
		atMost("the same: pages that were refused or failed", float64(r.errors), 0, ""),
	}
}
