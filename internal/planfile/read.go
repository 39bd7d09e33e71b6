package planfile

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strconv"
	"strings"

	"jstsync/diff"
)

// Read returns the plan that is saved at path. Before anything of it is looked
// at, the file is read once for its checksum. Errors are of
// [diff.CodePlanFile]. Many changes are set aside in what spill returns; without
// it they stay in memory. Whoever has read the plan closes its changes.
func Read(path string, spill func() (diff.Spill, error)) (*diff.SavedPlan, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &diff.Error{Code: diff.CodePlanFile, Message: "read plan file", Err: err, Remedy: "make one with jstsync plan --out FILE"}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, refuse(path, "cannot be read: %v", err)
	}
	if !info.Mode().IsRegular() {
		return nil, refuse(path, "is no regular file")
	}
	return read(f, info.Size(), path, spill)
}

// read returns the plan of the first size bytes of r.
func read(r io.ReaderAt, size int64, path string, spill func() (diff.Spill, error)) (*diff.SavedPlan, error) {
	start, err := firstLine(r, path)
	if err != nil {
		return nil, err
	}
	end := size - sha256.Size
	if end <= start {
		return nil, refuse(path, "is cut short")
	}
	want := make([]byte, sha256.Size)
	sum := sha256.New()
	if _, err = r.ReadAt(want, end); err == nil || errors.Is(err, io.EOF) {
		_, err = io.Copy(sum, io.NewSectionReader(r, 0, end))
	}
	if err != nil {
		return nil, refuse(path, "cannot be read: %v", err)
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return nil, refuse(path, "was altered or cut short: its SHA-256 does not match")
	}
	saved, err := decode(r, start, end, sum, spill)
	if err != nil {
		return nil, refuse(path, "is damaged: %v", err)
	}
	if !bytes.Equal(sum.Sum(nil), want) {
		return nil, refuse(path, "was altered while it was read")
	}
	return saved, nil
}

// firstLine makes sure that the file is a plan of a known format, and returns
// where its body starts.
func firstLine(r io.ReaderAt, path string) (int64, error) {
	line := make([]byte, len(magic)+21)
	n, err := r.ReadAt(line, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, refuse(path, "cannot be read: %v", err)
	}
	number, ok := strings.CutPrefix(string(line[:n]), magic)
	number, _, ended := strings.Cut(number, "\n")
	format, err := strconv.ParseUint(number, 10, 64)
	if !ok || !ended || err != nil {
		return 0, &diff.Error{
			Code: diff.CodePlanFile, Message: fmt.Sprintf("plan file %s is no saved plan", path),
			Remedy: "make a new one with jstsync plan --out FILE, and name that",
		}
	}
	if format != Format {
		return 0, &diff.Error{
			Code:    diff.CodePlanFile,
			Message: fmt.Sprintf("plan file %s is of format %d; this version of jstsync knows format %d", path, format, Format),
			Remedy:  "use the version of jstsync that made it, or plan again with this one",
		}
	}
	return int64(len(magic) + len(number) + 1), nil
}

// decode reads the body between start and end, and leaves in sum the hash of
// all bytes up to the end, as they were read this time.
func decode(r io.ReaderAt, start, end int64, sum hash.Hash, spill func() (diff.Spill, error)) (*diff.SavedPlan, error) {
	sum.Reset()
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, start)); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(io.TeeReader(io.NewSectionReader(r, start, end-start), sum), 1<<16)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	z.Multistream(false)
	p := &parser{in: bufio.NewReaderSize(z, 1<<16), left: maxMemory(end - start), spill: spill}
	saved := p.plan()
	if p.err != nil {
		return nil, p.err
	}
	if _, err := p.in.ReadByte(); !errors.Is(err, io.EOF) {
		return nil, errors.Join(errors.New("there is more than the plan"), err)
	}
	if n, err := io.Copy(io.Discard, in); n != 0 || err != nil {
		return nil, errors.Join(errors.New("there is more behind the body"), err)
	}
	return saved, agree(saved.Plan)
}

