package sandbox

import (
	"encoding/json"
	"slices"
	"strconv"
)

// query is the business part of a shop query.
type query struct {
	index, size int
	ids         []int64
	byIDs       bool // shop_ids was given and not empty
	nicks       []string
}

// parseQuery reads biz; false is a parameter error. Numbers may be strings,
// null and an empty list mean absent, unknown members are ignored.
func (s *Server) parseQuery(biz string) (query, bool) {
	q := query{index: 1, size: s.opt.MaxPageSize}
	var raw struct {
		PageIndex json.RawMessage   `json:"page_index"`
		PageSize  json.RawMessage   `json:"page_size"`
		ShopIDs   []json.RawMessage `json:"shop_ids"`
		Nicks     []string          `json:"nicks"`
	}
	if biz == "null" || json.Unmarshal([]byte(biz), &raw) != nil {
		return q, false
	}
	index, okIndex := intOf(raw.PageIndex, 1)
	size, okSize := intOf(raw.PageSize, int64(q.size))
	if !okIndex || !okSize || s.opt.StrictPaging && (index < 1 || size < 1) {
		return q, false
	}
	if size > int64(q.size) && s.opt.ClampPageSize == SwitchOff {
		return q, false
	}
	if size >= 1 {
		q.size = int(min(size, int64(q.size)))
	}
	q.index = int(max(index, 1))
	q.nicks = raw.Nicks
	q.byIDs = len(raw.ShopIDs) > 0
	for _, one := range raw.ShopIDs {
		id, ok := intOf(one, -1)
		if !ok {
			return q, false
		}
		q.ids = append(q.ids, id)
	}
	return q, true
}

// intOf reads an integer spelled as a number or as a string.
func intOf(raw json.RawMessage, absent int64) (int64, bool) {
	text := string(raw)
	if text == "" || text == "null" {
		return absent, true
	}
	if text[0] == '"' && json.Unmarshal(raw, &text) != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// matching are the ids that the query asks for, in the order of answers.
func (s *Server) matching(q query) []int64 {
	ids := s.ids
	if q.byIDs {
		ids = ids[:0:0]
		for _, id := range q.ids {
			if _, ok := s.shops[id]; ok {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		ids = slices.Compact(ids)
	}
	if len(q.nicks) > 0 {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool {
			nick, ok := s.shops[id].Text("nick")
			return !ok || !slices.Contains(q.nicks, nick)
		})
	}
	switch s.opt.Order {
	case OrderDescending:
		ids = slices.Clone(ids)
		slices.Reverse(ids)
	case OrderUnstable:
		ids = slices.Clone(ids)
		s.order.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	}
	return ids
}

// cut is the page of ids, and whether another follows.
func cut(ids []int64, index, size int, moreWhenFull bool) ([]int64, bool) {
	if index-1 > len(ids)/size {
		return nil, false
	}
	from := min((index-1)*size, len(ids))
	to := min(from+size, len(ids))
	more := to < len(ids)
	if moreWhenFull && to == len(ids) && to-from == size {
		more = true
	}
	return slices.Clone(ids[from:to]), more
}

// page is an answer to a shop query before it is spelled.
type page struct {
	rows        []row
	index, size int
	hasNext     []byte
	null        bool   // datas: null
	key         string // of the rows
	top         bool   // rows beside code, not under data
}

// answerShops answers a shop query. The caller holds s.mu.
func (s *Server) answerShops(c *Call, biz string) reply {
	q, ok := s.parseQuery(biz)
	if !ok {
		return s.fail(c, badParameter())
	}
	c.PageIndex, c.ShopIDs = q.index, len(q.ids)
	wire, data := s.takeFaults(c, q.byIDs)
	if wire != nil {
		if a, replaced := s.replaceAnswer(c, wire); replaced {
			return a
		}
	}
	a := s.encodePage(s.compose(q, data)).through(wire)
	if !q.byIDs && (wire == nil || wire.Kind.harmless()) {
		a.after = s.after[q.index]
		delete(s.after, q.index)
	}
	return a
}

// compose finds the rows and lets the faults change them on the way.
func (s *Server) compose(q query, faults []Fault) page {
	asked := q
	for _, f := range faults {
		f.changeQuery(&q)
	}
	ids, more := cut(s.matching(q), q.index, q.size, s.opt.HasNextOnFullLastPage)
	for _, f := range faults {
		ids, more = s.changeIDs(f, asked, ids, more)
	}
	p := page{index: asked.index, size: q.size, hasNext: rawBool(more), key: "datas"}
	for _, id := range ids {
		p.rows = append(p.rows, s.shops[id].row())
	}
	for _, f := range faults {
		f.changePage(&p)
	}
	return p
}

func (s *Server) encodePage(p page) reply {
	rows := []byte("null")
	if !p.null {
		rows = s.appendRows(nil, p.rows)
	}
	members := row{
		{p.key, rows},
		{"page_index", rawInt(p.index)},
		{"has_next", p.hasNext},
		{"page_size", rawInt(p.size)},
	}
	if p.top {
		return s.succeed(members...)
	}
	return s.succeed(member{"data", s.appendRow(nil, members)})
}
