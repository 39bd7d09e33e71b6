package state

import (
	"cmp"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// Problem is one thing that is not as it must be.
type Problem struct {
	Pipeline string `json:"pipeline"` // "" when it is of the whole file
	Run      uint64 `json:"run"`      // whose record it is; 0 when of none
	Where    string `json:"where"`    // bucket and key
	What     string `json:"what"`
	Remedy   string `json:"remedy"`
}

// Verdict is what [Check] found.
type Verdict struct {
	Problems []Problem // by run; those of no run come first
	Omitted  int       // problems beyond the first 100
	Notes    []string  // what is as it may be after a crash, and mends itself

	Runs, Commits, Changes, Rows int // that were looked at

	Heads map[string]diff.Head // by pipeline, of those that can be read
	Open  map[string]uint64    // by pipeline, the unfinished run where there is one
}

// FirstRun returns the first run with a problem, or 0.
func (v *Verdict) FirstRun() uint64 {
	for _, p := range v.Problems {
		if p.Run > 0 {
			return p.Run
		}
	}
	return 0
}

// Add adds a problem that was found elsewhere.
func (v *Verdict) Add(p Problem) {
	const most = 100
	if len(v.Problems) == most {
		v.Omitted++
		return
	}
	v.Problems = append(v.Problems, p)
}

// Remedies of problems.
const (
	restoreAudit   = "what this run is said to have done is no longer proved; restore a backup that jstsync state backup made, if it passes the check"
	rebuildIndex   = "jstsync state rebuild makes the snapshot anew from the target table"
	authenticate   = "run jstsync auth init"
	compactMayMend = "restore a backup that jstsync state backup made; without one, try jstsync state compact, which writes the file anew"
)

// Check reads the whole file and reports all that is not as
// docs/state-format.md says: bbolt's own structure, the seal of every value,
// the digests of all commits in a chain, and that head, commits, records of
// runs, index and images agree. It writes nothing. An error means that the
// file cannot be judged at all.
func Check(path string) (*Verdict, error) {
	var v *Verdict
	err := opened(path, true, func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) error {
			if err := checkFormat(path, tx); err != nil {
				return err
			}
			p, err := walkPages(tx)
			switch {
			case err != nil:
				return err
			case len(p.problems) == 0:
				v = checkContent(tx)
			case p.unsafe:
				v = &Verdict{Problems: []Problem{{Where: "pages", What: p.err().Error(), Remedy: restore}}}
			default:
				v = &Verdict{Problems: []Problem{{Where: "pages", What: p.err().Error(), Remedy: compactMayMend}}}
			}
			if p.oneMeta {
				v.Notes = append(v.Notes, "one of the two meta pages is lost: the file may be as it was one transaction ago; the next write mends it")
			}
			return nil
		})
	})
	return v, absent(path, err)
}

// checker looks a file over.
type checker struct {
	tx *bbolt.Tx
	*Verdict
}

func checkContent(tx *bbolt.Tx) *Verdict {
	c := &checker{tx, &Verdict{Heads: map[string]diff.Head{}, Open: map[string]uint64{}}}
	c.top()
	pipelines := tx.Bucket(bucketPipelines)
	if pipelines != nil {
		_ = pipelines.ForEach(func(name, v []byte) error {
			if v != nil {
				c.bad("", 0, "pipelines", restore, "%.100q is no bucket", name)
				return nil
			}
			p := &pipelineChecker{checker: c, name: string(name), b: pipelines.Bucket(name)}
			p.check()
			return nil
		})
	}
	c.runs()
	c.calls()
	c.tokens()
	slices.SortStableFunc(c.Problems, func(a, b Problem) int { return cmp.Compare(a.Run, b.Run) })
	return c.Verdict
}

func (c *checker) bad(pipeline string, run uint64, where, remedy, format string, args ...any) {
	c.Add(Problem{pipeline, run, where, fmt.Sprintf(format, args...), remedy})
}

// names wants the bucket to have the needed entries and no others but the
// optional ones.
func (c *checker) names(b *bbolt.Bucket, pipeline string, run uint64, where string, needed, optional [][]byte) bool {
	whole := true
	for _, name := range needed {
		if b.Get(name) == nil && b.Bucket(name) == nil {
			c.bad(pipeline, run, where, restore, "%s is missing", name)
			whole = false
		}
	}
	_ = b.ForEach(func(k, _ []byte) error {
		for _, name := range slices.Concat(needed, optional) {
			if string(k) == string(name) {
				return nil
			}
		}
		c.bad(pipeline, run, where, restore, "%.100q is unknown", k)
		return nil
	})
	return whole
}

// value returns the content of a sealed value, or nil.
func (c *checker) value(b *bbolt.Bucket, key []byte, pipeline string, run uint64, where string) []byte {
	content, err := get(b, key)
	if err != nil {
		c.bad(pipeline, run, where+"/"+string(key), restore, "%v", err)
	}
	return content
}

func (c *checker) top() {
	known := [][]byte{bucketMeta, bucketRuns, bucketCalls, bucketPipelines}
	for _, name := range known {
		if c.tx.Bucket(name) == nil {
			c.bad("", 0, string(name), restore, "the bucket is missing")
		}
	}
	_ = c.tx.ForEach(func(name []byte, _ *bbolt.Bucket) error {
		if !slices.ContainsFunc(append(known, bucketTokens), func(k []byte) bool { return string(k) == string(name) }) {
			c.bad("", 0, string(name), restore, "the bucket %.100q is unknown", name)
		}
		return nil
	})
	meta := c.tx.Bucket(bucketMeta)
	c.names(meta, "", 0, "meta", [][]byte{keyFormat, keyCreated, keyLastRun}, [][]byte{keyAlerts})
	c.value(meta, keyAlerts, "", 0, "meta")
	c.value(meta, keyCreated, "", 0, "meta")
	if last := c.value(meta, keyLastRun, "", 0, "meta"); last != nil && c.tx.Bucket(bucketRuns) != nil {
		if newest, _ := c.tx.Bucket(bucketRuns).Cursor().Last(); readBE64(newest) > readBE64(last) {
			c.bad("", readBE64(newest), "meta/last_run", restore, "it is %d, and there is a run %d", readBE64(last), readBE64(newest))
		}
	}
}

// tokens looks at the seals alone: what is under them is not for reading.
func (c *checker) tokens() {
	b := c.tx.Bucket(bucketTokens)
	if b == nil {
		return
	}
	if b.Get(keySalt) == nil {
		c.bad("", 0, "tokens", authenticate, "salt is missing")
	}
	_ = b.ForEach(func(k, v []byte) error {
		if _, err := unseal(k, v); err != nil {
			c.bad("", 0, "tokens", authenticate, "a token: %v", err)
		}
		return nil
	})
}
