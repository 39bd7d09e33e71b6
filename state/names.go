package state

import (
	"encoding/json"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// addRunNames remembers the names that a run met for the first time: of source
// fields that it reported, and of the column that holds ids.
func addRunNames(p *bbolt.Bucket, run *diff.Run) error {
	if err := addNames(p, keyFields, run.NewFields); err != nil || run.IDColumn == "" {
		return err
	}
	return addNames(p, keyIDColumns, []string{run.IDColumn})
}

func addNames(p *bbolt.Bucket, key []byte, names []string) error {
	if len(names) == 0 {
		return nil
	}
	known, err := readNames(p, key)
	if err != nil {
		return err
	}
	all := append(slices.Clone(known), names...)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) == len(known) {
		return nil
	}
	text, err := json.Marshal(all)
	if err != nil {
		return err
	}
	return put(p, key, text)
}

func readNames(p *bbolt.Bucket, key []byte) (names []string, err error) {
	text, err := get(p, key)
	if text != nil {
		err = json.Unmarshal(text, &names)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return names, nil
}
