package load_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/load"
)

// The identities of the tests of divergence: the file's list of commits has runs 3 (before a rebuild), 5 and 7.
var (
	ours, former, other    = diff.ID{0xaa}, diff.ID{0xab}, diff.ID{0xbb}
	run3, run5, run7, run9 = diff.ID{3}, diff.ID{5}, diff.ID{7}, diff.ID{9}
	none                   diff.ID
)

func listed(id diff.ID) (bool, error) { return slices.Contains([]diff.ID{run3, run5, run7}, id), nil }

// put writes the checkpoint row.
func (b *bench) put(t *testing.T, table string, instance diff.ID, seq uint64, run diff.ID) {
	t.Helper()
	mustExec(t, b.db, "REPLACE INTO jstsync_checkpoint VALUES (?, ?, ?, 3, ?, ?, ?, 1, '2026-11-22')",
		pipeline, table, instance[:], seq, run[:], make([]byte, 32))
}

// everything is what a stop must not change: the tables, and the checkpoint rows.
func (b *bench) everything(t *testing.T) string {
	t.Helper()
	var tables, rows string
	if err := b.db.QueryRow("SELECT COALESCE(GROUP_CONCAT(TABLE_NAME ORDER BY 1), '') FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()").Scan(&tables); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(tables, "jstsync_checkpoint") {
		if err := b.db.QueryRow("SELECT COALESCE(GROUP_CONCAT(CONCAT_WS('/', pipeline, target, HEX(instance), epoch, seq, HEX(run_id))), '') FROM jstsync_checkpoint").Scan(&rows); err != nil {
			t.Fatal(err)
		}
	}
	return tables + ": " + rows
}

// Every row of the table of divergence without an intent: the message says what it means, the remedy what to do, and
// nothing is changed.
func TestSession_Begin_Diverged(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	head := diff.Head{Instance: ours, Seq: 7, RunID: run7}
	row := func(table string, instance diff.ID, seq uint64, run diff.ID) func(*testing.T) {
		return func(t *testing.T) { b.put(t, table, instance, seq, run) }
	}
	drop := func(table string) func(*testing.T) {
		return func(t *testing.T) {
			b.put(t, "jst_shops", ours, 7, run7)
			mustExec(t, b.db, "DROP TABLE "+table)
		}
	}
	absent := func(*testing.T) {}
	const rebuild, repair, dsn = "jstsync state rebuild", "jstsync verify --repair", "check target.dsn"
	for _, test := range []struct {
		name  string
		row   func(*testing.T)
		head  diff.Head
		texts []string
	}{
		{"row absent", absent, head, []string{"has no row for pipeline shops", "at run 7", "restored from before the first run", dsn, rebuild}},
		{"checkpoint table dropped", drop("jstsync_checkpoint"), head, []string{"has no table jstsync_checkpoint", "this state file is at run 7", dsn, rebuild}},
		{"both tables dropped", drop("jstsync_checkpoint, jst_shops"), head, []string{"has no table jstsync_checkpoint", rebuild}},
		{"target table dropped", drop("jst_shops"), head, []string{"table jst_shops does not exist", "run 7 left rows in it", "verify --repair creates it again"}},
		{"restored from a backup", row("jst_shops", ours, 5, run5), head, []string{"is at run 5, this state file is at run 7", "restored or failed over", dsn, repair}},
		{"restored from before a rebuild", row("jst_shops", former, 3, run3), head, []string{"is at run 3, this state file is at run 7", "restored or failed over", repair}},
		{"restored to the claim", row("jst_shops", ours, 0, none), head, []string{"is at run 0, this state file is at run 7", "restored or failed over", repair}},
		{"a copy wrote an older number", row("jst_shops", ours, 6, run9), head, []string{"is at run 6", "a copy of this state file has written", "use the newest state file", rebuild}},
		{"a copy wrote the same number", row("jst_shops", ours, 7, run9), head, []string{"a copy of this state file has written", rebuild}},
		{"a copy wrote a newer number", row("jst_shops", ours, 9, run9), head, []string{"is at run 9", "a copy of this state file has written", "or this is an old copy", rebuild}},
		{"ours ran, this file did not", row("jst_shops", ours, 9, run9), diff.Head{Instance: ours}, []string{"is at run 9, this state file is at run 0", "a copy"}},
		{"another instance", row("jst_shops", other, 7, run9), head, []string{"another state file owns the rows of pipeline shops", "use that state file", rebuild}},
		{"another instance, our run", row("jst_shops", other, 7, run7), head, []string{"another state file owns", rebuild}},
		{"another instance, no run", row("jst_shops", other, 0, none), head, []string{"another state file owns", rebuild}},
		{"another instance, empty head", row("jst_shops", other, 7, run9), diff.Head{Instance: ours}, []string{"another state file owns", rebuild}},
		{"another instance, both empty", row("jst_shops", other, 0, none), diff.Head{Instance: ours}, []string{"another state file owns"}},
		{"another table", row("jst_old", other, 7, run9), head, []string{"pipeline shops owns table jst_old, not jst_shops", "rename the pipeline"}},
		{"another table, our head", row("jst_old", ours, 7, run7), head, []string{"owns table jst_old, not jst_shops", "rename the pipeline"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			mustExec(t, b.db, "DROP TABLE IF EXISTS jst_shops, jstsync_checkpoint")
			b.begin(t)
			mustExec(t, b.db, "DELETE FROM jstsync_checkpoint")
			test.row(t)
			before := b.everything(t)
			_, err := connect(t, b.openWith(t, pipeline, load.WithCommits(listed))).Begin(t.Context(), test.head)
			wantError(t, err, diff.CodeDiverged, test.texts...)
			if got := b.everything(t); got != before {
				t.Errorf("the target became %s, want %s", got, before)
			}
		})
	}
	b.put(t, "jst_shops", ours, 7, run7)
	if _, err := connect(t, b.openWith(t, pipeline, load.WithCommits(listed))).Begin(t.Context(), head); err != nil {
		t.Errorf("Begin on the head's own row: %v", err)
	}
}

