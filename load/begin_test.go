package load_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"jstsync/diff"
	"jstsync/load"
)

func showCreate(t *testing.T, b *bench, table string) string {
	t.Helper()
	var name, ddl string
	if err := b.db.QueryRow("SHOW CREATE TABLE `"+table+"`").Scan(&name, &ddl); err != nil {
		t.Fatal(err)
	}
	return ddl
}

func TestSession_Begin_Creates(t *testing.T) {
	b := onShared(t, shops())
	_, cp := b.begin(t)
	if cp.Head != b.head || cp.Epoch != 1 || cp.Target != "jst_shops" {
		t.Errorf("got checkpoint %+v, want the empty head of epoch 1", cp)
	}
	if got := b.checkpoint(t); got != cp {
		t.Errorf("the row is %+v, want %+v", got, cp)
	}
	target := showCreate(t, b, "jst_shops")
	for _, want := range []string{
		"`shop_id` bigint(20) NOT NULL COMMENT '店铺编号'",
		"`shop_name` varchar(255) DEFAULT NULL COMMENT 'it''s a \\\\ \"name\"'",
		"`co_id` bigint(20) DEFAULT NULL,",
		"`created` datetime(3) DEFAULT NULL COMMENT '创建时间'",
		"`url` varchar(1024) DEFAULT NULL,",
		"PRIMARY KEY (`shop_id`)",
		"ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
	} {
		if !strings.Contains(target, want) {
			t.Errorf("want %q in\n%s", want, target)
		}
	}
	checkpoint := showCreate(t, b, "jstsync_checkpoint")
	for _, want := range []string{
		"`pipeline` varbinary(64) NOT NULL,", "`target` varbinary(320) NOT NULL,", "`instance` binary(16) NOT NULL,", "`epoch` bigint(20) NOT NULL,",
		"`seq` bigint(20) NOT NULL,", "`run_id` binary(16) NOT NULL,", "`digest` binary(32) NOT NULL,", "`hash_version` int(11) NOT NULL,",
		"`committed_at` datetime(6) NOT NULL,", "PRIMARY KEY (`pipeline`)", "UNIQUE KEY `target` (`target`)", "ENGINE=InnoDB",
	} {
		if !strings.Contains(checkpoint, want) {
			t.Errorf("want %q in\n%s", want, checkpoint)
		}
	}
	if _, again := b.begin(t); again != cp {
		t.Errorf("begun again: got %+v, want %+v", again, cp)
	}
	var rows int
	if err := b.db.QueryRow("SELECT COUNT(*) FROM jstsync_checkpoint").Scan(&rows); err != nil || rows != 1 {
		t.Errorf("got %d rows, %v, want one claim", rows, err)
	}
}

// However many first runners race, one row is claimed, and the others learn it.
func TestSession_Begin_ClaimRace(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	for range 5 {
		mustExec(t, b.db, "DELETE FROM jstsync_checkpoint")
		var wait sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			s := connect(t, b.target)
			head := diff.Head{Instance: diff.ID{byte(i + 1)}}
			wait.Go(func() { _, errs[i] = s.Begin(t.Context(), head) })
		}
		wait.Wait()
		won := b.checkpoint(t).Instance[0]
		for i, err := range errs {
			if byte(i+1) == won {
				if err != nil {
					t.Errorf("the owner got %v", err)
				}
				continue
			}
			wantError(t, err, diff.CodeDiverged, "another state file owns")
		}
	}
}

func TestSession_Begin_SecondPipeline(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	other := connect(t, b.open(t, "orders"))
	_, err := other.Begin(t.Context(), diff.Head{Instance: diff.ID{9}})
	wantError(t, err, diff.CodeDiverged, "table jst_shops belongs to pipeline shops", "orders cannot write it too", "a table of its own")
	if cp := b.checkpoint(t); cp.Head != b.head {
		t.Errorf("the owner's row became %+v", cp)
	}
}

