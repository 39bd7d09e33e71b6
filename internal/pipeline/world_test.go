package pipeline_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/mapping"
	"jstsync/internal/pipeline"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// world is a source, a state file and a target, and what runs between them.
type world struct {
	source *sandbox.Server
	url    *url.URL
	path   string // of the state file
	mapper *mapping.Mapper
	target pipeline.Target
	table  func() map[diff.Key]diff.Row
	guard  diff.Guard
	keep   bool // rows whose records are gone
	page   int  // page size
	ahead  int  // pages fetched at once
	trace  func(*extract.Options)
}

var open = diff.Guard{MaxDeletes: 1 << 30, MaxUpdates: 1 << 30, AllowEmpty: true}

// newWorld returns a world whose target is held in memory.
func newWorld(tb interface {
	Helper()
	Cleanup(func())
	Fatal(...any)
}, dir string, options sandbox.Options,
) *world {
	tb.Helper()
	if options.PerSecond == 0 {
		options.PerSecond, options.PerMinute = -1, -1
	}
	source := sandbox.New(options)
	server := httptest.NewServer(source)
	tb.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		tb.Fatal(err)
	}
	columns, key := mapping.Shops()
	mapper, err := mapping.New("jst_shops", columns, key)
	if err != nil {
		tb.Fatal(err)
	}
	table := &memoryTable{rows: map[diff.Key]diff.Row{}}
	return &world{
		source: source, url: base, path: filepath.Join(dir, "state.db"), mapper: mapper,
		target: table, table: table.copy, guard: open, page: 100, ahead: 1,
	}
}

func newID() (id diff.ID) {
	_, _ = rand.Read(id[:])
	return id
}

func (w *world) runner() (*pipeline.Runner, error) {
	o := extract.Options{
		BaseURL: w.url, AppKey: "sandbox-key", AppSecret: "sandbox-secret", Token: extract.StaticToken("sandbox-token"),
		PageSize: w.page, Ahead: w.ahead, ID: w.mapper.ID,
		Pacer: extract.NewPacer(extract.PacerOptions{PerSecond: 1_000_000, PerMinute: 1_000_000}),
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
	if w.trace != nil {
		w.trace(&o)
	}
	shops, err := extract.NewShops(o)
	if err != nil {
		return nil, err
	}
	return &pipeline.Runner{
		Planner: pipeline.Planner{
			Pipeline: "shops", Source: shops, Guard: w.guard, Log: slog.New(slog.DiscardHandler),
			Mapping: pipeline.Mapping{Mapper: w.mapper, Table: w.mapper.Table(), Fingerprint: w.mapper.Fingerprint()},
			State:   state.NewReader(w.path, "shops"), Keep: w.keep,
		},
		Journal: state.NewJournal(w.path, "shops", newID, time.Now),
		Target:  w.target, Trigger: "sync", Now: time.Now, NewID: newID,
	}, nil
}

// sync makes one run.
func (w *world) sync() (*diff.Plan, error) {
	r, err := w.runner()
	if err != nil {
		return nil, err
	}
	defer r.Source.(*extract.Shops).Close()
	return r.Sync(context.Background())
}

// truth returns the rows that the source's records stand for.
func (w *world) truth() map[diff.Key]diff.Row {
	rows := map[diff.Key]diff.Row{}
	for _, shop := range w.source.Shops() {
		r := &diff.Record{}
		for name, raw := range shop.Members {
			r.Members = append(r.Members, diff.Member{Name: name, Raw: raw})
		}
		key, err := w.mapper.Key(r)
		if err != nil {
			continue
		}
		if row, err := w.mapper.Row(r); err == nil {
			rows[key] = row
		}
	}
	return rows
}

// snapshot returns the rows that the state file holds, but for the adopted ones.
func (w *world) snapshot() (map[diff.Key]diff.Row, error) {
	reader := state.NewReader(w.path, "shops")
	keys, _, err := reader.Missing(diff.NewIndex(0))
	if err != nil {
		return nil, err
	}
	return reader.Images(keys, w.mapper.Table().Names())
}

// stored returns all rows that the state file holds.
func (w *world) stored() (map[diff.Key]diff.Row, error) {
	rows := map[diff.Key]diff.Row{}
	err := state.NewReader(w.path, "shops").Stored(w.mapper.Table().Names(), func(key diff.Key, row diff.Row, _ bool) error {
		rows[key] = row
		return nil
	})
	return rows, err
}

// sameRows says how two tables differ, or "".
func sameRows(got, want map[diff.Key]diff.Row) string {
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

// memoryTable is a target that cannot fail, for what happens before it.
type memoryTable struct {
	rows    map[diff.Key]diff.Row
	head    diff.Head
	claimed bool
	opened  int
}

func (m *memoryTable) copy() map[diff.Key]diff.Row { return maps.Clone(m.rows) }

func (m *memoryTable) Connect(context.Context) (pipeline.Session, error) {
	m.opened++
	return m, nil
}

func (m *memoryTable) Begin(_ context.Context, head diff.Head) (diff.Checkpoint, error) {
	if !m.claimed {
		m.claimed, m.head = true, head
	}
	if !m.head.Same(head) {
		return diff.Checkpoint{}, &diff.Error{Code: diff.CodeDiverged, Message: "not the head"}
	}
	return diff.Checkpoint{Head: head, Epoch: 1, Target: "jst_shops"}, nil
}

func (m *memoryTable) CheckKeys(context.Context, *diff.ChangeSet) error { return nil }

func (m *memoryTable) Commit(_ context.Context, in *diff.Intent, changes *diff.ChangeSet, durable func() error) error {
	if err := durable(); err != nil {
		return err
	}
	for c, err := range changes.All() {
		if err != nil {
			return err
		}
		before, ok := m.rows[c.Key]
		if ok != (c.Op != diff.Insert) || ok && !slices.Equal(before, c.Before) {
			return fmt.Errorf("%s %s does not meet the row it was made for", c.Op, c.Key)
		}
		if m.rows[c.Key] = c.After; c.Op == diff.Delete {
			delete(m.rows, c.Key)
		}
	}
	m.head = in.To()
	return nil
}

func (m *memoryTable) Resolve(_ context.Context, in *diff.Intent) (bool, error) {
	return m.head.Same(in.To()), nil
}

func (m *memoryTable) Close() error { return nil }

// deletes lists the keys a plan deletes.
func deletes(tb testing.TB, plan *diff.Plan) []diff.Key {
	tb.Helper()
	return collect(tb, plan.Changes.Only(diff.Delete))
}

func collect(tb testing.TB, changes iter.Seq2[diff.Change, error]) []diff.Key {
	tb.Helper()
	var keys []diff.Key
	for c, err := range changes {
		if err != nil {
			tb.Fatal(err)
		}
		keys = append(keys, c.Key)
	}
	return keys
}
