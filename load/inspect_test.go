package load_test

import (
	"errors"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// person is a table with one column of each kind that a table made by hand gets wrong.
func person() *diff.Table {
	t := &diff.Table{Name: "person", Key: []int{0, 1}, Columns: []diff.Column{
		column("id", "BIGINT"), column("code", "VARCHAR(64)"), column("name", "VARCHAR(255)"), column("at", "DATETIME(3)"),
		column("price", "DECIMAL(12,2)"), column("n", "INT"), column("ok", "BOOL"), column("note", "TEXT"), column("doc", "JSON"), column("day", "DATE"),
	}}
	t.Columns[0].NotNull, t.Columns[1].NotNull = true, true
	return t
}

// made is a table made by hand that person can be written to, with some columns made otherwise, and with more after them.
func made(change map[string]string, more ...string) string {
	lines := []string{}
	for _, c := range [][2]string{
		{"id", "BIGINT NOT NULL"},
		{"code", "VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL"},
		{"name", "VARCHAR(255)"},
		{"at", "DATETIME(3)"},
		{"price", "DECIMAL(12,2)"},
		{"n", "INT"},
		{"ok", "TINYINT(1)"},
		{"note", "TEXT"},
		{"doc", "JSON"},
		{"day", "DATE"},
	} {
		switch to, ok := change[c[0]]; {
		case ok && to == "":
		case ok:
			lines = append(lines, c[0]+" "+to)
		default:
			lines = append(lines, c[0]+" "+c[1])
		}
	}
	key := "PRIMARY KEY (id, code)"
	if to, ok := change["PRIMARY KEY"]; ok {
		key = to
	}
	if key != "" {
		lines = append(lines, key)
	}
	return "CREATE TABLE person (" + strings.Join(append(lines, more...), ", ") + ") ENGINE=InnoDB CHARSET utf8mb4"
}

type changed = map[string]string

// Each finding says what is wrong; the errors' remedy, run as it is, mends it without loss.
func TestSession_Begin_Inspects(t *testing.T) {
	for _, test := range []struct {
		name  string
		ddl   string
		texts []string // of the error; none: there is none
		fixed bool     // the remedy can be run
	}{
		{"as needed", made(nil), nil, true},
		{"wider", made(changed{
			"id": "DECIMAL(19,0) NOT NULL", "code": "VARBINARY(255) NOT NULL", "name": "MEDIUMTEXT", "at": "DATETIME(6)", "price": "DECIMAL(20,4)", "n": "BIGINT",
			"ok": "INT UNSIGNED", "note": "LONGTEXT", "doc": "LONGTEXT", "day": "DATETIME",
		}), nil, true},
		{"own columns", made(nil, "mine INT NOT NULL DEFAULT 5", "auto INT NOT NULL AUTO_INCREMENT, KEY (auto)", "calc INT AS (n + 1)", "ts TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"), nil, true},
		{"surrogate key", made(changed{"PRIMARY KEY": "UNIQUE KEY (code, id)"}, "pk BIGINT AUTO_INCREMENT PRIMARY KEY"), nil, true},
		{
			"missing", made(changed{"name": "", "at": ""}),
			[]string{"table person lacks the mapped column name, at", "ADD COLUMN `name` VARCHAR(255) CHARACTER SET utf8mb4 NULL, ADD COLUMN `at` DATETIME(3) NULL"},
			true,
		},
		{
			"narrow", made(changed{"name": "VARCHAR(100) DEFAULT 'it''s' COMMENT 'the owner''s'", "at": "DATETIME", "n": "SMALLINT", "note": "TINYTEXT", "price": "DECIMAL(8,2)"}),
			[]string{
				"has column name as varchar(100), which is narrower; the mapping says VARCHAR(255)",
				"MODIFY COLUMN `name` VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL DEFAULT 'it''s' COMMENT 'the owner''s'",
				"has column at as datetime, which drops fractions of a second; the mapping says DATETIME(3)", "MODIFY COLUMN `at` DATETIME(3) NULL",
				"has column n as smallint", "has column note as tinytext", "has column price as decimal(8,2), which is narrower",
			},
			true,
		},
		{
			"integers", made(changed{"id": "INT NOT NULL", "n": "INT UNSIGNED"}),
			[]string{"column id as int(11), which is narrower; the mapping says BIGINT", "MODIFY COLUMN `id` BIGINT NOT NULL", "column n as int(10) unsigned, which takes no negative number"},
			true,
		},
		{
			"decimal scale", made(changed{"price": "DECIMAL(20,1) UNSIGNED"}),
			[]string{"column price as decimal(20,1) unsigned, which keeps 1 digits behind the point", "MODIFY COLUMN `price` DECIMAL(21,2) NULL"},
			true,
		},
		{
			"other types", made(changed{"id": "VARCHAR(20) NOT NULL", "name": "CHAR(255)", "at": "TIMESTAMP(3) NULL", "price": "DOUBLE", "n": "FLOAT", "ok": "BIT", "day": "VARCHAR(10)", "doc": "BLOB"}),
			[]string{
				"id as varchar(20), which stores something else", "name as char(255), which drops trailing spaces", "at as timestamp(3), which shifts with the time zone",
				"price as double, which stores something else", "n as float, which", "ok as bit(1), which", "day as varchar(10), which", "doc as blob, which",
			},
			true,
		},
		{"date for datetime", made(changed{"at": "DATE"}), []string{"at as date, which drops the time of day"}, true},
		{
			"charsets", made(changed{"name": "VARCHAR(300) CHARACTER SET latin1", "note": "TEXT CHARACTER SET utf8mb3", "code": "VARCHAR(64) CHARACTER SET latin1 NOT NULL"}),
			[]string{
				"column name in latin1, which cannot hold every character", "column note in utf8mb3", "column code in latin1", "MODIFY COLUMN `name` varchar(300) CHARACTER SET utf8mb4 NULL",
				"MODIFY COLUMN `code` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL",
			},
			true,
		},
		{
			"not null", made(changed{"name": "VARCHAR(255) NOT NULL DEFAULT ''", "n": "INT NOT NULL"}, "mine INT NOT NULL", "yours VARCHAR(9) CHARACTER SET latin1 NOT NULL COMMENT 'x'"),
			[]string{
				"column name as NOT NULL; the mapping says it may be NULL", "MODIFY COLUMN `name` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NULL DEFAULT ''",
				"column n as NOT NULL", "column mine as NOT NULL without a default, so that no row can be inserted", "MODIFY COLUMN `mine` int(11) NULL",
				"MODIFY COLUMN `yours` varchar(9) CHARACTER SET latin1 COLLATE latin1_swedish_ci NULL COMMENT 'x'",
			},
			true,
		},
		{"generated", made(changed{"n": "INT AS (id + 1)"}), []string{"computes column n, which takes no value", "map another column"}, false},
		{"no key", made(changed{"PRIMARY KEY": ""}), []string{"has no primary or unique key over exactly (id, code)", "ADD PRIMARY KEY (`id`, `code`)"}, true},
		{"other primary key", made(changed{"PRIMARY KEY": "PRIMARY KEY (id)"}), []string{"no primary or unique key over exactly (id, code)", "ADD UNIQUE KEY (`id`, `code`)"}, true},
		{"key of a prefix", made(changed{"PRIMARY KEY": "PRIMARY KEY (id, code(10))"}), []string{"no primary or unique key over exactly"}, true},
		{"engine", strings.Replace(made(nil), "InnoDB", "MyISAM", 1), []string{`has engine "MyISAM", which cannot roll back`, "ENGINE=InnoDB"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := onShared(t, person())
			mustExec(t, b.db, test.ddl)
			_, err := connect(t, b.target).Begin(t.Context(), b.head)
			if test.texts == nil {
				if err != nil || strings.Contains(b.log.String(), "person") {
					t.Fatalf("Begin: %v; log %s", err, b.log)
				}
				return
			}
			wantError(t, err, diff.CodeTargetSchema, test.texts...)
			if e, ok := errors.AsType[*load.SchemaError](err); !ok || len(e.Findings) == 0 || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %#v, want findings on one line", err)
			}
			if !test.fixed {
				return
			}
			mustExec(t, b.db, remedy(err))
			if _, err := connect(t, b.target).Begin(t.Context(), b.head); err != nil {
				t.Errorf("Begin after %s: %v", remedy(err), err)
			}
		})
	}
}