// Every row of the table of divergence: nothing is changed, and the message says what it means.
func TestSession_Begin_Diverged(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	ours, other := diff.ID{0xaa}, diff.ID{0xbb}
	run5, run7 := diff.ID{5}, diff.ID{7}
	head := diff.Head{Instance: ours, Seq: 7, RunID: run7}
	put := func(table string, instance diff.ID, seq uint64, run diff.ID) func(t *testing.T) {
		return func(t *testing.T) {
			mustExec(t, b.db, "REPLACE INTO jstsync_checkpoint VALUES (?, ?, ?, 3, ?, ?, ?, 1, '2026-11-22')",
				pipeline, table, instance[:], seq, run[:], make([]byte, 32))
		}
	}
	for _, test := range []struct {
		name  string
		row   func(t *testing.T)
		head  diff.Head
		texts []string
	}{
		{"absent", nil, head, []string{"has no row for pipeline shops", "at run 7", "restored from before the first run", "state rebuild"}},
		{"older commit of ours", put("jst_shops", ours, 5, run5), head, []string{"is at run 5, this state file is at run 7", "restored or failed over", "state rebuild"}},
		{"zero under our instance", put("jst_shops", ours, 0, diff.ID{}), head, []string{"is at run 0, this state file is at run 7", "state rebuild"}},
		{"same number, other run", put("jst_shops", ours, 7, run5), head, []string{"a copy of this state file has written", "state rebuild"}},
		{"newer run of ours", put("jst_shops", ours, 9, run5), head, []string{"is at run 9", "a copy of this state file has written", "state rebuild"}},
		{"ours ran, this file did not", put("jst_shops", ours, 9, run5), diff.Head{Instance: ours}, []string{"is at run 9, this state file is at run 0"}},
		{"another instance", put("jst_shops", other, 7, run7), head, []string{"another state file owns the rows of pipeline shops", "state rebuild"}},
		{"another instance, empty head", put("jst_shops", other, 7, run7), diff.Head{Instance: ours}, []string{"another state file owns", "state rebuild"}},
		{"another instance, both empty", put("jst_shops", other, 0, diff.ID{}), diff.Head{Instance: ours}, []string{"another state file owns"}},
		{"another table", put("jst_old", other, 7, run7), head, []string{"pipeline shops owns table jst_old, not jst_shops", "rename the pipeline"}},
		{"another table, our head", put("jst_old", ours, 7, run7), head, []string{"owns table jst_old, not jst_shops", "rename the pipeline"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			mustExec(t, b.db, "DELETE FROM jstsync_checkpoint")
			want := "none"
			if test.row != nil {
				test.row(t)
				want = fmt.Sprint(b.checkpoint(t))
			}
			_, err := connect(t, b.target).Begin(t.Context(), test.head)
			wantError(t, err, diff.CodeDiverged, test.texts...)
			got := "none"
			if test.row != nil {
				got = fmt.Sprint(b.checkpoint(t))
			}
			var rows int
			if err := b.db.QueryRow("SELECT COUNT(*) FROM jstsync_checkpoint").Scan(&rows); err != nil || got != want || rows > 1 {
				t.Errorf("the row became %s, want %s (%d rows, %v)", got, want, rows, err)
			}
		})
	}
	put("jst_shops", ours, 7, run7)(t)
	if _, err := connect(t, b.target).Begin(t.Context(), head); err != nil {
		t.Errorf("Begin on the head's own row: %v", err)
	}
}

// A table that exists is used as it is; what it lacks is said with the statement that mends it.
func TestSession_Begin_ExistingTable(t *testing.T) {
	b := onShared(t, shops())
	mustExec(t, b.db, "CREATE TABLE jst_shops (SHOP_ID BIGINT PRIMARY KEY, mine INT DEFAULT 5, co_id BIGINT, url VARCHAR(1024) CHARACTER SET utf8mb4)")
	_, err := connect(t, b.target).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeTargetSchema, "table jst_shops lacks the mapped column shop_name, created", "ALTER TABLE `jst_shops` ADD COLUMN `shop_name` VARCHAR(255) CHARACTER SET utf8mb4 NULL")
	mustExec(t, b.db, remedy(err))
	b.commit(t, b.shopsOf(t, 3, "n"))
	var mine int
	if err := b.db.QueryRow("SELECT SUM(mine) FROM jst_shops").Scan(&mine); err != nil || mine != 15 {
		t.Errorf("got %d, %v: the column that is not mapped was touched", mine, err)
	}
}

func TestSession_Begin_Engine(t *testing.T) {
	b := onShared(t, shops())
	mustExec(t, b.db, strings.Replace(load.CreateTable(shops(), ""), "ENGINE=InnoDB", "ENGINE=MyISAM", 1))
	_, err := connect(t, b.target).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeTargetSchema, `table jst_shops has engine "MyISAM", which cannot roll back`)
	mustExec(t, b.db, remedy(err))
	b.begin(t)

	mustExec(t, b.db, "ALTER TABLE jstsync_checkpoint ENGINE=Aria")
	_, err = connect(t, b.target).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeTargetSchema, `table jstsync_checkpoint has engine "Aria"`)
	mustExec(t, b.db, "ALTER TABLE jstsync_checkpoint ENGINE=InnoDB")

	mustExec(t, b.db, "RENAME TABLE jst_shops TO base")
	mustExec(t, b.db, "CREATE VIEW jst_shops AS SELECT * FROM base")
	_, err = connect(t, b.target).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeTargetSchema, "table jst_shops")
}
