package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"jstsync/internal/report"
)

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	at := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	p := report.NewProgress(&out, 80, func() time.Time { return at })
	step := p.Stage("reading shops")
	shown := func() string {
		defer out.Reset()
		return out.String()
	}

	step(100, 1204)
	at = at.Add(900 * time.Millisecond)
	step(200, 1204)
	if got := shown(); got != "" {
		t.Errorf("before a second is over there is %q", got)
	}
	at = at.Add(200 * time.Millisecond)
	step(300, 1204)
	if got := shown(); !strings.Contains(got, "reading shops") || !strings.Contains(got, "(300/1204") || !strings.Contains(got, " 24% ") {
		t.Errorf("of 300 in 1,204 there is %q", got)
	}
	step(301, 1204)
	if got := shown(); got != "" {
		t.Errorf("at once again there is %q", got)
	}

	// A log line stands on a line of its own, and the bar comes back.
	if _, err := fmt.Fprintln(p, "a warning"); err != nil {
		t.Fatal(err)
	}
	lines := shown()
	if at := strings.LastIndex(lines, "\r"); at < 0 || lines[at+1:] != "a warning\n" {
		t.Errorf("a warning is written as %q", lines)
	}
	at = at.Add(time.Second)
	step(1300, 1204) // more than was guessed
	if got := shown(); !strings.Contains(got, "(1300/1300") {
		t.Errorf("of 1,300 in 1,204 there is %q", got)
	}
	p.End()
	if got := shown(); strings.Trim(got, "\r \x1b[K2") != "" || !strings.HasSuffix(got, "\r") {
		t.Errorf("at the end there is %q", got)
	}
	p.End()
	if got := shown(); got != "" {
		t.Errorf("after the end there is %q", got)
	}

	// Nobody knows how many.
	step = p.Stage("reading orders")
	step(1, 0)
	at = at.Add(2 * time.Second)
	step(500, 0)
	if got := shown(); !strings.Contains(got, "reading orders") || !strings.Contains(got, "500") || strings.Contains(got, "%") {
		t.Errorf("of 500 there is %q", got)
	}
	p.End()
}
