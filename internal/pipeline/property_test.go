package pipeline_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/sandbox"
)

// Whatever the source does between and during scans, and however its answers
// are damaged: no delete is false, a failed run touches nothing, snapshot and
// target agree, and one quiet scan brings the target up to the source.
func TestProperty_NoFalseDelete(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(rt, t.TempDir(), sandbox.Options{Seed: 1, Shops: rapid.IntRange(0, 60).Draw(rt, "shops")})
		w.page = rapid.SampledFrom([]int{3, 7, 20, 100}).Draw(rt, "page size")
		w.guard.AllowEmpty = false // the one exception, asked for by name
		w.ahead = rapid.IntRange(1, 4).Draw(rt, "ahead")
		w.mapper = rapid.SampledFrom([]*mapping.Mapper{keyed(rt, []string{"shop_id"}), keyed(rt, []string{"co_id", "shop_id"}), keyed(rt, []string{"shop_name"}), textID(rt)}).Draw(rt, "mapper")
		m := &mischief{world: w, next: 90_000_000}
		for _, id := range ids(w) {
			put(w.source, id)
		}
		for range rapid.IntRange(2, 6).Draw(rt, "runs") {
			m.run(rt)
		}
		w.source.ClearFaults()
		m.quiet.Store(true)
		for _, id := range ids(w) {
			put(w.source, id)
		}
		put(w.source, 99_999_999) // so that it is never empty, which is held
		if _, err := w.sync(); err != nil {
			rt.Fatalf("quiet scan: %v", err)
		}
		if d := sameRows(w.table(), w.truth()); d != "" {
			rt.Fatalf("after a quiet scan: %s", d)
		}
	})
}

// mischief edits the source and damages its answers.
type mischief struct {
	*world
	next  int64       // the next new shop; numbers are never used twice
	quiet atomic.Bool // nothing moves any more
}

func (m *mischief) run(rt *rapid.T) {
	m.edit(rt, m.source)
	for range rapid.IntRange(0, 2).Draw(rt, "shifts") {
		page := rapid.IntRange(1, 6).Draw(rt, "after page")
		edits := m.draw(rt)
		m.source.AfterPage(page, func(s *sandbox.Server) {
			if !m.quiet.Load() {
				m.apply(s, edits)
			}
		})
	}
	m.source.ClearFaults()
	for _, f := range drawFaults(rt) {
		if err := m.source.Inject(f); err != nil {
			rt.Fatalf("inject %+v: %v", f, err)
		}
	}
	before := m.table()
	plan, err := m.sync()
	if err != nil {
		if d := sameRows(m.table(), before); d != "" {
			rt.Fatalf("a failed run (%v) wrote: %s", err, d)
		}
	} else if plan.Status == diff.Committed {
		exists := m.truth()
		for c, err := range plan.Changes.Only(diff.Delete) {
			if now := exists[c.Key]; err != nil || now != nil && now[0] == c.Before[0] { // no other shop has taken the key up since
				rt.Fatalf("false delete of %s (%v); scan %+v", c.Key, err, plan.Scan)
			}
		}
	}
	m.present(rt, before)
	snapshot, err := m.snapshot()
	if err != nil {
		rt.Fatal(err)
	}
	if d := sameRows(snapshot, m.table()); d != "" {
		rt.Fatalf("snapshot and target differ: %s", d)
	}
}

// present makes sure that each shop that had a row and still is at the source has
// one, unless another shop has its key now.
func (m *mischief) present(rt *rapid.T, before map[diff.Key]diff.Row) {
	after, has, exists := m.table(), map[string]bool{}, map[string]bool{}
	for _, row := range after {
		has[row[0].String()] = true
	}
	for _, id := range ids(m.world) {
		exists[fmt.Sprint(id)] = true
	}
	for key, row := range before {
		if id := row[0].String(); after[key] == nil && exists[id] && !has[id] {
			rt.Fatalf("%s was deleted, and shop %s has no other row", key, id)
		}
	}
}

// edits is one round of changes at the source.
type edits struct {
	remove, rename []int // positions among the shops there are then
	same           bool  // new names are those of other shops
	add            []int64
}

func (m *mischief) draw(rt *rapid.T) edits {
	positions := rapid.SliceOfN(rapid.IntRange(0, 80), 0, 4)
	e := edits{remove: positions.Draw(rt, "remove"), rename: positions.Draw(rt, "rename"), same: rapid.IntRange(0, 2).Draw(rt, "same") == 0}
	for range rapid.IntRange(0, 3).Draw(rt, "add") {
		m.next++
		id := m.next
		if rapid.Bool().Draw(rt, "in front") {
			id -= 85_000_000
		}
		e.add = append(e.add, id)
	}
	return e
}

