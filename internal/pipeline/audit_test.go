package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/pipeline"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// flaky is a target that fails now and then, before it commits or after it.
type flaky struct {
	*memoryTable
	chance func(n int) bool // one in n
	runs   []uint64         // that committed
	tables []map[diff.Key]diff.Row
}

var errFlaky = errors.New("the connection broke")

func (f *flaky) Connect(ctx context.Context) (pipeline.Session, error) {
	if f.chance(12) {
		return nil, errFlaky
	}
	_, err := f.memoryTable.Connect(ctx)
	return f, err
}

func (f *flaky) Commit(ctx context.Context, in *diff.Intent, changes *diff.ChangeSet, durable func() error) error {
	if f.chance(8) {
		return errFlaky
	}
	if err := f.memoryTable.Commit(ctx, in, changes, durable); err != nil {
		return err
	}
	f.runs, f.tables = append(f.runs, in.Run), append(f.tables, f.copy())
	if f.chance(8) {
		return errFlaky
	}
	return nil
}

// Resolve cannot always be had, and then the next start decides.
func (f *flaky) Resolve(ctx context.Context, in *diff.Intent) (bool, error) {
	if f.chance(4) {
		return false, &diff.Error{Code: diff.CodeInDoubt, Message: "in doubt", Err: errFlaky}
	}
	return f.memoryTable.Resolve(ctx, in)
}

// chronicle is what the audit should say: the table after each commit.
type chronicle struct {
	*world
	*flaky
	forgotten uint64          // the last commit that the audit was trimmed of
	rebuilt   map[uint64]bool // runs that made the snapshot anew
	repairs   int
}

func (c *chronicle) reader() *state.Reader { return state.NewReader(c.path, "shops") }

// after returns the table after the run.
func (c *chronicle) after(run uint64) map[diff.Key]diff.Row {
	table := map[diff.Key]diff.Row{}
	for i, r := range c.runs {
		if r <= run {
			table = c.tables[i]
		}
	}
	return table
}

// tell makes a random history of the source, synced at times.
func tell(fatal func(...any), w *world, runs int, trims bool, draw func(n int) int) *chronicle {
	c := &chronicle{world: w, flaky: &flaky{memoryTable: w.target.(*memoryTable), chance: func(n int) bool { return draw(n) == 0 }}, rebuilt: map[uint64]bool{}}
	w.target = c.flaky
	for n := range runs {
		for range draw(4) {
			id := int64(1 + draw(12))
			switch draw(4) {
			case 0:
				w.source.Remove(id)
			case 1:
				w.source.Put(id, map[string]any{"shop_name": fmt.Sprint("name ", draw(3)), "nick": nil})
			default:
				w.source.Put(id, map[string]any{"shop_name": fmt.Sprint("name ", draw(3)), "nick": fmt.Sprint(n)})
			}
		}
		plan, err := w.sync()
		if err != nil && !errors.Is(err, errFlaky) {
			fatal(plan.Status, err)
		}
		if trims && draw(4) == 0 {
			c.trim(fatal, 5+draw(30))
		}
		if n > 5 && draw(8) == 0 {
			c.drift(fatal, draw)
		}
	}
	c.chance = func(int) bool { return false }
	if _, err := w.sync(); err != nil { // what was in doubt is no longer
		fatal(err)
	}
	return c
}

