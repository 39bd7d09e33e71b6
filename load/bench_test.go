package load_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/go-sql-driver/mysql"

	"jstsync/diff"
	"jstsync/internal/mysqltest"
	"jstsync/load"
)

// wide is a table of the width of the shops.
func wide() *diff.Table {
	t := &diff.Table{Name: "wide", Key: []int{0}, Columns: []diff.Column{{Name: "id", Type: diff.Type{Base: diff.BigInt}, NotNull: true}}}
	for i := range 12 {
		t.Columns = append(t.Columns, diff.Column{Name: fmt.Sprint("c", i), Type: diff.Type{Base: diff.VarChar, Size: 255}})
	}
	return t
}

func wideRow(id int64, c string) diff.Row {
	r := diff.Row{diff.IntValue(id)}
	for i := range 12 {
		if i%4 == 3 {
			r = append(r, diff.Value{})
			continue
		}
		r = append(r, diff.TextValue(fmt.Sprintf("店铺 %s %d", c, i)))
	}
	return r
}

// send executes the changes in statements of n rows each, in one transaction.
func send(b *testing.B, conn *sql.Conn, s *load.Statements, op diff.Op, changes []diff.Change, n int) {
	b.Helper()
	exec := func(query string, args ...any) int64 {
		res, err := conn.ExecContext(context.Background(), query, args...)
		if err != nil {
			b.Fatal(err)
		}
		rows, _ := res.RowsAffected()
		return rows
	}
	exec("START TRANSACTION")
	for len(changes) > 0 {
		part := changes[:min(n, len(changes))]
		query, args := load.Build(s, op, part)
		if got := exec(query, args...); got != int64(len(part)) {
			b.Fatalf("%s matched %d of %d rows", op, got, len(part))
		}
		changes = changes[len(part):]
	}
	exec("COMMIT")
}

func benchConn(b *testing.B) *sql.Conn {
	b.Helper()
	cfg, err := mysql.ParseDSN(mysqltest.DSN(b))
	if err != nil {
		b.Fatal(err)
	}
	cfg.InterpolateParams, cfg.ClientFoundRows = true, true
	conn, err := mysqltest.DB(b, cfg.FormatDSN()).Conn(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	if _, err := conn.ExecContext(context.Background(), load.CreateTable(wide(), "")); err != nil {
		b.Fatal(err)
	}
	return conn
}

// BenchmarkStatements measures how many rows one statement should carry.
func BenchmarkStatements(b *testing.B) {
	const rows = 2000
	s := load.NewStatements(wide(), 1<<24)
	inserts := make([]diff.Change, 10*rows)
	for i := range inserts {
		r := wideRow(int64(i*3), "first")
		inserts[i] = diff.Change{Op: diff.Insert, After: r}
	}
	for _, n := range []int{20, 50, 100, 200, 500, 1000} {
		b.Run(fmt.Sprint("update/", n), func(b *testing.B) {
			conn := benchConn(b)
			send(b, conn, s, diff.Insert, inserts, 1000)
			round := 0
			for b.Loop() {
				b.StopTimer()
				round++
				changes := make([]diff.Change, rows)
				for i := range changes {
					changes[i] = diff.Change{Op: diff.Update, After: wideRow(int64(i*30), strings.Repeat("n", round%7+1))}
				}
				b.StartTimer()
				send(b, conn, s, diff.Update, changes, n)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/rows, "µs/row")
		})
	}
	for _, n := range []int{50, 200, 500, 1000, 2000} {
		b.Run(fmt.Sprint("insert/", n), func(b *testing.B) {
			conn := benchConn(b)
			for b.Loop() {
				b.StopTimer()
				if _, err := conn.ExecContext(context.Background(), "TRUNCATE TABLE wide"); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
				send(b, conn, s, diff.Insert, inserts[:rows], n)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/rows, "µs/row")
		})
	}
}
