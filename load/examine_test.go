package load_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// texts writes findings, one a line, but for those that are as they should be.
func texts(found []diff.Finding) string {
	var lines []string
	for _, f := range found {
		if f.Severity != diff.SeverityOK {
			lines = append(lines, fmt.Sprintf("%s %s %s: %s → %s", f.Severity, f.ID, f.Subject, f.Evidence, f.Remedy))
		}
	}
	return strings.Join(lines, "\n")
}

// grant runs each remedy of lacking rights as it is printed.
func (b *bench) grant(t *testing.T, found []diff.Finding) (n int) {
	t.Helper()
	for _, f := range found {
		if f.ID == "mysql.grants" && f.Severity != diff.SeverityOK {
			n++
			if _, err := b.db.ExecContext(t.Context(), f.Remedy.String()); err != nil {
				t.Errorf("%s: %v", f.Remedy, err)
			}
		}
	}
	return n
}

// user makes a user, gives it rights, and returns a bench of its own.
func (b *bench) user(t *testing.T, grants ...string) *bench {
	t.Helper()
	name := "u_" + newID().String()[20:]
	dsn := strings.Replace(b.dsn, "root@", name+":pw@", 1)
	exec := func(query string) {
		t.Helper()
		if _, err := b.db.ExecContext(context.WithoutCancel(t.Context()), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	exec("CREATE USER " + name + "@'127.0.0.1' IDENTIFIED BY 'pw'")
	t.Cleanup(func() { exec("DROP USER " + name + "@'127.0.0.1'") })
	for _, g := range append([]string{"CREATE TEMPORARY TABLES ON *"}, grants...) { // without any, no connection
		exec("GRANT " + g + " TO " + name + "@'127.0.0.1'")
	}
	of := *b
	of.dsn = dsn
	return &of
}

// The rights that are lacking are found, whatever gives the others; their
// remedy, run as it is, is enough for a run; and to ask writes nothing.
func TestSession_ExamineTables_Grants(t *testing.T) {
	for _, test := range []struct {
		name     string
		grants   []string
		existing bool // the tables are there
		options  []load.Option
		lacking  string // on the target; "" when none
	}{
		{"nothing", nil, false, nil, "SELECT, INSERT, UPDATE, DELETE, CREATE"},
		{"the database, to read", []string{"SELECT ON *"}, false, nil, "INSERT, UPDATE, DELETE, CREATE"},
		{"the database", []string{"ALL ON *"}, false, nil, ""},
		{"nothing, and tables that cannot be seen", nil, true, nil, "SELECT, INSERT, UPDATE, DELETE, CREATE"},
		{"the table", []string{"SELECT, INSERT, UPDATE ON jst_shops"}, true, nil, "DELETE"},
		{"the table, deletes kept", []string{"SELECT, INSERT, UPDATE ON jst_shops", "SELECT, INSERT, UPDATE ON jstsync_checkpoint"}, true, []load.Option{load.WithDeletes(load.DeleteKeep)}, ""},
		{"columns, all", []string{
			"SELECT (shop_id, shop_name, co_id, created, url), INSERT (shop_id, shop_name, co_id, created, url), UPDATE (shop_name, co_id, created, url) ON jst_shops", "DELETE ON jst_shops",
		}, true, nil, ""},
		{"columns, one not to change", []string{
			"SELECT (shop_id, shop_name, co_id, created, url), INSERT (shop_id, shop_name, co_id, created, url), UPDATE (shop_name, co_id, created) ON jst_shops", "DELETE ON jst_shops",
		}, true, nil, "UPDATE"},
		{"columns, one that is hidden", []string{
			"SELECT (shop_id, shop_name, co_id, created), INSERT (shop_id, shop_name, co_id, created), UPDATE (shop_name, co_id, created) ON jst_shops", "DELETE ON jst_shops",
		}, true, nil, "SELECT, INSERT, UPDATE"},
		{"changes", []string{"ALL ON jst_shops"}, true, []load.Option{load.WithChangesTable("changes")}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := onShared(t, shops())
			if test.existing {
				if _, _, err := connect(t, b.target).SchemaApply(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			u := b.user(t, test.grants...)
			target := u.openWith(t, pipeline, test.options...)
			s := connect(t, target)
			before := counters(t, b.dsn)
			found, err := s.ExamineTables(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if after := counters(t, b.dsn); after != before {
				t.Errorf("it wrote: %s, before %s", after, before)
			}
			got := ""
			for _, f := range found {
				if f.ID == "mysql.grants" && f.Subject == "jst_shops" {
					_, got, _ = strings.Cut(f.Evidence.String(), " may not ")
				}
				if f.ID == "mysql.column" {
					t.Errorf("a column that cannot be seen is said to be missing: %s", f.Evidence)
				}
			}
			if got != test.lacking {
				t.Errorf("lacking on the table: got %q, want %q, in\n%s", got, test.lacking, texts(found))
			}
			b.grant(t, found)
			u.target = u.openWith(t, pipeline, test.options...)
			s = connect(t, u.target)
			if found, err = s.ExamineTables(t.Context()); err != nil || strings.Contains(texts(found), "mysql.grants") {
				t.Errorf("after the remedies: got %v and\n%s", err, texts(found))
			}
			s, cp := u.begin(t)
			set := u.insertsOf(t, shop(1, "一"), shop(2, "二"))
			if err := s.Commit(t.Context(), u.intent(cp, set), set, durable); err != nil {
				t.Errorf("a run after the remedies: %v", err)
			}
		})
	}
}

// counters are what a write of any kind moves.
func counters(t *testing.T, dsn string) string {
	t.Helper()
	var all []string
	for _, table := range []string{"jst_shops", "jstsync_checkpoint", "changes"} {
		all = append(all, fmt.Sprint(table, " ", mysqltest.TableRowsChanged(t, dsn, table)))
	}
	var tables int
	if err := mysqltest.DB(t, dsn).QueryRowContext(t.Context(), "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()").Scan(&tables); err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(all, fmt.Sprint("tables ", tables)), ", ")
}

// A least-privileged user may have no right to the table of checkpoints but the
// ones that a run uses once its row is there.
func TestSession_ExamineTables_RowIsThere(t *testing.T) {
	b := onShared(t, shops())
	b.begin(t)
	u := b.user(t, "ALL ON jst_shops", "SELECT, UPDATE ON jstsync_checkpoint")
	found, err := connect(t, u.open(t, pipeline)).ExamineTables(t.Context())
	if err != nil || texts(found) != "" {
		t.Errorf("its own pipeline: got %v and\n%s", err, texts(found))
	}
	found, err = connect(t, u.open(t, "other")).ExamineTables(t.Context())
	if err != nil || !strings.Contains(texts(found), "may not INSERT → GRANT INSERT ON ") {
		t.Errorf("another pipeline: got %v and\n%s", err, texts(found))
	}
}

// What is compared with the checkpoint row, and what that means.
func TestSession_Standing(t *testing.T) {
	b := onShared(t, shops())
	standing := func(of *load.Target, head diff.Head, in *diff.Intent) string {
		t.Helper()
		before := counters(t, b.dsn)
		found, err := connect(t, of).Standing(t.Context(), head, in)
		if err != nil {
			t.Fatal(err)
		}
		if after := counters(t, b.dsn); after != before {
			t.Errorf("it wrote: %s, before %s", after, before)
		}
		return texts(found)
	}
	want := func(what, got string, parts ...string) {
		t.Helper()
		if len(parts) == 0 && got != "" {
			t.Errorf("%s: got %s, want nothing", what, got)
		}
		for _, part := range parts {
			if !strings.Contains(got, part) {
				t.Errorf("%s: got %q, want %q in it", what, got, part)
			}
		}
	}
	want("nothing there", standing(b.target, b.head, nil))
	s, cp := b.begin(t)
	want("claimed", standing(b.target, b.head, nil))
	want("another's table", standing(b.open(t, "other"), diff.Head{Instance: diff.ID{1}}, nil), "error mysql.checkpoint jstsync_checkpoint: table jst_shops belongs to pipeline shops; other cannot write it too → give this pipeline a table of its own")
	want("shared here, not there", standing(b.openWith(t, "other", load.Shared(true)), diff.Head{Instance: diff.ID{1}}, nil), "belongs to pipeline shops")

	set := b.insertsOf(t, shop(1, "一"))
	in := b.intent(cp, set)
	want("not committed", standing(b.target, b.head, in), "note mysql.checkpoint", "not committed here → the next jstsync sync decides it")
	if err := s.Commit(t.Context(), in, set, durable); err != nil {
		t.Fatal(err)
	}
	want("committed", standing(b.target, b.head, in), "note mysql.checkpoint", "is committed here, and unfinished in the state file → the next jstsync sync finishes it")
	damaged := *in
	damaged.Digest[0] ^= 1
	want("another digest", standing(b.target, b.head, &damaged), "error mysql.checkpoint", "one of them is damaged → ", "jstsync state check")
	lost := *in
	lost.RunID, lost.From.RunID, lost.From.Seq = newID(), newID(), in.Run+3
	want("neither", standing(b.target, b.head, &lost), "error mysql.checkpoint", "cannot be decided", "jstsync verify --repair")

	want("in step", standing(b.target, in.To(), nil))
	later := in.To()
	later.Seq, later.RunID = later.Seq+1, newID()
	want("restored", standing(b.target, later, nil), "error mysql.checkpoint", "the target was restored", "jstsync verify --repair")
	want("no state file", standing(b.target, diff.Head{Instance: diff.ID{9}}, nil), "another state file owns the rows", "jstsync state rebuild")
	if _, err := b.db.ExecContext(t.Context(), "DROP TABLE jstsync_checkpoint"); err != nil {
		t.Fatal(err)
	}
	want("table dropped", standing(b.target, in.To(), nil), "has no table jstsync_checkpoint", "jstsync state rebuild")
	want("rows of somebody", standing(b.target, diff.Head{Instance: diff.ID{9}}, nil), "error mysql.foreign_rows jst_shops: holds rows that no run wrote → ", "jstsync state rebuild")
	want("rows of somebody, shared", standing(b.openWith(t, pipeline, load.Shared(true)), diff.Head{Instance: diff.ID{9}}, nil))
}

// Servers below the floor, and clusters, are told by what they say of
// themselves.
func TestSession_ExamineServer_Kinds(t *testing.T) {
	target, err := load.Open("u@tcp(h:3306)/d", pipeline, shops(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		version, comment string
		more             map[string]string
		want             string // of the findings; "" when all is well
	}{
		{"10.11.19-MariaDB-0+deb12u1", "Debian 12", nil, ""},
		{"10.5.0-MariaDB", "", nil, ""},
		{"10.4.33-MariaDB-log", "", nil, "error mysql.version h:3306/d: 10.4.33-MariaDB-log → upgrade the server"},
		{"11.4.2", "MariaDB Server", nil, ""},
		{"8.0.36", "MySQL Community Server - GPL", nil, ""},
		{"5.7.44-log", "", nil, ""},
		{"5.6.24", "", nil, "error mysql.version h:3306/d: MySQL 5.6.24 → upgrade the server"},
		{"nonsense", "", nil, "error mysql.version"},
		{"8.0.11-TiDB-v7.5.0", "TiDB Server", nil, "warning mysql.cluster h:3306/d: it is part of a cluster (TiDB)"},
		{"10.6.1-MariaDB", "", map[string]string{"wsrep_on": "ON"}, "cluster (Galera)"},
		{"10.6.1-MariaDB", "", map[string]string{"wsrep_on": "OFF"}, ""},
		{"8.4.0", "", map[string]string{"group_replication_group_name": "aaaa"}, "cluster (group replication)"},
	} {
		global := map[string]string{"version": test.version, "version_comment": test.comment}
		maps.Copy(global, test.more)
		got := texts(load.JudgeServer(target, global))
		if got == "" != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s %s %v: got %q, want %q", test.version, test.comment, test.more, got, test.want)
		}
	}
}
