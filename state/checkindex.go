package state

import (
	"bytes"
	"fmt"

	"jstsync/diff"
)

// intent looks at the unfinished run, if there is one.
func (p *pipelineChecker) intent() {
	if p.b.Get(keyIntent) == nil {
		return
	}
	in, err := readIntent(p.b)
	if err != nil {
		run := uint64(0)
		if k, _ := p.b.Bucket(bucketChanges).Cursor().Last(); readBE64(k) > p.head.Seq {
			run = readBE64(k)
		}
		p.Open[p.name] = run
		p.bad(run, "intent", restore, "%v", err)
		return
	}
	p.Open[p.name] = in.Run
	p.Notes = append(p.Notes, fmt.Sprintf("pipeline %s: run %d is unfinished; the next jstsync sync finds out whether the target has it", p.name, in.Run))
	if runs := p.tx.Bucket(bucketRuns); runs == nil || runs.Get(be64(in.Run)) == nil {
		p.bad(in.Run, "intent", restore, "there is no record of that run")
	}
	changes := p.b.Bucket(bucketChanges).Bucket(be64(in.Run))
	if changes == nil {
		p.bad(in.Run, "intent", restore, "the staged changes are missing")
		return
	}
	where := fmt.Sprintf("changes/%d", in.Run)
	p.names(changes, p.name, in.Run, where, [][]byte{keyHeader}, [][]byte{bucketRows, bucketHashes})
	h := p.changes(in.Run, changes, where)
	if h == nil {
		return
	}
	p.staged = h.Generation
	if h.Committed || h.RunID != in.RunID || h.Digest != in.Digest || h.Kind != in.Kind ||
		h.Count != in.Changes || !h.CommittedAt.Equal(in.CommittedAt) || h.Previous != p.head.Digest {
		p.bad(in.Run, "intent", restore, "it and the staged changes do not agree")
	}
	if in.Run <= p.head.Seq || in.Kind == diff.KindSync && !in.From.Same(p.head) {
		p.bad(in.Run, "intent", restore, "it does not start from the head, run %d", p.head.Seq)
	}
	hashes := changes.Bucket(bucketHashes)
	if (hashes == nil) == (h.Generation == 0) || h.Generation != 0 && p.b.Bucket(bucketIndex).Bucket(be64(h.Generation)) == nil {
		p.bad(in.Run, where, restore, "the index of the run is missing")
	}
	if hashes != nil && changes.Bucket(bucketRows) != nil {
		_ = changes.Bucket(bucketRows).ForEach(func(k, _ []byte) error {
			if hashes.Get(k) == nil {
				p.bad(in.Run, where+"/hashes", restore, "the hash of %s is missing", diff.Key(k))
			}
			return nil
		})
	}
	if hashes != nil {
		_ = hashes.ForEach(func(k, v []byte) error {
			if _, err := unseal(k, v); err != nil {
				p.bad(in.Run, where+"/hashes", restore, "the hash of %s: %v", diff.Key(k), err)
			}
			return nil
		})
	}
}

// leftovers looks for changes and indexes that belong to no commit.
func (p *pipelineChecker) leftovers() {
	_ = p.b.Bucket(bucketChanges).ForEach(func(k, v []byte) error {
		run := readBE64(k)
		switch {
		case len(k) != 8 || v != nil:
			p.bad(0, "changes", restoreAudit, "%x is no number of a run", k)
		case p.b.Bucket(bucketCommits).Get(k) != nil, p.b.Get(keyIntent) != nil && run == p.Open[p.name]:
		case run > p.head.Seq:
			p.Notes = append(p.Notes, fmt.Sprintf("pipeline %s: the changes of run %d were not staged to the end; the next run removes them", p.name, run))
		default:
			p.bad(run, fmt.Sprintf("changes/%d", run), restoreAudit, "there are changes of a run that did not commit")
		}
		return nil
	})
	_ = p.b.Bucket(bucketIndex).ForEach(func(k, v []byte) error {
		switch {
		case len(k) != 8 || v != nil:
			p.bad(0, "index", rebuildIndex, "%x is no number of an index", k)
		case !bytes.Equal(k, field(p.b, keyGeneration)) && readBE64(k) != p.staged:
			p.Notes = append(p.Notes, fmt.Sprintf("pipeline %s: index %d is not in use; the next run removes it", p.name, readBE64(k)))
		}
		return nil
	})
}

