package state

import (
	"bytes"
	"fmt"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// runs looks at the records of runs, each by itself and beside its commit.
func (c *checker) runs() {
	b := c.tx.Bucket(bucketRuns)
	if b == nil {
		return
	}
	_ = b.ForEach(func(k, v []byte) error {
		c.Runs++
		run, where := readBE64(k), fmt.Sprintf("runs/%d", readBE64(k))
		var rec diff.Run
		switch err := readRecord(k, v, &rec); {
		case len(k) != 8:
			c.bad("", 0, "runs", restoreAudit, "the key %x is no number of a run", k)
		case err != nil:
			c.bad("", run, where, restoreAudit, "%v", err)
		case rec.Run != run:
			c.bad(rec.Pipeline, run, where, restoreAudit, "the record is of run %d", rec.Run)
		default:
			c.record(&rec, where)
		}
		return nil
	})
}

// record compares the record of a run with what the run left behind.
func (c *checker) record(rec *diff.Run, where string) {
	bad := func(format string, args ...any) { c.bad(rec.Pipeline, rec.Run, where, restoreAudit, format, args...) }
	var commit []byte
	p := c.pipeline(rec.Pipeline)
	if p != nil && p.Bucket(bucketCommits) != nil {
		commit, _ = get(p.Bucket(bucketCommits), be64(rec.Run)) // it is judged where it stands
	}
	switch rec.Status {
	case diff.Committed:
		if len(commit) == commitSize && !bytes.Equal(commit[:16], rec.RunID[:]) {
			bad("the record and the commit are of different runs")
		}
		if p == nil || p.Bucket(bucketCommits) == nil || p.Bucket(bucketCommits).Get(be64(rec.Run)) == nil {
			bad("it is said to have committed, and there is no such commit")
		}
	case diff.Pending:
		if c.Open[rec.Pipeline] != rec.Run {
			bad("it is said to be unfinished, and there is no intent of it")
		}
	case diff.Unchanged, diff.Held, diff.Failed, diff.Aborted, diff.Unknown, diff.Lost:
		if commit != nil {
			bad("it is said to be %s, and there is a commit of it", rec.Status)
		}
	default:
		bad("its status %q is unknown", rec.Status)
	}
}

func (c *checker) pipeline(name string) *bbolt.Bucket {
	all := c.tx.Bucket(bucketPipelines)
	if all == nil {
		return nil
	}
	return all.Bucket([]byte(name))
}

func (c *checker) calls() {
	b := c.tx.Bucket(bucketCalls)
	if b == nil {
		return
	}
	_ = b.ForEach(func(k, v []byte) error {
		run, where := readBE64(k), fmt.Sprintf("calls/%d", readBE64(k))
		var calls []diff.Call
		switch err := readCalls(k, v, &calls); {
		case len(k) != 8:
			c.bad("", 0, "calls", restoreAudit, "the key %x is no number of a run", k)
		case err != nil:
			c.bad("", run, where, restoreAudit, "%v", err)
		case c.tx.Bucket(bucketRuns) != nil && c.tx.Bucket(bucketRuns).Get(k) == nil:
			c.bad("", run, where, restoreAudit, "there is no record of that run")
		}
		return nil
	})
}
