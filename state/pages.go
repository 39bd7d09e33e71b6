package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"os"

	"go.etcd.io/bbolt"
)

// The layout of bbolt's pages, all numbers in the machine's byte order: a
// header {id u64, flags u16, count u16, overflow u32}, then count elements of
// 16 bytes, then the keys and values, to which elements point from where they
// themselves stand.
const (
	pageHeader  = 16
	pageElement = 16

	branchPage = 0x01 // elements {pos u32, ksize u32, page u64}
	leafPage   = 0x02 // elements {flags u32, pos u32, ksize u32, vsize u32}
	freePage   = 0x10 // numbers of pages, u64

	bucketElement = 0x01 // leaf's flag: the value is {root page u64, sequence u64}, and an inline page where the root is 0
	bucketHeader  = 16
	maxDepth      = 40 // of pages and buckets in one another; ours are less than 20
)

// pages looks over the pages of a file in use, from the file itself. bbolt
// follows what a page says without doubt: to itself, round and round, or out of
// the file. What is sound to this walk is safe for bbolt to read.
type pages struct {
	file *os.File
	size uint64 // of a page, in bytes
	high uint64 // the number of pages
	used []use  // by page

	problems []error // the first few
	unsafe   bool    // bbolt must not follow the tree
	oneMeta  bool    // one of the two meta pages is lost
}

// use is what a page is for.
type use byte

const (
	unused use = iota
	reached
	free
)

// walkPages visits all pages of the transaction's file. It keeps a byte for a
// page of the file, and the pages on the way to one.
func walkPages(tx *bbolt.Tx) (*pages, error) {
	p, err := openPages(tx)
	if err != nil {
		return nil, err
	}
	p.oneMeta = !p.soundMetas()
	root := uint64(tx.Cursor().Bucket().Root())
	p.readFree(tx.ID())
	p.tree(root, 0, nil, nil)
	if len(p.problems) == 0 {
		for id, u := range p.used {
			if u == unused {
				p.problem("page %d is neither in use nor free", id)
			}
		}
	}
	return p, p.file.Close()
}

// structure returns what is wrong with the pages, the first few things of it.
func structure(tx *bbolt.Tx) error {
	p, err := walkPages(tx)
	if err != nil {
		return err
	}
	return p.err()
}

// freePages returns how many pages of the transaction's file are free, and
// what is wrong with the list of them.
func freePages(tx *bbolt.Tx) (int, error) {
	p, err := openPages(tx)
	if err != nil {
		return 0, err
	}
	n := p.readFree(tx.ID())
	return n, errors.Join(p.err(), p.file.Close())
}

func openPages(tx *bbolt.Tx) (*pages, error) {
	f, err := os.Open(tx.DB().Path())
	if err != nil {
		return nil, err
	}
	size := uint64(tx.DB().Info().PageSize)
	high := uint64(tx.Size()) / size
	p := &pages{file: f, size: size, high: high, used: make([]use, high)}
	p.used[0], p.used[1] = reached, reached // meta pages, whose checksum bbolt looks at
	return p, nil
}

// err returns the problems.
func (p *pages) err() error { return errors.Join(p.problems...) }

// problem notes what is wrong but does not lead bbolt astray.
func (p *pages) problem(format string, args ...any) {
	const most = 5
	if len(p.problems) < most {
		p.problems = append(p.problems, fmt.Errorf(format, args...))
	}
}

func (p *pages) bad(format string, args ...any) {
	p.unsafe = true
	p.problem(format, args...)
}

// page is one page's content, with those it flows over to.
type page struct {
	flags uint16
	count int
	data  []byte
}

// take reads a page that nothing else has led to.
func (p *pages) take(id uint64) (pg page, ok bool) {
	if id < 2 || id >= p.high {
		p.bad("page %d is beyond the %d pages there are", id, p.high)
		return pg, false
	}
	pg.data = make([]byte, p.size)
	if !p.read(pg.data, id) {
		return pg, false
	}
	own := binary.NativeEndian.Uint64(pg.data)
	over := uint64(binary.NativeEndian.Uint32(pg.data[12:]))
	if own != id || over >= p.high-id {
		p.bad("page %d says that it is page %d with %d more", id, own, over)
		return pg, false
	}
	for i := id; i <= id+over; i++ {
		if p.used[i] != unused {
			p.bad("page %d is in use twice, or free", i)
			return pg, false
		}
		p.used[i] = reached
	}
	if over > 0 {
		pg.data = make([]byte, (over+1)*p.size)
		if !p.read(pg.data, id) {
			return pg, false
		}
	}
	pg.flags = binary.NativeEndian.Uint16(pg.data[8:])
	pg.count = int(binary.NativeEndian.Uint16(pg.data[10:]))
	return pg, true
}

func (p *pages) read(to []byte, id uint64) bool {
	_, err := p.file.ReadAt(to, int64(id*p.size)) //nolint:gosec // within the file's length
	if err != nil {
		p.bad("page %d: %v", id, err)
	}
	return err == nil
}

// tree visits a page of a tree and those below it, whose keys are from least
// on and less than end.
func (p *pages) tree(id uint64, depth int, least, end []byte) {
	if depth == maxDepth {
		p.bad("page %d is too deep in the tree", id)
		return
	}
	pg, ok := p.take(id)
	if !ok {
		return
	}
	switch elements, ok := p.elements(pg, id); {
	case !ok:
	case pg.flags == branchPage:
		p.inOrder(elements, id, least, end)
		for i, e := range elements {
			below := end
			if i+1 < len(elements) {
				below = elements[i+1].key
			}
			p.tree(e.page, depth+1, e.key, below)
		}
	default:
		p.inOrder(elements, id, least, end)
		for _, e := range elements {
			if e.bucket {
				p.bucket(e.value, id, depth+1)
			}
		}
	}
}