// What does not keep a run from going on is logged, once.
func TestSession_Begin_Warns(t *testing.T) {
	b := onShared(t, person())
	mustExec(t, b.db, "CREATE TABLE parent (n INT PRIMARY KEY)")
	mustExec(t, b.db, made(changed{"code": "VARCHAR(64) COLLATE utf8mb4_general_ci NOT NULL"}, "UNIQUE KEY by_name (name)", "mine INT, UNIQUE KEY (mine)", "UNIQUE KEY wider (id, code, n)",
		"CONSTRAINT up FOREIGN KEY (n) REFERENCES parent (n) ON DELETE CASCADE"))
	mustExec(t, b.db, "CREATE TABLE child (id BIGINT, code VARCHAR(64) CHARACTER SET utf8mb4, CONSTRAINT down FOREIGN KEY (id, code) REFERENCES person (id, code))")
	mustExec(t, b.db, "CREATE TRIGGER tr BEFORE UPDATE ON person FOR EACH ROW SET NEW.mine = 1")
	for range 2 {
		if _, err := connect(t, b.target).Begin(t.Context(), b.head); err != nil {
			t.Fatal(err)
		}
	}
	log := b.log.String()
	for _, want := range []string{
		"has key column code in utf8mb4_general_ci, which takes some different keys for one", "MODIFY COLUMN `code` varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL",
		"has another unique key by_name (name)", "DROP INDEX `by_name`, ADD INDEX (`name`)", "has trigger tr, which runs before each update",
		"has foreign key up to parent with ON DELETE CASCADE", "DROP FOREIGN KEY `up`", "is the parent of table child (foreign key down)",
	} {
		if strings.Count(log, want) != 1 {
			t.Errorf("got %d times %q, want it once, in\n%s", strings.Count(log, want), want, log)
		}
	}
	if n := strings.Count(log, "another unique key"); n != 1 {
		t.Errorf("got %d other unique keys, want the one that can refuse a row:\n%s", n, log)
	}
	mustExec(t, b.db, "ALTER TABLE child DROP FOREIGN KEY down")
	mustExec(t, b.db, "ALTER TABLE child ADD CONSTRAINT down FOREIGN KEY (id, code) REFERENCES person (id, code) ON DELETE SET NULL")
	_, err := connect(t, b.target).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeTargetSchema, "is the parent of table child (foreign key down, ON DELETE SET NULL)", "ALTER TABLE `child` DROP FOREIGN KEY `down`", "deletes: soft")
	keep := b.openWith(t, pipeline, load.WithDeletes(load.DeleteKeep))
	if _, err := connect(t, keep).Begin(t.Context(), b.head); err != nil {
		t.Errorf("with no delete to fear: %v", err)
	}
}

