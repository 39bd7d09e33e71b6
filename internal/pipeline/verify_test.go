package pipeline_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/pipeline"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// inspected is a target that can be compared, with what a test lets happen to
// it on the way.
type inspected struct {
	*memoryTable
	gone     bool   // the checkpoint row
	onRead   func() // after the rows were read
	claimant diff.Head
}

func (i *inspected) ReadTable(_ context.Context, visit func(diff.Key, diff.Row) error) (*diff.Checkpoint, error) {
	keys := make([]diff.Key, 0, len(i.rows))
	for k := range i.rows {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for _, k := range keys {
		if err := visit(k, i.rows[k]); err != nil {
			return nil, err
		}
	}
	cp := &diff.Checkpoint{Head: i.head, Epoch: 1, Target: "jst_shops"}
	if i.gone {
		cp = nil
	}
	if i.onRead != nil {
		i.onRead()
	}
	return cp, nil
}

func (i *inspected) Claim(_ context.Context, instance diff.ID) (diff.Checkpoint, error) {
	if i.gone {
		i.gone, i.head = false, diff.Head{Instance: instance}
		if i.claimant.Instance != (diff.ID{}) {
			i.head = i.claimant
		}
	}
	return diff.Checkpoint{Head: i.head, Epoch: 1, Target: "jst_shops"}, nil
}

func (i *inspected) TakeOver(_ context.Context, _ *diff.Checkpoint, in *diff.Intent) error {
	i.head = in.To()
	return nil
}

func (i *inspected) Repairable(cp *diff.Checkpoint, head diff.Head) error {
	if cp == nil || cp.Same(head) || cp.Instance == head.Instance && cp.Seq < head.Seq {
		return nil
	}
	return &diff.Error{Code: diff.CodeDiverged, Message: "not ours"}
}

// verifier returns what compares the runner's target.
func verifier(w *world, r *pipeline.Runner) (*pipeline.Verifier, *inspected) {
	i := &inspected{memoryTable: w.target.(*memoryTable)}
	repairs := *r
	repairs.Trigger = diff.KindRepair
	return &pipeline.Verifier{
		Runner: &repairs, Stock: state.NewReader(w.path, r.Pipeline),
		Connect: func(context.Context) (pipeline.Inspection, error) { return i, nil },
	}, i
}

func wantCode(t *testing.T, err error, want diff.Code) {
	t.Helper()
	if got := diff.CodeOf(err); (err != nil) != (want != "") || err != nil && got != want {
		t.Errorf("got %v (%s), want %s", err, got, want)
	}
}

// Before the first run every row of a table would be one too many: none is
// ever listed for deletion then.
func TestVerifier_NoRunYet(t *testing.T) {
	w, r := newScripted(t)
	v, i := verifier(w, r)
	i.rows[keyOf(t, 7)] = diff.Row{}
	_, err := v.Verify(t.Context())
	wantCode(t, err, diff.CodeFailed)
	_, err = v.Repair(t.Context(), true)
	wantCode(t, err, diff.CodeFailed)
	if len(i.rows) != 1 {
		t.Error("the repair deleted a row that no run wrote")
	}
}

// A snapshot that moves while the table is read is read again, and not for
// ever.
func TestVerifier_SnapshotMoves(t *testing.T) {
	for moves, want := range map[int]diff.Code{2: "", 3: diff.CodeBusy} {
		w, r, s := scripted(t, record(1, "a"))
		v, i := verifier(w, r)
		n := 0
		i.onRead = func() {
			if n++; n <= moves {
				s.records = append(s.records, record(n+1, "b"))
				run(t, r)
			}
		}
		drift, err := v.Verify(t.Context())
		wantCode(t, err, want)
		if want == "" && drift.Status != diff.Unchanged {
			t.Errorf("got %s, want the third reading to be right", drift.Status)
		}
	}
}

// A repair goes on only from the row that it read the table with.
func TestVerifier_Repair_Moved(t *testing.T) {
	for name, spoil := range map[string]func(*inspected){
		"another file claimed":  func(i *inspected) { i.gone, i.claimant = true, diff.Head{Instance: diff.ID{0xaa}} },
		"the row came back":     func(i *inspected) { i.gone, i.claimant = true, i.head },
		"another file moved it": func(i *inspected) { i.onRead = func() { i.head = diff.Head{Instance: diff.ID{0xaa}, Seq: 9} } },
		"the row went meanwhile": func(i *inspected) {
			i.onRead = func() { i.gone = true }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, r, _ := scripted(t, record(1, "a"), record(2, "b"))
			v, i := verifier(w, r)
			delete(i.rows, keyOf(t, 2))
			spoil(i)
			_, err := v.Repair(t.Context(), false)
			wantCode(t, err, diff.CodeDiverged)
			if len(i.rows) != 1 {
				t.Error("the repair wrote rows")
			}
		})
	}
	t.Run("it is claimed", func(t *testing.T) {
		w, r, _ := scripted(t, record(1, "a"), record(2, "b"))
		v, i := verifier(w, r)
		delete(i.rows, keyOf(t, 2))
		i.gone = true
		if drift, err := v.Repair(t.Context(), false); err != nil || drift.Status != diff.Committed || len(i.rows) != 2 {
			t.Errorf("got %s, %v, want it repaired", drift.Status, err)
		}
	})
}

