package pipeline

import (
	"slices"
	"strings"

	"jstsync/diff"
)

// scan is one reading of all pages, compared with the snapshot as it goes.
type scan struct {
	*Planner
	index   *diff.Index
	hasher  *diff.Hasher
	remap   bool // the snapshot's hashes are of another mapping
	columns []string
	ids     []string // the columns in which a stored row may have its id
	changes *diff.ChangeSet

	pages, read int
	pending     []mapped // of records shown, to be compared with their stored rows
	lookups     int      // of the pending, those that may have one

	control    diff.Key // the id seen last, which is the surest to exist still
	kept       int      // rows that stay though no page showed their records
	foreign    int      // adopted rows that nobody has shown yet
	unreadable int      // records without a readable key
	quarantine []setAside
	broken     []broken
	rehashed   []diff.Rehash
	repeats    []diff.Key        // keys that came more than once
	contrary   map[diff.Key]bool // of those, the ones that came with different content
	unmapped   []diff.Key        // keys present whose rows nobody could derive
	collided   []diff.Key        // new keys whose hash a key of the snapshot has
	withheld   diff.Withheld
	isAside    map[diff.Key]bool       // keys that are quarantined
	passed     []diff.Key              // of these, the ones whose value another row may keep
	moved      map[diff.Key][]diff.Key // rows whose records answer under another key, by that key
	fields     *fields
}

func newScan(p *Planner, snap *diff.Snapshot) *scan {
	columns := p.Mapping.Table.Names()
	fields := newFields(snap.Fields, p.Mapping.Maps)
	ids := snap.IDColumns
	if column := p.newIDColumn(snap); column != "" {
		ids = append(slices.Clone(ids), column)
	}
	return &scan{
		Planner: p, index: snap.Index, hasher: diff.NewHasher(fields.note), remap: snap.Fingerprint != p.Mapping.Fingerprint,
		columns: columns, ids: ids, changes: p.newChanges(), contrary: map[diff.Key]bool{}, isAside: map[diff.Key]bool{}, moved: map[diff.Key][]diff.Key{},
		fields: fields,
	}
}

// mapped is a record that may differ from its stored row.
type mapped struct {
	key    diff.Key
	source diff.SourceHash
	record *diff.Record // until it is mapped
	row    diff.Row
	image  image
}

// image says whether the snapshot has a row of a mapped record.
type image uint8

const (
	imageNone  image = iota // it has none
	imageMaybe              // to be looked up
	imageHash               // it has one under the key's hash: of this key, or else two keys collide
)

// page compares one page's records with the snapshot.
func (s *scan) page(page diff.Page) error {
	s.pages++
	for i := range page.Records {
		m, ok := s.observe(&page.Records[i])
		if !ok {
			continue
		}
		if s.pending = append(s.pending, m); m.image != imageNone {
			s.lookups++
		}
	}
	s.setControl(page.Records)
	if s.Progress != nil {
		s.Progress(s.read, s.index.Rows())
	}
	if s.lookups > 0 && len(s.pending) < maxPending {
		return nil
	}
	return s.flush()
}

// maxPending is how many records are looked up at a time: the state file is
// opened for each time.
const maxPending = 1000

// flush compares what is pending.
func (s *scan) flush() error {
	err := s.compare(s.pending)
	s.pending, s.lookups = s.pending[:0], 0
	return err
}

// observe marks the record as seen. It returns the mapped record when only its
// stored row can tell whether it changed.
func (s *scan) observe(r *diff.Record) (mapped, bool) {
	key, err := s.Mapping.Key(r)
	if err != nil {
		s.keyless(err)
		return mapped{}, false
	}
	source := s.hasher.Hash(r.Members)
	sighting := s.index.Observe(key, source)
	switch sighting {
	case diff.Conflicting:
		s.contrary[key] = true
		fallthrough
	case diff.Repeated:
		s.repeats = append(s.repeats, key)
		return mapped{}, false
	case diff.Same:
		if !s.remap && r.Err == nil {
			s.read++
			return mapped{}, false
		}
	}
	s.read++
	where := imageHash
	if sighting == diff.New {
		where = imageNone
	}
	return s.mapRecord(key, source, r, where)
}

// setControl remembers the last of the records that has a readable id.
func (s *scan) setControl(records []diff.Record) {
	for i := len(records) - 1; i >= 0; i-- {
		if id, err := s.Mapping.ID(&records[i]); err == nil {
			s.control = id
			return
		}
	}
}

// setAside is a record that is quarantined, and why. One whose key cannot be
// read has the zero key.
type setAside struct {
	key    diff.Key
	reason string
}

// keyless quarantines a record whose key cannot be read.
func (s *scan) keyless(why error) {
	s.read++
	s.unreadable++
	s.quarantine = append(s.quarantine, setAside{reason: why.Error()})
}

// quarantined lists the records that were set aside.
func (s *scan) quarantined() (list []diff.Quarantined) {
	for _, a := range s.quarantine {
		q := diff.Quarantined{Reason: a.reason}
		if a.key != "" {
			q.Key = a.key.String()
		}
		list = append(list, q)
	}
	return list
}

// mapRecord holds the record against the rules and maps it. One that must not
// be stored, or cannot, is quarantined.
func (s *scan) mapRecord(key diff.Key, source diff.SourceHash, r *diff.Record, where image) (mapped, bool) {
	why := ""
	if r.Err == nil {
		why = s.judge(key, r)
	}
	row, err := s.Mapping.Row(r)
	if err != nil {
		why = strings.TrimPrefix(why+"; "+err.Error(), "; ")
	}
	if why != "" {
		s.aside(key, why)
		return mapped{}, false
	}
	return mapped{key: key, source: source, row: row, image: where}, true
}

// compare turns mapped records into changes, by value.
func (s *scan) compare(todo []mapped) error {
	var keys []diff.Key
	for i := range todo {
		if todo[i].image != imageNone {
			keys = append(keys, todo[i].key)
		}
	}
	var images map[diff.Key]diff.Row
	if len(keys) > 0 {
		var err error
		if images, err = s.State.Images(keys, s.columns); err != nil {
			return err
		}
	}
	for i := range todo {
		m := &todo[i]
		before, ok := images[m.key]
		if m.image == imageHash && !ok {
			s.collided = append(s.collided, m.key)
			continue
		}
		if c, changed := diff.Compare(m.key, before, m.row); changed {
			s.changes.Add(c, m.source)
			continue
		}
		s.rehashed = append(s.rehashed, diff.Rehash{Key: m.key, Source: m.source})
	}
	return s.changes.Err()
}