func TestSession_Schema(t *testing.T) {
	b := onShared(t, person())
	soft := b.openWith(t, pipeline, load.WithDeletes(load.DeleteSoft))
	plan := func(target *load.Target, wantDDL, wantFindings int, texts ...string) {
		t.Helper()
		ddl, findings, err := connect(t, target).SchemaPlan(t.Context())
		if err != nil || len(ddl) != wantDDL || len(findings) != wantFindings {
			t.Errorf("SchemaPlan: got %q, %+v, %v, want %d statements and %d findings", ddl, findings, err, wantDDL, wantFindings)
		}
		for _, text := range texts {
			if !strings.Contains(strings.Join(ddl, "\n"), text) {
				t.Errorf("want %q in %q", text, ddl)
			}
		}
	}
	apply := func(target *load.Target, wantDDL, wantFindings int) {
		t.Helper()
		done, findings, err := connect(t, target).SchemaApply(t.Context())
		if err != nil || len(done) != wantDDL || len(findings) != wantFindings {
			t.Errorf("SchemaApply: got %q, %+v, %v, want %d statements and %d findings", done, findings, err, wantDDL, wantFindings)
		}
	}
	plan(b.target, 2, 0, "CREATE TABLE IF NOT EXISTS jstsync_checkpoint", "CREATE TABLE IF NOT EXISTS `person`", "COLLATE utf8mb4_nopad_bin")
	plan(b.target, 2, 0) // planning made nothing
	apply(b.target, 2, 0)
	plan(b.target, 0, 0)
	plan(soft, 1, 0, "ALTER TABLE `person` ADD COLUMN `deleted_at` DATETIME(3) NULL")
	_, err := connect(t, soft).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeTargetSchema, "lacks the column deleted_at, which marks the rows that deletes: soft deletes", "ADD COLUMN `deleted_at` DATETIME(3) NULL")
	apply(soft, 1, 0)
	mustExec(t, b.db, "ALTER TABLE person DROP COLUMN name, DROP COLUMN at, MODIFY price DECIMAL(3,1), CHARACTER SET latin1")
	plan(b.target, 1, 1, "ADD COLUMN `name` VARCHAR(255) CHARACTER SET utf8mb4 NULL, ADD COLUMN `at` DATETIME(3) NULL")
	apply(b.target, 1, 1)
	plan(b.target, 0, 1) // never MODIFY
	mustExec(t, b.db, "ALTER TABLE person MODIFY price DECIMAL(12,2)")
	for _, target := range []*load.Target{b.target, soft} {
		if _, err := connect(t, target).Begin(t.Context(), b.head); err != nil {
			t.Errorf("Begin after all: %v", err)
		}
	}
}

// On a server that takes JST_Shops and jst_shops for one table, so do the checks and the claims.
func TestSession_Begin_LowerCaseNames(t *testing.T) {
	server := mysqltest.Start(t, "--lower-case-table-names=1")
	table := shops()
	table.Name = "JST_Shops"
	b := newBench(t, server.DSN(), table)
	mustExec(t, b.db, "CREATE TABLE jst_SHOPS (shop_id INT) ENGINE=MyISAM CHARSET utf8mb4")
	_, err := connect(t, b.target).Begin(t.Context(), b.head)
	wantError(t, err, diff.CodeTargetSchema, "engine", "shop_id as int(11)", "lacks the mapped column shop_name", "no primary or unique key")
	mustExec(t, b.db, remedy(err))
	b.commit(t, b.shopsOf(t, 3, "a"))
	if cp := b.checkpoint(t); cp.Target != "jst_shops" {
		t.Errorf("got target %q, want jst_shops", cp.Target)
	}
	b.table = shops()
	_, err = connect(t, b.open(t, "orders")).Begin(t.Context(), diff.Head{Instance: diff.ID{9}})
	wantError(t, err, diff.CodeDiverged, "belongs to pipeline shops")
}