// torn is a target in which a run that is looked for cannot be decided.
type torn struct{ *memoryTable }

func (torn) Resolve(context.Context, *diff.Intent) (bool, error) {
	return false, &diff.Error{Code: diff.CodeDiverged, Message: "neither the run nor its base"}
}

// A run is closed as lost only while its outcome cannot be told.
func TestVerifier_Repair_Undecided(t *testing.T) {
	for name, at := range map[string]func(was, is diff.Head) diff.Head{
		"its base":  func(was, _ diff.Head) diff.Head { return was },
		"committed": func(_, is diff.Head) diff.Head { return is },
		"earlier":   func(was, _ diff.Head) diff.Head { return diff.Head{Instance: was.Instance} },
	} {
		t.Run(name, func(t *testing.T) {
			w, r, s := scripted(t, record(1, "a"))
			table := w.target.(*memoryTable)
			was := table.head
			s.records = append(s.records, record(2, "b"))
			r.Target = doubtful{table}
			if _, err := r.Sync(t.Context()); diff.CodeOf(err) != diff.CodeInDoubt {
				t.Fatalf("got %v, want a run in doubt", err)
			}
			r.Target = torn{table}
			v, i := verifier(w, r)
			i.head = at(was, i.head)
			_, err := v.Repair(t.Context(), false)
			snap, snapErr := v.State.Snapshot()
			if snapErr != nil {
				t.Fatal(snapErr)
			}
			if lost := snap.Intent == nil; lost != (name == "earlier") {
				t.Errorf("closed: %t, %v", lost, err)
			}
		})
	}
}

