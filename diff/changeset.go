package diff

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"iter"
	"slices"
)

// Digest is the SHA-256 that stands for a commit and all commits before it.
type Digest [sha256.Size]byte

// String returns the digest as 64 hexadecimal digits.
func (d Digest) String() string { return fmt.Sprintf("%x", d[:]) }

// ChangeSet collects the changes of one run, at most one a key, and lists them
// in key order. It keeps them encoded, and beyond a limit not in memory: each
// time as many bytes have come together it sorts them and sets them aside, and
// listing merges what was set aside.
//
// What goes wrong with that while changes are added or discarded, or the digest is
// taken, stays: from then on every listing yields the error. Once the digest was
// taken any number may list the set at once.
type ChangeSet struct {
	columns []string
	counts  [Insert + 1]int
	memory  buffer
	aside   spilled
	after   int
	open    func() (Spill, error)
	err     error
}

// Encoded is one change of a set as [AppendChange] encodes it, with the source
// hash of the record it came from (0 for a delete). Bytes are valid until the
// next one is listed.
type Encoded struct {
	Key    Key
	Source SourceHash
	Bytes  []byte
}

// NewChangeSet returns an empty change set for rows of the given columns that
// stays in memory.
func NewChangeSet(columns []string) *ChangeSet { return &ChangeSet{columns: columns} }

// NewSpillingChangeSet returns an empty change set that holds about so many
// bytes of changes in memory and sets others aside in what open returns, which
// is called when it comes to that. Without open it stays in memory.
func NewSpillingChangeSet(columns []string, after int, open func() (Spill, error)) *ChangeSet {
	return &ChangeSet{columns: columns, after: after, open: open}
}

// Columns returns the names of the columns of the rows.
func (s *ChangeSet) Columns() []string { return s.columns }

// Add adds a change and the source hash of its record. No other change of its
// key may be in the set. Whether there was room for it is for [ChangeSet.Err]
// to say.
func (s *ChangeSet) Add(c Change, source SourceHash) {
	if s.err != nil {
		return
	}
	s.memory.add(&c, source)
	s.counts[c.Op]++
	if s.open != nil && s.memory.size >= s.after {
		s.err = s.spill()
	}
}

// spill sets aside what is in memory.
func (s *ChangeSet) spill() error {
	if s.aside.spill == nil {
		var err error
		if s.aside.spill, err = s.open(); err != nil {
			return err
		}
	}
	err := s.aside.write(s.memory.all)
	s.memory.clear()
	return err
}

// Err returns what kept changes from being set aside or read again, or nil.
func (s *ChangeSet) Err() error { return s.err }

// Close gives back what changes were set aside in. The set then lists no more.
func (s *ChangeSet) Close() error {
	if s.aside.spill == nil {
		return nil
	}
	err := s.aside.spill.Close()
	s.aside = spilled{}
	s.err = errClosed
	return err
}

// Len returns the number of changes.
func (s *ChangeSet) Len() int { return s.counts[Insert] + s.counts[Update] + s.counts[Delete] }

// Count returns the number of changes of one kind.
func (s *ChangeSet) Count(op Op) int { return s.counts[op] }

// Discard removes the changes of the given keys. Where some were set aside,
// all others are copied.
func (s *ChangeSet) Discard(keys map[Key]bool) {
	gone := func(e []byte) bool {
		if !keys[Key(entryKey(e))] {
			return false
		}
		s.counts[entryChange(e)[0]]--
		return true
	}
	if s.aside.spill == nil {
		s.memory.places = slices.DeleteFunc(s.memory.places, func(p place) bool { return gone(s.memory.entry(p)) })
		return
	}
	if s.err == nil {
		s.err = s.copyWithout(gone)
	}
}

