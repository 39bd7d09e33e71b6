package state

import (
	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// quarantineBatch is how many runs are looked back at while the file is open.
const quarantineBatch = 1000

// Quarantine returns the records that the pipeline's last scan set aside, in the
// order in which that run lists them, each with the first of the runs that set
// it aside one after the other.
func (r *Reader) Quarantine() ([]diff.SetAside, error) {
	s := standing{open: map[string][]int{}}
	for more, before := true, ^uint64(0); more; {
		err := r.view(func(tx *bbolt.Tx, p *bbolt.Bucket) (err error) {
			more = false
			if p == nil {
				return nil
			}
			c := tx.Bucket(bucketRuns).Cursor()
			k, v := c.Seek(be64(before))
			if k == nil {
				k, v = c.Last()
			}
			for n := 0; k != nil; k, v = c.Prev() {
				if readBE64(k) >= before {
					continue
				}
				if n == quarantineBatch {
					more = true
					return nil
				}
				var run diff.Run
				if err := readRecord(k, v, &run); err != nil {
					return err
				}
				n, before = n+1, run.Run
				s.forgotten = before > 1
				if run.Pipeline == r.pipeline && looked(&run) && !s.back(&run) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, places := range s.open { // which the oldest run on record set aside already
		for _, i := range places {
			s.all[i].AtLeast = s.forgotten
		}
	}
	return s.all, nil
}

// looked reports whether a run read the source to its end, and so knows what is
// set aside: a repair or a rebuild did not.
func looked(r *diff.Run) bool {
	if r.Trigger == diff.KindRepair || r.Trigger == diff.KindRebuild {
		return false
	}
	switch r.Status {
	case diff.Unchanged, diff.Committed, diff.Held:
		return r.Scan == diff.Complete || r.Scan == diff.Unstable
	default:
		return false
	}
}

// identity tells records that are set aside apart: by their key, or by the reason
// for having none.
func identity(q diff.Quarantined) string {
	if q.Key == "" {
		return "\x00" + q.Reason
	}
	return q.Key
}

// standing is what the newest run set aside, and of which records it is not yet
// known since when.
type standing struct {
	all       []diff.SetAside
	open      map[string][]int // places in all, by identity
	begun     bool
	forgotten bool // older runs are no longer on record
}

// back takes one run more into account. It reports whether an earlier one can
// add anything.
func (s *standing) back(run *diff.Run) bool {
	if !s.begun {
		s.begun = true
		for i, q := range run.Quarantine {
			s.all = append(s.all, diff.SetAside{Quarantined: q, Run: run.Run, Since: run.Started})
			s.open[identity(q)] = append(s.open[identity(q)], i)
		}
		return len(s.open) > 0
	}
	still := map[string]bool{}
	for _, q := range run.Quarantine {
		still[identity(q)] = true
	}
	for key, places := range s.open {
		if !still[key] {
			delete(s.open, key)
			continue
		}
		for _, i := range places {
			s.all[i].Run, s.all[i].Since = run.Run, run.Started
		}
	}
	return len(s.open) > 0
}
