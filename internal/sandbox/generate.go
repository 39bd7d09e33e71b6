package sandbox

import (
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"time"
)

// Streams of the seeded generator: one stream's draws do not move another's.
const (
	streamIDs uint64 = iota + 1
	streamRecords
	streamOrder
	streamTokens
	streamFaults
)

// firstID is the shop_id of the one captured public answer.
const firstID int64 = 10394533

func newRand(seed, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream))
}

// generateIDs gives n ascending ids from the first on, with irregular gaps; those
// from firstID on have 8 digits up to about half a million shops.
func generateIDs(seed uint64, first int64, n int) []int64 {
	rng := newRand(seed, streamIDs)
	ids := make([]int64, max(n, 0))
	id := first
	for i := range ids {
		ids[i] = id
		switch k := rng.IntN(20); {
		case k == 0:
			id += 500 + rng.Int64N(2500)
		case k < 4:
			id++
		default:
			id += 2 + rng.Int64N(60)
		}
	}
	return ids
}

// generateMembers makes one record. The ordinal decides its quirks, so that a
// few dozen records in a row hold nearly all of them; seed and id decide the rest.
func generateMembers(seed uint64, ordinal int, id int64) map[string]json.RawMessage {
	m := maker{rng: newRand(seed, streamRecords<<40^uint64(id)), n: ordinal, id: id}
	brand := m.pick(brands())
	out := map[string]json.RawMessage{
		"shop_id":         json.RawMessage(strconv.FormatInt(id, 10)),
		"co_id":           json.RawMessage("12252"),
		"shop_name":       quote(m.name(brand)),
		"shop_site":       quote(m.pick(sites())),
		"shop_url":        m.url(),
		"created":         quote(m.created()),
		"nick":            quote(m.nick()),
		"session_expired": m.expired(),
		"session_uid":     m.uid(),
		"short_name":      quote(m.short(brand)),
		"organization":    json.RawMessage("null"),
	}
	if m.n%7 != 6 {
		k := m.rng.IntN(len(groups()))
		out["group_id"] = json.RawMessage(strconv.Itoa(701 + k))
		out["group_name"] = quote(groups()[k])
	}
	return out
}

type maker struct {
	rng *rand.Rand
	n   int
	id  int64
}

func (m maker) pick(from []string) string { return from[m.rng.IntN(len(from))] }

func (m maker) digits(n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte('0' + m.rng.IntN(10))
	}
	if out[0] == '0' {
		out[0] = '1'
	}
	return string(out)
}

func (m maker) name(brand string) string {
	if m.n%2 == 1 {
		odd := oddities()
		return brand + odd[(m.n/2)%len(odd)]
	}
	return brand + m.pick(wares()) + m.pick(suffixes())
}

func (m maker) short(brand string) string {
	if m.n%3 == 0 {
		return ""
	}
	return brand
}

func (m maker) url() json.RawMessage {
	switch m.n % 3 {
	case 0:
		return json.RawMessage("null")
	case 1:
		return json.RawMessage(`""`)
	}
	return quote("http://shop" + strconv.FormatInt(m.id, 10) + ".example.com/?from=erp&lang=zh")
}

func (m maker) created() string {
	at := time.Date(2016, 1, 4, 8, 0, 0, 0, time.UTC).Add(time.Duration(m.rng.Int64N(8*365*24*3600)) * time.Second)
	at = at.Add(time.Duration(m.rng.IntN(1000)) * time.Millisecond)
	switch {
	case m.n%6 == 5:
		return ""
	case m.n%2 == 0:
		return at.Format("2006-01-02 15:04:05.000")
	}
	return at.Format(time.DateTime)
}

func (m maker) nick() string {
	switch m.n % 8 {
	case 1:
		return "0" + m.digits(11)
	case 5:
		return m.digits(12)
	}
	return "self_" + m.digits(19)
}

func (m maker) expired() json.RawMessage {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(m.rng.Int64N(3*365*24*3600)) * time.Second)
	switch m.n % 5 {
	case 2:
		return quote(at.Format(time.DateTime))
	case 3:
		return json.RawMessage(`""`)
	case 4:
		return json.RawMessage("null")
	}
	return quote("------永久授权------")
}

func (m maker) uid() json.RawMessage {
	switch m.n % 4 {
	case 2:
		return json.RawMessage(`""`)
	case 3:
		return json.RawMessage("null")
	}
	return quote(m.digits(13))
}
