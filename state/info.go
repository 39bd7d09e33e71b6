package state

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// Info is what there is to know of a state file at a glance.
type Info struct {
	Path      string
	Format    int
	Size      int64 // bytes
	FreeBytes int64 // of those, in pages that hold nothing
	FreePages int
	Created   time.Time
	Runs      int
	Oldest    *diff.Run // nil when there is none, as the next
	Newest    *diff.Run
	Tokens    int    // how many are stored
	Holder    string // of the run lock, "" when nobody has it
	Pipelines []PipelineInfo
}

// PipelineInfo is what there is to know of one pipeline.
type PipelineInfo struct {
	Name       string
	Head       diff.Head
	Rows       int
	Adopted    int // of those, which a rebuild found and no scan has shown since
	Commits    int
	Trimmed    uint64       // the last commit that is forgotten, 0 when there is none
	TrimmedAt  time.Time    // when it was made
	Unfinished *diff.Intent // nil when there is none
}

// Survey returns what there is to know of the state file at path. A file that
// does not exist is an error.
func Survey(path string) (*Info, error) {
	info := &Info{Path: path}
	stat, err := os.Stat(path)
	if err == nil {
		info.Size = stat.Size()
	}
	err = with(path, true, func(db *bbolt.DB) (err error) {
		return db.View(func(tx *bbolt.Tx) error {
			if err := structure(tx); err != nil {
				return damaged(path, err)
			}
			if info.FreePages, err = freePages(tx); err != nil {
				return err
			}
			info.FreeBytes = int64(info.FreePages) * int64(db.Info().PageSize)
			return info.read(tx)
		})
	})
	if err != nil {
		return nil, absent(path, NewReader(path, "").wrap("read", err))
	}
	info.Holder, err = Holder(path)
	return info, err
}

func (info *Info) read(tx *bbolt.Tx) error {
	meta := tx.Bucket(bucketMeta)
	info.Format = int(meta.Get(keyFormat)[0])
	if err := info.Created.UnmarshalText(field(meta, keyCreated)); err != nil {
		return err
	}
	if b := tx.Bucket(bucketTokens); b != nil {
		_ = b.ForEach(func(k, _ []byte) error {
			if string(k) != string(keySalt) {
				info.Tokens++
			}
			return nil
		})
	}
	runs := tx.Bucket(bucketRuns)
	if info.Runs = runs.Stats().KeyN; info.Runs > 0 {
		c := runs.Cursor()
		info.Oldest, info.Newest = &diff.Run{}, &diff.Run{}
		first, text := c.First()
		err := readRecord(first, text, info.Oldest)
		last, text := c.Last()
		if err := errors.Join(err, readRecord(last, text, info.Newest)); err != nil {
			return err
		}
	}
	pipelines := tx.Bucket(bucketPipelines)
	err := pipelines.ForEachBucket(func(name []byte) error {
		p, err := surveyPipeline(string(name), pipelines.Bucket(name))
		info.Pipelines = append(info.Pipelines, p)
		return err
	})
	slices.SortFunc(info.Pipelines, func(a, b PipelineInfo) int { return cmp.Compare(a.Name, b.Name) })
	return err
}

func surveyPipeline(name string, b *bbolt.Bucket) (p PipelineInfo, err error) {
	p.Name, p.Rows = name, int(number(b, keyRowCount))
	if p.Head, err = decodeHead(field(b, keyHead)); err != nil {
		return p, err
	}
	if p.Unfinished, err = readIntent(b); err != nil {
		return p, err
	}
	if p.Trimmed, p.TrimmedAt, err = trimmed(b); err != nil {
		return p, err
	}
	p.Commits = b.Bucket(bucketCommits).Stats().KeyN
	return p, currentIndex(b).ForEach(func(k, v []byte) error {
		e, err := decodeEntry(k, v)
		if e.flags&flagAdopted != 0 {
			p.Adopted++
		}
		return err
	})
}
