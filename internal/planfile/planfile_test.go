package planfile_test

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/planfile"
)

var at = time.Date(2026, 11, 22, 10, 0, 0, 123456789, time.UTC)

func key(n int64) diff.Key {
	k, err := diff.NewKey(diff.IntValue(n))
	if err != nil {
		panic(err)
	}
	return k
}

func row(id int64, name diff.Value) diff.Row { return diff.Row{diff.IntValue(id), name} }

// newPlan returns a plan without changes.
func newPlan() *diff.SavedPlan {
	none := "无"
	table := &diff.Table{Name: "jst_shops", Key: []int{0}, Columns: []diff.Column{
		{Name: "shop_id", Type: diff.Type{Base: diff.BigInt}, NotNull: true, Comment: "店铺编号"},
		{Name: "shop_name", Type: diff.Type{Base: diff.VarChar, Size: 255}, Default: &none},
	}}
	return &diff.SavedPlan{
		Plan: &diff.Plan{
			Pipeline: "shops", Table: table, Status: diff.Unchanged, Scan: diff.ScanInfo{Pages: 2, Verdict: diff.Complete},
			Base:    diff.Head{Instance: diff.ID{1}, Seq: 12, RunID: diff.ID{2}, Digest: diff.Digest{3}},
			Changes: diff.NewChangeSet(table.Names()), Fingerprint: "mapping", Snapshot: "before", Remapped: true, NewFields: []string{"zone"},
		},
		Terms:   diff.Terms{Target: "db:3306/bi/jst_shops", Deletes: "hard", Shared: true},
		Version: "v1.2.3", Created: at, Expires: at.Add(24 * time.Hour),
	}
}

// settle makes the plan's sums those of its changes.
func settle(s *diff.SavedPlan) *diff.SavedPlan {
	s.Summary.Insert, s.Summary.Update, s.Summary.Delete = s.Changes.Count(diff.Insert), s.Changes.Count(diff.Update), s.Changes.Count(diff.Delete)
	s.Digest = s.Changes.Digest(s.Base.Digest)
	switch {
	case s.Guard.Tripped:
		s.Status = diff.Held
	case s.Changes.Len() > 0:
		s.Status = diff.Planned
	}
	return s
}

// fullPlan returns a plan with something of everything.
func fullPlan() *diff.SavedPlan {
	s := newPlan()
	s.Changes.Add(diff.Change{Op: diff.Insert, Key: key(5), After: row(5, diff.TextValue("新\xff\x00店铺"))}, 55)
	s.Changes.Add(diff.Change{Op: diff.Update, Key: key(-1), Before: row(-1, diff.Value{}), After: row(-1, diff.TextValue(""))}, 1<<63)
	s.Changes.Add(diff.Change{Op: diff.Delete, Key: key(7), Before: row(7, diff.TextValue("旧"))}, 0)
	s.Rehashed = []diff.Rehash{{Key: key(1), Source: 11}, {Key: key(2), Source: diff.NoHash}}
	s.Withheld = diff.Withheld{Keys: []diff.Key{key(8), key(9)}, Reason: "no control"}
	s.Quarantine = []diff.Quarantined{{Reason: "unreadable \xff"}, {Key: "3", Reason: "too long"}}
	s.Guard = diff.GuardVerdict{Tripped: true, Kind: "delete", Limit: 5, Percent: 0.5, Count: 1, Rows: 30}
	s.Scan = diff.ScanInfo{Pages: 3, Verdict: diff.Unstable, Note: "a key came twice"}
	s.Summary = diff.Summary{Read: 30, Pages: 3, Calls: 5, Unchanged: 28, Kept: 1, Quarantined: 2, Foreign: 4}
	return settle(s)
}

func encoded(t testing.TB, s *diff.SavedPlan) []byte {
	t.Helper()
	b, err := planfile.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// flat returns the plan as plain values, its changes listed.
func flat(s *diff.SavedPlan) (diff.SavedPlan, diff.Plan, []diff.Encoded) {
	var changes []diff.Encoded
	for e, err := range s.Changes.Encoded() {
		if err != nil {
			panic(err) // of a set that stays in memory
		}
		changes = append(changes, diff.Encoded{Key: e.Key, Source: e.Source, Bytes: slices.Clone(e.Bytes)})
	}
	saved, plan := *s, *s.Plan
	saved.Plan, plan.Changes = nil, nil
	return saved, plan, changes
}

func TestWriteRead(t *testing.T) {
	held := fullPlan()
	first := fullPlan()
	first.Base = diff.Head{Instance: diff.ID{9}} // of a state file that holds no run
	first.Guard = diff.GuardVerdict{Rows: 30}
	settle(first)
	for name, want := range map[string]*diff.SavedPlan{"held": held, "first": first, "nothing": settle(newPlan())} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.plan")
			if err := planfile.Write(path, want); err != nil {
				t.Fatal(err)
			}
			got, err := planfile.Read(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if name == "first" {
				want.Base.Instance = diff.ID{} // an empty head is nobody's
			}
			gotSaved, gotPlan, gotChanges := flat(got)
			wantSaved, wantPlan, wantChanges := flat(want)
			if !reflect.DeepEqual(gotSaved, wantSaved) || !reflect.DeepEqual(gotPlan, wantPlan) || !reflect.DeepEqual(gotChanges, wantChanges) {
				t.Errorf("got\n%+v\n%+v\n%v\nwant\n%+v\n%+v\n%v", gotSaved, gotPlan, gotChanges, wantSaved, wantPlan, wantChanges)
			}
			if again := encoded(t, got); !bytes.Equal(again, encoded(t, want)) {
				t.Error("the same plan gives other bytes")
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("got mode %v (%v), want 0600", info.Mode(), err)
			}
		})
	}
}

