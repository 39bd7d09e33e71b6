//go:build !windows

package faulttest_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"

	"jstsync/internal/fault"
)

// long reports whether the tests are to take minutes, as `task soak` wants.
func long() bool { return os.Getenv("JSTSYNC_SOAK") == "1" }

// probe is a place to fail at and the edits under which a run comes there.
type probe struct {
	at     fault.Point
	nth    int
	before string // an earlier fault, which this run is to recover from, or one of the same run
	edits  []string
	chunks bool // only reached when staging takes several transactions
	token  bool // only reached when the token is renewed
}

// The intent and what is sent before COMMIT go on at once. One of the two is late.
const (
	lateIntent      = "stage.begin=delay=200ms"
	lateTransaction = "tx.begin=delay=200ms"
)

// What an earlier run left, for faults of recovery.
const (
	undecided = "tx.commit=kill"    // an intent whose transaction was rolled back
	decided   = "tx.committed=kill" // one that is committed
)

// probes are all points, some of them on several ways.
func probes() []probe {
	every := []string{first, insert, update, remove, mixed}
	plain := func(at fault.Point) probe { return probe{at: at, nth: 1, edits: every} }
	only := func(at fault.Point, edits ...string) probe { return probe{at: at, nth: 1, edits: edits} }
	after := func(before string, at fault.Point) probe { return probe{at: at, nth: 1, before: before, edits: every} }
	return []probe{
		plain(fault.LockAcquired),
		plain(fault.PageRead),
		{at: fault.PageRead, nth: 2, edits: every},
		only(fault.WitnessAsked, remove, mixed),
		{at: fault.TokenRenewed, nth: 1, edits: []string{insert, mixed}, token: true},
		{at: fault.TokenStore, nth: 1, edits: []string{insert, mixed}, token: true},
		{at: fault.TokenStored, nth: 1, edits: []string{insert, mixed}, token: true},
		plain(fault.TargetConnect),
		only(fault.FileCreate, first), only(fault.FileCreated, first), only(fault.TablesCreated, first),
		only(fault.ClaimInsert, first), only(fault.ClaimInserted, first),
		plain(fault.StageBegin), plain(fault.StageRows),
		{at: fault.StageRows, nth: 2, edits: every, chunks: true},
		{at: fault.StageIndex, nth: 1, edits: every, chunks: true},
		{at: fault.StageIndex, nth: 2, edits: every, chunks: true},
		plain(fault.IntentPut), plain(fault.IntentDone),
		plain(fault.TxBegin), plain(fault.TxBegun), plain(fault.TxFenced), plain(fault.TxBatch),
		{at: fault.TxBatch, nth: 2, edits: every},
		plain(fault.TxCommit), plain(fault.TxCommitted),
		plain(fault.FinaliseBegin), plain(fault.FinalisePut), plain(fault.FinaliseSweep), plain(fault.FinaliseDone),
		{at: fault.FinalisePut, nth: 1, edits: every, chunks: true},
		{at: fault.FinaliseSweep, nth: 1, edits: every, chunks: true},
		only(fault.RecordPut, quiet), only(fault.RecordDone, quiet),
		after(lateIntent, fault.TxFenced), after(lateIntent, fault.TxBatch), after(lateIntent, fault.StageRows), after(lateIntent, fault.IntentPut),
		after(lateIntent, fault.IntentDone), after(lateIntent, fault.TxCommit), after(lateIntent, fault.TxCommitted),
		after(lateTransaction, fault.IntentPut), after(lateTransaction, fault.IntentDone), after(lateTransaction, fault.TxFenced),
		// A second fault, while the first is recovered from.
		after(undecided, fault.LockAcquired), after(undecided, fault.TargetConnect),
		after(undecided, fault.ResolveLock), after(undecided, fault.ResolveBump), after(undecided, fault.ResolveBumped),
		after(undecided, fault.AbortBegin), after(undecided, fault.AbortPut), after(undecided, fault.AbortSweep),
		after(decided, fault.LockAcquired), after(decided, fault.TargetConnect), after(decided, fault.ResolveLock),
		after(decided, fault.FinaliseBegin), after(decided, fault.FinalisePut),
		after(decided, fault.FinaliseSweep), after(decided, fault.FinaliseDone),
		// The same process fails, looks what became of it, and fails at that.
		after("tx.fenced=error", fault.ResolveBumped), after("tx.committed=error", fault.FinalisePut),
	}
}

