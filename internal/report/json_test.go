package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/report"
)

func planJSON(t testing.TB, p *diff.Plan) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.PlanJSON(&b, p); err != nil {
		t.Fatal(err)
	}
	line, ok := strings.CutSuffix(b.String(), "\n")
	if !ok || strings.ContainsAny(line, "\n\r") || !json.Valid([]byte(line)) {
		t.Fatalf("got %q, want one JSON object on one line", b.String())
	}
	return line
}

// The shape in design/1-product.md, byte for byte.
func TestPlanJSON(t *testing.T) {
	table := shops()
	table.Columns = table.Columns[:2]
	name := func(id int64, s string) diff.Row { return diff.Row{diff.IntValue(id), diff.TextValue(s)} }
	p := planOf(t, table,
		[2]diff.Row{nil, name(10394540, "新")},
		[2]diff.Row{name(10394533, "旧"), name(10394533, "新")},
		[2]diff.Row{name(10394999, ""), nil})
	p.Summary = diff.Summary{Read: 1204, Pages: 13, Calls: 14, Unchanged: 1195, Insert: 3, Update: 5, Delete: 1}
	digest := strings.Repeat("00", 32)
	const (
		summary = `"summary":{"read":1204,"pages":13,"calls":14,"unchanged":1195,"insert":3,"update":5,"delete":1,"kept":0,"quarantined":0,"foreign":0},`
		nothing = `"withheld":{"count":0,"reason":"","keys":[]},`
		unheld  = `"guard":{"tripped":false,"kind":"","limit":0,"count":0,"first_keys":[]},`
		changes = `"changes":[` +
			`{"op":"update","key":"10394533","fields":[{"name":"shop_name","before":"旧","after":"新"}]},` +
			`{"op":"insert","key":"10394540","after":{"shop_id":10394540,"shop_name":"新"}},` +
			`{"op":"delete","key":"10394999","before":{"shop_id":10394999,"shop_name":""}}]}`
	)
	head := `{"format":1,"pipeline":"shops","status":"planned","base_seq":12,"digest":"` + digest + `","scan":"complete",`
	one := diff.Key("\x01\x80\x00\x00\x00\x00\x00\x00\x01")
	for _, tt := range []struct {
		name string
		edit func(*diff.Plan)
		want string
	}{
		{"planned", func(*diff.Plan) {}, head + summary + nothing + unheld + changes},
		{"committed", func(p *diff.Plan) {
			p.Status, p.Run = diff.Committed, 13
			p.CommittedAt = time.Date(2026, 11, 22, 18, 0, 0, 123_999_999, time.FixedZone("", 8*3600))
		}, strings.Replace(head, `"planned",`, `"committed","run":13,"committed_at":"2026-11-22T10:00:00.123Z",`, 1) + summary + nothing + unheld + changes},
		{
			"withheld", func(p *diff.Plan) { p.Withheld = diff.Withheld{Keys: []diff.Key{one}, Reason: "why"} },
			head + summary + `"withheld":{"count":1,"reason":"why","keys":["1"]},` + unheld + changes,
		},
		{"held", func(p *diff.Plan) {
			p.Status = diff.Held
			p.Guard = diff.GuardVerdict{Tripped: true, Kind: "update", Limit: 20, Percent: 50, Count: 80, Rows: 100}
		}, strings.Replace(head, "planned", "held", 1) + summary + nothing + `"guard":{"tripped":true,"kind":"update","limit":20,"count":80,"first_keys":["10394533"]},` + changes},
		{"failed", func(p *diff.Plan) {
			p.Status, p.Scan.Verdict = diff.Failed, diff.Partial
			p.Err = fmt.Errorf("run: %w", &diff.Error{Code: diff.CodeBusy, Message: "locked", Remedy: "wait", Err: errors.New("cause")})
		}, strings.NewReplacer("planned", "failed", "complete", "partial").Replace(head) + summary + nothing + unheld +
			`"error":{"code":"busy","message":"run: locked: cause","remedy":"wait"},` + changes},
		{
			"failed for no known reason", func(p *diff.Plan) { p.Err = errors.New("bad \xff byte") },
			head + summary + nothing + unheld + `"error":{"code":"failed","message":"bad ` + "\ufffd" + ` byte","remedy":""},` + changes,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := *p
			tt.edit(&p)
			if got := planJSON(t, &p); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

func TestPlanJSON_Values(t *testing.T) {
	p := planOf(t, shops(), [2]diff.Row{nil, shop(-9223372036854775808, hard[:len(hard)-1]+"<&>"+family, "2026-11-22 18:00:00.000", "-", 9007199254740993)})
	want := `{"op":"insert","key":"-9223372036854775808","after":{"shop_id":-9223372036854775808,` +
		`"shop_name":"\u001b[2J` + rlo + `abc` + csi + `1A\r\n\t\u0000` + "\x7f" + ls + `\"\\<&>` + family + `",` +
		`"created":"2026-11-22 18:00:00.000","shop_url":null,"group_id":9007199254740993}}]}`
	if got := planJSON(t, p); !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant it to end in\n%s", got, want)
	}
}

func TestPlanJSON_FirstKeys(t *testing.T) {
	var got struct {
		Guard struct {
			FirstKeys []string `json:"first_keys"`
		}
		Changes []struct{ Key string }
	}
	if err := json.Unmarshal([]byte(planJSON(t, held(t))), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Guard.FirstKeys) != 10 || got.Guard.FirstKeys[9] != "10394509" || len(got.Changes) != 29 {
		t.Errorf("got %d first keys of %d changes, want 10 of 29: %v", len(got.Guard.FirstKeys), len(got.Changes), got.Guard.FirstKeys)
	}
}

func TestPlanJSON_OneALine(t *testing.T) {
	var b bytes.Buffer
	for range 2 {
		if err := report.PlanJSON(&b, mixed(t)); err != nil {
			t.Fatal(err)
		}
	}
	// A plan that failed before there was a table.
	if err := report.PlanJSON(&b, &diff.Plan{Pipeline: "other", Status: diff.Failed, Changes: diff.NewChangeSet(nil), Err: errors.New("x")}); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(b.String(), "\n"); got != 3 {
		t.Errorf("got %d lines, want 3", got)
	}
}

func TestRunsJSON(t *testing.T) {
	var b bytes.Buffer
	if err := report.RunsJSON(&b, runs()); err != nil {
		t.Fatal(err)
	}
	golden(t, "runs.json", b.Bytes())
	for line := range strings.Lines(b.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}