// drift edits the target behind the program's back, and then has it repaired or
// what it holds taken over.
func (c *chronicle) drift(fatal func(...any), draw func(n int) int) {
	chance := c.chance
	defer func() { c.chance = chance }()
	c.chance = func(int) bool { return false }
	if _, err := c.sync(); err != nil { // nothing is in doubt
		fatal(err)
	}
	c.repairs++
	repairs := c.repairs%2 == 1
	shown, err := c.snapshot() // a repair leaves adopted rows alone
	if err != nil {
		fatal(err)
	}
	for _, key := range slices.Sorted(maps.Keys(c.rows)) {
		if _, ok := shown[key]; repairs && !ok {
			continue
		}
		switch row := slices.Clone(c.rows[key]); draw(4) {
		case 0:
			delete(c.rows, key)
		case 1:
			row[1] = diff.TextValue("by hand")
			c.rows[key] = row
			other := slices.Clone(row)
			other[0] = diff.IntValue(row[0].Int() + 100)
			key, err := c.mapper.Table().KeyOf(other)
			if err != nil {
				fatal(err)
			}
			if _, there := c.rows[key]; !there {
				c.rows[key] = other
			}
		default:
		}
	}
	r, err := c.runner()
	if err != nil {
		fatal(err)
	}
	defer r.Source.(*extract.Shops).Close()
	if !repairs {
		plan, err := r.Rebuild(context.Background(), func(context.Context) (pipeline.Takeover, error) { return &inspected{memoryTable: c.memoryTable}, nil })
		if err != nil {
			fatal("rebuild", err)
		}
		run := plan.Run
		c.rebuilt[run] = true
		c.runs, c.tables = append(c.runs, run), append(c.tables, c.copy())
		return
	}
	w := *c.world
	w.target = c.memoryTable
	v, _ := verifier(&w, r)
	if d, err := v.Repair(context.Background(), true); err != nil {
		fatal("repair", d.Status, err)
	}
	if len(c.tables) > 0 {
		if d := sameRows(c.rows, c.tables[len(c.tables)-1]); d != "" {
			fatal("repair", d)
		}
	}
}

// trim forgets all but the newest runs.
func (c *chronicle) trim(fatal func(...any), runs int) {
	if err := state.Trim(c.path, time.Now(), 0, runs); err != nil {
		fatal("trim", err)
	}
	info, err := state.Survey(c.path)
	if err != nil {
		fatal(err)
	}
	for _, p := range info.Pipelines {
		c.forgotten = p.Trimmed
	}
}

// check compares everything that the audit can be asked with the chronicle.
func (c *chronicle) check(fatal func(...any), compared int, draw func(n int) int) {
	last := uint64(0)
	if len(c.runs) > 0 {
		last = c.runs[len(c.runs)-1] + 2
	}
	for run := range last {
		got, err := c.snapshotAt(run)
		if (err != nil) != (run < c.forgotten) {
			fatal("snapshot at", run, "trimmed up to", c.forgotten, err)
		}
		if err != nil {
			continue
		}
		if d := sameRows(got, c.after(run)); d != "" {
			fatal("snapshot at", run, d)
		}
	}
	for range compared {
		c.compare(fatal, uint64(draw(int(last)+1)), uint64(draw(int(last)+1)))
	}
	c.checkChanges(fatal)
}

func (c *chronicle) snapshotAt(run uint64) (map[diff.Key]diff.Row, error) {
	rows := map[diff.Key]diff.Row{}
	err := c.reader().SnapshotAt(run, func(_ []string, row diff.Row) error {
		key, err := c.mapper.Table().KeyOf(row)
		rows[key] = row
		return err
	})
	return rows, err
}

func (c *chronicle) compare(fatal func(...any), from, to uint64) {
	then, now := c.after(from), c.after(to)
	got := map[diff.Key]diff.Change{}
	err := c.reader().Compare(from, to, func(_ []string, change diff.Change) error {
		if _, twice := got[change.Key]; twice {
			return fmt.Errorf("key %s came twice", change.Key)
		}
		got[change.Key] = change
		return nil
	})
	if (err != nil) != (min(from, to) < c.forgotten) {
		fatal("compare", from, to, "trimmed up to", c.forgotten, err)
	}
	if err != nil {
		return
	}
	all := maps.Clone(then)
	maps.Copy(all, now)
	for key := range all {
		want, differs := diff.Compare(key, then[key], now[key])
		g, found := got[key]
		if differs != found || found && (g.Op != want.Op || !slices.Equal(g.Before, want.Before) || !slices.Equal(g.After, want.After)) {
			fatal("compare", from, to, "key", key, "got", g, "want", want, differs)
		}
		delete(got, key)
	}
	if len(got) > 0 {
		fatal("compare", from, to, "also got", got)
	}
}

