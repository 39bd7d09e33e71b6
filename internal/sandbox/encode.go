package sandbox

import "strconv"

// member is one member of a JSON object; a row may hold a name twice.
type member struct {
	name string
	raw  []byte
}

type row []member

// find is the position of a member, or -1.
func (r row) find(name string) int {
	for i := range r {
		if r[i].name == name {
			return i
		}
	}
	return -1
}

// appendRow writes an object with its members in an order of the moment. The
// caller holds s.mu.
func (s *Server) appendRow(out []byte, members row) []byte {
	s.order.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	return appendObject(out, members, s.opt.Pretty)
}

func (s *Server) appendRows(out []byte, rows []row) []byte {
	out = append(out, '[')
	for i, r := range rows {
		if i > 0 {
			out = append(out, ',')
		}
		if s.opt.Pretty {
			out = append(out, '\n')
		}
		out = s.appendRow(out, r)
	}
	return append(out, ']')
}

func appendObject(out []byte, members row, pretty bool) []byte {
	before, between := "", ":"
	if pretty {
		before, between = "\n\t ", " : "
	}
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, before...)
		out = append(out, quote(m.name)...)
		out = append(out, between...)
		out = append(out, m.raw...)
	}
	if pretty {
		out = append(out, "\r\n"...)
	}
	return append(out, '}')
}

func rawInt(n int) []byte { return []byte(strconv.Itoa(n)) }

func rawBool(b bool) []byte { return strconv.AppendBool(nil, b) }
