package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMain makes the test binary the other processes that bench is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{"exec", "floor", "serve"}, os.Args[1]) {
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
	const (
		spread = `[0-9,.]+ \([0-9,.]+–[0-9,.]+\)`
		ratio  = `[0-9,.]+ ×`
	)
	for _, section := range []struct{ heading, pages string }{{"200 records", "2"}, {"1,204 records", "13"}} {
		_, rest, ok := strings.Cut(page, "## "+section.heading+"\n")
		if !ok {
			t.Fatalf("no section %q in:\n%s", section.heading, page)
		}
		rest, _, _ = strings.Cut(rest, "\n## ")
		for name, want := range map[string]string{
			firstLoad:  section.pages + ` \| 1 \| [0-9,]+`,
			quietPoll:  section.pages + ` \| 0 \| [0-9,]+`,
			changedFew: section.pages + ` \| 1 \| [0-9,]+`,
			floorOne:   section.pages + ` \| 0 \| –`,
			floorWide:  section.pages + ` \| 0 \| –`,
		} {
			line := `(?m)^\| ` + regexp.QuoteMeta(name) + ` \| ` + spread + ` \| ` + spread + ` \| ` + spread + ` \| ` + want + ` \|$`
			if !regexp.MustCompile(line).MatchString(rest) {
				t.Errorf("%s: no line %s in:\n%s", section.heading, line, rest)
			}
		}
		lines := regexp.MustCompile(`(?m)^\| jstsync, [^|]* \|( `+ratio+` \|){6}$`).FindAllString(rest, -1)
		if len(lines) != 3 {
			t.Errorf("%s: got %d lines of ratios, want 3, in:\n%s", section.heading, len(lines), rest)
		}
	}
}

func TestDataset(t *testing.T) {
	for _, c := range []struct{ records, pages, changes int }{{1, 1, 1}, {100, 1, 1}, {200, 2, 1}, {1204, 13, 1}, {2600, 26, 3}} {
		d := newDataset(c.records)
		if len(d.pages[0]) != c.pages || d.changes != c.changes {
			t.Errorf("%d records: got %d pages and %d changes, want %d and %d", c.records, len(d.pages[0]), d.changes, c.pages, c.changes)
		}
		last := d.page(0, c.pages)
		if !bytes.Contains(last, []byte(`"has_next":false`)) {
			t.Errorf("%d records: the last page promises more", c.records)
		}
	}
}

func TestRun_unknown(t *testing.T) {
	if err := measureAll(t.Context(), []string{"flor"}, io.Discard, time.Now); err == nil {
		t.Error("got no error for an unknown word")
	}
}
