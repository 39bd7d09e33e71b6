//go:build !windows

package faulttest_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/fault"
	"jstsync/internal/mapping"
	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
	"jstsync/load"
)

// settings let every edit through the guard, and pages and retries be small.
const settings = `source:
  page_size: 5
  rate: {per_second: 10000, per_minute: 1000000}
  retry: {max_attempts: 2, max_elapsed: 2s}
lock_timeout: 1s
pipelines:
  shops:
    guard: {max_delete_percent: 100, max_update_percent: 100, allow_empty: true}
    changes_table: jst_changes
`

// What a world's limits may be, which bring those of the product into the reach
// of a dozen rows and of a second or two.
const (
	fewRows     = "batch=3"                                // in a statement
	shortCommit = ",commit=700000000"                      // for the wait for its answer
	shortDoubt  = ",doubt=6000000000"                      // until a run in doubt is left alone
	deadlines   = ",wait=2,doubt=2500000000" + shortCommit // the server ends an idle session
)

// smallChunks makes staging take several transactions.
const smallChunks = ",chunk=4"

// world is a source, a target and a state file.
type world struct {
	tb     testing.TB
	source *sandbox.Server
	url    string
	dsn    string
	dir    string
	file   string // the state file
	limits string
	mapper *mapping.Mapper
	next   int64 // the number of the next new shop
}

// newWorld is one on the shared server.
func newWorld(tb testing.TB, shops int) *world {
	tb.Helper()
	return newWorldOn(tb, mysqltest.DSN(tb), shops)
}

func newWorldOn(tb testing.TB, dsn string, shops int) *world {
	tb.Helper()
	w := &world{
		tb: tb, dsn: dsn, dir: tb.TempDir(), limits: fewRows, next: 90_000_000,
		source: sandbox.New(sandbox.Options{Seed: 7, Shops: shops, PerSecond: -1, PerMinute: -1}),
	}
	w.file = filepath.Join(w.dir, "state.db")
	url, shut, err := sandbox.Listen("127.0.0.1:0", w.source)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = shut() })
	w.url = url
	columns, key := mapping.Shops()
	if w.mapper, err = mapping.New("jst_shops", columns, key); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "jstsync.yaml"), []byte(settings), 0o600); err != nil {
		tb.Fatal(err)
	}
	return w
}

// result is how a process ended.
type result struct {
	code   int // -1 when it was killed
	stdout string
	stderr string
}

func (r result) String() string { return fmt.Sprintf("exit %d: %s%s", r.code, r.stdout, r.stderr) }

// run runs the program to its end; faults is what JSTSYNC_FAULT says.
func (w *world) run(faults string, args ...string) result {
	w.tb.Helper()
	p := w.start(faults, args...)
	return p.wait()
}

func (w *world) sync(faults string) result { w.tb.Helper(); return w.run(faults, "sync") }

// process is a program that runs.
type process struct {
	tb  testing.TB
	cmd *exec.Cmd
	out bytes.Buffer
	err output
}

func (w *world) start(faults string, args ...string) *process {
	w.tb.Helper()
	p := &process{tb: w.tb, cmd: exec.Command(program(w.tb, armed), args...)}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = w.dir, &p.out, &p.err
	p.cmd.Env = append(
		os.Environ(), "JST_BASE_URL="+w.url, "JST_APP_KEY=sandbox-key", "JST_APP_SECRET=sandbox-secret",
		"JST_ACCESS_TOKEN=sandbox-token", "JSTSYNC_STATE="+w.file, "MYSQL_DSN="+w.dsn,
		"JSTSYNC_FAULT="+faults, "JSTSYNC_FAULT_LIMITS="+w.limits,
	)
	if err := p.cmd.Start(); err != nil {
		w.tb.Fatal(err)
	}
	return p
}

func (p *process) wait() result {
	p.tb.Helper()
	guard := time.AfterFunc(2*time.Minute, func() { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }) // shows where it hangs
	defer guard.Stop()
	err := p.cmd.Wait()
	r := result{stdout: p.out.String(), stderr: p.err.String()}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = exit.ExitCode()
	} else if err != nil {
		p.tb.Fatal(err)
	}
	if strings.Contains(r.stderr, "panic:") || strings.Contains(r.stderr, "SIGQUIT:") {
		p.tb.Errorf("the program panicked or hung: %s", r)
	}
	return r
}

// must runs a sync that has to end with exit code 0.
func (w *world) must() result {
	w.tb.Helper()
	r := w.sync("")
	if r.code != 0 {
		w.tb.Fatalf("undisturbed run: %s", r)
	}
	return r
}