// Whatever byte is changed, added or lost: refused, and for the checksum or the
// first line, so before any of the rest is looked at.
func TestRead_Altered(t *testing.T) {
	whole := encoded(t, fullPlan())
	line := bytes.IndexByte(whole, '\n')
	refused := func(what string, file []byte, at int) {
		t.Helper()
		_, err := planfile.Decode(file)
		if diff.CodeOf(err) != diff.CodePlanFile {
			t.Fatalf("%s: got %v, want it refused", what, err)
		}
		early := strings.Contains(err.Error(), "is no saved plan") || strings.Contains(err.Error(), "of format") || strings.Contains(err.Error(), "is cut short")
		if altered := strings.Contains(err.Error(), "SHA-256"); !altered && (!early || at > line) {
			t.Fatalf("%s: got %v, want the checksum to show it", what, err)
		}
	}
	for i := range whole {
		for bit := range 8 {
			file := slices.Clone(whole)
			file[i] ^= 1 << bit
			refused(fmt.Sprintf("bit %d of byte %d", bit, i), file, i)
		}
		at := i
		if i < line+1+sha256.Size+1 {
			at = 0 // too short to hold a checksum and anything before it
		}
		refused(fmt.Sprintf("cut at %d", i), whole[:i], at)
		refused(fmt.Sprintf("without byte %d", i), slices.Delete(slices.Clone(whole), i, i+1), i)
	}
	refused("one more", append(slices.Clone(whole), 0), len(whole))
}

