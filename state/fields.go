package state

import (
	"encoding/json"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"
)

// addFields remembers names of source fields that were reported.
func addFields(p *bbolt.Bucket, names []string) error {
	if len(names) == 0 {
		return nil
	}
	known, err := readFields(p)
	if err != nil {
		return err
	}
	all := append(known, names...)
	slices.Sort(all)
	text, err := json.Marshal(slices.Compact(all))
	if err != nil {
		return err
	}
	return put(p, keyFields, text)
}

func readFields(p *bbolt.Bucket) (names []string, err error) {
	text, err := get(p, keyFields)
	if text != nil {
		err = json.Unmarshal(text, &names)
	}
	if err != nil {
		return nil, fmt.Errorf("read names of source fields: %w", err)
	}
	return names, nil
}
