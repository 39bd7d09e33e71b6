package consoletest

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/console"
	"jstsync/internal/lang"
	"jstsync/internal/mapping"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// World is a console's surroundings. Its fields may be changed before each
// request.
type World struct {
	Path     string
	Now      time.Time
	Settings console.Settings
	changing sync.Mutex // guards Settings once pages are made
	Jobs     []console.Job
	Steered  []string // what was asked of the scheduler
	Refused  []string
	Plan     func(pipeline string) (*diff.Plan, error) // of a dry run
	Aside    []diff.SetAside

	mu     sync.Mutex
	tb     testing.TB
	random *rand.Rand
	mapper *mapping.Mapper
	rows   map[string]map[diff.Key]diff.Row // by pipeline
	number uint64
	turns  sync.RWMutex
}

// Hostile is the name of a shop that would do harm if it were not text.
const Hostile = `<script>alert(1)</script>"'><img src=https://evil.example/x onerror=alert(1)>`

// Shop is the record whose name is [Hostile].
const Shop = "99999001"

// New returns a world in which nothing ran yet.
func New(tb testing.TB) *World {
	tb.Helper()
	columns, key := mapping.Shops()
	mapper, err := mapping.New("jst_shops", columns, key)
	if err != nil {
		tb.Fatal(err)
	}
	w := &World{
		Path: filepath.Join(tb.TempDir(), "jstsync.db"), Now: time.Date(2026, 11, 22, 8, 3, 20, 0, time.UTC),
		tb: tb, random: rand.New(rand.NewPCG(1, 2)), mapper: mapper, rows: map[string]map[diff.Key]diff.Row{},
	}
	w.Settings = console.Settings{Language: lang.English, Zone: time.FixedZone("Asia/Shanghai", 8*60*60), Warning: 7 * 24 * time.Hour}
	w.Add("shops")
	return w
}

// Add adds a pipeline that has not run yet.
func (w *World) Add(name string) {
	w.Settings.Pipelines = append(w.Settings.Pipelines, console.Pipeline{
		Name: name, Quota: 144_000, Table: w.mapper.Table(), Expires: "session_expires_at",
	})
	w.Jobs = append(w.Jobs, console.Job{Name: name, Due: w.Now.Add(100 * time.Second)})
	w.rows[name] = map[diff.Key]diff.Row{}
}

// Options returns what a console is made of.
func (w *World) Options(ctx context.Context) console.Options {
	return console.Options{
		Settings: w.settings, Runs: records{w}, Scheduler: steering{w}, Writing: writing{},
		Audit:  func(p string) console.Audit { return audit{state.NewReader(w.Path, p), w} },
		DryRun: func(_ context.Context, p string) (*diff.Plan, error) { return w.Plan(p) },
		Key:    func(_, text string) (diff.Key, error) { return diff.ParseKey(text, diff.Int) }, When: w.when, Ends: mapping.ParseDate,
		RateUsed: func() float64 { return 0.12 }, Reading: w.turns.RLocker(), Context: ctx,
		Now: func() time.Time { return w.Now }, Log: slog.New(slog.DiscardHandler), Refused: w.refused,
	}
}

func (w *World) when(text string, _ bool) (run uint64, at time.Time, err error) {
	if _, err = fmt.Sscanf(text, "%d", &run); err == nil && fmt.Sprint(run) == text {
		return run, at, nil
	}
	at, err = time.ParseInLocation(time.DateOnly, text, w.Settings.Zone)
	return 0, at, err
}

func (w *World) refused(why string, _ ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.Refused = append(w.Refused, why)
}

// Change is a record before and after a run; nil stands for none.
type Change struct{ Before, After diff.Row }

// Load fills a pipeline's table with shops, in a run at the given time.
func (w *World) Load(pipeline string, n int, at time.Time) {
	w.tb.Helper()
	var changes []Change
	for i, shop := range sandbox.New(sandbox.Options{Seed: 7, Shops: n}).Shops() {
		record := &diff.Record{}
		for name, raw := range shop.Members {
			record.Members = append(record.Members, diff.Member{Name: name, Raw: raw})
		}
		row, err := w.mapper.Row(record)
		if err != nil {
			continue // one of those that are hard to store
		}
		if i%400 == 7 { // ends soon, or has ended
			row[w.column("session_expires_at")] = diff.TextValue(w.Now.Add(time.Duration(i%1000-300)*time.Hour + 8*time.Hour).Format("2006-01-02 15:04:05.000"))
		}
		changes = append(changes, Change{After: row})
	}
	changes = append(changes, Change{After: w.Row(99999001, Hostile)})
	w.Commit(pipeline, at, changes...)
}

// Row returns a shop.
func (w *World) Row(id int64, name string) diff.Row {
	row := make(diff.Row, len(w.mapper.Table().Columns))
	row[0], row[1] = diff.IntValue(id), diff.TextValue(name)
	row[w.column("shop_site")] = diff.TextValue("淘宝天猫")
	return row
}

func (w *World) column(name string) int { return slices.Index(w.mapper.Table().Names(), name) }

// Rename gives n of the pipeline's shops other names, by a run at the given time.
func (w *World) Rename(pipeline string, n int, at time.Time, names ...string) {
	w.tb.Helper()
	keys := w.keys(pipeline)
	var changes []Change
	for i := range n {
		before := w.rows[pipeline][keys[w.random.IntN(len(keys)/n)+i*(len(keys)/n)]]
		after := slices.Clone(before)
		after[1] = diff.TextValue(names[i%len(names)] + fmt.Sprintf(" %d 店", w.random.IntN(90)+10))
		if w.random.IntN(3) == 0 {
			after[w.column("group_name")] = diff.TextValue("华东一组")
		}
		changes = append(changes, Change{before, after})
	}
	w.Commit(pipeline, at, changes...)
}

// Remove takes n shops away, by a run at the given time.
func (w *World) Remove(pipeline string, n int, at time.Time) {
	w.tb.Helper()
	var changes []Change
	for _, k := range w.keys(pipeline)[5 : 5+n] {
		changes = append(changes, Change{Before: w.rows[pipeline][k]})
	}
	w.Commit(pipeline, at, changes...)
}

func (w *World) keys(pipeline string) []diff.Key {
	keys := make([]diff.Key, 0, len(w.rows[pipeline]))
	for k := range w.rows[pipeline] {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Rows returns how many rows the pipeline's table has.
func (w *World) Rows(pipeline string) int { return len(w.rows[pipeline]) }

// settings are those that a page is made by.
func (w *World) settings() console.Settings {
	w.changing.Lock()
	defer w.changing.Unlock()
	return w.Settings
}

// Change changes the settings, also while pages are made.
func (w *World) Change(change func(*console.Settings)) {
	w.changing.Lock()
	defer w.changing.Unlock()
	change(&w.Settings)
}
