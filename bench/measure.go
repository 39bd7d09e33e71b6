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
	"strconv"
	"strings"
)

// What is measured, in the order of a round.
const (
	firstLoad  = "jstsync, first load"
	floorOne   = "floor, one call at a time"
	quietPoll  = "jstsync, quiet poll"
	floorWide  = "floor, 4 calls at a time"
	changedFew = "jstsync, 0.1 % changed"
)

// ahead is how many calls the product has under way at once when it knows how
// many pages to expect.
const ahead = 4

// sample is one measured process.
type sample struct {
	usage
	Calls       int
	Connections int
	State       int64 // bytes of the state file afterwards
}

// series is every sample of one size, by what was measured.
type series struct {
	records int
	rounds  int
	served  served
	samples map[string][]sample
}

// bench measures one size.
type bench struct {
	self    string // this program
	product string // the jstsync binary
	dir     string
	db      *mariadb
	served  served
}

// measure runs the rounds of one size against a page server of its own.
func (b *bench) measure(ctx context.Context, records, rounds int, progress io.Writer) (s *series, err error) {
	server, stop, err := b.startServer(ctx, records)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	b.served = server
	s = &series{records: records, rounds: rounds, served: server, samples: map[string][]sample{}}
	for n := range rounds {
		fmt.Fprintf(progress, "%d records: round %d of %d\n", records, n+1, rounds)
		if err := b.round(ctx, s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// round takes one sample of everything. It begins with an empty database and
// without a state file.
func (b *bench) round(ctx context.Context, s *series) error {
	if err := b.db.empty(ctx); err != nil {
		return err
	}
	if err := b.configure(); err != nil {
		return err
	}
	one := []string{b.self, "floor", "-url", b.served.URL, "-pages", strconv.Itoa(b.served.Pages)}
	wide := append(one[:len(one):len(one)], "-width", strconv.Itoa(ahead))
	sync := []string{b.product, "--quiet", "--config", filepath.Join(b.dir, "jstsync.yaml"), "sync"}
	for _, step := range []struct {
		name string
		args []string
	}{{firstLoad, sync}, {floorOne, one}, {quietPoll, sync}, {floorWide, wide}, {changedFew, sync}} {
		if step.name == changedFew {
			if _, err := b.post(ctx, "/bench/flip"); err != nil {
				return err
			}
		}
		taken, err := b.sample(ctx, step.args)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		s.samples[step.name] = append(s.samples[step.name], taken)
	}
	return nil
}

// configure removes the state file and writes the product's configuration: a
// rate far above what can be reached, so that pacing is not measured.
func (b *bench) configure() error {
	for _, name := range []string{"jstsync.db", "jstsync.db.lock"} {
		if err := os.Remove(filepath.Join(b.dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
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
`, filepath.Join(b.dir, "jstsync.db"), b.served.URL, pageSize, b.db.dsn)
	return os.WriteFile(filepath.Join(b.dir, "jstsync.yaml"), []byte(text), 0o600)
}

// sample runs one process and counts what it caused.
func (b *bench) sample(ctx context.Context, args []string) (taken sample, err error) {
	if _, err := b.calls(ctx); err != nil {
		return taken, err
	}
	before, err := b.db.connections(ctx)
	if err != nil {
		return taken, err
	}
	if taken.usage, err = b.execute(ctx, args); err != nil {
		return taken, err
	}
	after, err := b.db.connections(ctx)
	if err != nil {
		return taken, err
	}
	taken.Connections = after - before
	if info, err := os.Stat(filepath.Join(b.dir, "jstsync.db")); err == nil {
		taken.State = info.Size()
	}
	taken.Calls, err = b.calls(ctx)
	return taken, err
}

// execute runs a program by way of bench exec, in a bare environment.
func (b *bench) execute(ctx context.Context, args []string) (u usage, err error) {
	cmd := exec.CommandContext(ctx, b.self, append([]string{"exec"}, args...)...)
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
func (b *bench) calls(ctx context.Context) (int, error) {
	text, err := b.post(ctx, "/bench/calls")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(text))
}

func (b *bench) post(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, b.served.URL+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
