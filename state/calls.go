package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"jstsync/diff"
)

// callsMark begins the calls of a run; those of a file that was upgraded are
// JSON.
const callsMark = 'c'

// usualCall is what the first call of a run is compared with. It is part of
// the format.
func usualCall() diff.Call {
	return diff.Call{
		Path: "/open/shops/query", Params: `{"page_index":1,"page_size":100}`,
		Attempt: 1, At: time.UnixMilli(0), Status: 200,
	}
}

// encodeCalls returns the calls of a run, each as how it differs from the one
// before, for they are alike. Moments are whole milliseconds, durations whole
// microseconds.
func encodeCalls(calls []diff.Call) []byte {
	b := []byte{callsMark}
	before := usualCall()
	for i := range calls {
		b = appendCall(b, &before, &calls[i])
		before = calls[i]
	}
	return b
}

// callTexts are the texts of a call, in the order of their bits.
func callTexts(c *diff.Call) [5]*string {
	return [...]*string{&c.Path, &c.Params, &c.Message, &c.Err, &c.Body}
}

// callNumbers are the numbers of a call that are kept as differences.
func callNumbers(c *diff.Call) [5]int64 {
	return [...]int64{int64(c.Page), int64(c.Attempt), c.At.UnixMilli(), int64(c.Status), c.Bytes}
}

// appendCall appends a byte with a bit for each text that differs, those texts,
// the numbers, and what is as it is.
func appendCall(b []byte, before, c *diff.Call) []byte {
	mask := len(b)
	b = append(b, 0)
	were := callTexts(before)
	for i, text := range callTexts(c) {
		if *text != *were[i] {
			b[mask] |= 1 << i
			b = appendEdit(b, *were[i], *text)
		}
	}
	was := callNumbers(before)
	for i, n := range callNumbers(c) {
		b = binary.AppendVarint(b, n-was[i])
	}
	b = binary.AppendVarint(b, c.Duration.Microseconds())
	return binary.AppendVarint(b, int64(c.Code))
}

// appendEdit appends how many bytes two texts have in common at their
// beginning and at their end, and what the second has between.
func appendEdit(b []byte, before, text string) []byte {
	head, tail := 0, 0
	for head < min(len(before), len(text)) && before[head] == text[head] {
		head++
	}
	for tail < min(len(before), len(text))-head && before[len(before)-1-tail] == text[len(text)-1-tail] {
		tail++
	}
	middle := text[head : len(text)-tail]
	for _, n := range []int{head, tail, len(middle)} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return append(b, middle...)
}

var errCalls = errors.New("malformed calls")

// decodeCalls reads what encodeCalls wrote.
func decodeCalls(b []byte, calls *[]diff.Call) error {
	if len(b) == 0 || b[0] != callsMark {
		return json.Unmarshal(b, calls) // of a file that was upgraded
	}
	d := quietReader{b: b[1:]}
	before := usualCall()
	for len(d.b) > 0 {
		before = d.call(before)
		*calls = append(*calls, before)
	}
	if d.failed {
		return errCalls
	}
	return nil
}

// call reads what appendCall appended.
func (d *quietReader) call(c diff.Call) diff.Call {
	mask := d.b[0]
	d.b = d.b[1:]
	for i, text := range callTexts(&c) {
		if mask&(1<<i) != 0 {
			*text = d.edit(*text)
		}
	}
	n := callNumbers(&c)
	for i := range n {
		n[i] += d.number()
	}
	c.Page, c.Attempt, c.At, c.Status, c.Bytes = int(n[0]), int(n[1]), time.UnixMilli(n[2]).UTC(), int(n[3]), n[4]
	c.Duration = time.Duration(d.number()) * time.Microsecond
	c.Code = int(d.number())
	return c
}

// edit reads what appendEdit appended.
func (d *quietReader) edit(before string) string {
	head := d.length(len(before))
	tail := d.length(len(before) - head)
	return before[:head] + d.text() + before[len(before)-tail:]
}

// length reads a number of bytes of which there are so many.
func (d *quietReader) length(most int) int {
	n, size := binary.Uvarint(d.b)
	if size <= 0 || n > uint64(most) {
		d.failed, d.b = true, nil
		return 0
	}
	d.b = d.b[size:]
	return int(n)
}