// kept judges the rows that are left of forgotten commits.
func (p *pipelineChecker) kept() {
	r := newKeptRows(p.b)
	if r.layouts != nil {
		_ = r.layouts.ForEach(func(k, _ []byte) error {
			if _, err := r.layout(readBE64(k)); err != nil {
				p.bad(0, "layouts", restoreAudit, "%v", err)
			}
			return nil
		})
	}
	if r.kept == nil {
		return
	}
	_ = r.kept.ForEach(func(k, v []byte) error {
		row, err := readKept(k, v)
		if err == nil {
			_, err = r.layout(row.layout)
		}
		switch {
		case err != nil:
			run := uint64(0)
			if len(v) > 8 && p.b.Bucket(bucketCommits).Get(v[:8]) != nil {
				run = readBE64(v[:8])
			}
			p.bad(run, "kept", restoreAudit, "%v", err)
		case row.run > p.trimmed || p.b.Bucket(bucketCommits).Get(be64(row.run)) == nil:
			p.bad(row.run, "kept", restoreAudit, "the row of %s is said to be of run %d, which is not forgotten", diff.Key(k), row.run)
		default:
			p.change(row.run, diff.Key(k), row.encoded, "kept", true)
		}
		return nil
	})
}

// rows judges the current index and, when an intent has one, the next.
func (p *pipelineChecker) rows() {
	if p.index == nil {
		p.bad(0, "index", rebuildIndex, "the current index, %d, is missing", number(p.b, keyGeneration))
		return
	}
	n := p.entries(readBE64(field(p.b, keyGeneration)))
	p.Rows += n
	if count := p.value(p.b, keyRowCount, p.name, 0, "pipelines/"+p.name); count != nil && readBE64(count) != uint64(n) {
		p.bad(0, "row_count", rebuildIndex, "it is %d, and the index has %d rows", readBE64(count), n)
	}
	if p.staged != 0 && p.b.Bucket(bucketIndex).Bucket(be64(p.staged)) != nil {
		p.entries(p.staged)
	}
}

func (p *pipelineChecker) entries(generation uint64) (n int) {
	where := fmt.Sprintf("index/%d", generation)
	_ = p.b.Bucket(bucketIndex).Bucket(be64(generation)).ForEach(func(k, v []byte) error {
		n++
		e, err := decodeEntry(k, v)
		if err == nil {
			err = p.image(k, e)
		}
		if err != nil {
			p.bad(p.runOf(k, v), where, rebuildIndex, "%v", err)
		}
		return nil
	})
	return n
}

// image wants the row of an index entry to be where the entry says.
func (p *pipelineChecker) image(k []byte, e entry) error {
	if e.flags&^flagAdopted != 0 {
		return fmt.Errorf("index entry of %s has unknown flags %x", diff.Key(k), e.flags)
	}
	changes := p.b.Bucket(bucketChanges).Bucket(be64(e.image))
	if changes == nil && e.image <= p.trimmed {
		_, err := newKeptRows(p.b).image(diff.Key(k), e.image, nil)
		return err
	}
	if changes == nil || changes.Bucket(bucketRows) == nil {
		return fmt.Errorf("index entry of %s has its row in run %d, which has none", diff.Key(k), e.image)
	}
	enc := changes.Bucket(bucketRows).Get(k)
	if len(enc) == 0 || diff.Op(enc[0]) == diff.Delete {
		return fmt.Errorf("index entry of %s has its row in run %d, which does not hold it", diff.Key(k), e.image)
	}
	return nil
}

// runOf returns the run that a broken index entry is of: the last one that
// changed its key, else the one that it names if there is such a one, else 0.
func (p *pipelineChecker) runOf(key, value []byte) (run uint64) {
	if len(value) == entrySize+sealSize && p.b.Bucket(bucketChanges).Bucket(value[9:entrySize]) != nil {
		run = readBE64(value[9:entrySize])
	}
	_ = p.b.Bucket(bucketChanges).ForEachBucket(func(k []byte) error {
		rows := p.b.Bucket(bucketChanges).Bucket(k).Bucket(bucketRows)
		if rows != nil && rows.Get(key) != nil && readBE64(k) <= p.head.Seq {
			run = readBE64(k)
		}
		return nil
	})
	return run
}
