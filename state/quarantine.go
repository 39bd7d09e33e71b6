package state

import (
	"slices"
	"time"

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
				if run.Pipeline == r.pipeline && looked(&run) && !s.look(&run) {
					return nil
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	s.settle(time.Time{})
	for _, places := range s.open { // which the oldest run on record set aside already
		for _, i := range places {
			s.all[i].AtLeast = s.forgotten
		}
	}
	return s.all, nil
}

// looked reports whether a run read the source to its end, and so knows what is
// set aside, whatever became of it then: a repair or a rebuild did not.
func looked(r *diff.Run) bool {
	return r.Trigger != diff.KindRepair && r.Trigger != diff.KindRebuild && (r.Scan == diff.Complete || r.Scan == diff.Unstable)
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
	applied   []diff.Run       // plans that were applied after the runs looked at next, newest first
	begun     bool
	forgotten bool // older runs are no longer on record
}

// look takes one run more into account, but for an applied plan only once the run
// before it tells whether the plan was made after it. It reports whether an
// earlier one can add anything.
func (s *standing) look(run *diff.Run) bool {
	if !run.Scanned.IsZero() {
		s.applied = append(s.applied, *run)
		return true
	}
	return s.settle(run.Started) && s.back(run)
}

// settle takes those of the applied plans into account before which the source
// was not read again, as it was at the given time. It reports whether an earlier
// run can add anything.
func (s *standing) settle(latest time.Time) bool {
	var current []*diff.Run // oldest first
	for i := range slices.Backward(s.applied) {
		if run := &s.applied[i]; !run.Scanned.Before(latest) {
			latest = run.Scanned
			current = append(current, run)
		}
	}
	s.applied = nil
	for _, run := range slices.Backward(current) {
		if !s.back(run) {
			return false
		}
	}
	return true
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
