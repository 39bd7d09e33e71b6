package sandbox

import (
	"bytes"
	"slices"
)

func (f Fault) orN(n int) int {
	if f.N != 0 {
		return f.N
	}
	return n
}

// changeQuery lets the faults act that misread the question.
func (f Fault) changeQuery(q *query) {
	switch f.Kind {
	case KindRepeatPage:
		q.index = max(q.index-1, 1)
	case KindClampPage:
		q.size = min(q.size, f.orN(10))
	case KindIDsIgnored:
		q.byIDs, q.ids = false, nil
	}
}

// changeIDs lets the faults act that answer other rows. The caller holds s.mu.
func (s *Server) changeIDs(f Fault, asked query, ids []int64, more bool) ([]int64, bool) {
	switch f.Kind {
	case KindEmptyPage, KindIDsEmpty:
		return nil, more && f.Kind == KindEmptyPage
	case KindShortPage:
		return ids[:min(f.orN(len(ids)/2), len(ids))], more
	case KindIDsClamped:
		return ids[:min(f.orN(1), len(ids))], true
	case KindIDsExtra:
		left := f.orN(1)
		for _, id := range s.ids {
			if left > 0 && !slices.Contains(asked.ids, id) && !slices.Contains(ids, id) {
				ids = append(ids, id)
				left--
			}
		}
		slices.Sort(ids)
	}
	return ids, more
}

// changePage lets the faults act that spell the answer differently.
func (f Fault) changePage(p *page) {
	switch f.Kind {
	case KindHasNext:
		switch {
		case len(f.Value) > 0:
			p.hasNext = f.Value
		default:
			p.hasNext = rawBool(string(p.hasNext) != "true")
		}
	case KindNullRows:
		p.null = true
	case KindRowsUnderShops:
		p.key = "shops"
	case KindRowsOnTop:
		p.key, p.top = "shops", true
	}
	if f.Row < len(p.rows) {
		p.rows = f.changeRow(p.rows)
	}
}

// changeRow changes row f.Row, which is there.
func (f Fault) changeRow(rows []row) []row {
	r := slices.Clone(rows[f.Row])
	rows[f.Row] = r
	key, name := r.find("shop_id"), r.find("shop_name")
	switch f.Kind {
	case KindDuplicateID:
		again := slices.Clone(r)
		if name >= 0 {
			again[name].raw = endText(again[name].raw, "（副本）")
		}
		return slices.Insert(rows, f.Row+1, again)
	case KindBadKey:
		if key >= 0 {
			r = slices.Delete(r, key, key+1)
		}
		if len(f.Value) > 0 {
			r = append(r, member{"shop_id", f.Value})
		}
		rows[f.Row] = r
	case KindLoneSurrogate:
		if name >= 0 {
			r[name].raw = endText(r[name].raw, `\ud83d`)
		}
	case KindDuplicateMember:
		if name >= 0 {
			rows[f.Row] = append(r, member{"shop_name", endText(r[name].raw, "（再次）")})
		}
	}
	return rows
}

// endText puts more JSON text before the closing quote of a string; anything
// else is replaced by a string of that text.
func endText(raw []byte, more string) []byte {
	raw = bytes.TrimSpace(raw)
	if len(raw) < 2 || raw[0] != '"' {
		return []byte(`"` + more + `"`)
	}
	return append(bytes.Clone(raw[:len(raw)-1]), more+`"`...)
}
