//go:build !windows

package faulttest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"jstsync/internal/fault"
)

const sigCont = syscall.SIGCONT

func (p *process) signal(s syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.tb.Fatal(err)
	}
}

// copied returns a world of the same source and target with a copy of the
// state file as it is.
func (w *world) copied() *world {
	w.tb.Helper()
	other := w.other("copy.db")
	data, err := os.ReadFile(w.file)
	if err == nil {
		err = os.WriteFile(other.file, data, 0o600)
	}
	if err != nil {
		w.tb.Fatal(err)
	}
	return other
}

// other returns a world of the same source and target with another state file.
func (w *world) other(name string) *world {
	other := *w
	other.file = filepath.Join(w.dir, name)
	return &other
}

func wantRefused(t *testing.T, r result, text string) {
	t.Helper()
	if r.code != 5 || !strings.Contains(r.stderr, text) {
		t.Errorf("got %s\nwant exit code 5 and %q", r, text)
	}
}

// Two runners on one state file: the second waits, and then says who has it.
func TestRival_SameFile(t *testing.T) {
	t.Parallel()
	w, _, after := w12(t)
	run := w.start(string(fault.LockAcquired)+"=stop", "sync")
	run.untilHit(fault.LockAcquired)
	wantRefused(t, w.sync(""), fmt.Sprintf("is in use by another run (pid %d on ", run.cmd.Process.Pid))
	run.resume()
	if r := run.wait(); r.code != 0 {
		t.Errorf("the holder: %s", r)
	}
	w.wantSynced(t, after, 2)
}

// Two state files on one target: the target is the first one's.
func TestRival_OtherFile(t *testing.T) {
	t.Run("later", func(t *testing.T) {
		t.Parallel()
		w, _, after := w12(t)
		wantRefused(t, w.other("other.db").sync(""), "another state file owns the rows of pipeline shops")
		w.wantSynced(t, after, 2)
	})
	for _, at := range []fault.Point{fault.FileCreated, fault.TablesCreated, fault.ClaimInsert} { // both are first, up to here
		t.Run("beside it at "+string(at), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 12)
			late := w.other("other.db")
			run := late.start(string(at)+"=stop", "sync")
			run.untilHit(at)
			w.must()
			run.resume()
			wantRefused(t, run.wait(), "another state file owns the rows of pipeline shops")
			w.wantSynced(t, w.truth(), 1)
		})
	}
}

// A copy of the state file, used after the original went on, or the original
// after its copy did.
func TestRival_Copy(t *testing.T) {
	t.Parallel()
	w, _, _ := w12(t)
	old := w.copied()
	w.must()
	w.edit(insert)
	after := w.truth()
	wantRefused(t, old.sync(""), "a copy of this state file has written, or this is an old copy")
	w.wantSynced(t, after, 3)
}

// A process that was stopped, and decided on by another one with a copy of its
// state file, goes on: it can no longer commit, wherever it stood before its
// transaction held the checkpoint row.
func TestRival_Zombie(t *testing.T) {
	for _, at := range []fault.Point{fault.IntentDone, fault.TxBegun} {
		t.Run(string(at), func(t *testing.T) {
			t.Parallel()
			w, before, after := w12(t)
			run := w.start("tx.begin=delay=1s,"+string(at)+"=stop", "sync")
			run.untilHit(at)
			heir := w.copied()
			heir.wantRecovered(t, before)
			run.resume()
			if r := run.wait(); r.code == 0 {
				t.Errorf("the zombie committed: %s", r)
			}
			if d := difference(w.table(), before); d != "" {
				t.Errorf("the zombie wrote: %s", d)
			}
			if d := heir.verdict(); d != "" {
				t.Errorf("the heir: %s", d)
			}
			heir.wantSynced(t, after, 2)
			w.edit(insert)
			wantRefused(t, w.sync(""), "a copy of this state file has written")
		})
	}
}

// promptly is how long a run may take to end after a signal.
const promptly = 5 * time.Second

// A run that is told to stop, wherever it stands, ends promptly with the
// signal's code, or at its end where COMMIT is under way or done; nothing is
// half-done, and the next run is clean.
func TestSignal_AtPoints(t *testing.T) {
	stops := []fault.Point{
		fault.LockAcquired, fault.PageRead, fault.WitnessAsked, fault.TargetConnect, fault.StageRows, fault.IntentDone,
		fault.TxBegun, fault.TxFenced, fault.TxBatch,
	}
	ends := []fault.Point{fault.TxCommit, fault.TxCommitted, fault.FinaliseBegin, fault.FinaliseDone}
	for i, at := range append(stops, ends...) {
		signal, code := syscall.SIGINT, 130
		if i%2 == 1 {
			signal, code = syscall.SIGTERM, 143
		}
		if i >= len(stops) {
			code = 0
		}
		t.Run(fmt.Sprintf("%s at %s", signal, at), func(t *testing.T) {
			t.Parallel()
			w, before, after := w12(t)
			run := w.start(string(at)+"=stop", "sync")
			run.untilHit(at)
			time.Sleep(50 * time.Millisecond) // until it has stopped
			run.signal(signal)
			since := time.Now()
			run.signal(sigCont)
			r := run.wait()
			if took := time.Since(since); took > promptly {
				t.Errorf("took %s to end", took)
			}
			if r.code != code {
				t.Errorf("got %s, want exit code %d", r, code)
			}
			if code == 0 {
				before = after
			}
			if d := difference(w.table(), before); d != "" {
				t.Errorf("after the signal: %s", d)
			}
			w.wantRecovered(t, before)
			w.wantSynced(t, after, 2)
		})
	}
}