// withoutSource runs a sync that cannot read the source: it recovers an
// unfinished run, if there is one, and does nothing more.
func (w *world) withoutSource(faults string) result {
	w.tb.Helper()
	if err := w.source.Inject(sandbox.Fault{Kind: sandbox.KindStatus, Status: 404, Times: -1}); err != nil {
		w.tb.Fatal(err)
	}
	defer w.source.ClearFaults()
	return w.sync(faults)
}

// The edits of the source that the tests make.
const (
	first  = "first load"
	insert = "insert"
	update = "update"
	remove = "delete"
	mixed  = "mixed"
	quiet  = "no change"
)

// edit changes the source.
func (w *world) edit(kind string) {
	switch kind {
	case insert:
		w.add(8)
	case update:
		w.rename(0, 8)
	case remove:
		w.drop(1, 6)
	case mixed:
		w.drop(1, 5)
		w.rename(3, 7)
		w.add(5)
	}
}

func (w *world) add(n int) {
	for range n {
		w.next++
		w.source.Put(w.next, map[string]any{"shop_name": fmt.Sprint("new ", w.next)})
	}
}

func (w *world) rename(from, to int) {
	for _, s := range w.source.Shops()[from:to] {
		w.next++
		w.source.Put(s.ID, map[string]any{"shop_name": fmt.Sprint("renamed ", w.next)})
	}
}

func (w *world) drop(from, to int) {
	for _, s := range w.source.Shops()[from:to] {
		w.source.Remove(s.ID)
	}
}

// rows are the rows of a table, a snapshot or a source.
type rows map[diff.Key]diff.Row

// truth returns the rows that the source's records stand for.
func (w *world) truth() rows {
	w.tb.Helper()
	all := rows{}
	for _, shop := range w.source.Shops() {
		r := &diff.Record{}
		for name, raw := range shop.Members {
			r.Members = append(r.Members, diff.Member{Name: name, Raw: raw})
		}
		key, err := w.mapper.Key(r)
		if err != nil {
			w.tb.Fatal(err)
		}
		if all[key], err = w.mapper.Row(r); err != nil {
			w.tb.Fatal(err)
		}
	}
	return all
}

// table returns the rows of the target; none when there is no table.
func (w *world) table() rows {
	w.tb.Helper()
	t, err := load.Open(w.dsn, "shops", w.mapper.Table(), slog.New(slog.DiscardHandler))
	if err != nil {
		w.tb.Fatal(err)
	}
	s, err := t.Connect(w.tb.Context())
	if err != nil {
		w.tb.Fatal(err)
	}
	defer s.Close()
	all := rows{}
	_, err = s.ReadTable(w.tb.Context(), func(k diff.Key, r diff.Row) error {
		all[k] = r
		return nil
	})
	if diff.CodeOf(err) == diff.CodeTargetSchema && strings.Contains(err.Error(), "does not exist") {
		return all
	}
	if err != nil {
		w.tb.Fatal(err)
	}
	return all
}

// logged returns what the changes table holds: run, key and op of each change.
func (w *world) logged() (changes []string) {
	w.tb.Helper()
	db := mysqltest.DB(w.tb, w.dsn)
	defer db.Close()
	var n int
	if err := db.QueryRowContext(w.tb.Context(), "SELECT COUNT(*) FROM information_schema.TABLES"+
		" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'jst_changes'").Scan(&n); err != nil {
		w.tb.Fatal(err)
	}
	if n == 0 {
		return nil
	}
	list, err := db.QueryContext(w.tb.Context(), "SELECT CONCAT(seq, ' ', record_key, ' ', op) FROM jst_changes WHERE pipeline = 'shops' AND JSON_VALID(fields)")
	if err != nil {
		w.tb.Fatal(err)
	}
	defer list.Close()
	for list.Next() {
		var c string
		if err := list.Scan(&c); err != nil {
			w.tb.Fatal(err)
		}
		changes = append(changes, c)
	}
	if err := list.Err(); err != nil {
		w.tb.Fatal(err)
	}
	slices.Sort(changes)
	return changes
}

// difference says how two sets of rows differ, or "".
func difference(got, want rows) string {
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if g, ok := got[k]; !ok {
			return fmt.Sprintf("row %s is missing", k)
		} else if !slices.Equal(g, want[k]) {
			return fmt.Sprintf("row %s is %v, want %v", k, g, want[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[k]; !ok {
			return fmt.Sprintf("row %s should not be there", k)
		}
	}
	return ""
}

// output collects what a process writes while others look at it.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// until waits for something that the process brings about.
func (p *process) until(what string, done func() bool) {
	p.tb.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = p.cmd.Process.Kill()
			p.tb.Fatalf("%s: has not come to pass: %s", what, p.wait())
		}
	}
}

// untilHit waits until the process has come to a fault.
func (p *process) untilHit(at fault.Point) {
	p.tb.Helper()
	p.until(string(at), func() bool { return strings.Contains(p.err.String(), "fault: "+string(at)) })
}
