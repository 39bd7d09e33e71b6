package state

import (
	"fmt"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// Runs returns the records of past runs of all pipelines, newest first; limit
// bounds how many, 0 or less means all.
func Runs(path string, limit int) ([]diff.Run, error) {
	var runs []diff.Run
	err := NewReader(path, "").view(func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		if tx == nil {
			return nil
		}
		c := tx.Bucket(bucketRuns).Cursor()
		for k, v := c.Last(); k != nil && (limit <= 0 || len(runs) < limit); k, v = c.Prev() {
			var run diff.Run
			if err := readRecord(k, v, &run); err != nil {
				return err
			}
			runs = append(runs, run)
		}
		return nil
	})
	return runs, err
}

// RunDetail returns the record of one run with its calls, as far as they are
// still kept, or nil when there is no such run.
func RunDetail(path string, number uint64) (*diff.Run, error) {
	var run *diff.Run
	err := NewReader(path, "").view(func(tx *bbolt.Tx, _ *bbolt.Bucket) error {
		if tx == nil {
			return nil
		}
		text := tx.Bucket(bucketRuns).Get(be64(number))
		if text == nil {
			return nil
		}
		run = &diff.Run{}
		if err := readRecord(be64(number), text, run); err != nil {
			return err
		}
		calls := tx.Bucket(bucketCalls).Get(be64(number))
		if calls == nil {
			return nil
		}
		return readCalls(be64(number), calls, &run.Calls)
	})
	return run, err
}

// readRecord reads the record of a run, of which key is the number.
func readRecord(key, value []byte, run *diff.Run) error {
	text, err := unseal(key, value)
	if err == nil {
		err = decodeRun(readBE64(key), text, run)
	}
	if err != nil {
		return fmt.Errorf("read record of run %d: %w", readBE64(key), err)
	}
	return nil
}

func readCalls(key, value []byte, calls *[]diff.Call) error {
	text, err := unseal(key, value)
	if err == nil {
		err = decodeCalls(text, calls)
	}
	if err != nil {
		return fmt.Errorf("read calls of run %d: %w", readBE64(key), err)
	}
	return nil
}

// callsKept is for how many runs every call is on record. Of older runs only
// those keep them that changed something, were held, failed or retried.
const callsKept = 100

// putCalls records the calls of a run, and lets go of those of a quiet run
// that is now too long ago.
func putCalls(tx *bbolt.Tx, run *diff.Run) error {
	b := tx.Bucket(bucketCalls)
	b.FillPercent = 0.95
	if len(run.Calls) > 0 {
		if err := put(b, be64(run.Run), encodeCalls(run.Calls)); err != nil {
			return err
		}
	}
	if run.Run <= callsKept {
		return nil
	}
	old := be64(run.Run - callsKept)
	text := tx.Bucket(bucketRuns).Get(old)
	if text == nil {
		return nil
	}
	var before diff.Run
	if err := readRecord(old, text, &before); err != nil {
		return err
	}
	if before.Status != diff.Unchanged || before.CallStats.Retries > 0 {
		return nil
	}
	return b.Delete(old)
}

// putRun writes the record and moves the counter of runs to it.
func putRun(tx *bbolt.Tx, run *diff.Run) error {
	text, err := encodeRun(run)
	if err != nil {
		return err
	}
	runs := tx.Bucket(bucketRuns)
	runs.FillPercent = 0.95 // numbers only grow
	if err := put(runs, be64(run.Run), text); err != nil {
		return err
	}
	if err := putCalls(tx, run); err != nil {
		return err
	}
	meta := tx.Bucket(bucketMeta)
	if number(meta, keyLastRun) < run.Run {
		return put(meta, keyLastRun, be64(run.Run))
	}
	return nil
}

// closeRun rewrites the record of a run whose outcome is now known.
func closeRun(tx *bbolt.Tx, run uint64, change func(*diff.Run)) error {
	var rec diff.Run
	if err := readRecord(be64(run), tx.Bucket(bucketRuns).Get(be64(run)), &rec); err != nil {
		return err
	}
	change(&rec)
	return putRun(tx, &rec)
}
