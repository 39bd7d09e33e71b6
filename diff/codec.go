package diff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// ErrEncoding is what errors about undecodable changes wrap.
var ErrEncoding = errors.New("malformed change")

// AppendChange appends the encoding of c, without its key, to b.
//
// The encoding is the op byte, the number of columns, the values of the row
// (after an insert or update, before a delete), and for an update the number
// of changed columns with each one's position and earlier value. Counts,
// positions and lengths are unsigned varints. A value is the byte 0 for NULL,
// 1 and a signed varint for an integer, 2, a length and the bytes for text.
func AppendChange(b []byte, c *Change) []byte {
	row := c.After
	if c.Op == Delete {
		row = c.Before
	}
	b = append(b, byte(c.Op))
	b = binary.AppendUvarint(b, uint64(len(row)))
	for i := range row {
		b = appendValue(b, row[i])
	}
	if c.Op != Update {
		return b
	}
	fields := c.Fields()
	b = binary.AppendUvarint(b, uint64(len(fields)))
	for _, f := range fields {
		b = binary.AppendUvarint(b, uint64(f.Column))
		b = appendValue(b, f.Before)
	}
	return b
}

func appendValue(b []byte, v Value) []byte {
	b = append(b, byte(v.kind))
	switch v.kind {
	case Int:
		b = binary.AppendVarint(b, v.num)
	case Text:
		b = binary.AppendUvarint(b, uint64(len(v.text)))
		b = append(b, v.text...)
	}
	return b
}

// DecodeChange decodes what [AppendChange] appended for the key. The error
// wraps [ErrEncoding]. The change holds no reference to b.
func DecodeChange(key Key, b []byte) (Change, error) {
	d := decoder{b: b, text: string(b)}
	c := Change{Op: Op(d.byte()), Key: key}
	row := d.row()
	switch c.Op {
	case Insert:
		c.After = row
	case Delete:
		c.Before = row
	case Update:
		c.After = row
		c.Before = slices.Clone(row)
		for n := d.count(); n > 0 && d.err == nil; n-- {
			col := d.uvarint()
			v := d.value()
			if col >= uint64(len(row)) {
				d.fail("column out of range")
				break
			}
			c.Before[col] = v
		}
	default:
		d.fail("unknown op")
	}
	if d.err == nil && len(d.b) > 0 {
		d.fail("trailing bytes")
	}
	if d.err != nil {
		return Change{}, fmt.Errorf("key %s: %w", key, d.err)
	}
	return c, nil
}

// decoder reads the parts of an encoded change and keeps the first error.
type decoder struct {
	b    []byte // what is left
	text string // all of it, of which texts are parts
	err  error
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrEncoding, what)
	}
	d.b = nil
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail("truncated")
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.b)
	if size <= 0 {
		d.fail("bad number")
		return 0
	}
	d.b = d.b[size:]
	return n
}

// count reads a number of things that take at least one byte each.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail("count larger than the data")
		return 0
	}
	return int(n)
}

func (d *decoder) value() Value {
	switch Kind(d.byte()) {
	case Null:
		return Value{}
	case Int:
		n, size := binary.Varint(d.b)
		if size <= 0 {
			d.fail("bad integer")
			return Value{}
		}
		d.b = d.b[size:]
		return IntValue(n)
	case Text:
		n := d.count()
		at := len(d.text) - len(d.b)
		d.b = d.b[n:]
		return TextValue(d.text[at : at+n])
	default:
		d.fail("unknown kind of value")
		return Value{}
	}
}

func (d *decoder) row() Row {
	row := make(Row, d.count())
	for i := range row {
		row[i] = d.value()
	}
	return row
}