// parser reads the parts of a body and keeps the first error.
type parser struct {
	in   *bufio.Reader
	buf  bytes.Buffer
	left int64 // bytes of memory that the plan may still take
	err  error

	spill func() (diff.Spill, error)
}

func (p *parser) fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *parser) plan() *diff.SavedPlan {
	var h header
	if text := p.piece(); p.err == nil {
		p.fail(json.Unmarshal(text, &h))
	}
	if p.err != nil {
		return nil
	}
	saved, err := h.plan(p.spill)
	if err != nil {
		p.fail(err)
		return nil
	}
	p.changes(saved.Plan, h.Counts.Changes)
	for range p.upTo(h.Counts.Rehashed) {
		saved.Rehashed = append(saved.Rehashed, diff.Rehash{Key: p.key(), Source: p.hash()})
	}
	for range p.upTo(h.Counts.Withheld) {
		saved.Withheld.Keys = append(saved.Withheld.Keys, p.key())
	}
	for range p.upTo(h.Counts.Quarantine) {
		key := string(p.piece())
		saved.Quarantine = append(saved.Quarantine, diff.Quarantined{Key: key, Reason: string(p.piece())})
	}
	return saved
}

// upTo counts up to n, and ends early with the first error.
func (p *parser) upTo(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n && p.err == nil; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// changes reads the changes, each a row of the table under its own key, in key
// order.
func (p *parser) changes(plan *diff.Plan, n int) {
	var last diff.Key
	for range p.upTo(n) {
		key, source := p.key(), p.hash()
		encoded := p.piece()
		if p.err != nil {
			return
		}
		if n := columnsOf(encoded); n != uint64(len(plan.Table.Columns)) { // before room is made for them
			p.fail(fmt.Errorf("key %s: %d values for %d columns", key, n, len(plan.Table.Columns)))
			return
		}
		c, err := diff.DecodeChange(key, encoded)
		if err != nil {
			p.fail(err)
			return
		}
		if of, err := plan.Table.KeyOf(rowOf(&c)); err != nil || of != key || key <= last {
			p.fail(fmt.Errorf("key %s is not that of its row, or out of order", key))
			return
		}
		plan.Changes.Add(c, source)
		last = key
	}
}

// columnsOf returns how many values an encoded change says that its row has.
func columnsOf(encoded []byte) uint64 {
	if len(encoded) == 0 {
		return 0
	}
	n, _ := binary.Uvarint(encoded[1:])
	return n
}

func rowOf(c *diff.Change) diff.Row {
	if c.Op == diff.Delete {
		return c.Before
	}
	return c.After
}

// piece reads a text after its length. It is valid until the next one.
func (p *parser) piece() []byte {
	if p.err != nil {
		return nil
	}
	n, err := binary.ReadUvarint(p.in)
	switch {
	case err != nil:
	case n > maxPiece:
		err = fmt.Errorf("a piece of %d bytes", n)
	case p.left < int64(n)+pieceCost:
		err = errors.New("it decompresses to more than a plan can have")
	default:
		p.left -= int64(n) + pieceCost
		p.buf.Reset()
		_, err = io.CopyN(&p.buf, p.in, int64(n)) // grows with what comes, not with what is said to come
	}
	if err != nil {
		p.fail(noEOF(err))
		return nil
	}
	return p.buf.Bytes()
}

func (p *parser) key() diff.Key {
	key := diff.Key(p.piece())
	if _, err := key.Parts(); err != nil {
		p.fail(err)
	}
	return key
}

func (p *parser) hash() diff.SourceHash {
	var b [8]byte
	if p.err == nil {
		_, err := io.ReadFull(p.in, b[:])
		p.fail(noEOF(err))
	}
	return diff.SourceHash(binary.BigEndian.Uint64(b[:]))
}

// noEOF says of the end of the data that it came too early.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
