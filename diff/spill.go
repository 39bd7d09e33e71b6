package diff

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"slices"
)

// SpillAfter is how many bytes of changes a run holds in memory before it sets
// them aside.
const SpillAfter = 8 << 20

// Spill is where a [ChangeSet] sets changes aside, such as a temporary file.
// Write appends.
type Spill interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// errClosed is what reading a set after [ChangeSet.Close] comes to.
var errClosed = errors.New("the changes were let go")

// An entry is a change with its key and source hash, in memory and in a spill
// alike: the lengths of key and change and the hash, 16 bytes big-endian, then
// the key and the change as [AppendChange] encodes it.
const entryHead = 4 + 4 + 8

func entryKey(e []byte) []byte {
	return e[entryHead:][:binary.BigEndian.Uint32(e)]
}

func entryChange(e []byte) []byte {
	return e[entryHead+binary.BigEndian.Uint32(e):]
}

func entrySource(e []byte) SourceHash { return SourceHash(binary.BigEndian.Uint64(e[8:])) }

func entrySize(head []byte) int {
	return entryHead + int(binary.BigEndian.Uint32(head)) + int(binary.BigEndian.Uint32(head[4:]))
}

// stretch is a part of a spill whose entries are in key order.
type stretch struct{ from, to int64 }

// spilled is what a set has set aside.
type spilled struct {
	spill     Spill
	stretches []stretch
	end       int64
}

// write appends a stretch of the entries, which come in key order.
func (s *spilled) write(entries func(yield func([]byte, error) bool)) error {
	from := s.end
	w := bufio.NewWriterSize(s.spill, 1<<18)
	for e, err := range entries {
		if err != nil {
			return err
		}
		if _, err := w.Write(e); err != nil {
			return err
		}
		s.end += int64(len(e))
	}
	s.stretches = append(s.stretches, stretch{from, s.end})
	return w.Flush()
}

// cursor walks through entries that are in key order.
type cursor struct {
	memory *buffer
	places []place // of the buffer, still to come
	aside  *bufio.Reader
	bytes  int64  // of the stretch, still to come
	entry  []byte // where it stands; valid until next
}

// next moves to the next entry; it reports false when there is none.
func (c *cursor) next() (bool, error) {
	if c.memory != nil {
		if len(c.places) == 0 {
			return false, nil
		}
		c.entry, c.places = c.memory.entry(c.places[0]), c.places[1:]
		return true, nil
	}
	if c.bytes == 0 {
		return false, nil
	}
	c.entry = slices.Grow(c.entry[:0], entryHead)[:entryHead]
	_, err := io.ReadFull(c.aside, c.entry)
	if err == nil {
		size := entrySize(c.entry)
		c.entry = slices.Grow(c.entry, size-entryHead)[:size]
		_, err = io.ReadFull(c.aside, c.entry[entryHead:])
		c.bytes -= int64(size)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // it was written, and is not there
	}
	return err == nil, err
}

// cursors returns a cursor at the first entry of each stretch, as a heap.
func (s *spilled) cursors(memory *buffer) ([]*cursor, error) {
	all := []*cursor{{memory: memory, places: memory.places}}
	for _, r := range s.stretches {
		n := r.to - r.from
		all = append(all, &cursor{aside: bufio.NewReaderSize(io.NewSectionReader(s.spill, r.from, n), 1<<16), bytes: n})
	}
	var heap []*cursor
	for _, c := range all {
		more, err := c.next()
		if err != nil {
			return nil, err
		}
		if more {
			heap = append(heap, c)
		}
	}
	for i := len(heap)/2 - 1; i >= 0; i-- {
		sift(heap, i)
	}
	return heap, nil
}

// sift moves the cursor at i down to where it belongs in the heap.
func sift(heap []*cursor, i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(heap); child++ {
			if string(entryKey(heap[child].entry)) < string(entryKey(heap[least].entry)) {
				least = child
			}
		}
		if least == i {
			return
		}
		heap[i], heap[least] = heap[least], heap[i]
		i = least
	}
}

// buffer holds entries in memory.
type buffer struct {
	chunks [][]byte
	places []place
	size   int
	sorted bool // the places are in key order
}

// place is where an entry begins.
type place struct{ chunk, at uint32 }

// chunkSize is how many bytes of entries share one allocation.
const chunkSize = 1 << 20

func (b *buffer) add(c *Change, source SourceHash) {
	last := b.room()
	at := place{uint32(last), uint32(len(b.chunks[last]))}
	e := append(b.chunks[last], make([]byte, entryHead)...)
	e = append(e, c.Key...)
	e = AppendChange(e, c)
	b.chunks[last] = e
	e = e[at.at:]
	binary.BigEndian.PutUint32(e, uint32(len(c.Key)))
	binary.BigEndian.PutUint32(e[4:], uint32(len(e)-entryHead-len(c.Key)))
	binary.BigEndian.PutUint64(e[8:], uint64(source))
	n := len(b.places)
	b.sorted = n == 0 || b.sorted && string(entryKey(b.entry(b.places[n-1]))) < string(c.Key)
	b.places = append(b.places, at)
	b.size += len(e)
}

// room returns the chunk that the next entry goes to.
func (b *buffer) room() int {
	n := len(b.chunks)
	switch {
	case n > 0 && len(b.chunks[n-1]) < chunkSize:
		return n - 1
	case n == 0 && cap(b.chunks) == 0: // small, unless more are to come
		b.chunks = append(b.chunks, nil)
	case n < cap(b.chunks) && b.chunks[:n+1][n] != nil: // of before it was cleared
		b.chunks = b.chunks[:n+1]
		b.chunks[n] = b.chunks[n][:0]
	default:
		b.chunks = append(b.chunks, make([]byte, 0, chunkSize+chunkSize/16))
	}
	return n
}

// clear empties the buffer and keeps its memory.
func (b *buffer) clear() { b.chunks, b.places, b.size = b.chunks[:0], b.places[:0], 0 }

func (b *buffer) entry(p place) []byte {
	e := b.chunks[p.chunk][p.at:]
	n := entrySize(e)
	return e[:n:n]
}

func (b *buffer) sort() {
	if !b.sorted {
		slices.SortFunc(b.places, func(p, q place) int {
			return slices.Compare(entryKey(b.entry(p)), entryKey(b.entry(q)))
		})
		b.sorted = true
	}
}

// all lists the entries in key order.
func (b *buffer) all(yield func([]byte, error) bool) {
	b.sort()
	for _, p := range b.places {
		if !yield(b.entry(p), nil) {
			return
		}
	}
}
