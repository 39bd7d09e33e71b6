package state_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash/crc32"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// The bytes of a file are those that docs/state-format.md describes; read here without the package's own code.
func TestFormat(t *testing.T) {
	w := inTemp(t)
	w.commit(t, []change{{key(5), row(-1, "漢"), 0x1122334455667788}}, nil)
	w.commit(t, []change{{key(5), row(-1, ""), 2}}, nil)
	in, _, _ := w.stage(t, []change{{key: key(5)}}, nil)

	db, err := bbolt.Open(w.path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const (
		five = "018000000000000005"
		run1 = "0000000000000001"
		run2 = "0000000000000002"
		run3 = "0000000000000003"
	)
	before, after := w.runs[0].RunID.String(), w.runs[1].RunID.String()
	instance := w.head.Instance.String()
	insert := "0302" + "0101" + "0203e6bca2"
	first := sha256.Sum256(fromHex(t, digestOf(make([]byte, 32), five, insert)))
	second := sha256.Sum256(fromHex(t, digestOf(first[:], five, "0202"+"0101"+"0200"+"01"+"01"+"0203e6bca2")))
	for _, test := range []struct {
		bucket []string
		key    string
		want   string
	}{
		{[]string{"meta"}, "format", "02"},
		{[]string{"meta"}, "last_run", run3},
		{[]string{"pipelines", pipeline}, "generation", "0000000000000000"},
		{[]string{"pipelines", pipeline}, "row_count", run1},
		{[]string{"pipelines", pipeline}, "fingerprint", hex.EncodeToString([]byte(w.fingerprint))},
		{[]string{"pipelines", pipeline}, "head", instance + run2 + after + hex.EncodeToString(second[:])},
		{[]string{"pipelines", pipeline, "commits"}, "x" + run1, before + hex.EncodeToString(first[:])},
		{[]string{"pipelines", pipeline, "commits"}, "x" + run2, after + hex.EncodeToString(second[:])},
		{[]string{"pipelines", pipeline, "index", "x0000000000000000"}, "x" + five, "00" + "0000000000000002" + run2},
		{[]string{"pipelines", pipeline, "changes", "x" + run1, "rows"}, "x" + five, insert},
		{[]string{"pipelines", pipeline, "changes", "x" + run2, "rows"}, "x" + five, "0202" + "0101" + "0200" + "01" + "01" + "0203e6bca2"},
		{[]string{"pipelines", pipeline, "changes", "x" + run3, "rows"}, "x" + five, "0102" + "0101" + "0200"},
		{[]string{"pipelines", pipeline, "changes", "x" + run3, "hashes"}, "x" + five, "0000000000000000"},
	} {
		want := fromHex(t, test.want)
		if last := test.bucket[len(test.bucket)-1]; test.key != "format" && last != "rows" {
			want = sealed(t, test.key, want)
		}
		if got := raw(t, db, test.bucket, test.key); !bytes.Equal(got, want) {
			t.Errorf("%s %s:\ngot  %x\nwant %x", test.bucket, test.key, got, want)
		}
	}
	if got := raw(t, db, []string{"pipelines", pipeline, "changes", "x" + run2}, "hashes"); got != nil {
		t.Errorf("a committed run keeps its hashes")
	}
	wantMembers(t, raw(t, db, []string{"pipelines", pipeline, "changes", "x" + run1}, "header"),
		"run_id", "kind", "columns", "count", "previous", "digest", "committed_at", "latest", "committed", "fingerprint", "row_count")
	wantMembers(t, raw(t, db, []string{"pipelines", pipeline}, "intent"),
		"run", "run_id", "kind", "from", "instance", "digest", "committed_at", "changes")
	if in.Run != 3 {
		t.Errorf("got run %d, want 3", in.Run)
	}
}

// digestOf returns, in hexadecimal, what is hashed for one change to the columns id and name.
func digestOf(previous []byte, key, change string) string {
	frame := func(b string) string { return hex.EncodeToString([]byte{byte(len(b) / 2)}) + b }
	return hex.EncodeToString(previous) + "02" + frame("6964") + frame("6e616d65") + frame(key) + frame(change)
}

func fromHex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sealed returns a value as it is stored: with the CRC-32C of key and content.
func sealed(t *testing.T, key string, content []byte) []byte {
	t.Helper()
	all := append([]byte(key), content...)
	if key[0] == 'x' {
		all = append(fromHex(t, key[1:]), content...)
	}
	return binary.BigEndian.AppendUint32(bytes.Clone(content), crc32.Checksum(all, crc32.MakeTable(crc32.Castagnoli)))
}

// raw returns a value; a name that begins with x is hexadecimal.
func raw(t *testing.T, db *bbolt.DB, path []string, key string) (value []byte) {
	t.Helper()
	name := func(s string) []byte {
		if s[0] == 'x' {
			return fromHex(t, s[1:])
		}
		return []byte(s)
	}
	err := db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(name(path[0]))
		for _, p := range path[1:] {
			b = b.Bucket(name(p))
		}
		value = append(value, b.Get(name(key))...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func wantMembers(t *testing.T, text []byte, want ...string) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal(text[:len(text)-4], &got); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	for _, name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("no member %s in %s", name, text)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("members that are not documented: %v", got)
	}
}