// cell is one probe, one way to fail and one edit.
type cell struct {
	probe
	action, edit string
}

// late is longer than any of [deadlines].
const late = "delay=3500ms"

// cells are those of the whole matrix. The short form has every probe once,
// in turn with each of the two ways to fail that take no time, and the points
// where a deadline runs once with the third.
func cells() (list []cell) {
	timed := []fault.Point{fault.TxBegun, fault.TxCommit, fault.ResolveLock}
	for i, p := range probes() {
		if long() {
			for _, action := range []string{"kill", "error", late} {
				for _, edit := range p.edits {
					list = append(list, cell{p, action, edit})
				}
			}
			continue
		}
		list = append(list, cell{p, []string{"kill", "error"}[i%2], p.edits[i%len(p.edits)]})
		if slices.Contains(timed, p.at) {
			list = append(list, cell{p, late, p.edits[(i+1)%len(p.edits)]})
		}
	}
	return list
}

func (c cell) String() string {
	name := fmt.Sprintf("%s@%d=%s %s", c.at, c.nth, c.action, c.edit)
	if c.before != "" {
		name = "after " + c.before + " " + name
	}
	if c.chunks {
		name += " in chunks"
	}
	return name
}

// Whatever point a run fails at, in whatever way: at once the target has all
// of it or nothing; after recovery alone both stores agree on one of the two;
// after a further run they have what the source has; and every change is in
// the audit once.
func TestMatrix(t *testing.T) {
	results := &scores{}
	t.Run("cells", func(t *testing.T) {
		for _, c := range cells() {
			t.Run(strings.ReplaceAll(c.String(), " ", "_"), func(t *testing.T) {
				t.Parallel()
				defer func() { results.add(c, !t.Failed()) }()
				c.run(t)
			})
		}
	})
	if testing.Verbose() {
		results.print(t)
	}
}

func (c cell) run(t *testing.T) {
	w := c.begin(t)
	before := w.table()
	w.edit(c.edit)
	after := w.truth()
	hit := fmt.Sprintf("%s@%d=%s", c.at, c.nth, c.action)
	if strings.HasSuffix(c.before, "=kill") {
		w.sync(c.before)
	} else if c.before != "" {
		hit = c.before + "," + hit
	}
	r := c.fail(w, hit)
	c.wantHit(t, r)
	found := w.table()
	if d, e := difference(found, before), difference(found, after); d != "" && e != "" {
		t.Fatalf("at once, the target is half-done: %s; %s\n%s", d, e, r)
	}
	if r.code == 0 && difference(found, after) != "" {
		t.Errorf("exit code 0, and the target does not have the changes")
	}

	recovered := w.withoutSource("")
	if f := w.readFile(); f.intent != nil {
		t.Fatalf("after recovery, run %d is left unfinished: %s%s", f.intent.Run, r, recovered)
	}
	if d := w.verdict(); d != "" {
		t.Fatalf("after recovery: %s\n%s%s", d, r, recovered)
	}
	if found := w.table(); difference(found, before) != "" && difference(found, after) != "" {
		t.Fatalf("after recovery, the target is neither as before nor as after: %s%s", r, recovered)
	}

	last := w.must()
	if d := difference(w.table(), after); d != "" {
		t.Errorf("after a further run: %s\n%s%s%s", d, r, recovered, last)
	}
	if d := w.settled(); d != "" {
		t.Errorf("after a further run: %s\n%s%s%s", d, r, recovered, last)
	}
	if got, want := w.readFile().commits, c.commits(); got != want {
		t.Errorf("got %d committed change sets, want %d", got, want)
	}
}