// copyWithout sets all changes but some aside anew.
func (s *ChangeSet) copyWithout(gone func(entry []byte) bool) error {
	spill, err := s.open()
	if err != nil {
		return err
	}
	kept := spilled{spill: spill}
	err = kept.write(func(yield func([]byte, error) bool) {
		for e, err := range s.entries() {
			if (err != nil || !gone(e)) && !yield(e, err) {
				return
			}
		}
	})
	err = errors.Join(err, s.aside.spill.Close())
	s.memory.clear()
	s.aside = kept
	return err
}

// entries lists the entries in key order. Each is valid until the next.
func (s *ChangeSet) entries() iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		err := s.err
		if err == nil {
			err = s.merge(yield)
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

// merge lists the entries; the error is one of reading.
func (s *ChangeSet) merge(yield func([]byte, error) bool) error {
	s.memory.sort()
	heap, err := s.aside.cursors(&s.memory)
	for err == nil && len(heap) > 0 {
		if !yield(heap[0].entry, nil) {
			return nil
		}
		var more bool
		if more, err = heap[0].next(); !more {
			heap[0] = heap[len(heap)-1]
			heap = heap[:len(heap)-1]
		}
		if err == nil {
			sift(heap, 0)
		}
	}
	return err
}

// Encoded lists the changes in key order.
func (s *ChangeSet) Encoded() iter.Seq2[Encoded, error] {
	return func(yield func(Encoded, error) bool) {
		for e, err := range s.entries() {
			if err != nil {
				yield(Encoded{}, err)
				return
			}
			if !yield(Encoded{Key(entryKey(e)), entrySource(e), entryChange(e)}, nil) {
				return
			}
		}
	}
}

// All lists the changes in key order.
func (s *ChangeSet) All() iter.Seq2[Change, error] {
	return s.decoded(func(Op) bool { return true })
}

// Only lists the changes of one kind in key order.
func (s *ChangeSet) Only(op Op) iter.Seq2[Change, error] {
	if s.err == nil && s.counts[op] == 0 {
		return func(func(Change, error) bool) {}
	}
	return s.decoded(func(o Op) bool { return o == op })
}

func (s *ChangeSet) decoded(wanted func(Op) bool) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for e, err := range s.entries() {
			if err != nil {
				yield(Change{}, err)
				return
			}
			if wanted(Op(entryChange(e)[0])) && !yield(DecodeChange(Key(entryKey(e)), entryChange(e))) {
				return
			}
		}
	}
}

// Digest returns the digest of the set committed upon the previous digest; it
// means nothing when [ChangeSet.Err] then returns an error.
func (s *ChangeSet) Digest(previous Digest) Digest {
	d := NewDigester(previous, s.columns)
	for e, err := range s.entries() {
		if err != nil {
			s.err = err
			break
		}
		d.Add(entryKey(e), entryChange(e))
	}
	return d.Sum()
}

// Digester makes the digest of a commit: SHA-256 over the previous digest, the
// column names, and each change's key and encoding, every text preceded by its
// length as an unsigned varint.
type Digester struct {
	hash  hash.Hash
	frame []byte
}

// NewDigester begins the digest of a commit upon the previous digest.
func NewDigester(previous Digest, columns []string) *Digester {
	d := &Digester{hash: sha256.New()}
	_, _ = d.hash.Write(previous[:]) // a hash never fails
	d.frame = binary.AppendUvarint(d.frame, uint64(len(columns)))
	for _, c := range columns {
		d.frame = binary.AppendUvarint(d.frame, uint64(len(c)))
		d.frame = append(d.frame, c...)
	}
	_, _ = d.hash.Write(d.frame)
	return d
}

// Add adds a change, encoded, and its key; changes come in key order.
func (d *Digester) Add(key, change []byte) {
	d.frame = binary.AppendUvarint(d.frame[:0], uint64(len(key)))
	d.frame = append(d.frame, key...)
	d.frame = binary.AppendUvarint(d.frame, uint64(len(change)))
	_, _ = d.hash.Write(d.frame)
	_, _ = d.hash.Write(change)
}

// Sum returns the digest of what was added.
func (d *Digester) Sum() Digest { return Digest(d.hash.Sum(nil)) }
