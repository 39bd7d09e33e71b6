package diff

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"iter"
	"slices"
)

// Digest is the SHA-256 that stands for a commit and all commits before it.
type Digest [sha256.Size]byte

// String returns the digest as 64 hexadecimal digits.
func (d Digest) String() string { return fmt.Sprintf("%x", d[:]) }

// ChangeSet collects the changes of one run, at most one a key, and lists them
// in key order. It keeps them encoded, so that a first load of many records
// costs their bytes and little more.
type ChangeSet struct {
	columns []string
	chunks  [][]byte
	refs    []ref
	counts  [Insert + 1]int
	sorted  bool
}

type ref struct {
	key        Key
	source     SourceHash
	chunk      int32
	start, end int32
}

// Encoded is one change of a set as [AppendChange] encodes it, with the source
// hash of the record it came from (0 for a delete). Bytes belong to the set.
type Encoded struct {
	Key    Key
	Source SourceHash
	Bytes  []byte
}

// chunkSize is how many bytes of encoded changes share one allocation.
const chunkSize = 1 << 20

// NewChangeSet returns an empty change set for rows of the given columns.
func NewChangeSet(columns []string) *ChangeSet { return &ChangeSet{columns: columns} }

// Columns returns the names of the columns of the rows.
func (s *ChangeSet) Columns() []string { return s.columns }

// Add adds a change and the source hash of its record. No other change of its
// key may be in the set.
func (s *ChangeSet) Add(c Change, source SourceHash) {
	last := len(s.chunks) - 1
	if last < 0 || len(s.chunks[last]) >= chunkSize {
		var chunk []byte
		if last >= 0 { // not the first, so that more than a few are to be expected
			chunk = make([]byte, 0, chunkSize+chunkSize/16)
		}
		s.chunks = append(s.chunks, chunk)
		last++
	}
	start := len(s.chunks[last])
	s.chunks[last] = AppendChange(s.chunks[last], &c)
	s.refs = append(s.refs, ref{c.Key, source, int32(last), int32(start), int32(len(s.chunks[last]))})
	s.counts[c.Op]++
	s.sorted = false
}

// Len returns the number of changes.
func (s *ChangeSet) Len() int { return len(s.refs) }

// Count returns the number of changes of one kind.
func (s *ChangeSet) Count(op Op) int { return s.counts[op] }

// Discard removes the changes of the given keys.
func (s *ChangeSet) Discard(keys map[Key]bool) {
	s.refs = slices.DeleteFunc(s.refs, func(r ref) bool {
		if keys[r.key] {
			s.counts[s.chunks[r.chunk][r.start]]--
		}
		return keys[r.key]
	})
}

// Encoded lists the changes in key order.
func (s *ChangeSet) Encoded() iter.Seq[Encoded] { return s.Range(0, len(s.refs)) }

// Range lists the changes from one place in key order up to another.
func (s *ChangeSet) Range(from, to int) iter.Seq[Encoded] {
	if !s.sorted {
		slices.SortFunc(s.refs, func(a, b ref) int { return cmp.Compare(a.key, b.key) })
		s.sorted = true
	}
	return func(yield func(Encoded) bool) {
		for _, r := range s.refs[from:to] {
			if !yield(Encoded{r.key, r.source, s.chunks[r.chunk][r.start:r.end]}) {
				return
			}
		}
	}
}

// All lists the changes in key order.
func (s *ChangeSet) All() iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for e := range s.Encoded() {
			if !yield(DecodeChange(e.Key, e.Bytes)) {
				return
			}
		}
	}
}

// Only lists the changes of one kind in key order.
func (s *ChangeSet) Only(op Op) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		for e := range s.Encoded() {
			if Op(e.Bytes[0]) == op && !yield(DecodeChange(e.Key, e.Bytes)) {
				return
			}
		}
	}
}

// Digest returns the digest of the set committed upon the previous digest.
func (s *ChangeSet) Digest(previous Digest) Digest {
	return DigestOf(previous, s.columns, func(yield func(Key, []byte) bool) {
		for e := range s.Encoded() {
			if !yield(e.Key, e.Bytes) {
				return
			}
		}
	})
}

// DigestOf is SHA-256 over the previous digest, the column names, and each
// change's key and encoding, every text preceded by its length as an unsigned
// varint.
func DigestOf(previous Digest, columns []string, changes iter.Seq2[Key, []byte]) Digest {
	h := sha256.New()
	var frame []byte
	length := func(n int) { // a hash never fails
		frame = binary.AppendUvarint(frame[:0], uint64(n))
		_, _ = h.Write(frame)
	}
	_, _ = h.Write(previous[:])
	length(len(columns))
	for _, c := range columns {
		length(len(c))
		_, _ = io.WriteString(h, c)
	}
	for key, enc := range changes {
		length(len(key))
		_, _ = io.WriteString(h, string(key))
		length(len(enc))
		_, _ = h.Write(enc)
	}
	return Digest(h.Sum(nil))
}