func TestRead_Newer(t *testing.T) {
	for format, want := range map[string]string{"2": "format 2; this version of jstsync knows format 1", "0": "format 0", "1x": "no saved plan", "": "no saved plan"} {
		_, err := planfile.Decode([]byte("jstsync plan " + format + "\nwhatever it is"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// body returns the decompressed body of a file.
func body(t testing.TB, file []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(file[bytes.IndexByte(file, '\n')+1:]))
	if err != nil {
		t.Fatal(err)
	}
	z.Multistream(false)
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A file that somebody made with a right checksum is still no plan.
func TestRead_Crafted(t *testing.T) {
	good := string(body(t, encoded(t, fullPlan())))
	for name, file := range map[string]string{
		"empty":            "",
		"no JSON":          "\x02ab",
		"no columns":       "\x02{}",
		"one change less":  strings.Replace(good, `"changes":3`, `"changes":2`, 1),
		"one change more":  strings.Replace(good, `"changes":3`, `"changes":4`, 1),
		"no end of them":   strings.Replace(good, `"quarantine":2`, `"quarantine":9`, 1),
		"more behind":      good + "x",
		"partial":          strings.Replace(good, `"unstable"`, `"partial" `, 1),
		"not held":         strings.Replace(good, `"tripped":true `, `"tripped":false`, 1) + " ",
		"another status":   strings.Replace(good, `"held"`, `"plan"`, 1),
		"another sum":      strings.Replace(good, `"insert":1`, `"insert":2`, 1),
		"another digest":   strings.Replace(good, `"digest":"03`, `"digest":"04`, 1),
		"key elsewhere":    strings.Replace(good, `"key":[0]`, `"key":[9]`, 1),
		"key of no column": strings.Replace(good, `"key":[0]`, `"key":[ ]`, 1),
		"another key":      strings.Replace(good, `"key":[0]`, `"key":[1]`, 1),
		"no type":          strings.Replace(good, `"BIGINT"`, `"BIGONE"`, 1),
		"columns alike":    strings.Replace(good, `"name":"shop_name"`, `"name":"shop_id"  `, 1),
		"another value":    strings.Replace(good, "旧", "新", 1),
		"long piece":       "\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
		"longer piece":     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
	} {
		if file == good {
			t.Fatalf("%s: nothing is changed", name)
		}
		if _, err := planfile.Decode(planfile.Seal([]byte(file))); diff.CodeOf(err) != diff.CodePlanFile || !strings.Contains(err.Error(), "is damaged: ") {
			t.Errorf("%s: got %v, want it refused", name, err)
		}
	}
	twice := newPlan()
	for range 2 {
		twice.Changes.Add(diff.Change{Op: diff.Insert, Key: key(5), After: row(5, diff.Value{})}, 1)
	}
	if _, err := planfile.Decode(encoded(t, settle(twice))); err == nil || !strings.Contains(err.Error(), "out of order") {
		t.Errorf("a key twice: got %v, want it refused", err)
	}
	if _, err := planfile.Decode(planfile.Seal([]byte(good))); err != nil {
		t.Fatalf("the one that nothing is wrong with: %v", err)
	}
}

// A small file that decompresses to a great deal is given up, whatever the
// great deal is of, and before it takes much memory.
func TestRead_Bomb(t *testing.T) {
	header := string(body(t, encoded(t, settle(newPlan()))))
	many := strings.Replace(header, `"quarantine":0`, `"quarantine":9999999999`, 1)
	many = string([]byte{many[0] + 9}) + many[1:] // the header is longer
	for name, tt := range map[string]struct{ body, want string }{
		"many pieces":  {many + strings.Repeat("\x00", 4<<20), "decompresses to more"},
		"long pieces":  {many + strings.Repeat("\x80\x80\x80\x10"+strings.Repeat("a", 32<<20), 3), "decompresses to more"},
		"a cut header": {"\x80\x80\x80\x10" + strings.Repeat(" ", 1<<20), "unexpected EOF"},
	} {
		file := planfile.Seal([]byte(tt.body))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := planfile.Decode(file)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %d bytes: got %v, want %q", name, len(file), err, tt.want)
		}
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(512<<20); got > limit {
			t.Errorf("%s, %d bytes: took %d bytes of memory, want less than %d", name, len(file), got, limit)
		}
	}
}

func TestWrite_Refused(t *testing.T) {
	dir := t.TempDir()
	foreign, plan := filepath.Join(dir, "notes"), filepath.Join(dir, "x.plan")
	for _, path := range []string{foreign, plan} {
		if err := os.WriteFile(path, nil, 0o644); err != nil { // an empty file is nothing to lose
			t.Fatal(err)
		}
		if err := planfile.Write(path, fullPlan()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(foreign, []byte("notes of mine, and not a plan"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{foreign, dir, filepath.Join(dir, "no", "x.plan"), filepath.Join(plan, "x")} {
		if err := planfile.Write(path, fullPlan()); diff.CodeOf(err) != diff.CodePlanFile {
			t.Errorf("%s: got %v, want it refused", path, err)
		}
	}
	partial := fullPlan()
	partial.Scan.Verdict = diff.Partial
	if err := planfile.Write(plan, partial); diff.CodeOf(err) != diff.CodePlanFile {
		t.Errorf("a plan of a partial scan: got %v, want it refused", err)
	}
	if _, err := planfile.Read(plan, nil); err != nil {
		t.Errorf("after a write that came to nothing: %v", err)
	}
	if text, err := os.ReadFile(foreign); err != nil || string(text) != "notes of mine, and not a plan" {
		t.Errorf("got %q (%v), want the file as it was", text, err)
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 2 {
		t.Errorf("got %v (%v), want nothing left behind", names, err)
	}
}

func TestRead_NotThere(t *testing.T) {
	for _, path := range []string{filepath.Join(t.TempDir(), "absent"), t.TempDir()} {
		if _, err := planfile.Read(path, nil); diff.CodeOf(err) != diff.CodePlanFile {
			t.Errorf("%s: got %v, want it refused", path, err)
		}
	}
}

// bigPlan returns a plan of n changes, of rows that differ as shops do.
func bigPlan(n int) *diff.SavedPlan {
	s := newPlan()
	table := s.Table
	for i := range 10 {
		table.Columns = append(table.Columns, diff.Column{Name: fmt.Sprint("c", i), Type: diff.Type{Base: diff.VarChar, Size: 255}})
	}
	s.Changes = diff.NewChangeSet(table.Names())
	random := rand.New(rand.NewPCG(1, 2))
	for i := range int64(n) {
		after := row(i, diff.TextValue(fmt.Sprintf("店铺 %d", random.Uint32())))
		for range 10 {
			after = append(after, diff.TextValue(fmt.Sprintf("值 %x", random.Uint64())))
		}
		before := slices.Clone(after)
		before[1] = diff.TextValue("旧")
		c := diff.Change{Op: diff.Update, Key: key(i), Before: before, After: after}
		s.Changes.Add(c, diff.SourceHash(random.Uint64()))
	}
	return settle(s)
}

func TestWrite_Size(t *testing.T) {
	const changes, limit = 100_000, 40 << 20
	path := filepath.Join(t.TempDir(), "x.plan")
	want := bigPlan(changes)
	if err := planfile.Write(path, want); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() >= limit {
		t.Errorf("got %d bytes (%v), want less than %d", info.Size(), err, limit)
	}
	t.Logf("%d changes take %d bytes", changes, info.Size())
	if got, err := planfile.Read(path, nil); err != nil || got.Digest != want.Digest {
		t.Errorf("got %v, want the plan back", err)
	}
}
