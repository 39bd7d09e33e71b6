//go:build !windows

package faulttest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"jstsync/internal/fault"
	"jstsync/internal/sandbox"
)

// soak is a world that is disturbed at random.
type soak struct {
	*world
	rng  *rand.Rand
	runs int
	sums map[string]int // how the runs ended
	log  []string       // what happened since the last quiet point
}

// Whatever happens to the source, to its answers and to the process, run after
// run: both stores agree at every moment between runs, or the run is
// unfinished and the target has all of it or nothing; and every few runs an
// undisturbed one brings the target up to the source.
//
// JSTSYNC_SOAK_SEED repeats a soak. The source's edits, its faults and the
// points are the same again; which moment a signal meets is not.
func TestSoak(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("JSTSYNC_SOAK_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	worlds, runs := 2, 24
	if long() {
		worlds, runs = 4, 300
	}
	for i := range worlds {
		t.Run(fmt.Sprint("world ", i), func(t *testing.T) {
			t.Parallel()
			t.Logf("JSTSYNC_SOAK_SEED=%d", seed)
			s := &soak{
				world: newWorld(t, 30), rng: rand.New(rand.NewPCG(seed, uint64(i))), runs: runs, sums: map[string]int{},
			}
			if i%2 == 1 {
				s.limits += smallChunks
			}
			s.run(t)
			t.Logf("%d runs ended: %v", runs, s.sums)
		})
	}
}

func (s *soak) run(t *testing.T) {
	for n := range s.runs {
		s.disturb()
		r := s.step()
		s.note(fmt.Sprintf("run %d: %s", n, r))
		if d := s.verdict(); d != "" {
			t.Fatalf("after run %d: %s\n%s", n, d, strings.Join(s.log, "\n"))
		}
		if n%8 == 7 || n == s.runs-1 {
			s.quieten(t, n)
		}
	}
}

func (s *soak) note(what string) { s.log = append(s.log, what) }

// disturb edits the source and damages what it answers.
func (s *soak) disturb() {
	random(s.rng, s.source)
	if s.rng.IntN(2) == 0 {
		page := 1 + s.rng.IntN(5)
		rng := rand.New(rand.NewPCG(s.rng.Uint64(), 0)) // of its own: when the page comes must not decide what else is drawn
		s.source.AfterPage(page, func(source *sandbox.Server) { random(rng, source) })
		s.note(fmt.Sprint("edits after page ", page))
	}
	if s.rng.IntN(4) == 0 {
		f := sandbox.Fault{
			Kind: []sandbox.Kind{
				sandbox.KindReset, sandbox.KindTruncate, sandbox.KindHTML, sandbox.KindCode, sandbox.KindRepeatPage,
				sandbox.KindEmptyPage, sandbox.KindDuplicateID, sandbox.KindHasNext, sandbox.KindBadKey, sandbox.KindIDsIgnored,
			}[s.rng.IntN(10)],
			Skip: s.rng.IntN(4), Times: 1 + s.rng.IntN(3),
		}
		if err := s.source.Inject(f); err != nil {
			s.tb.Fatal(err)
		}
		s.note(fmt.Sprintf("source: %s, skip %d, times %d", f.Kind, f.Skip, f.Times))
	}
}

// random edits up to a few of the source's shops.
func random(rng *rand.Rand, source *sandbox.Server) {
	shops := source.Shops()
	for range rng.IntN(6) {
		switch n := rng.IntN(3); {
		case n == 0 || len(shops) < 10:
			id := int64(1 + rng.IntN(95_000_000))
			source.Put(id, map[string]any{"shop_name": fmt.Sprint("new ", rng.Uint32())})
		case n == 1:
			source.Put(shops[rng.IntN(len(shops))].ID, map[string]any{"shop_name": fmt.Sprint("renamed ", rng.Uint32())})
		default:
			source.Remove(shops[rng.IntN(len(shops))].ID)
		}
	}
}

// step makes one run, more often than not a disturbed one.
func (s *soak) step() result {
	var faults []string
	for range s.rng.IntN(3) {
		points := slices.DeleteFunc(fault.Points(), func(p fault.Point) bool { return strings.HasPrefix(string(p), "token.") })
		action := []string{"kill", "error", "delay=20ms"}[s.rng.IntN(3)]
		faults = append(faults, fmt.Sprintf("%s@%d=%s", points[s.rng.IntN(len(points))], 1+s.rng.IntN(2), action))
	}
	s.note("faults: " + strings.Join(faults, ","))
	p := s.start(strings.Join(faults, ","), "sync")
	if s.rng.IntN(4) == 0 {
		signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT}[s.rng.IntN(3)]
		after := time.Duration(s.rng.IntN(120)) * time.Millisecond
		s.note(fmt.Sprintf("%s after %s", signal, after))
		defer time.AfterFunc(after, func() { _ = p.cmd.Process.Signal(signal) }).Stop()
	}
	r := p.wait()
	s.sums[strconv.Itoa(r.code)]++
	if !slices.Contains([]int{-1, 0, 1, 4, 5, 130, 143}, r.code) {
		s.tb.Fatalf("got %s\n%s", r, strings.Join(s.log, "\n"))
	}
	return r
}

// quieten lets the world come to rest: undisturbed runs until no edit waits for
// its page any more, and then everything must agree.
func (s *soak) quieten(t *testing.T, n int) {
	t.Helper()
	s.source.ClearFaults()
	r := s.sync("") // which recovers
	for still := rows(nil); difference(still, s.truth()) != ""; {
		still = s.truth()
		if r = s.sync(""); r.code != 0 {
			t.Fatalf("quiet run after run %d: %s\n%s", n, r, strings.Join(s.log, "\n"))
		}
	}
	if d := difference(s.table(), s.truth()); d != "" {
		t.Fatalf("after run %d and quiet ones: %s\n%s%s", n, d, strings.Join(s.log, "\n"), r)
	}
	if d := s.settled(); d != "" {
		t.Fatalf("after run %d and quiet ones: %s\n%s%s", n, d, strings.Join(s.log, "\n"), r)
	}
	s.log = nil
}
