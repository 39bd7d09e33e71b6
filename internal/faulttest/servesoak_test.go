//go:build !windows

package faulttest_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Two hours of polls a second, in a few minutes, of a source that misbehaves and
// changes all the time: the process takes no more memory, files and goroutines
// at the end than near the beginning, and the target is what the source is. The
// short form is two minutes of them. JSTSYNC_SOAK_SEED repeats what happens.
func TestServe_Soak(t *testing.T) {
	polls, calm := 120, 3.0 // between two disturbances
	if long() {
		polls, calm = 7200, 10
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("JSTSYNC_SOAK_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("JSTSYNC_SOAK_SEED=%d", seed)
	s := &soak{world: newWorld(t, 30), rng: rand.New(rand.NewPCG(seed, 99)), sums: map[string]int{}}
	address := serveSettings(t, s.world, "5ms")
	p := s.start("", "serve", "--log-format", "json", "--log-level", "error")
	p.until("an answer", func() bool { return len(scrape(t, address)) > 0 })

	var early metrics
	next := 0.0
	for now := scrape(t, address); now.runs() < float64(polls); now = scrape(t, address) {
		if now.runs() >= next {
			s.disturb()
			s.log = nil
			next = now.runs() + calm
		}
		if early == nil && now.runs() > float64(polls)/5 {
			early = now
		}
		if now.runs() > float64(polls)*9/10 {
			s.source.ClearFaults()
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.source.ClearFaults()
	s.rest(t, p, address)
	late := scrape(t, address)
	t.Logf("after %.0f runs: %s", early.runs(), early)
	t.Logf("after %.0f runs: %s", late.runs(), late)
	late.noMoreThan(t, early, "process_resident_memory_bytes", 1.25, 12<<20)
	late.noMoreThan(t, early, "process_open_fds", 1, 8)
	late.noMoreThan(t, early, "go_goroutines", 1, 12)

	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if r := p.wait(); r.code != 0 {
		t.Errorf("got exit %d", r.code)
	}
	if d := s.settled() + difference(s.table(), s.truth()); d != "" {
		t.Error(d)
	}
}

// rest waits until the source has been at rest for some runs, of which the last
// changed nothing.
func (s *soak) rest(t *testing.T, p *process, address string) {
	t.Helper()
	p.until("rest", func() bool {
		before, truth := scrape(t, address), s.truth()
		for scrape(t, address)[unchanged] < before[unchanged]+3 {
			time.Sleep(10 * time.Millisecond)
		}
		return difference(truth, s.truth()) == "" && difference(s.table(), truth) == ""
	})
}

// metrics are the values of one scrape by the names of their series.
type metrics map[string]float64

const unchanged = `jstsync_runs_total{outcome="unchanged",pipeline="shops"}`

func (m metrics) runs() (n float64) {
	for name, v := range m {
		if strings.HasPrefix(name, "jstsync_runs_total{") {
			n += v
		}
	}
	return n
}

func (m metrics) String() string {
	text := fmt.Sprintf("RSS %.1f MB, %.0f files, %.0f goroutines, state file %.0f KB;", m["process_resident_memory_bytes"]/(1<<20),
		m["process_open_fds"], m["go_goroutines"], m["jstsync_state_bytes"]/1024)
	for _, outcome := range []string{"unchanged", "committed", "held", "failed", "busy", "diverged"} {
		text += fmt.Sprintf(" %s %.0f", outcome, m[fmt.Sprintf("jstsync_runs_total{outcome=%q,pipeline=\"shops\"}", outcome)])
	}
	return text
}

// noMoreThan compares a value with an earlier one.
func (m metrics) noMoreThan(t *testing.T, early metrics, name string, factor, slack float64) {
	t.Helper()
	if limit := early[name]*factor + slack; m[name] > limit {
		t.Errorf("%s is %.0f, was %.0f, must not be over %.0f", name, m[name], early[name], limit)
	}
}

// scrape returns the metrics; nothing while nobody answers.
func scrape(t *testing.T, address string) metrics {
	t.Helper()
	m := metrics{}
	resp, err := http.Get("http://" + address + "/metrics") //nolint:noctx // a test
	if err != nil {
		return nil
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok && !strings.HasPrefix(name, "#") {
			m[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return m
}