// fail makes the run that fails. No other has deadlines so short that a busy
// machine could miss them.
func (c cell) fail(w *world, hit string) result {
	if c.action == late {
		usual := w.limits
		defer func() { w.limits = usual }()
		w.limits += deadlines
	}
	return w.sync(hit)
}

// begin makes the world of a cell up to before its edit.
func (c cell) begin(t *testing.T) *world {
	w := newWorld(t, 12)
	if c.chunks || c.edit == insert || c.edit == mixed {
		w.limits += smallChunks
	}
	if c.token {
		if r := w.run("", "auth", "init"); r.code != 0 {
			t.Fatalf("auth init: %s", r)
		}
	}
	if c.edit != first {
		w.must()
	}
	if c.token {
		w.source.ExpireToken()
	}
	return w
}

// commits is how many change sets the audit has at the end.
func (c cell) commits() int {
	if c.edit == first || c.edit == quiet {
		return 1
	}
	return 2
}

// wantHit makes sure that the cell is what it says.
func (c cell) wantHit(t *testing.T, r result) {
	t.Helper()
	action, _, _ := strings.Cut(c.action, "=")
	if !strings.Contains(r.stderr, fmt.Sprintf("fault: %s@%d %s\n", c.at, c.nth, action)) {
		t.Fatalf("the run did not come to the point: %s", r)
	}
	if killed := r.code == -1; killed != (action == "kill") {
		t.Errorf("got %s", r)
	}
}

// Every point is failed at, and documented.
func TestMatrix_HasEveryPoint(t *testing.T) {
	doc, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range fault.Points() {
		if !slices.ContainsFunc(probes(), func(c probe) bool { return c.at == p }) {
			t.Errorf("no cell fails at %s", p)
		}
		if !strings.Contains(string(doc), "`"+string(p)+"`") {
			t.Errorf("docs/testing.md does not list %s", p)
		}
	}
}

// The shipped program knows no points and no variable that arms them.
func TestShipped(t *testing.T) {
	without, err := os.ReadFile(program(t, shipped))
	if err != nil {
		t.Fatal(err)
	}
	with, err := os.ReadFile(program(t, armed))
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"JSTSYNC_FAULT", "fault at %s"}
	for _, p := range fault.Points() {
		names = append(names, string(p))
	}
	for _, name := range names {
		if strings.Contains(string(without), name) {
			t.Errorf("the shipped program contains %q", name)
		}
		if !strings.Contains(string(with), name) {
			t.Errorf("the test build does not contain %q: this test proves nothing", name)
		}
	}
}

// scores is the table of results.
type scores struct {
	mu   sync.Mutex
	list []score
}

type score struct {
	cell
	ok bool
}

func (s *scores) add(c cell, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, score{c, ok})
}

// print writes a line for each probe and way to fail.
func (s *scores) print(t *testing.T) {
	lines := map[string][2]int{}
	for _, r := range s.list {
		action, _, _ := strings.Cut(r.action, "=")
		name := fmt.Sprintf("%s@%d", r.at, r.nth)
		if r.chunks {
			name += " in chunks"
		}
		key := name + "\t" + r.before + "\t" + action
		n := lines[key]
		if n[1]++; r.ok {
			n[0]++
		}
		lines[key] = n
	}
	var out strings.Builder
	table := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "point\tafter\taction\tpassed")
	for _, p := range slices.Sorted(maps.Keys(lines)) {
		fmt.Fprintf(table, "%s\t%d of %d\n", p, lines[p][0], lines[p][1])
	}
	_ = table.Flush()
	t.Log("\n" + out.String())
}
