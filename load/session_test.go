package load_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// taken is what a server answers in whose sessions every setting took.
func taken() map[string]string {
	return map[string]string{
		"sql_mode":  "STRICT_TRANS_TABLES,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,TRADITIONAL,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO",
		"time_zone": "+00:00", "autocommit": "ON", "tx_isolation": "REPEATABLE-READ", "tx_read_only": "OFF",
		"character_set_client": "utf8mb4", "character_set_connection": "utf8mb4", "character_set_results": "utf8mb4",
		"read_only": "OFF", "innodb_read_only": "OFF", "innodb_lock_wait_timeout": "5", "max_allowed_packet": "16777216", "lower_case_table_names": "0",
	}
}

// A setting that did not take, behind a proxy that pins it, is refused by name with its value.
func TestSession_Verify(t *testing.T) {
	b := onShared(t, shops())
	if err := b.target.Verify(taken()); err != nil {
		t.Fatalf("everything took: %v", err)
	}
	for name, value := range map[string]string{
		"sql_mode": "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION", "time_zone": "SYSTEM", "autocommit": "OFF",
		"tx_isolation": "READ-UNCOMMITTED", "transaction_isolation": "READ-COMMITTED", "tx_read_only": "ON", "transaction_read_only": "ON",
		"character_set_client": "latin1", "character_set_connection": "utf8mb3", "character_set_results": "",
		"read_only": "ON", "super_read_only": "1", "innodb_read_only": "ON",
	} {
		vars := taken()
		vars[name] = value
		err := b.target.Verify(vars)
		wantError(t, err, diff.CodeTarget, fmt.Sprintf("keeps %s at %q", name, value))
		if remedy(err) == "" {
			t.Errorf("%s: no remedy", name)
		}
	}
	for mode := range strings.SplitSeq("STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO", ",") {
		vars := taken()
		vars["sql_mode"] = strings.Join(slices.DeleteFunc(strings.Split(vars["sql_mode"], ","), func(m string) bool { return m == mode }), ",")
		wantError(t, b.target.Verify(vars), diff.CodeTarget, "keeps sql_mode at")
	}
	vars := taken()
	vars["sql_mode"] += ",NO_BACKSLASH_ESCAPES" // in which the escapes of literals are none
	wantError(t, b.target.Verify(vars), diff.CodeTarget, "keeps sql_mode at")
	vars = taken()
	maps.Copy(vars, map[string]string{"innodb_lock_wait_timeout": "50"})
	for range 2 {
		if err := b.target.Verify(vars); err != nil {
			t.Errorf("a longer lock wait: %v", err)
		}
	}
	if n := strings.Count(b.log.String(), `keeps innodb_lock_wait_timeout at \"50\", not 5 s`); n != 1 {
		t.Errorf("got %d warnings of the lock wait, want one:\n%s", n, b.log)
	}
}

// A server whose own settings are all wrong: the session's are right.
func TestSession_Settings(t *testing.T) {
	server := mysqltest.Start(t, "--sql-mode=", "--autocommit=0", "--transaction-isolation=READ-UNCOMMITTED", "--default-time-zone=+08:00",
		"--character-set-server=latin1", "--innodb-lock-wait-timeout=50", "--wait-timeout=20", "--max-allowed-packet=1M")
	b := newBench(t, server.DSN(), shops())
	sent := b.logged(t)
	set := b.insertsOf(t, shop(1, "a"))
	s, cp := b.begin(t)
	in := b.intent(cp, set)
	if err := s.Commit(t.Context(), in, set, durable); err != nil {
		t.Fatal(err)
	}
	b.became(t, in, map[diff.Key]diff.Row{b.key(t, shop(1, "")): shop(1, "a")})
	if got := fmt.Sprintf("%q", timeouts(sent()[0])); got != `["wait_timeout = 3600" "START TRANSACTION 60"]` {
		t.Errorf("got %s: the limit of a transaction is to begin with it, not with the staging before it", got)
	}
	before := b.checkpoint(t)
	sent = b.logged(t)
	again := b.intent(before, set)
	if err := connect(t, b.target).TakeOver(t.Context(), &before, again); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", timeouts(sent()[0])); got != `["wait_timeout = 3600" "START TRANSACTION 60"]` {
		t.Errorf("taking over: got %s", got)
	}
	// the claim commits by itself, though the server's sessions do not
	mustExec(t, b.db, "DELETE FROM jstsync_checkpoint")
	mustExec(t, b.db, "DELETE FROM jst_shops")
	mustExec(t, b.db, "COMMIT")
	b.head = diff.Head{Instance: diff.ID{5}}
	s, _ = b.begin(t)
	_ = s.Close()
	if cp := b.checkpoint(t); cp.Head != b.head {
		t.Errorf("the claim is %+v, want %+v", cp, b.head)
	}
}

// timeouts returns when a connection set its limit of silence, and to what.
func timeouts(sent []string) (all []string) {
	for i, q := range sent {
		if _, set, ok := strings.Cut(q, " wait_timeout = "); ok && strings.HasPrefix(q, "SET SESSION ") {
			if i+1 < len(sent) && sent[i+1] == "START TRANSACTION" {
				all = append(all, "START TRANSACTION "+set)
			} else {
				all = append(all, "wait_timeout = "+set)
			}
		}
	}
	return all
}

// A change that no statement can carry is named before anything is sent; one that just fits goes in.
func TestSession_Commit_TooLong(t *testing.T) {
	const packet = 64 << 10
	server := mysqltest.Start(t, fmt.Sprintf("--max-allowed-packet=%d", packet))
	table := shops()
	table.Columns[4].Type = diff.Type{Base: diff.LongText}
	b := newBench(t, server.DSN(), table)
	row := func(id int64, size int64, text string) diff.Row {
		r := shop(id, "x")
		one := diff.Change{Op: diff.Insert, Key: b.key(t, r), After: r}
		r[4] = diff.TextValue("")
		room := size - load.Length(table, &one)
		if text != "x" {
			room /= 2 // it is escaped
		}
		r[4] = diff.TextValue(strings.Repeat(text, int(room)))
		return r
	}
	for i, text := range []string{"x", "'", `\`, "\n"} {
		id := int64(i + 1)
		fits, more := row(id, packet-1, text), row(id, packet-1, text)
		more[4] = diff.TextValue(more[4].Text() + text)
		sent := b.logged(t)
		b.fails(t, b.insertsOf(t, shop(90, "short"), more), diff.CodeTarget, fmt.Sprintf("key %d of table jst_shops", id), "max_allowed_packet", fmt.Sprint("takes less than ", packet))
		if got := sent(); got != nil {
			t.Errorf("%q: a transaction was begun: %.90q", text, got)
		}
		b.commit(t, map[diff.Key]diff.Row{b.key(t, fits): fits})
		short := slices.Clone(fits)
		short[4] = diff.TextValue("short")
		b.commit(t, map[diff.Key]diff.Row{b.key(t, short): short})
	}
}
