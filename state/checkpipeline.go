package state

import (
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// commitSize is the length of an entry of commits: run ID and digest.
const commitSize = 16 + 32

// pipelineChecker looks one pipeline over.
type pipelineChecker struct {
	*checker
	name   string
	b      *bbolt.Bucket
	head   diff.Head
	index  *bbolt.Bucket // the current one, or nil
	staged uint64        // the generation that an intent is to flip to, or 0

	trimmed uint64 // the last forgotten commit, or 0
}

func (p *pipelineChecker) bad(run uint64, where, remedy, format string, args ...any) {
	p.checker.bad(p.name, run, where, remedy, format, args...)
}

func (p *pipelineChecker) check() {
	needed := [][]byte{keyHead, keyGeneration, keyRowCount, bucketIndex, bucketChanges, bucketCommits}
	if !p.names(p.b, p.name, 0, "pipelines/"+p.name, needed, [][]byte{keyIntent, keyFingerprint, keyFields, keyIDColumns, keyTrimmed, bucketKept, bucketLayouts}) {
		return
	}
	for _, name := range [][]byte{bucketIndex, bucketChanges, bucketCommits} {
		if p.b.Bucket(name) == nil {
			p.bad(0, string(name), restore, "it is no bucket")
			return
		}
	}
	p.value(p.b, keyFingerprint, p.name, 0, "pipelines/"+p.name)
	p.value(p.b, keyFields, p.name, 0, "pipelines/"+p.name)
	p.value(p.b, keyIDColumns, p.name, 0, "pipelines/"+p.name)
	if generation := p.value(p.b, keyGeneration, p.name, 0, "pipelines/"+p.name); generation != nil {
		p.index = p.b.Bucket(bucketIndex).Bucket(generation)
	}
	var err error
	if p.trimmed, _, err = trimmed(p.b); err != nil {
		p.bad(0, "trimmed", restore, "%v", err)
	}
	last := p.commits()
	p.kept()
	p.checkHead(last)
	p.intent()
	p.leftovers()
	p.rows()
}

// commits walks the chain, and returns the head that its last commit makes.
func (p *pipelineChecker) commits() (last diff.Head) {
	var latest time.Time
	_ = p.b.Bucket(bucketCommits).ForEach(func(k, v []byte) error {
		p.Commits++
		run, where := readBE64(k), fmt.Sprintf("commits/%d", readBE64(k))
		content, err := unseal(k, v)
		if err == nil && (len(k) != 8 || len(content) != commitSize) {
			err = fmt.Errorf("the entry is %d and %d bytes long, want 8 and %d", len(k), len(content), commitSize)
		}
		if err != nil {
			p.bad(run, where, restoreAudit, "%v", err)
		}
		now := diff.Head{Seq: run}
		if len(content) == commitSize {
			copy(now.RunID[:], content)
			copy(now.Digest[:], content[16:])
		}
		if run <= p.trimmed && p.b.Bucket(bucketChanges).Bucket(k) == nil {
			last = now
			return nil
		}
		h := p.commit(run)
		switch {
		case h == nil:
		case !h.Committed:
			p.bad(run, where, restoreAudit, "the header does not say that the run committed")
		case h.Previous != last.Digest:
			p.bad(run, where, restoreAudit, "it does not follow upon run %d: its previous digest is %s, want %s", last.Seq, h.Previous, last.Digest)
		case !h.Latest.IsZero() && (h.Latest.Before(h.CommittedAt) || h.Latest.Before(latest)):
			p.bad(run, where, restoreAudit, "the header says that no commit up to it was later than %s, but one was", h.Latest)
		case err == nil && (h.RunID != now.RunID || h.Digest != now.Digest):
			p.bad(run, where, restoreAudit, "it and the header are of different runs")
		}
		if err != nil && h != nil {
			now.RunID, now.Digest = h.RunID, h.Digest // to judge the rest of the chain
		}
		if h != nil {
			latest = maxTime(latest, h.Latest)
		}
		last = now
		return nil
	})
	return last
}

// commit judges the changes of a committed run, and returns their header if it
// can be read.
func (p *pipelineChecker) commit(run uint64) *header {
	where := fmt.Sprintf("changes/%d", run)
	changes := p.b.Bucket(bucketChanges).Bucket(be64(run))
	if changes == nil {
		p.bad(run, where, restoreAudit, "the changes of a committed run are missing")
		return nil
	}
	p.names(changes, p.name, run, where, [][]byte{keyHeader}, [][]byte{bucketRows})
	h := p.changes(run, changes, where)
	if h == nil {
		return nil
	}
	rec := p.tx.Bucket(bucketRuns)
	if rec == nil || rec.Get(be64(run)) == nil {
		if run <= p.trimmed {
			return h
		}
		p.bad(run, where, restoreAudit, "there is no record of that run")
		return h
	}
	var r diff.Run
	if readRecord(be64(run), rec.Get(be64(run)), &r) != nil {
		return h // which is reported where it stands
	}
	if r.RunID != h.RunID || r.Pipeline != p.name || r.Status != diff.Committed || !r.CommittedAt.Equal(h.CommittedAt) {
		p.bad(run, where, restoreAudit, "the header and the record of the run do not agree")
	}
	return h
}

// changes judges a header and its rows by themselves.
func (p *pipelineChecker) changes(run uint64, b *bbolt.Bucket, where string) *header {
	h, err := readHeader(b)
	if err != nil {
		p.bad(run, where+"/header", restoreAudit, "%v", err)
		return nil
	}
	count := 0
	d := diff.NewDigester(h.Previous, h.Columns)
	if rows := b.Bucket(bucketRows); rows != nil {
		c := rows.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			count++
			p.change(run, diff.Key(k), v, where+"/rows", h.Committed && h.Kind != diff.KindRepair)
			d.Add(k, v)
		}
	}
	p.Changes += count
	if digest := d.Sum(); digest != h.Digest {
		p.bad(run, where+"/rows", restoreAudit, "the changes are not those of the run: their digest is %s, want %s", digest, h.Digest)
	} else if count != h.Count {
		p.bad(run, where+"/header", restoreAudit, "it counts %d changes, there are %d", h.Count, count)
	}
	return &h
}

// change judges one change, and that the index knows of no older image.
func (p *pipelineChecker) change(run uint64, key diff.Key, enc []byte, where string, committed bool) {
	change, err := diff.DecodeChange(key, enc)
	if _, keyErr := key.Parts(); err == nil {
		err = keyErr
	}
	if err != nil {
		p.bad(run, where, restoreAudit, "%v", err)
		return
	}
	if !committed || p.index == nil || p.index.Get([]byte(key)) == nil {
		return
	}
	e, err := decodeEntry([]byte(key), p.index.Get([]byte(key)))
	if err == nil && (e.image < run || e.image == run && change.Op == diff.Delete) {
		p.bad(run, where, rebuildIndex, "the index has the row of %s from run %d, which this run has changed", key, e.image)
	}
}

func (p *pipelineChecker) checkHead(last diff.Head) {
	head, err := decodeHead(p.value(p.b, keyHead, p.name, last.Seq, "pipelines/"+p.name))
	if err != nil {
		p.bad(last.Seq, "head", restore, "%v", err)
		head = last
	} else {
		p.Heads[p.name] = head
	}
	p.head = head
	if head.Seq != last.Seq || head.RunID != last.RunID || head.Digest != last.Digest {
		p.bad(last.Seq, "head", restore, "it is at run %d (%s), and the last commit is run %d (%s)", head.Seq, head.Digest, last.Seq, last.Digest)
	}
}
