//go:build !windows

package faulttest_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
)

// file is what a state file holds, read by docs/state-format.md and not by the
// product's own readers.
type file struct {
	exists   bool
	seal     int    // bytes behind each value but a change
	head     []byte // instance, seq, run ID and digest; nil when the pipeline is not there
	intent   *diff.Intent
	snapshot rows
	commits  int // committed change sets
	stale    int // change sets that are neither committed nor the intent's
	indexes  int
	replayed rows   // what the committed changes, made one after another, come to
	wrong    string // why they cannot all have been made once, in order
	staged   rows   // replayed, and the intent's changes

	logged, unlogged []string // the changes of committed sets, and of the intent, as [world.logged] tells them
}

// readFile reads the state file.
func (w *world) readFile() file {
	w.tb.Helper()
	f := file{snapshot: rows{}, replayed: rows{}}
	db, err := bbolt.Open(w.file, 0o600, &bbolt.Options{ReadOnly: true, Timeout: 10 * time.Second})
	if errors.Is(err, fs.ErrNotExist) {
		return f
	}
	if err != nil {
		w.tb.Fatal(err)
	}
	defer db.Close()
	f.exists = true
	err = db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			return err
		}
		if tx.Bucket([]byte("meta")).Get([]byte("format"))[0] > 1 {
			f.seal = 4
		}
		if p := tx.Bucket([]byte("pipelines")).Bucket([]byte("shops")); p != nil {
			return f.read(p)
		}
		return nil
	})
	if err != nil {
		w.tb.Fatalf("read state file: %v", err)
	}
	return f
}

// get returns a value without its seal, or nil.
func (f *file) get(b *bbolt.Bucket, key string) []byte {
	v := b.Get([]byte(key))
	return v[:max(0, len(v)-f.seal):max(0, len(v)-f.seal)]
}

func (f *file) read(p *bbolt.Bucket) error {
	f.head = bytes.Clone(f.get(p, "head"))
	if text := f.get(p, "intent"); text != nil {
		f.intent = &diff.Intent{}
		if err := json.Unmarshal(text, f.intent); err != nil {
			return err
		}
	}
	if err := f.replay(p); err != nil {
		return err
	}
	index := p.Bucket([]byte("index"))
	if err := index.ForEachBucket(func([]byte) error { f.indexes++; return nil }); err != nil {
		return err
	}
	current := index.Bucket(f.get(p, "generation"))
	err := current.ForEach(func(k, v []byte) error {
		enc := p.Bucket([]byte("changes")).Bucket(v[9:17]).Bucket([]byte("rows")).Get(k)
		c, err := diff.DecodeChange(diff.Key(k), enc)
		f.snapshot[c.Key] = c.After
		return err
	})
	if n := binary.BigEndian.Uint64(f.get(p, "row_count")); n != uint64(len(f.snapshot)) && err == nil {
		return fmt.Errorf("row_count is %d, the snapshot has %d rows", n, len(f.snapshot))
	}
	return err
}

// replay makes all committed changes in order, on nothing.
func (f *file) replay(p *bbolt.Bucket) error {
	changes, commits := p.Bucket([]byte("changes")), p.Bucket([]byte("commits"))
	var digest diff.Digest
	err := changes.ForEachBucket(func(seq []byte) error {
		var h struct {
			RunID     diff.ID     `json:"run_id"`
			Committed bool        `json:"committed"`
			Count     int         `json:"count"`
			Columns   []string    `json:"columns"`
			Previous  diff.Digest `json:"previous"`
			Digest    diff.Digest `json:"digest"`
		}
		b := changes.Bucket(seq)
		if text := f.get(b, "header"); text != nil {
			if err := json.Unmarshal(text, &h); err != nil {
				return err
			}
		}
		if !h.Committed {
			if f.intent == nil || f.intent.RunID != h.RunID {
				f.stale++
				return nil
			}
			f.staged = maps.Clone(f.replayed)
			f.unlogged = logOf(seq, b)
			_, err := f.apply(b, f.staged)
			return err
		}
		f.commits++
		f.logged = append(f.logged, logOf(seq, b)...)
		n, err := f.apply(b, f.replayed)
		want := append(append([]byte(nil), h.RunID[:]...), h.Digest[:]...)
		switch {
		case n != h.Count:
			f.fault("change set %x has %d changes, its header says %d", seq, n, h.Count)
		case h.Previous != digest:
			f.fault("change set %x does not follow the one before it", seq)
		case digestOf(h.Previous, h.Columns, b.Bucket([]byte("rows"))) != h.Digest:
			f.fault("change set %x does not have its digest", seq)
		case !bytes.Equal(f.get(commits, string(seq)), want):
			f.fault("change set %x is not in the list of commits", seq)
		}
		digest = h.Digest
		return err
	})
	if n := commits.Stats().KeyN; n != f.commits {
		f.fault("%d commits are listed, %d change sets are committed", n, f.commits)
	}
	if f.commits > 0 && !bytes.Equal(f.head[40:], digest[:]) {
		f.fault("the head does not have the last change set's digest")
	}
	return err
}

