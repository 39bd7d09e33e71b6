package load_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// hurry replaces the pauses before attempts by a function, which is told how many there were, this one included.
func hurry(target *load.Target, between func(pause int)) {
	n := 0
	target.SetResending(0, 0, nil, func(ctx context.Context, _ time.Duration) error {
		n++
		between(n)
		return ctx.Err()
	})
}

// neverAgain fails the test when a transaction is sent a second time.
func neverAgain(t *testing.T, target *load.Target) {
	hurry(target, func(int) { t.Error("the transaction is sent again") })
}

// replaced is a set that deletes row 1, changes rows 2 and 3 and inserts row 50, and the rows then.
func (b *bench) replaced(t *testing.T) (*diff.ChangeSet, map[diff.Key]diff.Row) {
	t.Helper()
	now := map[diff.Key]diff.Row{b.key(t, shop(1, "")): nil}
	for _, id := range []int64{2, 3, 50} {
		now[b.key(t, shop(id, ""))] = shop(id, "replaced")
	}
	return b.set(t, now), now
}

// became notes that the intent took effect, and compares.
func (b *bench) became(t *testing.T, in *diff.Intent, now map[diff.Key]diff.Row) {
	t.Helper()
	for k, r := range now {
		if b.rows[k] = r; r == nil {
			delete(b.rows, k)
		}
	}
	b.head = in.To()
	b.check(t)
}

// logged turns the server's general log on and returns a function that reads what every connection sent since that
// moved a checkpoint, in the order of the connections.
func (b *bench) logged(t *testing.T) func() [][]string {
	t.Helper()
	for _, q := range []string{"SET GLOBAL log_output = 'TABLE'", "SET GLOBAL general_log = OFF", "TRUNCATE mysql.general_log", "SET GLOBAL general_log = ON"} {
		mustExec(t, b.db, q)
	}
	return func() (all [][]string) {
		t.Helper()
		mustExec(t, b.db, "SET GLOBAL general_log = OFF")
		rows, err := b.db.Query("SELECT thread_id, CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type = 'Query' AND thread_id IN" +
			" (SELECT thread_id FROM mysql.general_log WHERE argument LIKE 'UPDATE jstsync\\_checkpoint%')") // in the order in which they came: the times are of the sessions' zones
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		place := map[int64]int{} // in all, by thread
		for rows.Next() {
			var thread int64
			var q string
			if err := rows.Scan(&thread, &q); err != nil {
				t.Fatal(err)
			}
			if _, ok := place[thread]; !ok {
				place[thread] = len(all)
				all = append(all, nil)
			}
			all[place[thread]] = append(all[place[thread]], q)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return all
	}
}

// transaction returns the statements from where a connection began its transaction.
func transaction(sent []string) []string {
	for i, q := range sent {
		if q == "START TRANSACTION" {
			return sent[i:]
		}
	}
	return nil
}

// wantSent asserts that the connections began transactions with just these statements, told by their beginnings.
func wantSent(t *testing.T, got [][]string, want ...[]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got transactions on %d connections, want %d: %.90q", len(got), len(want), got)
		return
	}
	for i := range want {
		sent := transaction(got[i])
		same := len(sent) == len(want[i])
		for j := 0; same && j < len(sent); j++ {
			same = strings.HasPrefix(sent[j], want[i][j])
		}
		if !same {
			t.Errorf("connection %d sent %.60q, want %q", i+1, sent, want[i])
		}
	}
}

const (
	start  = "START TRANSACTION"
	fence  = "UPDATE jstsync_checkpoint SET target"
	probe  = "SELECT 1 FROM `jst_shops` LIMIT 1"
	remove = "DELETE FROM `jst_shops`"
	change = "UPDATE `jst_shops`"
	add    = "INSERT INTO `jst_shops`"
)

var whole = []string{start, fence, probe, remove, change, add, "COMMIT"}

