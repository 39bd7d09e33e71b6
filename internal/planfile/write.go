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
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"jstsync/diff"
)

// Check reports why a plan could not be written to path: its directory is
// missing, or what is there already is no plan and is not to be lost. It
// writes nothing. Errors are of [diff.CodePlanFile].
func Check(path string) error {
	if _, err := os.Stat(filepath.Dir(path)); err != nil {
		return cannotWrite(path, err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return cannotWrite(path, err)
	case !info.Mode().IsRegular():
		return occupied(path, "is no regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return cannotWrite(path, err)
	}
	defer f.Close()
	begin := make([]byte, len(magic))
	n, err := io.ReadFull(f, begin)
	if n > 0 && string(begin[:n]) != magic {
		return occupied(path, "exists and is no saved plan")
	}
	if n > 0 && err != nil {
		return cannotWrite(path, err)
	}
	return nil
}

func occupied(path, why string) error {
	return &diff.Error{Code: diff.CodePlanFile, Message: "file " + path + " " + why, Remedy: "name another file; it was left as it is"}
}

func cannotWrite(path string, err error) error {
	return &diff.Error{
		Code: diff.CodePlanFile, Message: "write plan file " + path, Err: err,
		Remedy: "name a file in a directory that exists, with free space, and that this user may write to",
	}
}

// Write saves the plan at path, readable by its owner alone, in place of an
// earlier plan there. After an error what was there before is there still.
// Errors are of [diff.CodePlanFile].
func Write(path string, saved *diff.SavedPlan) (err error) {
	if err := Check(path); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*") // of mode 0600
	if err != nil {
		return cannotWrite(path, err)
	}
	w := bufio.NewWriterSize(f, 1<<16)
	err = encode(w, saved)
	if err == nil {
		err = errors.Join(w.Flush(), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return cannotWrite(path, errors.Join(err, os.Remove(f.Name())))
	}
	return syncDir(path)
}

// syncDir makes the name of a new file durable, where directories can be synced.
func syncDir(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return cannotWrite(path, err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return cannotWrite(path, err)
	}
	return nil
}

// encode writes the first line, the compressed body, and the SHA-256 of both.
func encode(out io.Writer, saved *diff.SavedPlan) error {
	if err := agree(saved.Plan); err != nil {
		return err
	}
	sum := sha256.New()
	w := io.MultiWriter(out, sum)
	if _, err := fmt.Fprintf(w, "%s%d\n", magic, Format); err != nil {
		return err
	}
	z := gzip.NewWriter(w)
	b := &body{w: z}
	b.plan(saved)
	if err := errors.Join(b.err, z.Close()); err != nil {
		return err
	}
	_, err := out.Write(sum.Sum(nil))
	return err
}

// body writes the parts of a body and keeps the first error.
type body struct {
	w   io.Writer
	buf []byte
	err error
}

func (b *body) plan(s *diff.SavedPlan) {
	text := &bytes.Buffer{}
	b.err = json.NewEncoder(text).Encode(headerOf(s))
	b.piece(text.String())
	for e, err := range s.Changes.Encoded() {
		b.fail(err)
		b.piece(string(e.Key))
		b.hash(e.Source)
		b.piece(string(e.Bytes))
	}
	for _, r := range s.Rehashed {
		b.piece(string(r.Key))
		b.hash(r.Source)
	}
	for _, k := range s.Withheld.Keys {
		b.piece(string(k))
	}
	for _, q := range s.Quarantine {
		b.piece(q.Key)
		b.piece(q.Reason)
	}
}

func (b *body) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// piece writes a text after its length.
func (b *body) piece(text string) {
	if len(text) > maxPiece {
		b.fail(fmt.Errorf("a change or the header takes %d bytes, the limit is %d", len(text), maxPiece))
	}
	b.buf = append(binary.AppendUvarint(b.buf[:0], uint64(len(text))), text...)
	b.write()
}

func (b *body) hash(h diff.SourceHash) {
	b.buf = binary.BigEndian.AppendUint64(b.buf[:0], uint64(h))
	b.write()
}

func (b *body) write() {
	if b.err == nil {
		_, b.err = b.w.Write(b.buf)
	}
}