// logOf returns run, key and op of the changes of a set.
func logOf(seq []byte, set *bbolt.Bucket) (changes []string) {
	if rows := set.Bucket([]byte("rows")); rows != nil {
		_ = rows.ForEach(func(k, v []byte) error {
			changes = append(changes, fmt.Sprintf("%d %s %s", binary.BigEndian.Uint64(seq), diff.Key(k), diff.Op(v[0])))
			return nil
		})
	}
	return changes
}

// digestOf is the digest of a change set by its definition in the format.
func digestOf(previous diff.Digest, columns []string, changes *bbolt.Bucket) diff.Digest {
	all := binary.AppendUvarint(bytes.Clone(previous[:]), uint64(len(columns)))
	text := func(b []byte) { all = append(binary.AppendUvarint(all, uint64(len(b))), b...) }
	for _, name := range columns {
		text([]byte(name))
	}
	c := changes.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		text(k)
		text(v)
	}
	return sha256.Sum256(all)
}

func (f *file) fault(format string, args ...any) {
	if f.wrong == "" {
		f.wrong = fmt.Sprintf(format, args...)
	}
}

// apply makes the changes of one change set, each of which must find what it
// says it found.
func (f *file) apply(set *bbolt.Bucket, table rows) (n int, err error) {
	changes := set.Bucket([]byte("rows"))
	if changes == nil {
		return 0, nil
	}
	err = changes.ForEach(func(k, v []byte) error {
		n++
		c, err := diff.DecodeChange(diff.Key(k), v)
		if err != nil {
			return err
		}
		now, ok := table[c.Key]
		if ok != (c.Op != diff.Insert) || !slices.Equal(now, c.Before) {
			f.fault("%s of %s found %v, where the audit has %v", c.Op, c.Key, c.Before, now)
		}
		if c.Op == diff.Delete {
			delete(table, c.Key)
		} else {
			table[c.Key] = c.After
		}
		return nil
	})
	return n, err
}

// checkpoint returns the row's instance, seq, run ID and digest as a head has
// them, or nil when there is none.
func (w *world) checkpoint() []byte {
	w.tb.Helper()
	db := mysqltest.DB(w.tb, w.dsn)
	defer db.Close()
	var n int
	if err := db.QueryRowContext(w.tb.Context(), "SELECT COUNT(*) FROM information_schema.TABLES"+
		" WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'jstsync_checkpoint'").Scan(&n); err != nil {
		w.tb.Fatal(err)
	}
	if n == 0 {
		return nil
	}
	var instance, runID, digest []byte
	var seq uint64
	err := db.QueryRowContext(w.tb.Context(), "SELECT instance, seq, run_id, digest FROM jstsync_checkpoint WHERE pipeline = 'shops'").
		Scan(&instance, &seq, &runID, &digest)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		w.tb.Fatal(err)
	}
	return slices.Concat(instance, binary.BigEndian.AppendUint64(nil, seq), runID, digest)
}

// verdict says what is wrong with the two stores while no run is under way,
// or "". Where a run is unfinished, the target has all of it or nothing.
func (w *world) verdict() string {
	w.tb.Helper()
	f, table, row := w.readFile(), w.table(), w.checkpoint()
	none := len(row) == 0 || binary.BigEndian.Uint64(row[16:]) == 0 // nobody has committed
	follows := bytes.Equal(row, f.head) || none && f.commits == 0
	switch {
	case f.wrong != "":
		return f.wrong
	case difference(f.snapshot, f.replayed) != "":
		return "the audit does not lead to the snapshot: " + difference(f.snapshot, f.replayed)
	case f.head == nil && (len(table) > 0 || !none):
		return "the target was written and the state file knows nothing of it"
	case f.intent != nil && !none && bytes.Equal(row[24:40], f.intent.RunID[:]):
		if d := difference(table, f.staged); d != "" {
			return "the target says that the unfinished run is committed, and it is not: " + d
		}
		return w.misLogged(slices.Concat(f.logged, f.unlogged))
	case f.head != nil && !follows:
		return fmt.Sprintf("the checkpoint row is %x, the head is %x", row, f.head)
	}
	if d := difference(table, f.snapshot); d != "" {
		return "snapshot and target differ: " + d
	}
	return w.misLogged(f.logged)
}

// misLogged says how the changes table differs from the audit, or "".
func (w *world) misLogged(want []string) string {
	w.tb.Helper()
	slices.Sort(want)
	if got := w.logged(); !slices.Equal(got, want) {
		return fmt.Sprintf("the changes table holds %q, want %q", got, want)
	}
	return ""
}

// settled says what is wrong after a run that ended well, or "".
func (w *world) settled() string {
	w.tb.Helper()
	f := w.readFile()
	switch {
	case f.intent != nil:
		return fmt.Sprintf("run %d is left unfinished", f.intent.Run)
	case f.stale > 0:
		return "changes are left that no run committed"
	case f.indexes > 1:
		return "a second index is left"
	}
	return w.verdict()
}