// retyped returns a mapper of a name and a column v of the type, more of which
// may follow.
func retyped(t *testing.T, typ string, more ...mapping.Column) *mapping.Mapper {
	t.Helper()
	parsed, err := diff.ParseType(typ)
	if err != nil {
		t.Fatal(err)
	}
	columns := append([]mapping.Column{
		{Column: diff.Column{Name: "shop_id", Type: diff.Type{Base: diff.BigInt}, NotNull: true}, From: "shop_id"},
		{Column: diff.Column{Name: "v", Type: parsed}, From: "v"},
	}, more...)
	m, err := mapping.New("jst_shops", columns, []string{"shop_id"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A row that was written before a column's type changed, and stays though its
// record is gone, is held against what the column makes of its value.
func TestVerifier_Retyped(t *testing.T) {
	text, number := diff.TextValue, diff.IntValue
	for _, tt := range []struct {
		was, is, value string
		stored         diff.Value // as the table has it after it was altered
		edited         diff.Value
		repaired       diff.Value
	}{
		{"BIGINT", "VARCHAR(20)", "5", text("5"), text("6"), text("5")},
		{"VARCHAR(20)", "BIGINT", `"5"`, number(5), number(6), number(5)},
		{"DECIMAL(5,1)", "DECIMAL(7,3)", "1.5", text("1.500"), text("2.500"), text("1.500")},
		{"DATETIME(3)", "DATETIME", `"2026-01-02 03:04:05"`, text("2026-01-02 03:04:05"), text("2026-01-02 03:04:06"), text("2026-01-02 03:04:05")},
		{"DATETIME(3)", "DATETIME", `"2026-01-02 03:04:05.700"`, text("2026-01-02 03:04:06"), text("2026-01-02 03:04:07"), text("2026-01-02 03:04:07")},
		{"DATE", "DATETIME(3)", `"2026-01-02"`, text("2026-01-02 00:00:00.000"), text("2026-01-03 00:00:00.000"), text("2026-01-02 00:00:00.000")},
		{"TEXT", "JSON", `"{\"b\":1, \"a\":2}"`, text(`{"a":2,"b":1}`), text(`{}`), text(`{"a":2,"b":1}`)},
		{"DECIMAL(5,1)", "BIGINT", "1.5", number(2), number(3), number(3)}, // rounded, or cut: nobody but the server can tell
	} {
		t.Run(tt.was+" to "+tt.is, func(t *testing.T) {
			w := newWorld(t, t.TempDir(), sandbox.Options{})
			w.mapper, w.keep = retyped(t, tt.was), true
			r, err := w.runner()
			if err != nil {
				t.Fatal(err)
			}
			with := func(id int) diff.Record {
				return diff.Record{Members: []diff.Member{{Name: "shop_id", Raw: []byte(strconv.Itoa(id))}, {Name: "v", Raw: []byte(tt.value)}}}
			}
			source := &script{records: []diff.Record{record(1, "a"), with(2)}}
			r.Source = source
			run(t, r)
			w.mapper = retyped(t, tt.is)
			r.Mapping = pipeline.Mapping{Mapper: w.mapper, Table: w.mapper.Table(), Fingerprint: w.mapper.Fingerprint()}
			v, i := verifier(w, r)
			i.rows[keyOf(t, 2)] = diff.Row{number(2), tt.stored}
			source.records = source.records[:1]
			run(t, r)
			drift, err := v.Verify(t.Context())
			if err != nil || drift.Changes.Len() != 0 {
				t.Errorf("%d rows differ, %v", drift.Changes.Len(), err)
			}
			i.rows[keyOf(t, 2)] = diff.Row{number(2), tt.edited}
			if _, err = v.Repair(t.Context(), false); err != nil || i.rows[keyOf(t, 2)][1] != tt.repaired {
				t.Errorf("repaired to %v, %v", i.rows[keyOf(t, 2)], err)
			}
			if tt.repaired != tt.edited { // nor then what the server makes of it
				delete(i.rows, keyOf(t, 2))
				if _, err = v.Repair(t.Context(), false); err != nil || i.rows[keyOf(t, 2)][1] != tt.repaired {
					t.Errorf("restored as %v, %v", i.rows[keyOf(t, 2)], err)
				}
			}
		})
	}
}

// A row that stays and was never mapped since a column came that takes no NULL
// is restored with what the server had put into the column.
func TestVerifier_RestoreUnwritten(t *testing.T) {
	w := newWorld(t, t.TempDir(), sandbox.Options{})
	w.mapper, w.keep = retyped(t, "BIGINT"), true
	r, err := w.runner()
	if err != nil {
		t.Fatal(err)
	}
	source := &script{records: []diff.Record{record(1, "a"), record(2, "b")}}
	r.Source = source
	run(t, r)
	column := func(name string, typ diff.Type) mapping.Column {
		return mapping.Column{Column: diff.Column{Name: name, Type: typ, NotNull: true}, From: "shop_id"}
	}
	w.mapper = retyped(t, "BIGINT", column("n", diff.Type{Base: diff.BigInt}), column("t", diff.Type{Base: diff.VarChar, Size: 9}),
		column("d", diff.Type{Base: diff.Decimal, Size: 22, Scale: 2}))
	r.Mapping = pipeline.Mapping{Mapper: w.mapper, Table: w.mapper.Table(), Fingerprint: w.mapper.Fingerprint()}
	source.records = nil
	v, i := verifier(w, r)
	run(t, r)
	clear(i.rows)
	if _, err := v.Repair(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	for id := range int64(2) {
		if got, want := i.rows[keyOf(t, id+1)], (diff.Row{
			diff.IntValue(id + 1), {}, diff.IntValue(0), diff.TextValue(""), diff.TextValue("0.00"),
		}); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
