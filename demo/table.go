package main

import (
	"context"
	"database/sql" //nolint:depguard // it reads the table as anybody would, not through the product
	"fmt"
	"strconv"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql" //nolint:depguard // for database/sql

	"jstsync/internal/sandbox"
)

// columns are the table's, in the order in which rows are compared.
var columns = [...]string{
	"shop_id", "shop_name", "co_id", "shop_site", "shop_url", "created", "nick", "session_expired",
	"session_expires_at", "session_uid", "short_name", "group_id", "group_name",
}

// null stands for NULL in a row of texts: no column holds a zero byte.
const null = "\x00"

// row is one row of the table as texts.
type row [len(columns)]string

// readTable reads the whole table over a connection of its own.
func (w *world) readTable(ctx context.Context) (result []row, err error) {
	db, err := sql.Open("mysql", w.target.dsn)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SELECT "+strings.Join(columns[:], ", ")+" FROM "+tableName+" ORDER BY shop_id")
	if err != nil {
		return nil, fmt.Errorf("read table %s: %w", tableName, err)
	}
	defer rows.Close()
	for rows.Next() {
		var values [len(columns)]sql.NullString
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("read table %s: %w", tableName, err)
		}
		var r row
		for i, v := range values {
			switch r[i] = v.String; {
			case !v.Valid:
				r[i] = null
			case isTime(columns[i]):
				r[i] = moment(v.String) // the engine leaves out a fraction that is zero
			}
		}
		result = append(result, r)
	}
	return result, rows.Err()
}

// wanted returns the row that a shop of the sandbox stands for. It is worked
// out here, not by the product's mapping.
func wanted(shop sandbox.Shop) row {
	var r row
	for i, name := range columns {
		member := name
		if name == "session_expires_at" {
			member = "session_expired"
		}
		text, ok := shop.Text(member)
		switch {
		case !ok:
			text = null
		case isTime(name):
			text = moment(text)
		}
		r[i] = text
	}
	return r
}

// isTime reports whether the column is a DATETIME(3).
func isTime(column string) bool { return column == "created" || column == "session_expires_at" }

// moment returns a time as a DATETIME(3) column gives it back, or null for a
// text that is none.
func moment(text string) string {
	t, err := time.Parse(time.DateTime, text)
	if err != nil {
		return null
	}
	return t.Format(time.DateTime + ".000")
}

// compare returns an error that names the first difference between the table
// and the sandbox's shops.
func compare(rows []row, shops []sandbox.Shop) error {
	for i, shop := range shops {
		want := wanted(shop)
		if i == len(rows) {
			return fmt.Errorf("the table lacks shop %s", want[0])
		}
		for c, got := range rows[i] {
			if got != want[c] {
				return fmt.Errorf("row %d of the table has %s %s, the sandbox's shop %s has %s",
					i+1, columns[c], show(got), want[0], show(want[c]))
			}
		}
	}
	if len(rows) > len(shops) {
		return fmt.Errorf("the table holds shop %s, the sandbox does not", rows[len(shops)][0])
	}
	return nil
}

func (w *world) readBack(ctx context.Context) error {
	w.heading("The table, read back over SQL")
	rows, err := w.readTable(ctx)
	if err != nil {
		return err
	}
	w.say("")
	w.table(rows, "shop_id", "shop_name", "group_name", "session_expires_at")
	if err := compare(rows, w.source.Shops()); err != nil {
		return err
	}
	w.say("\n%d rows of %d columns, compared value by value with the sandbox's shops: equal.", len(rows), len(columns))
	return nil
}

// restore gives the source its shops back, each exactly as it was.
func (w *world) restore(shops []sandbox.Shop) {
	for _, shop := range shops {
		w.source.Put(shop.ID, nil)
	}
	for i, shop := range w.source.Shops() {
		members := make(map[string]any, len(shops[i].Members))
		for name, raw := range shops[i].Members {
			members[name] = raw
		}
		for name := range shop.Members {
			if _, ok := members[name]; !ok {
				w.source.Unset(shop.ID, name)
			}
		}
		w.source.Put(shop.ID, members)
	}
}

// show makes a value fit to print: what is no plain character is escaped.
func show(value string) string {
	if value == null {
		return "NULL"
	}
	var b strings.Builder
	for _, r := range value {
		if r < ' ' || r == '\u007f' || r == '\u200b' || r == '\u00a0' {
			quoted := strconv.QuoteToASCII(string(r))
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}
