package load

import (
	"context"
	"fmt"
	"time"
)

// How long a session that blocks is looked for.
const (
	blockerLimit = 4 * time.Second
	blockerWait  = 300 * time.Millisecond // until a waiting session is in the server's tables
)

// waitsBefore8 and waitsFrom8 ask who blocks a session: MariaDB and MySQL 5.7,
// and MySQL 8.
const (
	waitsBefore8 = "SELECT b.trx_mysql_thread_id FROM information_schema.INNODB_LOCK_WAITS w" +
		" JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id" +
		" JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id WHERE r.trx_mysql_thread_id = ? ORDER BY b.trx_started LIMIT 1"
	waitsFrom8 = "SELECT b.trx_mysql_thread_id FROM performance_schema.data_lock_waits w" +
		" JOIN information_schema.INNODB_TRX r ON r.trx_id = w.REQUESTING_ENGINE_TRANSACTION_ID" +
		" JOIN information_schema.INNODB_TRX b ON b.trx_id = w.BLOCKING_ENGINE_TRANSACTION_ID WHERE r.trx_mysql_thread_id = ? ORDER BY b.trx_started LIMIT 1"
	whichWaits = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'performance_schema' AND TABLE_NAME = 'data_lock_waits'"
)

// blocker names the session that locks the pipeline's checkpoint row, by
// waiting for the lock on one connection and looking from another. It returns
// "" when that cannot be told, for want of rights or for any other reason.
func (t *Target) blocker(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, blockerLimit)
	defer cancel()
	waiting, err := t.Connect(ctx)
	if err != nil {
		return ""
	}
	defer func() { _ = waiting.Close() }()
	looking, err := t.Connect(ctx)
	if err != nil {
		return ""
	}
	defer func() { _ = looking.Close() }()
	var id int64
	if _, err := waiting.one(ctx, []any{&id}, "SELECT CONNECTION_ID()"); err != nil {
		return ""
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = waiting.begin(ctx)
		_, _ = waiting.readCheckpoint(ctx, " FOR UPDATE")
	}()
	select {
	case <-done: // nobody blocks any more
		return ""
	case <-time.After(blockerWait):
	}
	name := looking.whoBlocks(ctx, id)
	cancel()
	<-done
	return name
}

// whoBlocks describes the session that another one waits for: the last of a
// queue, since each waits for the one before it.
func (s *Session) whoBlocks(ctx context.Context, waiting int64) string {
	var from8 int
	if _, err := s.one(ctx, []any{&from8}, whichWaits); err != nil {
		return ""
	}
	query := waitsBefore8
	if from8 > 0 {
		query = waitsFrom8
	}
	blocking := waiting
	for range 10 {
		if found, err := s.one(ctx, []any{&blocking}, query, blocking); err != nil || !found {
			break
		}
	}
	if blocking == waiting {
		return ""
	}
	name := fmt.Sprint("session ", blocking)
	var user, host string
	var seconds int64
	found, err := s.one(ctx, []any{&user, &host, &seconds},
		"SELECT COALESCE(USER, ''), COALESCE(HOST, ''), COALESCE(TIME, 0) FROM information_schema.PROCESSLIST WHERE ID = ?", blocking)
	if err == nil && found {
		name += fmt.Sprintf(" (%s from %s, %d s since its last statement began)", user, host, seconds)
	}
	return name
}
