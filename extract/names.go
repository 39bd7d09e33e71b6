package extract

import "encoding/binary"

// names are the members' names that a parser met, numbered in the order in which
// it met them, which is that of most records.
type names struct {
	all    []metName
	number map[string]int          // by the name
	recent [1 << recentBits]uint16 // numbers and one, by how the names begin; 0 for none
	next   int                     // the number of the name that is likely to come next
	missed int                     // names of the record that were not the likely ones
	record int                     // number of the record that is being read
	twice  *string                 // one that the record has twice, nil when there is none
}

const recentBits = 7

// metName is a name, and the number of the last record that had it.
type metName struct {
	name   string
	plain  bool // it is spelled as it is
	record int
}

const (
	lacking = 2 // members in a row that a record may lack without a name being looked up
	enough  = 3 // misses after which a record's members are taken to be in no order
)

// begin makes ready for another record.
func (n *names) begin() {
	n.record++
	n.next, n.twice = 0, nil
	if n.missed == enough { // one guess will do to see whether there is an order again
		n.missed--
	} else {
		n.missed = 0
	}
}

// guess returns the name of the member that begins at, and where its value
// begins, when it is one of those that are likely to come next.
func (n *names) guess(l *lexer, at int) (name string, value int, ok bool) {
	if n.missed == enough {
		return "", 0, false
	}
	for i := n.next; i < min(n.next+1+lacking, len(n.all)); i++ {
		if m := &n.all[i]; m.plain {
			if value, ok = l.named(at, m.name); ok {
				return n.take(i), value, true
			}
		}
	}
	n.missed++
	return "", 0, false
}

// lookup returns the name of the member that begins at, and where its value
// begins, when it is one that was met and its end need not be looked for.
func (n *names) lookup(l *lexer, at int) (name string, value int, ok bool) {
	b := l.body[at:]
	if len(b) < 9 {
		return "", 0, false
	}
	head := binary.LittleEndian.Uint64(b[1:])
	if quote := zeroBytes(head ^ '"'*eachByte); quote != 0 {
		head &= quote&-quote>>7 - 1
	}
	slot := slotOf(head)
	for _, number := range [2]uint16{n.recent[slot], n.recent[slot^1]} {
		if number == 0 {
			continue
		}
		if value, ok = l.named(at, n.all[number-1].name); ok {
			return n.take(int(number - 1)), value, true
		}
	}
	return "", 0, false
}

// slotOf spreads names over the slots, by their first eight bytes.
func slotOf(head uint64) int { return int(head * 0xff51afd7ed558ccd >> (64 - recentBits)) }

// find returns the name that is spelled so. The error says that it is not valid
// text; the name is then as much of it as is.
func (n *names) find(quoted []byte) (string, error) {
	inner := quoted[1 : len(quoted)-1]
	i, met := n.number[string(inner)]
	if !met || !n.all[i].plain {
		name, err := unquote(quoted)
		if err != nil {
			return name, err
		}
		i = n.meet(name, name == string(inner))
	}
	if n.all[i].plain {
		n.remember(i)
	}
	return n.take(i), nil
}

// remember puts a plain name where it is looked up, in one of two slots.
func (n *names) remember(i int) {
	var head [8]byte
	copy(head[:], n.all[i].name)
	slot := slotOf(binary.LittleEndian.Uint64(head[:]))
	if n.recent[slot] != 0 {
		slot ^= 1
	}
	n.recent[slot] = uint16(i + 1)
}

// meet returns the number of a name that may be new.
func (n *names) meet(name string, plain bool) int {
	i, met := n.number[name]
	if !met {
		i = len(n.all)
		n.all = append(n.all, metName{name: name})
		n.number[name] = i
	}
	n.all[i].plain = n.all[i].plain || plain
	return i
}

// take notes that the record has the name.
func (n *names) take(i int) string {
	m := &n.all[i]
	if m.record == n.record {
		name := m.name
		n.twice = &name
	}
	m.record, n.next = n.record, i+1
	return m.name
}

// forget keeps the names from growing without bound.
func (n *names) forget() {
	if len(n.all) > maxMembers {
		*n = names{number: map[string]int{}, record: n.record}
	}
}
