package state

import (
	"bytes"
	"cmp"
	"container/heap"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// past is the list of the commits that made a state of a pipeline's table,
// oldest first. Where the audit was trimmed, the first one stands for all that
// are forgotten.
type past []diff.Commit

// commits reads the past.
func commits(p *bbolt.Bucket) (past, error) {
	gone, at, err := trimmed(p)
	if err != nil {
		return nil, err
	}
	var all past
	if gone > 0 {
		base, err := baseOf(p, gone, at)
		if err != nil {
			return nil, err
		}
		all = past{base}
	}
	changes := p.Bucket(bucketChanges)
	err = changes.ForEachBucket(func(k []byte) error {
		h, err := readHeader(changes.Bucket(k))
		if err != nil {
			return fmt.Errorf("run %d: %w", readBE64(k), err)
		}
		if h.Committed && h.Kind != diff.KindRepair {
			all = append(all, *h.commit(readBE64(k)))
		}
		return nil
	})
	if len(all) > 1 && all[0].Trimmed && all[1].Run <= gone { // a trimming was cut short in it, and it has all of its rows
		all[0].Run, all[0].At = all[1].Run, all[1].At
	}
	return all, err
}

// at returns the commits that the state after the run rests on: those up to it,
// from the last rebuild on.
func (all past) at(run uint64) (past, error) {
	n := 0
	for i := range all {
		if all[i].Run > run {
			break
		}
		n = i + 1
	}
	if n == 0 && len(all) > 0 && all[0].Trimmed {
		return nil, forgotten(fmt.Sprintf("the state after run %d", run), &all[0])
	}
	for i := n - 1; i >= 0; i-- {
		if all[i].Kind == diff.KindRebuild {
			return all[i:n], nil
		}
	}
	return all[:n], nil
}

// baseOf returns what stands for the commits up to the last forgotten one, of
// which the kept rows are.
func baseOf(p *bbolt.Bucket, gone uint64, at time.Time) (base diff.Commit, err error) {
	base = diff.Commit{Run: gone, Kind: diff.KindSync, At: at, Trimmed: true}
	if layouts := p.Bucket(bucketLayouts); layouts != nil {
		k, _ := layouts.Cursor().Last()
		base.Columns, err = readLayout(layouts, readBE64(k))
	}
	return base, err
}

// forgotten says that something is older than the audit.
func forgotten(what string, base *diff.Commit) error {
	return &diff.Error{
		Code:    diff.CodeFailed,
		Message: fmt.Sprintf("%s is no longer on record; the audit goes back to the state after run %d of %s", what, base.Run, base.At.Format(time.RFC3339)),
		Remedy:  "ask for that run or a later one; how much is kept is set by audit.keep and audit.max_runs",
	}
}

func (all past) columns() []string {
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1].Columns
}

// RunAt returns the run whose state stood at the given time: the last commit
// at or before it, 0 when there was none.
func (r *Reader) RunAt(t time.Time) (run uint64, err error) {
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		if p == nil {
			return nil
		}
		all, err := commits(p)
		if err == nil && len(all) > 0 && all[0].Trimmed && all[0].At.After(t) {
			return forgotten("the state of "+t.UTC().Format(time.RFC3339), &all[0])
		}
		for _, c := range all {
			if !c.At.After(t) {
				run = c.Run
			}
		}
		return err
	})
	return run, err
}

// SnapshotAt passes the rows of the table as it stood after the run to visit,
// in key order, with the names of its columns.
func (r *Reader) SnapshotAt(run uint64, visit func(columns []string, row diff.Row) error) error {
	return walk(r, rowAfter(run), visit)
}

// rowAfter asks for the rows of the state after the run.
func rowAfter(run uint64) func(past) (question[diff.Row], error) {
	return func(all past) (question[diff.Row], error) {
		then, err := all.at(run)
		q := question[diff.Row]{commits: then, columns: then.columns()}
		q.ask = func(s *story) (diff.Row, bool, error) {
			row, err := s.state(then)
			return row, row != nil, err
		}
		return q, err
	}
}

// Compare passes the net difference from the state after one run to the state
// after another to visit, in key order, with the names of the columns of its
// rows: those of the later state of the two.
func (r *Reader) Compare(from, to uint64, visit func(columns []string, c diff.Change) error) error {
	return walk(r, difference(from, to), visit)
}

// difference asks for the net changes between the states after two runs.
func difference(from, to uint64) func(past) (question[diff.Change], error) {
	return func(all past) (question[diff.Change], error) {
		then, err1 := all.at(from)
		now, err2 := all.at(to)
		if err := errors.Join(err1, err2); err != nil {
			return question[diff.Change]{}, err
		}
		q := question[diff.Change]{commits: union(then, now), columns: union(then, now).columns()}
		before := func(s *story) (diff.Row, error) { return s.state(then) }
		if forward(then, now) { // what the first change in between found is the state before
			q.commits = now[len(then):]
			before = (*story).first
		}
		q.ask = func(s *story) (diff.Change, bool, error) {
			old, err1 := before(s)
			row, err2 := s.state(now)
			c, changed := diff.Compare(s.key, old, row)
			return c, changed, errors.Join(err1, err2)
		}
		return q, nil
	}
}

// forward reports whether one past goes on from the other.
func forward(then, now past) bool {
	return len(then) <= len(now) && (len(then) == 0 && (len(now) == 0 || now[0].Kind != diff.KindRebuild) ||
		len(then) > 0 && same(then[0], now[0]))
}