// A transaction that the server gave up for reasons that pass is sent again as a whole, on a new connection, and takes
// effect once; on the old connection nothing follows the error.
func TestSession_Commit_Resent(t *testing.T) {
	server := mysqltest.Start(t)
	dsn := server.DSN()
	for _, test := range []struct {
		name string
		// trouble makes it, before the commit; the functions it returns mend it, between the attempts, and are given the
		// number of the pause
		trouble func(t *testing.T, b *bench, p *mysqltest.Proxy) func(pause int)
		sent    [][]string // on the connections, in turn
	}{
		{"deadlock", deadlock, [][]string{whole[:5], whole}},
		{"lock wait", lockedRow, [][]string{whole[:4], whole}},
		{"read-only", readOnly, [][]string{whole[:2], whole}},
		{"killed", func(t *testing.T, b *bench, p *mysqltest.Proxy) func(int) { return killed(t, b, p, add) }, [][]string{whole[:5], whole}},
		{"killed while idle", func(t *testing.T, b *bench, _ *mysqltest.Proxy) func(int) { b.killOthers(t); return func(int) {} }, [][]string{whole}},
		{"reset before", reset(add, mysqltest.ResetRequest), [][]string{whole[:5], whole}},
		{"reset after", reset(add, mysqltest.ResetReply), [][]string{whole[:6], whole}},
		{"reset at the fence", reset(fence, mysqltest.ResetReply), [][]string{whole[:2], whole}},
		{"half-closed", reset(remove, mysqltest.HalfClose), [][]string{whole[:4], whole}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, dsn, shops())
			mustExec(t, b.db, "DROP TABLE IF EXISTS jst_shops, jstsync_checkpoint")
			b.commit(t, b.shopsOf(t, 5, "a"))
			p := mysqltest.NewProxy(t, b.asWriter(t))
			b.dsn = p.DSN()
			b.target = b.open(t, pipeline)
			s, cp := b.begin(t)
			set, now := b.replaced(t)
			in := b.intent(cp, set)
			sent := b.logged(t)
			hurry(b.target, test.trouble(t, b, p))
			if err := s.Commit(t.Context(), in, set, durable); err != nil {
				t.Fatalf("Commit: %v", err)
			}
			b.became(t, in, now)
			if got := b.checkpoint(t); got.Epoch != cp.Epoch {
				t.Errorf("got epoch %d, want %d still", got.Epoch, cp.Epoch)
			}
			wantSent(t, sent(), test.sent...)
			eventuallyIdle(t, b.db)
		})
	}
}

// A session that the server ended while the intent took long to become durable costs the run nothing but time.
func TestSession_Commit_SlowIntent(t *testing.T) {
	b := newBench(t, mysqltest.Start(t).DSN(), shops())
	b.commit(t, b.shopsOf(t, 5, "a"))
	b.dsn = b.asWriter(t)
	b.target = b.open(t, pipeline)
	s, cp := b.begin(t)
	set, now := b.replaced(t)
	in := b.intent(cp, set)
	sent := b.logged(t)
	hurry(b.target, func(int) {})
	slow := sync.OnceFunc(func() {
		b.killOthers(t)
		time.Sleep(1100 * time.Millisecond)
	})
	err := s.Commit(t.Context(), in, set, func() error {
		slow()
		return nil
	})
	if err != nil {
		t.Fatalf("Commit: %v", err)
	}
	b.became(t, in, now)
	wantSent(t, sent(), whole[:6], whole)
	eventuallyIdle(t, b.db)
}

