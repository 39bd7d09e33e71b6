package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"jstsync/diff"
)

// settle asks the source by key about what the pages left open: records that
// came with different contents, and rows that did not come at all.
func (s *scan) settle(ctx context.Context) error {
	if err := s.ask(ctx); err != nil {
		return err
	}
	if err := s.compareRows(); err != nil {
		return err
	}
	if s.remap { // this mapping never saw them: their hashes were made under another one
		return s.unhash(slices.Concat(s.passed, s.unmapped, s.withheld.Keys))
	}
	return s.unhash(s.passed)
}

// unhash makes the next sight of rows a comparison by value.
func (s *scan) unhash(keys []diff.Key) error {
	stored, err := s.stored(keys)
	for _, key := range stored {
		s.rehashed = append(s.rehashed, diff.Rehash{Key: key, Source: diff.NoHash})
	}
	return err
}

// stored returns those of the keys that have a row, each once.
func (s *scan) stored(keys []diff.Key) ([]diff.Key, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	rows, err := s.State.Images(keys, nil)
	return slices.Sorted(maps.Keys(rows)), err
}

func (s *scan) ask(ctx context.Context) error {
	if len(s.contrary) > 0 {
		if err := s.settleContrary(ctx); err != nil {
			return err
		}
	}
	if s.index.Complete() {
		return nil
	}
	missing, foreign, err := s.State.Missing(s.index)
	s.foreign = foreign
	if err != nil || len(missing) == 0 {
		return err
	}
	switch {
	case s.Keep:
		s.keep(missing)
		return nil
	case s.read == 0:
		return s.remove(missing) // nothing to be a control: the guard decides
	case s.unreadable > 0:
		s.withhold(missing, s.noKeys())
		return nil
	}
	w, err := s.witness(ctx, missing)
	if err != nil {
		return err
	}
	if err := s.adopt(w.Alive); err != nil {
		return err
	}
	if s.unreadable > 0 {
		s.withhold(append(w.Gone, w.Withheld...), "an answer held a record without a readable key")
		return nil
	}
	s.withhold(w.Withheld, w.Reason)
	return s.remove(s.spare(w.Gone))
}

// spare withholds the rows whose records were set aside under another key, which
// count as present, and returns the others.
func (s *scan) spare(gone []diff.Key) []diff.Key {
	present := map[diff.Key]bool{}
	for key := range s.isAside {
		for _, row := range s.moved[key] {
			present[row] = true
		}
	}
	var stay []diff.Key
	gone = slices.DeleteFunc(gone, func(k diff.Key) bool {
		if present[k] {
			stay = append(stay, k)
		}
		return present[k]
	})
	s.withhold(stay, movedAside)
	return gone
}

// Why a row stays whose record answers under another key.
const (
	movedAside = "their records were set aside under other keys"
	movedAmong = "other records may have the keys that theirs have now"
)

func (s *scan) withhold(keys []diff.Key, reason string) {
	if len(keys) > 0 {
		s.withheld = diff.Withheld{Keys: append(s.withheld.Keys, keys...), Reason: reason}
	}
}

// settleContrary reads records that came with different contents again, by
// key; that answer counts.
func (s *scan) settleContrary(ctx context.Context) error {
	keys := make([]diff.Key, 0, len(s.contrary))
	for k := range s.contrary {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	w := diff.Witness{Withheld: keys, Reason: "more than one record may have this key, which is not its id"}
	if s.Mapping.KeyIsID() {
		var err error
		if w, err = s.Source.Witness(ctx, keys, s.control); err != nil {
			return err
		}
	}
	s.forget(keys)
	s.read += len(w.Withheld)
	for _, k := range w.Withheld {
		s.aside(k, "came twice with different content, and could not be read by id: "+w.Reason)
	}
	if err := s.settleGone(w.Gone); err != nil {
		return err
	}
	return s.adopt(w.Alive)
}

// settleGone deals with contradicted records that are gone: deleted, unless
// rows are kept, or one of the records without a readable key may be theirs.
func (s *scan) settleGone(gone []diff.Key) error {
	gone, err := s.stored(gone)
	switch {
	case err != nil:
		return err
	case s.Keep:
		s.keep(gone)
		return nil
	case s.unreadable > 0:
		s.withhold(gone, s.noKeys())
		return nil
	default:
		return s.remove(gone)
	}
}

// keep counts rows that stay though their records are gone.
func (s *scan) keep(keys []diff.Key) {
	s.kept += len(keys)
	s.unmapped = append(s.unmapped, keys...)
}

func (s *scan) noKeys() string {
	if s.unreadable == 1 {
		return "1 record had no readable key"
	}
	return fmt.Sprintf("%d records had no readable key", s.unreadable)
}

// forget takes back what the pages said of the keys.
func (s *scan) forget(keys []diff.Key) {
	gone := make(map[diff.Key]bool, len(keys))
	for _, k := range keys {
		delete(s.isAside, k)
		gone[k] = true
	}
	s.read -= len(keys)
	s.changes.Discard(gone)
	s.unmapped = slices.DeleteFunc(s.unmapped, func(k diff.Key) bool { return gone[k] })
	s.rehashed = slices.DeleteFunc(s.rehashed, func(r diff.Rehash) bool { return gone[r.Key] })
	s.quarantine = slices.DeleteFunc(s.quarantine, func(a setAside) bool { return gone[a.key] })
	s.broken = slices.DeleteFunc(s.broken, func(b broken) bool { return gone[b.key] })
}

// adopt takes records answered by key as if a page had held them. Their rows
// are compared by value, whatever the index says. A key that is answered twice
// with different content is set aside: nothing is left to ask.
func (s *scan) adopt(records []diff.Record) error {
	todo := make(map[diff.Key]mapped, len(records))
	contrary := map[diff.Key]bool{}
	for i := range records {
		r := &records[i]
		key, err := s.Mapping.Key(r)
		if err != nil {
			s.keyless(err)
			continue
		}
		source := s.hasher.Hash(r.Members)
		s.index.Observe(key, source)
		if first, again := todo[key]; again {
			contrary[key] = contrary[key] || first.source != source
			continue
		}
		s.read++
		todo[key] = mapped{key: key, source: source, record: r}
	}
	return s.compare(s.mapAnswered(todo, contrary))
}

// mapAnswered maps the records answered by key, in the order of their keys,
// but for those with more than one content.
func (s *scan) mapAnswered(todo map[diff.Key]mapped, contrary map[diff.Key]bool) []mapped {
	var rows []mapped
	for _, key := range slices.Sorted(maps.Keys(todo)) {
		if contrary[key] {
			s.aside(key, "came twice with different content, also when read by id")
			continue
		}
		if m, ok := s.mapRecord(key, todo[key].source, todo[key].record, imageMaybe); ok {
			rows = append(rows, m)
		}
	}
	return rows
}

// remove adds a delete for each of the keys that the snapshot has.
func (s *scan) remove(keys []diff.Key) error {
	for part := range slices.Chunk(keys, 1000) {
		images, err := s.State.Images(part, s.columns)
		if err != nil {
			return err
		}
		for _, k := range part {
			if c, ok := diff.Compare(k, images[k], nil); ok {
				s.changes.Add(c, 0)
			}
		}
	}
	return s.changes.Err()
}
