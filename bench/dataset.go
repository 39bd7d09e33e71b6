package main

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/internal/sandbox"
)

const pageSize = 100 // the vendor's greatest and the product's default

// version is how the source looks. Each builds upon the one before, but for
// the order of members.
type version int

const (
	asLoaded version = iota
	shuffled         // the members of every record in another order
	few              // one record in a thousand renamed, at least one
	many             // one in ten renamed as well
	fewer            // one in a hundred gone
)

// dataset is a set of shops, spelled as the vendor answers them.
type dataset struct {
	rows   [][]byte
	places map[int64]int // in rows, by id
}

// newDataset renders the sandbox's first n shops.
func newDataset(n int) *dataset {
	shops := sandbox.New(sandbox.Options{Seed: 1, Shops: n}).Shops()
	d := &dataset{places: make(map[int64]int, n)}
	for i := range shops {
		d.rows = append(d.rows, render(&shops[i]))
		d.places[shops[i].ID] = i
	}
	return d
}

// render spells a shop with its members by name.
func render(shop *sandbox.Shop) []byte {
	var out []byte
	for _, name := range slices.Sorted(maps.Keys(shop.Members)) {
		out = fmt.Appendf(out, ",%q:%s", name, shop.Members[name])
	}
	out[0] = '{'
	return append(out, '}')
}

// isOne reports whether the i-th record is the one in so many.
func (d *dataset) isOne(i, in int) bool {
	return i%in == in/2 || len(d.rows) < in && i == len(d.rows)/2
}

// row returns the i-th record, nil when it is gone.
func (d *dataset) row(v version, i int) []byte {
	row := d.rows[i]
	switch {
	case v == shuffled:
		return shuffle(row, uint64(i))
	case v == fewer && d.isOne(i, 100):
		return nil
	case v >= many && d.isOne(i, 10):
		return rename(row, "·十")
	case v >= few && d.isOne(i, 1000):
		return rename(row, "·千")
	default:
		return row
	}
}

// differences counts the records whose content the version has otherwise than
// the one before it.
func (d *dataset) differences(v version) (n int) {
	before := v - 1
	switch v {
	case asLoaded, shuffled:
		return 0
	case few:
		before = asLoaded
	}
	for i := range d.rows {
		if !bytes.Equal(d.row(v, i), d.row(before, i)) {
			n++
		}
	}
	return n
}

// rename adds to a shop's name.
func rename(row []byte, more string) []byte {
	const member = `"shop_name":"`
	at := bytes.Index(row, []byte(member)) + len(member)
	return slices.Concat(row[:at], []byte(more), row[at:])
}

// shuffle spells the members in another order.
func shuffle(row []byte, seed uint64) []byte {
	dec := jsontext.NewDecoder(bytes.NewReader(row))
	var members [][]byte
	_, err := dec.ReadToken()
	for err == nil && dec.PeekKind() == jsontext.KindString {
		var name, value jsontext.Value
		name, err = dec.ReadValue()
		member := append(bytes.Clone(name), ':')
		if err == nil {
			value, err = dec.ReadValue()
		}
		members = append(members, append(member, value...))
	}
	if err != nil {
		panic(err) // it was rendered here
	}
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // the same each time
	r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return slices.Concat([]byte("{"), bytes.Join(members, []byte(",")), []byte("}"))
}

// pages renders all pages of a version.
func (d *dataset) pages(v version) (pages [][]byte) {
	var rows [][]byte
	for i := range d.rows {
		if row := d.row(v, i); row != nil {
			rows = append(rows, row)
		}
	}
	for part := range slices.Chunk(rows, pageSize) {
		pages = append(pages, body(part, len(pages)+1, len(pages)*pageSize+len(part) < len(rows)))
	}
	return pages
}

func body(rows [][]byte, index int, more bool) []byte {
	return fmt.Appendf(nil, `{"code":0,"msg":"执行成功","data":{"datas":[%s],"page_index":%d,"has_next":%t,"page_size":%d}}`,
		bytes.Join(rows, []byte(",")), index, more, pageSize)
}

func (d *dataset) byID(v version, ids []int64) []byte {
	var rows [][]byte
	for _, id := range ids {
		if i, ok := d.places[id]; ok {
			if row := d.row(v, i); row != nil {
				rows = append(rows, row)
			}
		}
	}
	return body(rows, 1, false)
}
