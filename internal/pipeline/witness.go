package pipeline

import (
	"context"
	"maps"
	"slices"

	"jstsync/diff"
)

// witness asks the source for the records of rows that no page showed. Where
// keys are not ids it asks for the ids that the rows hold, and a row whose
// record answers under another key is gone as well.
func (s *scan) witness(ctx context.Context, missing []diff.Key) (diff.Witness, error) {
	if s.Mapping.KeyIsID() {
		return s.Source.Witness(ctx, missing, s.control)
	}
	rowsOf, without, err := s.storedIDs(missing)
	if err != nil {
		return diff.Witness{}, err
	}
	asked, err := s.Source.Witness(ctx, slices.Sorted(maps.Keys(rowsOf)), s.control)
	if err != nil {
		return diff.Witness{}, err
	}
	w := diff.Witness{Reason: asked.Reason}
	if without != nil {
		w.Withheld, w.Reason = without, "their ids are not on record"
	}
	for _, id := range asked.Gone {
		w.Gone = append(w.Gone, rowsOf[id]...)
	}
	for _, id := range asked.Withheld {
		w.Withheld = append(w.Withheld, rowsOf[id]...)
	}
	s.rekey(asked.Alive, rowsOf, &w)
	slices.Sort(w.Gone)
	slices.Sort(w.Withheld)
	return w, nil
}

// rekey sorts the rows whose ids were answered: those of a record with their
// key are alive, the others are gone, unless their record is set aside, or may
// have to be, since a page showed its key with another content. Records that a
// page has shown are left out of what is answered.
func (s *scan) rekey(records []diff.Record, rowsOf map[diff.Key][]diff.Key, w *diff.Witness) {
	answered := map[diff.Key]bool{}
	under := map[diff.Key][]diff.Key{} // the keys of the records that answered, by id
	aside := map[diff.Key]string{}     // ids of records that count as present under another key, and why
	keys := map[diff.Key]bool{}
	for i := range records {
		r := &records[i]
		id, err := s.Mapping.ID(r)
		if err == nil {
			answered[id] = true
		}
		key, err := s.Mapping.Key(r)
		if err != nil {
			w.Alive = append(w.Alive, *r) // whose keys cannot be told: nothing is deleted
			continue
		}
		keys[key] = true
		under[id] = append(under[id], key)
		switch {
		case s.contrary[key]:
			aside[id] = movedAside
		case !s.index.Seen(key):
			w.Alive = append(w.Alive, *r)
		case s.index.Observe(key, s.hasher.Hash(r.Members)) == diff.Conflicting:
			aside[id] = movedAmong
		}
	}
	for id := range answered {
		for _, key := range rowsOf[id] {
			switch {
			case keys[key]:
			case aside[id] != "":
				w.Withheld, w.Reason = append(w.Withheld, key), aside[id]
			default:
				w.Gone = append(w.Gone, key)
				for _, now := range under[id] {
					s.moved[now] = append(s.moved[now], key)
				}
			}
		}
	}
}

// storedIDs returns the rows by the ids that they hold, and those that hold
// none.
func (s *scan) storedIDs(keys []diff.Key) (rowsOf map[diff.Key][]diff.Key, without []diff.Key, err error) {
	rowsOf = make(map[diff.Key][]diff.Key, len(keys))
	column := []string{s.Mapping.IDColumn()}
	for part := range slices.Chunk(keys, 1000) {
		rows, err := s.State.Images(part, column)
		if err != nil {
			return nil, nil, err
		}
		for _, key := range part {
			if id, err := s.storedID(rows[key]); err == nil {
				rowsOf[id] = append(rowsOf[id], key)
			} else {
				without = append(without, key)
			}
		}
	}
	return rowsOf, without, nil
}

func (s *scan) storedID(row diff.Row) (diff.Key, error) {
	if len(row) == 0 {
		return "", diff.ErrKey
	}
	return s.Mapping.StoredID(row[0])
}
