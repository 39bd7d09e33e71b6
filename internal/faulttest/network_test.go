//go:build !windows

package faulttest_test

import (
	"strings"
	"testing"
	"time"

	"jstsync/internal/fault"
	"jstsync/internal/mysqltest"
)

// Wherever COMMIT or its answer is lost or late, what the target decided is
// found out, and a run that is not decided yet is left alone.
func TestCommit_OnTheNetwork(t *testing.T) {
	t.Run("lost", func(t *testing.T) {
		t.Parallel()
		w, before, after := w12(t)
		w.behind(t, mysqltest.ResetRequest)
		r := w.sync("")
		if r.code == 0 || difference(w.table(), before) != "" {
			t.Errorf("got %s, %s", r, difference(w.table(), before))
		}
		w.wantRecovered(t, before)
		w.wantSynced(t, after, 2)
	})
	t.Run("unanswered", func(t *testing.T) {
		t.Parallel()
		w, _, after := w12(t)
		w.behind(t, mysqltest.ResetReply)
		if r := w.sync(""); r.code != 0 {
			t.Errorf("committed, and its answer lost: %s", r)
		}
		w.wantSynced(t, after, 2)
	})
	t.Run("late", func(t *testing.T) { // longer than the process waits for it
		t.Parallel()
		w, _, after := w12(t)
		w.limits += shortCommit
		p := w.behind(t, mysqltest.HoldRequest)
		run := w.start("", "sync")
		<-p.Met
		run.until("asks what became of it", func() bool { return strings.Contains(run.err.String(), "run in doubt") })
		p.Release()
		if r := run.wait(); r.code != 0 {
			t.Errorf("COMMIT arrived late: %s", r)
		}
		w.wantSynced(t, after, 2)
	})
	t.Run("late and its process gone", func(t *testing.T) {
		t.Parallel()
		w, before, after := w12(t)
		p := w.behind(t, mysqltest.HoldRequest)
		gone := w.start("", "sync")
		<-p.Met
		if err := gone.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		gone.wait()
		if d := difference(w.table(), before); d != "" {
			t.Fatalf("before COMMIT arrived: %s", d)
		}
		next := w.start("", "sync")
		next.until("asks what became of it", func() bool { return strings.Contains(next.err.String(), "run in doubt") })
		p.Release()
		if r := next.wait(); r.code != 0 || !strings.Contains(r.stderr, "was committed and is now recorded") {
			t.Errorf("recovery: %s", r)
		}
		w.wantSynced(t, after, 2)
	})
	t.Run("later than recovery waits", func(t *testing.T) {
		t.Parallel()
		w, _, after := w12(t)
		p := w.behind(t, mysqltest.HoldRequest)
		gone := w.start("", "sync")
		<-p.Met
		_ = gone.cmd.Process.Kill()
		gone.wait()
		w.limits += shortDoubt
		r := w.sync("")
		if r.code != 5 || !strings.Contains(r.stderr, "still in doubt") || !strings.Contains(r.stderr, "session ") {
			t.Errorf("recovery: got %s, want exit code 5 and who locks the row", r)
		}
		if !strings.Contains(r.stderr, "lock the row of jstsync_checkpoint") {
			t.Errorf("recovery went past reading a row that is locked: %s", r)
		}
		if w.readFile().intent == nil {
			t.Error("the run in doubt was closed")
		}
		p.Release()
		w.limits = fewRows
		w.wantRecovered(t, after)
		w.wantSynced(t, after, 2)
	})
}

// behind puts a proxy between the world and its server, with trouble for the
// first COMMIT that passes it.
func (w *world) behind(t *testing.T, trouble mysqltest.Trouble) *mysqltest.Trap {
	t.Helper()
	p := mysqltest.NewProxy(t, w.dsn)
	w.dsn = p.DSN()
	return p.Arm("COMMIT", trouble)
}

// w12 is a world of a dozen shops in step, and the source edited since.
func w12(t *testing.T) (w *world, before, after rows) {
	w = newWorld(t, 12)
	w.must()
	before = w.table()
	w.edit(mixed)
	return w, before, w.truth()
}

// wantRecovered recovers, and checks that both stores then have these rows.
func (w *world) wantRecovered(t *testing.T, want rows) {
	t.Helper()
	r := w.withoutSource("")
	if d := w.verdict(); d != "" || w.readFile().intent != nil {
		t.Fatalf("after recovery: %s: %s", d, r)
	}
	if d := difference(w.table(), want); d != "" {
		t.Errorf("after recovery: %s: %s", d, r)
	}
}

// wantSynced makes one more run and checks that everything is in step.
func (w *world) wantSynced(t *testing.T, want rows, commits int) {
	t.Helper()
	r := w.must()
	if d := difference(w.table(), want); d != "" {
		t.Errorf("after a further run: %s: %s", d, r)
	}
	if d := w.settled(); d != "" {
		t.Errorf("after a further run: %s: %s", d, r)
	}
	if got := w.readFile().commits; got != commits {
		t.Errorf("got %d committed change sets, want %d", got, commits)
	}
}

// The server is killed under a run and comes back.
func TestServerKilled(t *testing.T) {
	server := mysqltest.Start(t)
	points := []fault.Point{fault.TxCommit}
	if long() {
		points = []fault.Point{fault.TargetConnect, fault.IntentDone, fault.TxFenced, fault.TxBatch, fault.TxCommit, fault.TxCommitted}
	}
	for _, at := range points {
		t.Run(string(at), func(t *testing.T) {
			w := newWorldOn(t, server.DSN(), 12)
			w.must()
			before := w.table()
			w.edit(mixed)
			after := w.truth()
			w.limits += shortDoubt
			run := w.start(string(at)+"=stop", "sync")
			run.untilHit(at)
			server.Kill()
			run.resume()
			if r := run.wait(); (r.code == 0) != (at == fault.TxCommitted) {
				t.Errorf("got %s", r)
			}
			server.Restart()
			w.limits = fewRows
			if at == fault.TxCommitted {
				before = after
			}
			w.wantRecovered(t, before)
			w.wantSynced(t, after, 2)
		})
	}
}

// resume lets a stopped process go on.
func (p *process) resume() {
	p.tb.Helper()
	time.Sleep(50 * time.Millisecond) // until it has stopped
	p.signal(sigCont)
}
