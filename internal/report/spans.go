package report

import "strings"

// piece is a part of a value as it is shown.
type piece struct {
	Text   string
	Mark   bool // it is in only one of the two values compared
	Escape bool // it stands for a character that cannot be shown
}

// maxCells bounds the work of comparing two texts, and its memory.
const maxCells = 1 << 18

// compareTexts takes two texts apart into what they share and what they do not.
// It compares characters as a reader sees them: a library that compares code
// points or bytes would mark half an emoji.
func compareTexts(a, b string) (before, after []piece) {
	one, two := clusters(a), clusters(b)
	head, tail := common(one, two)
	var x, y pieces
	x.add(one[:head], false)
	y.add(two[:head], false)
	for _, r := range runs(one[head:len(one)-tail], two[head:len(two)-tail]) {
		x.add(r.gone, true)
		y.add(r.come, true)
		x.add(r.same, false)
		y.add(r.same, false)
	}
	x.add(one[len(one)-tail:], false)
	y.add(two[len(two)-tail:], false)
	return x, y
}

// run is a difference and what follows it in both texts.
type run struct{ gone, come, same []string }

// runs lists the differences of two texts along a longest common subsequence,
// without the chance agreements that would tear what a reader sees as one.
func runs(a, b []string) []run {
	if len(a)*len(b) == 0 || len(a)*len(b) > maxCells {
		return []run{{gone: a, come: b}}
	}
	var list []run
	i, j := 0, 0
	for _, m := range matches(a, b) {
		list = append(list, run{a[i:m.i], b[j:m.j], a[m.i : m.i+m.n]})
		i, j = m.i+m.n, m.j+m.n
	}
	list = append(list, run{gone: a[i:], come: b[j:]})
	// Each run's parts lie behind those of the one before it, so that joining two is reslicing.
	joined := list[:1]
	i, j = 0, 0 // where the last of the joined begins
	for k, r := range list[1:] {
		last := &joined[len(joined)-1]
		if n := len(last.same); n < max(2, min(last.size(), r.size())) {
			endA, endB := i+len(last.gone)+n+len(r.gone), j+len(last.come)+n+len(r.come)
			*last = run{a[i:endA], b[j:endB], list[k+1].same}
			continue
		}
		i, j = i+len(last.gone)+len(last.same), j+len(last.come)+len(last.same)
		joined = append(joined, r)
	}
	return joined
}

func (r run) size() int { return max(len(r.gone), len(r.come)) }

// match is n characters that two texts share, at i of one and j of the other.
type match struct{ i, j, n int }

// matches finds a longest common subsequence.
func matches(a, b []string) []match {
	width := len(b) + 1
	length := make([]uint16, (len(a)+1)*width) // of the subsequence of a[i:] and b[j:]; maxCells keeps it in range
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i*width+j] = length[(i+1)*width+j+1] + 1
			} else {
				length[i*width+j] = max(length[(i+1)*width+j], length[i*width+j+1])
			}
		}
	}
	var list []match
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			if n := len(list); n > 0 && list[n-1].i+list[n-1].n == i && list[n-1].j+list[n-1].n == j {
				list[n-1].n++
			} else {
				list = append(list, match{i, j, 1})
			}
			i, j = i+1, j+1
		case length[(i+1)*width+j] >= length[i*width+j+1]:
			i++
		default:
			j++
		}
	}
	return list
}

type pieces []piece

// add adds characters, each that cannot be shown as an escape of its own.
func (p *pieces) add(clusters []string, mark bool) {
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			*p = append(*p, piece{Text: text.String(), Mark: mark})
			text.Reset()
		}
	}
	for _, c := range clusters {
		if shown := plain(c); shown != c {
			flush()
			*p = append(*p, piece{Text: shown, Mark: mark, Escape: true})
		} else {
			text.WriteString(c)
		}
	}
	flush()
}

// Piece is a part of a value as pages show it.
type Piece = piece

// Compared takes two texts apart into what they share and, marked, what they do
// not.
func Compared(before, after string) (old, now []Piece) { return compareTexts(before, after) }

// Shown takes a text apart into what can be shown and escapes.
func Shown(text string) []Piece { return shown(text) }
