package state

import (
	"fmt"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// Commits returns the pipeline's commits of runs after the given one, oldest
// first. They stay on record for good.
func (r *Reader) Commits(after uint64) (commits []diff.Head, err error) {
	err = r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		if p == nil {
			return nil
		}
		c := p.Bucket(bucketCommits).Cursor()
		for k, v := c.Seek(be64(after + 1)); k != nil; k, v = c.Next() {
			commit, err := readCommit(k, v)
			if err != nil {
				return err
			}
			commits = append(commits, commit)
		}
		return nil
	})
	return commits, err
}

// readCommit reads an entry of the list of commits.
func readCommit(k, v []byte) (c diff.Head, err error) {
	content, err := unseal(k, v)
	if err == nil && len(content) != commitSize {
		err = fmt.Errorf("it is %d bytes long, want %d", len(content), commitSize)
	}
	if err != nil {
		return c, fmt.Errorf("commit of run %d: %w", readBE64(k), err)
	}
	c.Seq = readBE64(k)
	copy(c.RunID[:], content)
	copy(c.Digest[:], content[len(c.RunID):])
	return c, nil
}

// Changed passes to visit the key of each change that runs after the given one
// have committed, as far as they are still kept; run by run, each in key order.
// The rows that a rebuild found are no changes.
func (r *Reader) Changed(after uint64, visit func(diff.Key)) error {
	return r.view(func(_ *bbolt.Tx, p *bbolt.Bucket) error {
		if p == nil {
			return nil
		}
		changes := p.Bucket(bucketChanges)
		c := changes.Cursor()
		for k, _ := c.Seek(be64(after + 1)); k != nil; k, _ = c.Next() {
			run := changes.Bucket(k)
			h, err := readHeader(run)
			if err != nil {
				return err
			}
			rows := run.Bucket(bucketRows)
			if !h.isChange() || rows == nil {
				continue
			}
			if err := rows.ForEach(func(k, _ []byte) error { visit(diff.Key(k)); return nil }); err != nil {
				return err
			}
		}
		return nil
	})
}
