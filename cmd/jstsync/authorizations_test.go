package main

import (
	"testing"
	"time"

	"jstsync/internal/config"
)

// The console reads the ends of authorisations where alerts do, whatever they
// are kept in.
func TestPages_expires(t *testing.T) {
	for _, columns := range [][]config.Column{
		nil,
		{{Name: "shop_id", From: "shop_id", Type: "BIGINT"}, {Name: "ends", From: "session_expired", Type: "VARCHAR(64)"}},
		{{Name: "shop_id", From: "shop_id", Type: "BIGINT"}, {Name: "ends", From: "session_expired", Type: "DATE"}},
	} {
		pl := config.Pipeline{Name: "shops", Resource: "shops", Table: "jst_shops", Key: []string{"shop_id"}, Columns: columns}
		p := (&program{}).newPages(&config.Settings{Pipelines: []config.Pipeline{pl}}, nil)
		want := "ends"
		if columns == nil {
			want = "session_expired"
		}
		if got := p.now.Load().shown.Pipelines[0].Expires; got != want {
			t.Errorf("%v: got column %q, want %q", columns, got, want)
		}
	}
}

func TestEndOf(t *testing.T) {
	for text, want := range map[string]string{
		"2028-06-09 16:15:28": "2028-06-09T08:15:28Z", "2028-06-09 16:15:28.123": "2028-06-09T08:15:28Z",
		"2028-06-09": "2028-06-08T16:00:00Z", "------永久授权------": "", "": "", "NULL": "",
	} {
		at, ok := endOf(text)
		if got := at.UTC().Format(time.RFC3339); ok != (want != "") || ok && got != want {
			t.Errorf("%q: got %s, %v, want %q", text, got, ok, want)
		}
	}
}