// asWriter returns the DSN of a user who may write the database and nothing more.
func (b *bench) asWriter(t *testing.T) string {
	t.Helper()
	var name string
	if err := b.db.QueryRow("SELECT DATABASE()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	mustExec(t, b.db, "CREATE USER IF NOT EXISTS jst_writer@'%' IDENTIFIED BY 's3cret'")
	mustExec(t, b.db, "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON "+name+".* TO jst_writer@'%'")
	return asUser(t, b.dsn, "jst_writer", "s3cret")
}

// hold opens a transaction that has executed the queries.
func (b *bench) hold(t *testing.T, queries ...string) *sql.Tx {
	t.Helper()
	tx, err := b.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		if _, err := tx.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

// deadlock has a heavier transaction hold row 2 and want row 1, which the run has by then.
func deadlock(t *testing.T, b *bench, p *mysqltest.Proxy) func(int) {
	mustExec(t, b.db, "CREATE OR REPLACE TABLE weight (id INT)")
	other := b.hold(t, "INSERT INTO weight SELECT seq FROM seq_1_to_5000", "SELECT * FROM jst_shops WHERE shop_id = 2 FOR UPDATE")
	trap := p.Arm(change, mysqltest.HoldRequest)
	wanted := make(chan error, 1)
	go func() {
		<-trap.Met
		time.AfterFunc(100*time.Millisecond, trap.Release)
		_, err := other.Exec("SELECT * FROM jst_shops WHERE shop_id = 1 FOR UPDATE")
		wanted <- err
	}()
	return func(int) {
		if err := <-wanted; err != nil {
			t.Errorf("the run was to be the victim: %v", err)
		}
		_ = other.Rollback()
	}
}

func lockedRow(t *testing.T, b *bench, _ *mysqltest.Proxy) func(int) {
	holder := b.hold(t, "SELECT * FROM jst_shops WHERE shop_id = 1 FOR UPDATE")
	return func(int) { _ = holder.Rollback() }
}

// readOnly is a failover: the server takes no writes, and refuses sessions for a while too.
func readOnly(t *testing.T, b *bench, _ *mysqltest.Proxy) func(int) {
	mustExec(t, b.db, "SET GLOBAL read_only = ON")
	t.Cleanup(func() { mustExec(t, b.db, "SET GLOBAL read_only = OFF") })
	return func(pause int) {
		if pause == 3 {
			mustExec(t, b.db, "SET GLOBAL read_only = OFF")
		}
	}
}

// killOthers kills the sessions of the run's user.
func (b *bench) killOthers(t *testing.T) {
	t.Helper()
	mustExec(t, b.db, "KILL USER jst_writer")
}

// killed kills the run's session when it is about to send a statement.
func killed(t *testing.T, b *bench, p *mysqltest.Proxy, at string) func(int) {
	trap := p.Arm(at, mysqltest.HoldRequest)
	go func() {
		<-trap.Met
		b.killOthers(t)
		trap.Release()
	}()
	return func(int) {}
}

func reset(at string, trouble mysqltest.Trouble) func(*testing.T, *bench, *mysqltest.Proxy) func(int) {
	return func(_ *testing.T, _ *bench, p *mysqltest.Proxy) func(int) {
		p.Arm(at, trouble)
		return func(int) {}
	}
}

// Once it was sent twice, a checkpoint that moved may be the first sending's doing: never divergence.
func TestSession_Commit_SentTwice(t *testing.T) {
	for name, test := range map[string]struct {
		between   string
		committed bool
	}{
		"the first took effect": {"UPDATE jstsync_checkpoint SET run_id = x'%s', seq = %d, digest = x'%s'", true},
		"fenced meanwhile":      {"UPDATE jstsync_checkpoint SET epoch = epoch + 1 WHERE run_id <> x'%s' AND seq < %d AND digest <> x'%s'", false},
	} {
		t.Run(name, func(t *testing.T) {
			b := onShared(t, shops())
			b.commit(t, b.shopsOf(t, 5, "a"))
			p := mysqltest.NewProxy(t, b.dsn)
			b.dsn = p.DSN()
			b.target = b.open(t, pipeline)
			s, cp := b.begin(t)
			set, _ := b.replaced(t)
			in := b.intent(cp, set)
			p.Arm(add, mysqltest.ResetRequest)
			hurry(b.target, func(int) {
				eventuallyIdle(t, b.db)
				mustExec(t, b.db, fmt.Sprintf(test.between, in.RunID, in.Run, in.Digest))
			})
			wantError(t, s.Commit(t.Context(), in, set, durable), diff.CodeInDoubt, fmt.Sprintf("run %d of pipeline shops was sent again", in.Run))
			if committed, err := b.target.Resolve(t.Context(), in); committed != test.committed || err != nil {
				t.Errorf("Resolve: got %t, %v, want %t", committed, err, test.committed)
			}
		})
	}
}

func TestSession_TakeOver_Resent(t *testing.T) {
	b := onShared(t, shops())
	b.commit(t, b.shopsOf(t, 5, "a"))
	p := mysqltest.NewProxy(t, b.dsn)
	b.dsn = p.DSN()
	b.target = b.open(t, pipeline)
	in := b.intent(b.checkpoint(t), b.set(t, nil))
	in.Kind, in.Instance = diff.KindRebuild, diff.ID{7}
	pauses := 0
	hurry(b.target, func(pause int) { pauses = pause })
	p.Arm(fence, mysqltest.ResetReply)
	if err := connect(t, b.target).TakeOver(t.Context(), &in.From, in); err != nil || pauses != 1 {
		t.Fatalf("TakeOver: %v after %d pauses, want 1", err, pauses)
	}
	b.head = in.To()
	b.check(t)

	again := b.intent(b.checkpoint(t), b.set(t, nil))
	p.Arm("COMMIT", mysqltest.ResetReply)
	neverAgain(t, b.target)
	if err := connect(t, b.target).TakeOver(t.Context(), &again.From, again); err == nil {
		t.Error("COMMIT's lost answer is no error")
	}
	if committed, err := b.target.Resolve(t.Context(), again); !committed || err != nil {
		t.Errorf("got %t, %v, want committed", committed, err)
	}
}

// Attempts and time are bounded, and nobody waits for a run that was told to stop.
func TestSession_Commit_GivesUp(t *testing.T) {
	server := mysqltest.Start(t)
	b := newBench(t, server.DSN(), shops())
	b.commit(t, b.shopsOf(t, 5, "a"))
	b.dsn = b.asWriter(t)
	set, _ := b.replaced(t)
	fails := func(t *testing.T, ctx context.Context, prepare func(*load.Target)) error {
		t.Helper()
		b.target = b.open(t, pipeline)
		prepare(b.target)
		s, cp := b.begin(t)
		mustExec(t, b.db, "SET GLOBAL read_only = ON")
		defer mustExec(t, b.db, "SET GLOBAL read_only = OFF")
		err := s.Commit(ctx, b.intent(cp, set), set, durable)
		b.check(t)
		return err
	}
	t.Run("attempts", func(t *testing.T) {
		var pauses []time.Duration
		err := fails(t, t.Context(), func(target *load.Target) {
			target.SetResending(8, 0, func() float64 { return 0.5 }, func(ctx context.Context, d time.Duration) error {
				pauses = append(pauses, d)
				return ctx.Err()
			})
		})
		wantError(t, err, diff.CodeTarget, `read_only at "ON"`, "name the primary server")
		if got, want := fmt.Sprint(pauses), "[250ms 500ms 1s 2s 4s 5s 5s]"; got != want {
			t.Errorf("got pauses %s, want %s", got, want)
		}
	})
	t.Run("time", func(t *testing.T) {
		err := fails(t, t.Context(), func(target *load.Target) {
			target.SetResending(1<<30, 300*time.Millisecond, func() float64 { return 0.01 }, nil)
		})
		if err == nil {
			t.Error("got no error")
		}
	})
	t.Run("context", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		err := fails(t, ctx, func(target *load.Target) {
			target.SetResending(0, time.Hour, nil, func(ctx context.Context, _ time.Duration) error {
				cancel()
				return load.Sleep(ctx, time.Hour)
			})
		})
		if err == nil || ctx.Err() == nil {
			t.Errorf("got %v, want the context's end heeded", err)
		}
	})
}

// Full jitter: any pause from none up to the bound.
func TestTarget_Pause(t *testing.T) {
	b := onShared(t, shops())
	var got time.Duration
	for _, test := range []struct {
		attempt int
		random  float64
		want    time.Duration
	}{{2, 0, 0}, {2, 0.999, 499500 * time.Microsecond}, {3, 0.5, 500 * time.Millisecond}, {60, 0.5, 5 * time.Second}} {
		b.target.SetResending(0, 0, func() float64 { return test.random }, func(_ context.Context, d time.Duration) error {
			got = d
			return nil
		})
		if err := b.target.Pause(t.Context(), test.attempt); err != nil || got != test.want {
			t.Errorf("attempt %d at %v: got %v, %v, want %v", test.attempt, test.random, got, err, test.want)
		}
	}
}