func (m *mischief) edit(rt *rapid.T, s *sandbox.Server) { m.apply(s, m.draw(rt)) }

func (m *mischief) apply(s *sandbox.Server, e edits) {
	shops := s.Shops()
	for i, at := range e.rename {
		if at < len(shops) {
			name := fmt.Sprintf("%s%d", shops[at].Members["shop_id"], i+len(e.add))
			if e.same {
				name = fmt.Sprint(at % 3)
			}
			s.Put(shops[at].ID, map[string]any{"shop_name": name})
		}
	}
	for _, at := range e.remove {
		if at < len(shops) {
			s.Remove(shops[at].ID)
		}
	}
	for _, id := range e.add {
		put(s, id)
	}
}

// put gives the source a shop whose name, which may be the key, no other has.
func put(s *sandbox.Server, id int64) {
	s.Put(id, map[string]any{"shop_name": fmt.Sprintf("正品_店 100%%25 %d", id)})
}

// drawFaults draws how the source misbehaves in one run. It never both cuts an
// answer by id short and denies that there is more: of a source that does,
// nothing can be told.
func drawFaults(rt *rapid.T) []sandbox.Fault {
	var faults []sandbox.Fault
	clamped := false
	for range rapid.IntRange(0, 3).Draw(rt, "faults") {
		f := drawFault(rt)
		clamped = clamped || f.Kind == sandbox.KindIDsClamped || f.Kind == sandbox.KindClampPage
		faults = append(faults, f)
	}
	for i := range faults {
		if faults[i].Kind == sandbox.KindHasNext && clamped {
			faults[i].Scope = sandbox.ScopePages
		}
	}
	return faults
}

// drawFault draws one misbehaviour. Those that only take time are left out.
func drawFault(rt *rapid.T) sandbox.Fault {
	// What could fool the witness is rare among all the rest, and needs to
	// come together and to last.
	if rapid.IntRange(0, 2).Draw(rt, "against the witness") == 0 {
		return sandbox.Fault{
			Kind: rapid.SampledFrom([]sandbox.Kind{
				sandbox.KindHasNext, sandbox.KindIDsIgnored, sandbox.KindIDsClamped, sandbox.KindIDsExtra, sandbox.KindIDsEmpty,
				sandbox.KindBadKey,
			}).Draw(rt, "kind"),
			Times: -1,
			N:     rapid.IntRange(1, 4).Draw(rt, "n"),
		}
	}
	f := sandbox.Fault{
		Kind: rapid.SampledFrom([]sandbox.Kind{
			sandbox.KindReset, sandbox.KindTruncate, sandbox.KindGzip, sandbox.KindStatus, sandbox.KindHTML, sandbox.KindCode,
			sandbox.KindHasNext, sandbox.KindEmptyPage, sandbox.KindShortPage, sandbox.KindRepeatPage, sandbox.KindClampPage,
			sandbox.KindDuplicateID, sandbox.KindNullRows, sandbox.KindRowsUnderShops, sandbox.KindRowsOnTop,
			sandbox.KindBadKey, sandbox.KindLoneSurrogate, sandbox.KindDuplicateMember,
			sandbox.KindIDsIgnored, sandbox.KindIDsClamped, sandbox.KindIDsExtra, sandbox.KindIDsEmpty,
		}).Draw(rt, "kind"),
		Page:  rapid.IntRange(0, 4).Draw(rt, "page"),
		Skip:  rapid.IntRange(0, 2).Draw(rt, "skip"),
		Times: rapid.SampledFrom([]int{1, 2, 9, -1}).Draw(rt, "times"),
		N:     rapid.IntRange(1, 4).Draw(rt, "n"),
		Row:   rapid.IntRange(0, 3).Draw(rt, "row"),
	}
	switch f.Kind {
	case sandbox.KindCode:
		f.Code = rapid.SampledFrom([]int{100, 110, 140, 150, 190, 199, 200}).Draw(rt, "code")
	case sandbox.KindIDsIgnored, sandbox.KindIDsClamped, sandbox.KindIDsExtra, sandbox.KindIDsEmpty:
		f.Page = 0
	case sandbox.KindShortPage:
		f.Scope = sandbox.ScopePages // of a server that knows the control and denies another row by id, nothing can be told
	case sandbox.KindStatus:
		f.Status = rapid.SampledFrom([]int{429, 500, 503}).Draw(rt, "status")
	}
	return f
}
