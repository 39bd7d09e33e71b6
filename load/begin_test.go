package load_test

import (
	"strings"
	"sync"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
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

// A claim whose answer is lost is looked for on another connection.
func TestSession_Begin_ClaimLost(t *testing.T) {
	for name, trouble := range map[string]mysqltest.Trouble{"request": mysqltest.ResetRequest, "reply": mysqltest.ResetReply, "end": mysqltest.HalfClose} {
		t.Run(name, func(t *testing.T) {
			b := onShared(t, shops())
			p := mysqltest.NewProxy(t, b.dsn)
			b.dsn = p.DSN()
			b.target = b.open(t, pipeline)
			trap := p.Arm("INSERT INTO jstsync_checkpoint", trouble)
			_, cp := b.begin(t)
			<-trap.Met
			if cp.Head != b.head || b.checkpoint(t) != cp {
				t.Errorf("got %+v, want the claim of %+v", cp, b.head)
			}
			b.commit(t, b.shopsOf(t, 3, "a"))
		})
	}
}
