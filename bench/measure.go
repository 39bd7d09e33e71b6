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
)

// What is measured, in the order of a round.
const (
	firstLoad  = "first load"
	floorLoad  = "floor (b)"
	floorOne   = "floor (a)"
	quietPoll  = "quiet poll"
	floorWide  = "floor (a), 4 calls at a time"
	quietMixed = "quiet poll, members shuffled"
	changedFew = "0.1 % changed"
	changedTen = "10 % changed"
	deletedOne = "1 % deleted"
)

// ahead is how many calls the product has under way at once when it knows how
// many pages to expect.
const ahead = 4

// step is one process of a round, with the source at the version before it.
type step struct {
	name    string
	version version
}

// isProduct reports whether jstsync is measured, and not a floor.
func (s step) isProduct() bool { return !strings.HasPrefix(s.name, "floor") }

// steps are the processes of a round. Of the largest size fewer are taken.
func steps(records int) []step {
	all := []step{
		{firstLoad, asLoaded},
		{floorLoad, asLoaded},
		{floorOne, asLoaded},
		{quietPoll, asLoaded},
		{floorWide, asLoaded},
		{quietMixed, shuffled},
		{changedFew, few},
		{changedTen, many},
		{deletedOne, fewer},
	}
	if records > 100_000 {
		all = all[:7]
	}
	return all
}

// sample is one measured process.
type sample struct {
	usage
	Calls int
	counters
	State int64 // bytes of the state file afterwards
}

// series is every sample of one size, by what was measured.
type series struct {
	records int
	rounds  int
	served  served
	steps   []step
	differ  map[string]int // records that were not as before
	samples map[string][]sample
	fsyncs  map[string]int // of the counting round
}

// bench measures one size.
type bench struct {
	self    string // this program
	process string // the small one
	product string // the jstsync binary
	dir     string
	db      *mariadb
	served  served
}