// bucket visits the bucket that a leaf's value is, as part of the page id.
func (p *pages) bucket(value []byte, id uint64, depth int) {
	if len(value) < bucketHeader {
		p.bad("page %d: a bucket of %d bytes", id, len(value))
		return
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		p.tree(root, depth, nil, nil)
		return
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader {
		p.bad("page %d: an inline bucket of %d bytes", id, len(inline))
		return
	}
	pg := page{binary.NativeEndian.Uint16(inline[8:]), int(binary.NativeEndian.Uint16(inline[10:])), inline}
	if pg.flags != leafPage {
		p.bad("page %d: an inline bucket that is no leaf", id)
		return
	}
	elements, ok := p.elements(pg, id)
	if !ok {
		return
	}
	p.inOrder(elements, id, nil, nil)
	for _, e := range elements {
		if e.bucket {
			p.bad("page %d: a bucket within an inline bucket", id)
		}
	}
}

// element is one of a page.
type element struct {
	key, value []byte
	bucket     bool
	page       uint64 // of a branch
}

// elements returns those of a page, all of which lies within it.
func (p *pages) elements(pg page, id uint64) (all []element, ok bool) {
	if pg.flags != branchPage && pg.flags != leafPage || pg.flags == branchPage && pg.count == 0 {
		p.bad("page %d is of kind %#x with %d elements", id, pg.flags, pg.count)
		return nil, false
	}
	if pageHeader+pg.count*pageElement > len(pg.data) {
		p.bad("page %d has no room for %d elements", id, pg.count)
		return nil, false
	}
	all = make([]element, pg.count)
	for i := range all {
		at := pg.data[pageHeader+i*pageElement:]
		var e element
		var pos, ksize, vsize uint64
		if pg.flags == branchPage {
			pos, ksize = u32(at), u32(at[4:])
			e.page = binary.NativeEndian.Uint64(at[8:])
		} else {
			e.bucket = u32(at)&bucketElement != 0
			pos, ksize, vsize = u32(at[4:]), u32(at[8:]), u32(at[12:])
		}
		if ksize > bbolt.MaxKeySize || pos+ksize+vsize > uint64(len(at)) {
			p.bad("page %d: element %d of %d and %d bytes is not within it", id, i, ksize, vsize)
			return nil, false
		}
		e.key, e.value = at[pos:pos+ksize], at[pos+ksize:pos+ksize+vsize]
		all[i] = e
	}
	return all, true
}

func u32(b []byte) uint64 { return uint64(binary.NativeEndian.Uint32(b)) }

// inOrder wants keys to ascend, from least on and below end; nil is no bound.
func (p *pages) inOrder(elements []element, id uint64, least, end []byte) {
	for i, e := range elements {
		if i > 0 && bytes.Compare(elements[i-1].key, e.key) >= 0 ||
			bytes.Compare(e.key, least) < 0 || end != nil && bytes.Compare(e.key, end) >= 0 {
			p.problem("page %d: key %.100q is out of order", id, e.key)
			return
		}
	}
}

// readFree reads the list of free pages and returns how many there are.
func (p *pages) readFree(txid int) int {
	id, ok := p.listOfFree(txid)
	if !ok {
		return 0
	}
	pg, ok := p.take(id)
	if !ok {
		return 0
	}
	n, ids := uint64(pg.count), pg.data[pageHeader:] //nolint:gosec // of 16 bits
	if n == math.MaxUint16 {                         // then the first number is how many there are
		n, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if pg.flags != freePage || n > uint64(len(ids)/8) {
		p.bad("page %d is no list of %d free pages", id, n)
		return 0
	}
	for i := range n {
		freed := binary.NativeEndian.Uint64(ids[i*8:])
		if freed < 2 || freed >= p.high || p.used[freed] != unused {
			p.bad("page %d: page %d is not free", id, freed)
			return 0
		}
		p.used[freed] = free
	}
	return int(n) //nolint:gosec // fewer than there are bytes
}

// listOfFree returns the page of the list of free pages, which the meta page {
// header, magic u32, version u32, page size u32, flags u32, root {u64,
// u64}, list u64, pages u64, txid u64, checksum u64} tells. Each transaction
// writes the one of the two that its number is even or odd with.
func (p *pages) listOfFree(txid int) (id uint64, ok bool) {
	meta := make([]byte, p.size)
	if !p.read(meta, uint64(txid)%2) { //nolint:gosec // not negative
		return 0, false
	}
	return binary.NativeEndian.Uint64(meta[pageHeader+32:]), true
}

// soundMetas tells whether both meta pages are whole: each ends with the FNV-1a
// sum of what is before it. bbolt uses the one that is.
func (p *pages) soundMetas() bool {
	const length = 56 // bytes that the sum is of
	b := make([]byte, pageHeader+length+8)
	for id := range uint64(2) {
		if _, err := p.file.ReadAt(b, int64(id*p.size)); err != nil { //nolint:gosec // 0 or a page's size
			return false
		}
		sum := fnv.New64a()
		_, _ = sum.Write(b[pageHeader : pageHeader+length])
		if sum.Sum64() != binary.NativeEndian.Uint64(b[pageHeader+length:]) {
			return false
		}
	}
	return true
}