// checkChanges makes sure that each change is on record once, and in the
// history of its key.
func (c *chronicle) checkChanges(fatal func(...any)) {
	type version struct {
		text    string
		rebuilt bool
	}
	want, oldest := map[diff.Key][]version{}, map[diff.Key]string{}
	for i, run := range c.runs {
		before := map[diff.Key]diff.Row{}
		if i > 0 {
			before = c.tables[i-1]
		}
		if c.rebuilt[run] {
			if run <= c.forgotten {
				for key := range oldest {
					oldest[key] = ""
				}
			}
			before = nil // each row it found is a version
		}
		all := maps.Clone(c.tables[i])
		maps.Copy(all, before)
		for key := range all {
			change, ok := diff.Compare(key, before[key], c.tables[i][key])
			switch {
			case !ok:
			case run > c.forgotten:
				want[key] = append(want[key], version{describe(run, &change), c.rebuilt[run]})
			case change.Op == diff.Delete:
				oldest[key] = ""
			default:
				oldest[key] = describe(run, &diff.Change{Op: diff.Insert, After: change.After})
			}
		}
	}
	got := map[diff.Key][]string{}
	err := c.reader().Changes(state.Query{}, func(v diff.Version) error {
		got[v.Change.Key] = append(got[v.Change.Key], describe(v.Commit.Run, &v.Change))
		return nil
	})
	if err != nil {
		fatal(err)
	}
	for key := range oldest {
		want[key] = append([]version{}, want[key]...)
	}
	for key, wanted := range want {
		var list, changes []string
		for _, v := range wanted {
			if list = append(list, v.text); !v.rebuilt {
				changes = append(changes, v.text)
			}
		}
		slices.Reverse(got[key])
		if !slices.Equal(got[key], changes) {
			fatal("changes of", key, "got", got[key], "want", changes)
		}
		versions, err := c.reader().History(key)
		if err != nil {
			fatal(err)
		}
		var history []string
		for _, v := range versions {
			if v.Commit.Trimmed != (v.Commit.Run <= c.forgotten) {
				fatal("history of", key, "run", v.Commit.Run, "trimmed", v.Commit.Trimmed)
			}
			history = append(history, describe(v.Commit.Run, &v.Change))
		}
		if oldest[key] != "" {
			list = append([]string{oldest[key]}, list...)
		}
		if !slices.Equal(history, list) {
			fatal("history of", key, "got", history, "want", list)
		}
		delete(got, key)
	}
	if len(got) > 0 {
		fatal("changes of keys that never changed:", got)
	}
}

func describe(run uint64, c *diff.Change) string {
	return fmt.Sprintf("%d %s %v %v", run, c.Op, c.Before, c.After)
}

// Whatever the source does and however often runs fail: what the audit says of
// any moment is what stood in the target then.
func TestAudit_Model(t *testing.T) {
	for seed := range uint64(6) {
		trims := seed >= 3 // and what is forgotten is said to be
		t.Run(fmt.Sprint("seed ", seed, " trims ", trims), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, seed))
			w := newWorld(t, t.TempDir(), sandbox.Options{})
			c := tell(t.Fatal, w, 80, trims, rnd.IntN)
			if len(c.runs) < 30 {
				t.Fatalf("only %d of 80 runs committed", len(c.runs))
			}
			if trims {
				c.trim(t.Fatal, 25)
			}
			c.check(t.Fatal, 300, rnd.IntN)
			if v, err := state.Check(w.path); err != nil || len(v.Problems) > 0 {
				t.Errorf("state check: got %+v, %v", v, err)
			}
		})
	}
}
