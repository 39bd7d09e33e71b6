package load_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"jstsync/internal/mysqltest"
	"jstsync/load"
)

func TestLiterals(t *testing.T) {
	for _, tt := range []struct {
		query string
		args  []any
		want  string
		left  int // arguments left to the driver
	}{
		{"SELECT 1", nil, "SELECT 1", 0},
		{"SELECT ?, ? FROM t", []any{int64(-7), nil}, "SELECT -7, NULL FROM t", 0},
		{"SELECT ?, ?", []any{"?", `it's "\`}, `SELECT '?', 'it\'s \"\\'`, 0},
		{"SELECT ?", []any{"\x00\n\r\x1a\t中😀"}, `SELECT '\0\n\r\Z` + "\t中😀'", 0},
		{"SELECT ?, ?", []any{int64(1), 1.5}, "SELECT ?, ?", 2},
		{"SELECT ?", []any{[]byte("a")}, "SELECT ?", 1},
		{"SELECT `?`, ?", []any{int64(1)}, "SELECT `?`, ?", 1},
	} {
		got, left := load.Literals(tt.query, tt.args)
		if got != tt.want || len(left) != tt.left {
			t.Errorf("%s %q: got %s %v, want %s", tt.query, tt.args, got, left, tt.want)
		}
	}
}

// What is written as a literal is what a server reads.
func TestLiterals_Server(t *testing.T) {
	db := mysqltest.DB(t, mysqltest.DSN(t))
	conn, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(context.Background(), "SET NAMES utf8mb4, sql_mode = 'STRICT_ALL_TABLES'"); err != nil {
		t.Fatal(err)
	}
	text := rapid.StringOf(rapid.OneOf(rapid.SampledFrom([]rune("\x00\n\r\x1a'\"\\%_?`中😀")), rapid.Rune()))
	rapid.Check(t, func(t *rapid.T) {
		want, n := text.Draw(t, "text"), rapid.Int64().Draw(t, "n")
		query, left := load.Literals("SELECT HEX(CONVERT(? USING utf8mb4)), ?, ?", []any{want, n, nil})
		if len(left) > 0 {
			t.Fatalf("left %v", left)
		}
		var hex string
		var number int64
		var none sql.NullString
		if err := conn.QueryRowContext(context.Background(), query).Scan(&hex, &number, &none); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if hex != fmt.Sprintf("%X", want) || number != n || none.Valid {
			t.Fatalf("got %s %d %v, want %X %d NULL", hex, number, none, want, n)
		}
	})
}
