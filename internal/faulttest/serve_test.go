//go:build !windows

package faulttest_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"jstsync/internal/fault"
)

// serveSettings are the settings with a poller on a port of its own, whose
// address is returned.
func serveSettings(t *testing.T, w *world, every string) (address string) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	text := settings + "    every: " + every + "\nserve: {listen: " + fmt.Sprintf("%q", l.Addr()) + "}\n"
	if err := os.WriteFile(filepath.Join(w.dir, "jstsync.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// SIGTERM in each phase of a run ends serve with exit code 0 and nothing
// half-done: before the commit the run is given up, from then on it is finished.
func TestServe_TermInEachPhase(t *testing.T) {
	const (
		givenUp  = "interrupted"
		finished = "committed"
	)
	for at, want := range map[fault.Point]string{
		fault.LockAcquired: givenUp, fault.PageRead: givenUp, fault.WitnessAsked: givenUp,
		fault.TargetConnect: finished, fault.StageBegin: finished, fault.IntentDone: finished,
		fault.TxBegin: finished, fault.TxFenced: finished, fault.TxBatch: finished,
		fault.TxCommit: finished, fault.TxCommitted: finished, fault.FinaliseBegin: finished, fault.FinaliseDone: finished,
	} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12)
			serveSettings(t, w, "1h")
			w.must()
			before := w.truth()
			w.edit(mixed)
			p := w.start(string(at)+"@1=delay=700ms", "serve", "--log-format", "json")
			p.untilHit(at)
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			r := p.wait()
			if r.code != 0 || r.stdout != "" || strings.Count(r.stderr, `"status":"`+want+`"`) != 1 {
				t.Errorf("got %s, want exit 0 and one run that is %s", r, want)
			}
			should := before
			if want == finished {
				should = w.truth()
			}
			if d := difference(w.table(), should); d != "" {
				t.Errorf("right after the end: %s", d)
			}
			if again := w.must(); strings.Contains(again.stderr, "unfinished") {
				t.Errorf("something was left for the next run: %s", again)
			}
			if d := w.settled(); d != "" {
				t.Error(d)
			}
		})
	}
}

// What a killed serve left unfinished, the next one finishes.
func TestServe_Killed(t *testing.T) {
	w := newWorld(t, 12)
	serveSettings(t, w, "50ms")
	w.must()
	w.edit(mixed)
	p := w.start(string(fault.TxCommitted)+"@1=kill", "serve")
	if r := p.wait(); r.code != -1 {
		t.Fatalf("got %s, want it killed", r)
	}
	next := w.start("", "serve", "--log-format", "json")
	next.until("a quiet run", func() bool { return strings.Contains(next.err.String(), `"status":"unchanged"`) })
	if err := next.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if r := next.wait(); r.code != 0 || !strings.Contains(r.stderr, "was committed and is now recorded") {
		t.Errorf("got %s, want the run recorded", r)
	}
	if d := difference(w.table(), w.truth()); d != "" {
		t.Error(d)
	}
}

// While serve is busy, other commands never fail.
func TestServe_Beside(t *testing.T) {
	w := newWorld(t, 60)
	serveSettings(t, w, "10ms")
	p := w.start("", "serve", "--log-format", "json")
	p.until("the first run", func() bool { return strings.Contains(p.err.String(), `"status":"committed"`) })
	turns := 6
	if long() {
		turns = 60
	}
	for i := range turns {
		w.rename(i%20, i%20+20)
		for _, args := range [][]string{
			{"runs", "--limit", "5"},
			{"changes", "--limit", "5"},
			{"plan"},
			{"history", strconv.FormatInt(w.source.Shops()[0].ID, 10)},
			{"snapshot"},
			{"state", "backup", fmt.Sprintf("copy%d.db", i)},
			{"state", "info"},
		} {
			if r := w.run("", args...); r.code != 0 {
				t.Errorf("%v: %s", args, r)
			}
		}
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	r := p.wait()
	if r.code != 0 || strings.Contains(r.stderr, `"level":"ERROR"`) {
		t.Errorf("got %s, want no failed run", r)
	}
	t.Logf("%d runs beside %d commands", strings.Count(r.stderr, "run ended"), 7*turns)
	w.must()
	if d := w.settled() + difference(w.table(), w.truth()); d != "" {
		t.Error(d)
	}
}

// After a write of the state file that failed, nobody knows what became of it:
// the process ends, and the next start finds out.
func TestServe_EndsWhenTheStateFileFails(t *testing.T) {
	for _, at := range []fault.Point{fault.IntentPut, fault.FinalisePut, fault.RecordPut} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12)
			serveSettings(t, w, "50ms")
			w.must()
			if at != fault.RecordPut {
				w.edit(mixed)
			}
			r := w.run(string(at)+"@1=error", "serve")
			if r.code != 1 || !strings.Contains(r.stderr, "jstsync: the state file could not be written") {
				t.Errorf("got %s, want exit 1", r)
			}
			w.must()
			if d := w.settled() + difference(w.table(), w.truth()); d != "" {
				t.Error(d)
			}
		})
	}
}