func union(a, b past) past {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(a, b diff.Commit) int {
		if a.Run == b.Run && a.Trimmed != b.Trimmed {
			return map[bool]int{true: -1, false: 1}[a.Trimmed]
		}
		return cmp.Compare(a.Run, b.Run)
	})
	return slices.CompactFunc(all, same)
}

// same reports whether two entries of pasts are one. What stands for forgotten
// commits may have the number of one that is about to be.
func same(a, b diff.Commit) bool { return a.Run == b.Run && a.Trimmed == b.Trimmed }

// question is asked of the story of each key that some commits touched.
type question[T any] struct {
	commits past
	columns []string
	ask     func(*story) (answer T, counts bool, err error)
}

// walk asks the question of every key, in order, and passes the answers that
// count to visit. The file is open only while a batch of them is read.
func walk[T any](r *Reader, about func(past) (question[T], error), visit func([]string, T) error) error {
	for from := []byte{}; from != nil; {
		var batch []T
		var columns []string
		var next []byte
		err := r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
			if p == nil {
				return nil
			}
			all, err := commits(p)
			if err != nil {
				return err
			}
			q, err := about(all)
			if err != nil {
				return err
			}
			columns = q.columns
			batch, next, err = q.read(p, from, bounds{rowsBatch, everything})
			return err
		})
		if err != nil {
			return err
		}
		for _, answer := range batch {
			if err := visit(columns, answer); err != nil {
				return err
			}
		}
		from = next
	}
	return nil
}

// read answers for a batch of keys. next is the key to go on from, nil at the
// end.
func (q *question[T]) read(p *bbolt.Bucket, from []byte, most bounds) (batch []T, next []byte, err error) {
	t := tellers{}
	for i := range q.commits {
		c := &teller{commit: &q.commits[i]}
		var rows *bbolt.Bucket
		if c.commit.Trimmed {
			c.kept = newKeptRows(p)
			rows = c.kept.kept
		} else {
			rows = p.Bucket(bucketChanges).Bucket(be64(c.commit.Run)).Bucket(bucketRows)
		}
		if rows == nil {
			continue
		}
		c.cursor = rows.Cursor()
		if c.key, c.value = c.cursor.Seek(from); c.key != nil {
			t = append(t, c)
		}
	}
	heap.Init(&t)
	for len(t) > 0 {
		if len(batch) == most.size || most.looks <= 0 {
			return batch, bytes.Clone(t[0].key), nil
		}
		most.looks--
		s, err := t.story(q.columns)
		if err != nil {
			return nil, nil, err
		}
		answer, counts, err := q.ask(s)
		if err != nil {
			return nil, nil, err
		}
		if counts {
			batch = append(batch, answer)
		}
	}
	return batch, nil, nil
}

// story is what the commits did to one key, newest first. It is valid until the
// next is told.
type story struct {
	key      diff.Key
	columns  []string // wanted
	chapters []chapter
}

type chapter struct {
	commit  *diff.Commit
	columns []string
	change  []byte // encoded
}

// state returns the row after the last of the commits, nil when there is none.
func (s *story) state(of past) (diff.Row, error) {
	for _, c := range s.chapters {
		if len(of) == 0 || c.commit.Run > of[len(of)-1].Run || c.commit.Run < of[0].Run {
			continue
		}
		change, err := diff.DecodeChange(s.key, c.change)
		return diff.Reshape(change.After, c.columns, s.columns), err
	}
	return nil, nil
}

// first returns the row before the oldest change.
func (s *story) first() (diff.Row, error) {
	c := s.chapters[len(s.chapters)-1]
	change, err := diff.DecodeChange(s.key, c.change)
	return diff.Reshape(change.Before, c.columns, s.columns), err
}

// tellers is a heap of cursors over the rows of commits, by key and then newest
// first.
type tellers []*teller

type teller struct {
	commit     *diff.Commit
	kept       *keptRows // of commits that are forgotten, else nil
	cursor     *bbolt.Cursor
	key, value []byte
}

// chapter returns what the teller stands at.
func (t *teller) chapter() (chapter, error) {
	if t.kept == nil {
		return chapter{t.commit, t.commit.Columns, t.value}, nil
	}
	row, err := readKept(t.key, t.value)
	if err != nil {
		return chapter{}, err
	}
	columns, err := t.kept.layout(row.layout)
	return chapter{t.commit, columns, row.encoded}, err
}

func (t tellers) Len() int { return len(t) }
func (t tellers) Less(i, j int) bool {
	if c := bytes.Compare(t[i].key, t[j].key); c != 0 {
		return c < 0
	}
	if t[i].commit.Run == t[j].commit.Run {
		return t[j].commit.Trimmed
	}
	return t[i].commit.Run > t[j].commit.Run
}
func (t tellers) Swap(i, j int) { t[i], t[j] = t[j], t[i] }
func (t *tellers) Push(x any)   { *t = append(*t, x.(*teller)) }

// Pop removes the last one.
func (t *tellers) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

// story tells of the least key, and moves on.
func (t *tellers) story(columns []string) (*story, error) {
	s := &story{key: diff.Key((*t)[0].key), columns: columns}
	for len(*t) > 0 && string((*t)[0].key) == string(s.key) {
		first := (*t)[0]
		c, err := first.chapter()
		if err != nil {
			return nil, err
		}
		s.chapters = append(s.chapters, c)
		if first.key, first.value = first.cursor.Next(); first.key == nil {
			heap.Pop(t)
		} else {
			heap.Fix(t, 0)
		}
	}
	return s, nil
}