// measure runs the rounds of one size against a page server of its own, and
// one more in which file syncs are counted and nothing is timed.
func (b *bench) measure(ctx context.Context, p plan, progress io.Writer) (s *series, err error) {
	server, stop, err := b.startServer(ctx, p.records)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	b.served = server
	s = &series{
		records: p.records, rounds: p.rounds, served: server, steps: steps(p.records),
		differ: map[string]int{}, samples: map[string][]sample{}, fsyncs: map[string]int{},
	}
	for n := range p.rounds {
		fmt.Fprintf(progress, "%d records: round %d of %d\n", p.records, n+1, p.rounds)
		err := b.round(ctx, s, func(st step) error {
			taken, err := b.sample(ctx, b.command(st))
			s.samples[st.name] = append(s.samples[st.name], taken)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	strace, err := exec.LookPath("strace")
	if err != nil || !p.trace {
		return s, nil // syncs are not counted then
	}
	fmt.Fprintf(progress, "%d records: counting file syncs\n", p.records)
	return s, b.round(ctx, s, func(st step) (err error) {
		if st.isProduct() {
			s.fsyncs[st.name], err = b.fsyncs(ctx, strace, b.command(st))
		}
		return err
	})
}

// round takes every step once. It begins with an empty database and without a
// state file.
func (b *bench) round(ctx context.Context, s *series, take func(step) error) error {
	if err := b.db.empty(ctx); err != nil {
		return err
	}
	if err := b.configure(); err != nil {
		return err
	}
	now := version(-1)
	for _, st := range s.steps {
		if st.version != now {
			differ, err := b.show(ctx, st.version)
			if err != nil {
				return err
			}
			s.differ[st.name], now = differ, st.version
			if _, err := b.execute(ctx, b.command(step{name: floorOne})); err != nil { // the server's memory is as warm as for the quiet poll
				return fmt.Errorf("fetch the pages of another version: %w", err)
			}
		}
		if st.name == floorLoad {
			if err := b.db.export(ctx, b.file("rows.tsv")); err != nil {
				return err
			}
		}
		if err := take(st); err != nil {
			return fmt.Errorf("%s: %w", st.name, err)
		}
	}
	return nil
}

func (b *bench) file(name string) string { return filepath.Join(b.dir, name) }

// command returns the command line of a step.
func (b *bench) command(s step) []string {
	one := []string{b.process, "floor", "-url", b.served.URL, "-pages", strconv.Itoa(b.served.Pages), "-size", strconv.Itoa(pageSize)}
	switch s.name {
	case floorOne:
		return one
	case floorWide:
		return append(one, "-width", strconv.Itoa(ahead))
	case floorLoad:
		return b.db.load(b.file("rows.tsv"))
	default:
		return []string{b.product, "--quiet", "--config", b.file("jstsync.yaml"), "sync"}
	}
}

// configure removes the state file and writes the product's configuration: a
// rate far above what can be reached, so that pacing is not measured.
func (b *bench) configure() error {
	for _, name := range []string{"jstsync.db", "jstsync.db.lock"} {
		if err := os.Remove(b.file(name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	text := fmt.Sprintf(`state: %s
source:
  base_url: %s
  app_key: sandbox-key
  app_secret: sandbox-secret
  access_token: sandbox-token
  page_size: %d
  rate: {per_second: 1000000, per_minute: 60000000}
target:
  dsn: %s
pipelines:
  shops: {guard: {max_update_percent: 100}}
`, b.file("jstsync.db"), b.served.URL, pageSize, b.db.dsn)
	return os.WriteFile(b.file("jstsync.yaml"), []byte(text), 0o600)
}

// sample runs one process and counts what it caused.
func (b *bench) sample(ctx context.Context, args []string) (taken sample, err error) {
	if _, err := b.calls(ctx); err != nil {
		return taken, err
	}
	before, err := b.db.count(ctx)
	if err != nil {
		return taken, err
	}
	if taken.usage, err = b.execute(ctx, args); err != nil {
		return taken, err
	}
	after, err := b.db.count(ctx)
	if err != nil {
		return taken, err
	}
	taken.counters = b.db.since(before, after)
	if info, err := os.Stat(b.file("jstsync.db")); err == nil {
		taken.State = info.Size()
	}
	taken.Calls, err = b.calls(ctx)
	return taken, err
}

// fsyncs runs a process and returns how often it made files durable.
func (b *bench) fsyncs(ctx context.Context, strace string, args []string) (n int, err error) {
	trace := b.file("strace.txt")
	traced := slices.Concat([]string{strace, "-f", "-qq", "-o", trace, "-e", "trace=fsync,fdatasync,msync", "--"}, args)
	if _, err := b.execute(ctx, traced); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(trace)
	return strings.Count(string(text), "sync(") + strings.Count(string(text), "sync resumed"), err
}

// execute runs a program by way of process exec, in a bare environment.
func (b *bench) execute(ctx context.Context, args []string) (u usage, err error) {
	cmd := exec.CommandContext(ctx, b.process, append([]string{"exec"}, args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + b.dir}
	cmd.Dir = b.dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return u, fmt.Errorf("%w: %s", err, stderr.Bytes())
	}
	return u, json.Unmarshal(out, &u)
}

// startServer starts a page server; stop ends it.
func (b *bench) startServer(ctx context.Context, records int) (about served, stop func() error, err error) {
	cmd := exec.CommandContext(ctx, b.self, "serve", "-records", strconv.Itoa(records))
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return about, nil, err
	}
	if err := cmd.Start(); err != nil {
		return about, nil, fmt.Errorf("start the page server: %w", err)
	}
	stop = func() error { return errors.Join(in.Close(), cmd.Wait()) }
	if err := json.NewDecoder(out).Decode(&about); err != nil {
		return about, nil, errors.Join(fmt.Errorf("read where the page server is: %w", err), stop())
	}
	return about, stop, nil
}

// calls returns how many calls the page server got since it was last asked.
func (b *bench) calls(ctx context.Context) (int, error) { return b.ask(ctx, "/bench/calls") }

// show changes what the page server shows, and returns how many records differ
// from before.
func (b *bench) show(ctx context.Context, v version) (int, error) {
	return b.ask(ctx, "/bench/version/"+strconv.Itoa(int(v)))
}

func (b *bench) ask(ctx context.Context, path string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.served.URL+path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}
