package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// Shop is one record: its key and its members as they are spelled in answers.
type Shop struct {
	ID      int64
	Members map[string]json.RawMessage
}

// Text is the text of a string member, or the literal of a number or boolean. It
// is false for a member that is absent, null, an object or an array.
func (p Shop) Text(name string) (string, bool) {
	raw := bytes.TrimSpace(p.Members[name])
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		var text string
		if json.Unmarshal(raw, &text) != nil {
			return "", false
		}
		return text, true
	case 'n', '{', '[':
		return "", false
	}
	return string(raw), true
}

// Null tells whether the member is there and null.
func (p Shop) Null(name string) bool {
	return string(bytes.TrimSpace(p.Members[name])) == "null"
}

func (p Shop) clone() Shop {
	members := make(map[string]json.RawMessage, len(p.Members))
	for name, raw := range p.Members {
		members[name] = bytes.Clone(raw)
	}
	return Shop{ID: p.ID, Members: members}
}

// row is the members of the shop by ascending name.
func (p Shop) row() row {
	names := slices.Sorted(maps.Keys(p.Members))
	out := make(row, len(names))
	for i, name := range names {
		out[i] = member{name, p.Members[name]}
	}
	return out
}

// rawOf spells a member's value; a json.RawMessage is kept verbatim.
func rawOf(value any) (json.RawMessage, error) {
	if raw, ok := value.(json.RawMessage); ok {
		if len(raw) == 0 {
			return json.RawMessage("null"), nil
		}
		return bytes.Clone(raw), nil
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, fmt.Errorf("encode member: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// quote spells a JSON string.
func quote(s string) json.RawMessage {
	raw, err := rawOf(s)
	if err != nil {
		return json.RawMessage(`""`) // a string always encodes
	}
	return raw
}

// Shops are the current records by ascending shop_id, as copies.
func (s *Server) Shops() []Shop {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Shop, len(s.ids))
	for i, id := range s.ids {
		out[i] = s.shops[id].clone()
	}
	return out
}

// Put merges members into the shop, creating it with generated members when it
// is absent. A json.RawMessage is answered verbatim, valid or not. Put panics on
// a value that encoding/json refuses.
func (s *Server) Put(id int64, members map[string]any) {
	raws := make(map[string]json.RawMessage, len(members))
	for name, value := range members {
		raw, err := rawOf(value)
		if err != nil {
			panic(fmt.Sprintf("sandbox: put shop %d: member %s: %v", id, name, err))
		}
		raws[name] = raw
	}
	s.putRaw(id, raws)
}

func (s *Server) putRaw(id int64, members map[string]json.RawMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shop, ok := s.shops[id]
	if !ok {
		shop = Shop{ID: id, Members: generateMembers(s.opt.Seed, int(id%1009), id)}
		s.shops[id] = shop
		at, _ := slices.BinarySearch(s.ids, id)
		s.ids = slices.Insert(s.ids, at, id)
	}
	maps.Copy(shop.Members, members)
}

// Unset drops members of the shop; what is not there is ignored.
func (s *Server) Unset(id int64, names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range names {
		delete(s.shops[id].Members, name)
	}
}

// Remove drops shops; what is not there is ignored.
func (s *Server) Remove(ids ...int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.shops, id)
	}
	s.ids = slices.DeleteFunc(s.ids, func(id int64) bool {
		_, ok := s.shops[id]
		return !ok
	})
}

// Keep drops all but the first n shops by shop_id.
func (s *Server) Keep(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n = min(max(n, 0), len(s.ids))
	for _, id := range s.ids[n:] {
		delete(s.shops, id)
	}
	s.ids = s.ids[:n]
}
