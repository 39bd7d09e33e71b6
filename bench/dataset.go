package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"jstsync/internal/sandbox"
)

const (
	pageSize     = 100  // the vendor's greatest and the product's default
	changedShare = 1000 // one record in so many differs between the versions, at least one
)

// dataset is a set of shops as answers, in two versions that differ in a few
// records.
type dataset struct {
	pages   [2][][]byte
	rows    [2]map[int64][]byte
	bytes   int // of the first version's pages
	changes int
}

// newDataset renders the sandbox's first n shops.
func newDataset(n int) *dataset {
	shops := sandbox.New(sandbox.Options{Seed: 1, Shops: n}).Shops()
	d := &dataset{rows: [2]map[int64][]byte{make(map[int64][]byte, n), make(map[int64][]byte, n)}}
	var page [2][][]byte
	for i := range shops {
		first := render(&shops[i])
		second := first
		if i%changedShare == changedShare/2 || n < changedShare && i == n/2 {
			name, _ := shops[i].Text("shop_name")
			shops[i].Members["shop_name"], _ = json.Marshal(name + "·改") // a string always encodes
			second = render(&shops[i])
			d.changes++
		}
		for v, row := range [][]byte{first, second} {
			d.rows[v][shops[i].ID] = row
			page[v] = append(page[v], row)
		}
		if len(page[0]) == pageSize || i == n-1 {
			d.addPage(page, i == n-1)
			page = [2][][]byte{}
		}
	}
	return d
}

// addPage renders the next page; a second version that is the first is not
// kept twice.
func (d *dataset) addPage(rows [2][][]byte, last bool) {
	index := len(d.pages[0]) + 1
	first, second := body(rows[0], index, !last), body(rows[1], index, !last)
	if bytes.Equal(first, second) {
		second = first
	}
	d.pages[0], d.pages[1] = append(d.pages[0], first), append(d.pages[1], second)
	d.bytes += len(first)
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

func body(rows [][]byte, index int, more bool) []byte {
	return fmt.Appendf(nil, `{"code":0,"msg":"执行成功","data":{"datas":[%s],"page_index":%d,"has_next":%t,"page_size":%d}}`,
		bytes.Join(rows, []byte(",")), index, more, pageSize)
}

func (d *dataset) page(version, index int) []byte {
	if index < 1 || index > len(d.pages[version]) {
		return body(nil, index, false)
	}
	return d.pages[version][index-1]
}

func (d *dataset) byID(version int, ids []int64) []byte {
	var rows [][]byte
	for _, id := range ids {
		if row, ok := d.rows[version][id]; ok {
			rows = append(rows, row)
		}
	}
	return body(rows, 1, false)
}
