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
	rowsOf, held, err := s.storedIDs(missing)
	if err != nil {
		return diff.Witness{}, err
	}
	asked, err := s.Source.Witness(ctx, slices.Sorted(maps.Keys(rowsOf)), s.control)
	if err != nil {
		return diff.Witness{}, err
	}
	w := diff.Witness{Reason: asked.Reason}
	if len(held) > 0 {
		w.Reason = "their ids are not on record"
	}
	for _, id := range asked.Withheld {
		for _, key := range rowsOf[id] {
			held[key] = true
		}
	}
	alive := s.rekey(asked.Alive, rowsOf, held, &w)
	for _, key := range missing {
		switch {
		case alive[key]:
		case held[key]:
			w.Withheld = append(w.Withheld, key)
		default:
			w.Gone = append(w.Gone, key)
		}
	}
	return w, nil
}

// rekey returns the keys under which records were answered: the rows of these
// are alive, whichever record it was. Another row whose id was answered is gone,
// unless its record is set aside, or may have to be, since a page showed its key
// with another content: then it is held. Records that a page has shown are left
// out of what is answered.
func (s *scan) rekey(records []diff.Record, rowsOf map[diff.Key][]diff.Key, held map[diff.Key]bool, w *diff.Witness) (alive map[diff.Key]bool) {
	alive = map[diff.Key]bool{}
	under := map[diff.Key][]diff.Key{} // the keys of the records that answered, by id
	aside := map[diff.Key]string{}     // ids of records that count as present under another key, and why
	for i := range records {
		r := &records[i]
		id, _ := s.Mapping.ID(r) // one without would not have been answered
		key, err := s.Mapping.Key(r)
		if err != nil {
			w.Alive = append(w.Alive, *r) // whose keys cannot be told: nothing is deleted
			continue
		}
		alive[key] = true
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
	for id, keys := range under {
		for _, row := range rowsOf[id] {
			switch {
			case alive[row]:
			case aside[id] != "":
				held[row], w.Reason = true, aside[id]
			default:
				for _, now := range keys {
					s.moved[now] = append(s.moved[now], row)
				}
			}
		}
	}
	return alive
}

// storedIDs returns the rows by the ids that they may have, and those that have
// none. A row that no run has changed since the mapping did has its id where the
// mapping of that time had it.
func (s *scan) storedIDs(keys []diff.Key) (rowsOf map[diff.Key][]diff.Key, without map[diff.Key]bool, err error) {
	rowsOf, without = make(map[diff.Key][]diff.Key, len(keys)), map[diff.Key]bool{}
	for part := range slices.Chunk(keys, 1000) {
		rows, err := s.State.Images(part, s.ids)
		if err != nil {
			return nil, nil, err
		}
		for _, key := range part {
			ids := s.idsIn(rows[key])
			for id := range ids {
				rowsOf[id] = append(rowsOf[id], key)
			}
			if len(ids) == 0 {
				without[key] = true
			}
		}
	}
	return rowsOf, without, nil
}

// idsIn returns what may be the id of a row's record, nothing where one of them
// cannot be asked for.
func (s *scan) idsIn(row diff.Row) map[diff.Key]bool {
	ids := map[diff.Key]bool{}
	for _, v := range row {
		if v.IsNull() { // the column came later
			continue
		}
		id, err := s.Mapping.StoredID(v)
		if err != nil {
			return nil
		}
		ids[id] = true
	}
	return ids
}
