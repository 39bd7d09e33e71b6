package load_test

import (
	"testing"
	"time"

	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// bulkRows is how many rows of the table of shops make two whole batches and a part of one.
const bulkRows = 2400

// A connection that is lost between the batches of a bulk insert, however that shows, ends the transaction, which is
// then sent again as a whole.
func TestBulk_Lost(t *testing.T) {
	server := mysqltest.Start(t)
	for name, lose := range map[string]func(*testing.T, *bench, *mysqltest.Proxy){
		"reset":  func(_ *testing.T, _ *bench, p *mysqltest.Proxy) { p.Cut() },
		"killed": func(t *testing.T, b *bench, _ *mysqltest.Proxy) { b.killOthers(t) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, server.DSN(), shops())
			mustExec(t, b.db, "DROP TABLE IF EXISTS jst_shops, jstsync_checkpoint")
			p := mysqltest.NewProxy(t, b.asWriter(t))
			b.dsn = p.DSN()
			lost := false
			b.target = b.openWith(t, pipeline, load.WithProgress(func(done, _ int) {
				if done == 1000 && !lost {
					lost = true
					lose(t, b, p)
					time.Sleep(50 * time.Millisecond)
				}
			}))
			s, cp := b.begin(t)
			set := b.set(t, b.shopsOf(t, bulkRows, "a"))
			in := b.intent(cp, set)
			pauses := 0
			hurry(b.target, func(n int) { pauses = n })
			if err := s.Commit(t.Context(), in, set, durable); err != nil {
				t.Fatalf("Commit: %v", err)
			}
			b.became(t, in, b.shopsOf(t, bulkRows, "a"))
			if pauses != 1 {
				t.Errorf("got %d pauses, want 1", pauses)
			}
			eventuallyIdle(t, b.db)
		})
	}
}