// A file's list of commits that cannot be read is the state file's trouble.
func TestWithCommits_Error(t *testing.T) {
	b, _, in, _ := inDoubt(t)
	b.put(t, "jst_shops", in.From.Instance, 1, run3)
	broken := b.openWith(t, pipeline, load.WithCommits(func(diff.ID) (bool, error) { return false, errors.New("page 7 is torn") }))
	_, err := connect(t, broken).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeState, "page 7 is torn")
	_, err = broken.Resolve(t.Context(), in)
	wantError(t, err, diff.CodeState, "page 7 is torn")
}

// Without a list, a smaller number under our instance counts as on it.
func TestWithCommits_Without(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	head := diff.Head{Instance: ours, Seq: 7, RunID: run7}
	for seq, want := range map[uint64]string{6: "restored or failed over", 7: "a copy of this state file", 8: "a copy of this state file"} {
		b.put(t, "jst_shops", ours, seq, run9)
		_, err := connect(t, b.target).Begin(t.Context(), head)
		wantError(t, err, diff.CodeDiverged, want)
	}
}

// Every row of the table of divergence under an intent of run 9 upon run 7: the intent stands, the epoch is not raised.
func TestTarget_Resolve_Diverged(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	in := &diff.Intent{
		Run: 9, RunID: run9, Kind: diff.KindSync, Instance: ours,
		From: diff.Checkpoint{Head: diff.Head{Instance: ours, Seq: 7, RunID: run7}, Epoch: 3, Target: "jst_shops"},
	}
	const rebuild, repair = "jstsync state rebuild", "jstsync verify --repair"
	passed := []string{"neither the run nor its base (run 7)", "may have been committed before that", rebuild}
	behind := []string{"older than run 7", "restored or failed over", "check target.dsn", repair}
	for _, test := range []struct {
		name     string
		table    string
		instance diff.ID
		seq      uint64
		run      diff.ID
		texts    []string
	}{
		{name: "row absent", texts: []string{"has no row for it", "check target.dsn", rebuild}},
		{"an older commit of ours", "jst_shops", ours, 5, run5, behind},
		{"a commit of ours before a rebuild", "jst_shops", former, 3, run3, behind},
		{"zero under our instance", "jst_shops", ours, 0, none, behind},
		{"zero under another instance", "jst_shops", other, 0, none, passed},
		{"a newer commit of ours", "jst_shops", ours, 12, run5, passed},
		{"an unknown run, older", "jst_shops", ours, 6, diff.ID{6}, passed},
		{"an unknown run, newer", "jst_shops", ours, 11, diff.ID{11}, passed},
		{"an unknown run, our number", "jst_shops", ours, 9, diff.ID{11}, passed},
		{"our base under another instance", "jst_shops", other, 7, run7, passed},
		{"our base with another number", "jst_shops", ours, 6, run7, passed},
		{"another instance", "jst_shops", other, 11, diff.ID{11}, passed},
	} {
		t.Run(test.name, func(t *testing.T) {
			mustExec(t, b.db, "DELETE FROM jstsync_checkpoint")
			if test.table != "" {
				b.put(t, test.table, test.instance, test.seq, test.run)
			}
			before := b.everything(t)
			_, err := b.openWith(t, pipeline, load.WithCommits(listed)).Resolve(t.Context(), in)
			wantError(t, err, diff.CodeDiverged, append([]string{"unfinished run 9 of pipeline shops cannot be decided"}, test.texts...)...)
			if got := b.everything(t); got != before {
				t.Errorf("the target became %s, want %s", got, before)
			}
		})
	}
	mustExec(t, b.db, "DROP TABLE jstsync_checkpoint")
	_, err := b.target.Resolve(t.Context(), in)
	wantError(t, err, diff.CodeDiverged, "unfinished run 9", "has no row", rebuild)
}

// A table that was emptied, or is another one, is found out by the first change that builds upon its rows.
func TestSession_Commit_Emptied(t *testing.T) {
	b := onShared(t, shops())
	b.commit(t, b.shopsOf(t, 5, "a"))
	set, now := b.replaced(t)
	mustExec(t, b.db, "CREATE TABLE kept AS SELECT * FROM jst_shops")
	mustExec(t, b.db, "TRUNCATE jst_shops")
	b.fails(t, set, diff.CodeDiverged, "table jst_shops is empty", "somebody emptied it", "verify --repair")
	mustExec(t, b.db, "INSERT INTO jst_shops SELECT * FROM kept WHERE shop_id <> 3")
	b.fails(t, set, diff.CodeDiverged, "holds 1 of 2 rows that this run would update (keys 2 to 3)", "verify --repair")
	mustExec(t, b.db, "INSERT INTO jst_shops SELECT * FROM kept WHERE shop_id = 3")
	b.commit(t, now)
}

// The messages name database and pipeline, for who has several.
func TestSession_Begin_Names(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	var name string
	if err := b.db.QueryRow("SELECT DATABASE()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	_, err := connect(t, b.target).Begin(t.Context(), diff.Head{Instance: other, Seq: 7, RunID: run7})
	wantError(t, err, diff.CodeDiverged, fmt.Sprintf("jstsync_checkpoint in database %s says", name), "pipeline shops")
}
