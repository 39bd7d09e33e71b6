package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestMain makes the test binary the page server, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		main()
		return
	}
	m.Run()
}

func TestQuick(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for some seconds")
	}
	if _, err := find("mariadbd"); errors.Is(err, errNoMariaDB) {
		if os.Getenv("JSTSYNC_TEST_REQUIRE_DB") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	file := filepath.Join(t.TempDir(), "performance.md")
	var progress bytes.Buffer
	if err := measureAll(t.Context(), []string{"-quick", "-root", "..", "-out", file}, &progress, time.Now); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	const spread = `[0-9,.]+ \([0-9,.]+–[0-9,.]+\)`
	for _, size := range []struct {
		heading string
		pages   int
	}{{"200 records", 2}, {"1,204 records", 13}} {
		_, rest, ok := strings.Cut(page, "## "+size.heading+"\n")
		if !ok {
			t.Fatalf("no section %q in:\n%s", size.heading, page)
		}
		rest, _, _ = strings.Cut(rest, "\n## ")
		for _, st := range steps(200) {
			line := `(?m)^\| ` + regexp.QuoteMeta(st.name) + ` \| ` + spread + ` \| ` + spread + ` \| ` + spread + ` \| `
			if !regexp.MustCompile(line).MatchString(rest) {
				t.Errorf("%s: no line %s in:\n%s", size.heading, line, rest)
			}
		}
		// calls, connections, statements, bytes, rows changed, in the checkpoint
		for name, want := range map[string]string{
			quietPoll:  fmt.Sprintf(`%d \| 0 \| 0 \| 0 \| 0 \| 0`, size.pages),
			quietMixed: fmt.Sprintf(`%d \| 0 \| 0 \| 0 \| 0 \| 0`, size.pages),
			changedFew: fmt.Sprintf(`%d \| 1 \| \d+ \| \d+ \| 1 \| 1`, size.pages),
		} {
			if line := `(?m)^\| ` + regexp.QuoteMeta(name) + ` \| ` + want + ` \|`; !regexp.MustCompile(line).MatchString(rest) {
				t.Errorf("%s: no line %s in:\n%s", size.heading, line, rest)
			}
		}
	}
	if _, rest, ok := strings.Cut(page, "## Looking back\n"); !ok || strings.Count(rest, "| `jstsync ") < 8 {
		t.Errorf("no section of the history in:\n%s", page)
	}
	for _, name := range []string{plotCPU, plotMemory} {
		if svg, err := os.ReadFile(filepath.Join(filepath.Dir(file), name)); err != nil || !bytes.Contains(svg, []byte("<svg")) {
			t.Errorf("%s is no plot: %v", name, err)
		}
	}
}

func TestDataset(t *testing.T) {
	for _, c := range []struct{ records, pages, few, many, fewer int }{
		{1, 1, 1, 1, 1}, {100, 1, 1, 10, 1}, {200, 2, 1, 20, 2}, {1204, 13, 1, 120, 12}, {2600, 26, 3, 260, 26},
	} {
		d := newDataset(c.records)
		pages := d.pages(asLoaded)
		if len(pages) != c.pages {
			t.Errorf("%d records: got %d pages, want %d", c.records, len(pages), c.pages)
		}
		for v, want := range map[version]int{few: c.few, many: c.many, fewer: c.fewer} {
			if got := d.differences(v); got != want {
				t.Errorf("%d records, version %d: %d differ, want %d", c.records, v, got, want)
			}
		}
		for i, page := range pages {
			if more := bytes.Contains(page, []byte(`"has_next":true`)); more != (i < len(pages)-1) {
				t.Errorf("%d records: page %d promises more: %t", c.records, i+1, more)
			}
		}
	}
}

func TestShuffle(t *testing.T) {
	d := newDataset(50)
	moved := 0
	for i := range d.rows {
		var was, is map[string]json.RawMessage
		row := d.row(shuffled, i)
		if err := errors.Join(json.Unmarshal(d.rows[i], &was), json.Unmarshal(row, &is)); err != nil || !reflect.DeepEqual(was, is) {
			t.Fatalf("%v: got %s, want the members of %s", err, row, d.rows[i])
		}
		if !bytes.Equal(row, d.rows[i]) {
			moved++
		}
		for _, v := range []version{few, many} {
			if err := json.Unmarshal(d.row(v, i), &is); err != nil {
				t.Fatalf("version %d: %v: %s", v, err, d.row(v, i))
			}
		}
	}
	if moved < 45 {
		t.Errorf("only %d of 50 records have another order", moved)
	}
}

func TestRun_unknown(t *testing.T) {
	if err := measureAll(t.Context(), []string{"flor"}, io.Discard, time.Now); err == nil {
		t.Error("got no error for an unknown word")
	}
}
