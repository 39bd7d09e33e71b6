package report_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/internal/report"
)

func TestText_Runs(t *testing.T) {
	var b bytes.Buffer
	if err := (report.Text{}).Runs(&b, runs()); err != nil {
		t.Fatal(err)
	}
	golden(t, "runs.txt", b.Bytes())
	b.Reset()
	if err := (report.Text{}).Runs(&b, nil); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), "RUN  PIPELINE  STARTED  STATUS  READ  INSERT  UPDATE  DELETE  CALLS  TOOK\n"; got != want {
		t.Errorf("of none: got %q, want %q", got, want)
	}
}

func TestText_RunDetail(t *testing.T) {
	var b bytes.Buffer
	for i := range runs() {
		if err := (report.Text{}).RunDetail(&b, &runs()[i]); err != nil {
			t.Fatal(err)
		}
		b.WriteString("\n")
	}
	golden(t, "run-detail.txt", b.Bytes())
	if strings.ContainsAny(b.String(), "\x1b\r") {
		t.Errorf("control characters in %q", b.String())
	}
}

func TestRunsCSV(t *testing.T) {
	for _, tt := range []struct {
		name  string
		excel bool
	}{{"runs.csv", false}, {"runs-excel.csv", true}} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := report.RunsCSV(&b, runs(), tt.excel); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name, b.Bytes())
			text, bom := strings.CutPrefix(b.String(), "\ufeff")
			if bom != tt.excel {
				t.Errorf("byte order mark: got %t, want %t", bom, tt.excel)
			}
			if got := strings.Count(text, "\n") == strings.Count(text, "\r\n"); got != tt.excel {
				t.Errorf("every line ends in CRLF: got %t, want %t", got, tt.excel)
			}
			rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
			if err != nil || len(rows) != 1+len(runs()) || len(rows[0]) != len(rows[1]) {
				t.Fatalf("got %d rows, %v", len(rows), err)
			}
			if got, want := strings.TrimPrefix(rows[1][0], "'"), "9007199254740993"; got != want || tt.excel != (got != rows[1][0]) {
				t.Errorf("run: got %s, want %s", got, want)
			}
		})
	}
}

func TestRunsCSV_Formulas(t *testing.T) {
	for _, text := range []string{"=1+1", "+1", "-1", "-1+2", "@SUM(A1)", "\t=1", "plain", "", "a=1", "中"} {
		run := []diff.Run{{Run: 1, Error: text}}
		for _, excel := range []bool{true, false} {
			var b bytes.Buffer
			if err := report.RunsCSV(&b, run, excel); err != nil {
				t.Fatal(err)
			}
			rows, err := csv.NewReader(&b).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			want := text
			if excel && text != "" && strings.Contains("=+-@\t", text[:1]) && text != "-1" {
				want = "'" + text
			}
			if got := rows[1][len(rows[1])-1]; got != want {
				t.Errorf("%q, excel %t: got %q, want %q", text, excel, got, want)
			}
		}
	}
}

// What a spreadsheet would change stays the text that it is.
func TestAudit_excel(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+86": "'+86", "@x": "'@x", "-2+3": "'-2+3", "-25": "-25", "店=铺": "店=铺",
		"1234567890123456": "'1234567890123456", "123456789012345": "123456789012345", "007": "'007", "0": "0", "-0012": "'-0012",
	} {
		var b strings.Builder
		a := report.NewAudit(&b, "csv", report.AuditOptions{Excel: true})
		if err := errors.Join(a.Row([]string{"name"}, diff.Row{diff.TextValue(in)}), a.Close()); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); got != "\uFEFFname\r\n"+want+"\r\n" {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
