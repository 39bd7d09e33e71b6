package load_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"jstsync/diff"
	"jstsync/load"
)

// inDoubt is a bench with one commit behind it and the intent of the next.
func inDoubt(t *testing.T) (*bench, *load.Session, *diff.Intent, *diff.ChangeSet) {
	t.Helper()
	b := onShared(t, shops())
	b.commit(t, b.shopsOf(t, 3, "a"))
	s, cp := b.begin(t)
	set := b.insertsOf(t, shop(50, "late"))
	return b, s, b.intent(cp, set), set
}

func TestTarget_Resolve_Committed(t *testing.T) {
	b, s, in, set := inDoubt(t)
	if err := s.Commit(t.Context(), in, set, durable); err != nil {
		t.Fatal(err)
	}
	before := b.checkpoint(t)
	for range 2 {
		if committed, err := b.target.Resolve(t.Context(), in); !committed || err != nil {
			t.Fatalf("got %t, %v, want committed", committed, err)
		}
	}
	if got := b.checkpoint(t); got != before {
		t.Errorf("the row became %+v, want %+v", got, before)
	}
	mustExec(t, b.db, "UPDATE jstsync_checkpoint SET epoch = 99") // the epoch decides nothing about a commit
	if committed, err := b.target.Resolve(t.Context(), in); !committed || err != nil {
		t.Errorf("at another epoch: got %t, %v, want committed", committed, err)
	}
	eventuallyIdle(t, b.db)
}

// Once Resolve said that the run is not committed, nothing of it takes effect any more.
func TestTarget_Resolve_NotCommitted(t *testing.T) {
	b, s, in, set := inDoubt(t)
	if committed, err := b.target.Resolve(t.Context(), in); committed || err != nil {
		t.Fatalf("got %t, %v, want not committed", committed, err)
	}
	if cp := b.checkpoint(t); cp.Epoch != in.From.Epoch+1 || cp.Head != b.head {
		t.Errorf("got %+v, want the base with its epoch raised from %d", cp, in.From.Epoch)
	}
	wantError(t, s.Commit(t.Context(), in, set, durable), diff.CodeDiverged, "another writer moved the checkpoint")
	b.check(t)
	if committed, err := b.target.Resolve(t.Context(), in); committed || err != nil {
		t.Errorf("asked again: got %t, %v, want not committed", committed, err)
	}
	if cp := b.checkpoint(t); cp.Epoch != in.From.Epoch+2 {
		t.Errorf("got epoch %d, want it raised once more", cp.Epoch)
	}
	b.commit(t, b.shopsOf(t, 4, "next")) // the next run goes on from there
}

// A session that still holds the row decides: Resolve waits for it, beyond one lock wait limit.
func TestTarget_Resolve_Waits(t *testing.T) {
	for _, test := range []struct {
		end       string
		committed bool
		hold      time.Duration
	}{{"COMMIT", true, 6500 * time.Millisecond}, {"COMMIT", true, 300 * time.Millisecond}, {"ROLLBACK", false, 300 * time.Millisecond}} {
		t.Run(fmt.Sprint(test.end, " after ", test.hold), func(t *testing.T) {
			t.Parallel()
			b, _, in, _ := inDoubt(t)
			zombie, err := b.db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = zombie.Close() }()
			for _, q := range []string{"START TRANSACTION", fmt.Sprintf("UPDATE jstsync_checkpoint SET run_id = x'%s', seq = %d, digest = x'%s'", in.RunID, in.Run, in.Digest)} {
				if _, err := zombie.ExecContext(t.Context(), q); err != nil {
					t.Fatal(err)
				}
			}
			ended := make(chan error, 1)
			time.AfterFunc(test.hold, func() {
				_, err := zombie.ExecContext(context.Background(), test.end)
				ended <- err
			})
			begun := time.Now()
			committed, err := b.target.Resolve(t.Context(), in)
			if committed != test.committed || err != nil {
				t.Errorf("got %t, %v, want %t", committed, err, test.committed)
			}
			if took := time.Since(begun); took < test.hold {
				t.Errorf("decided after %v, while the row was locked for %v", took, test.hold)
			}
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestTarget_Resolve_InDoubt(t *testing.T) {
	b, _, in, _ := inDoubt(t)
	before := b.checkpoint(t)
	holder, err := b.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := holder.Exec("SELECT * FROM jstsync_checkpoint FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	b.target.SetDoubtLimit(1500 * time.Millisecond)
	begun := time.Now()
	_, err = b.target.Resolve(t.Context(), in)
	wantError(t, err, diff.CodeInDoubt, fmt.Sprintf("run %d of pipeline shops is still in doubt", in.Run), "KILL",
		"lock the row of jstsync_checkpoint on MySQL server") // the read waits, not the write after it
	if took := time.Since(begun); took < 1500*time.Millisecond || took > 10*time.Second {
		t.Errorf("gave up after %v, want 1.5 s", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = b.target.Resolve(ctx, in)
	wantError(t, err, diff.CodeInDoubt)
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	eventuallyIdle(t, b.db)
	if got := b.checkpoint(t); got != before {
		t.Errorf("the row became %+v, want %+v", got, before)
	}

	gone, err := load.Open(edited(t, b.dsn, func(c *mysql.Config) { c.Addr = "127.0.0.1:1" }), pipeline, shops(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	gone.SetDoubtLimit(time.Second)
	_, err = gone.Resolve(t.Context(), in)
	wantError(t, err, diff.CodeInDoubt, "127.0.0.1:1", "make the server reachable")
}
