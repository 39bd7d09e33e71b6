package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"jstsync/internal/report"
	"jstsync/internal/sandbox"
)

// open returns a world that writes into the buffer.
func open(t *testing.T) (*world, *bytes.Buffer) {
	t.Helper()
	out := &bytes.Buffer{}
	w, err := openWorld(out, report.Text{Limit: 8}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(w.dir); !os.IsNotExist(err) {
			t.Errorf("directory %s is left behind", w.dir)
		}
	})
	return w, out
}

func TestStory(t *testing.T) {
	w, out := open(t)
	if err := w.tell(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text := out.String()
	t.Run("essential lines", func(t *testing.T) {
		rest := text
		for _, line := range []string{
			"shops  30 read in 3 pages · 30 insert · 0 update · 0 delete · 0 unchanged",
			"shops  30 read in 3 pages · unchanged",
			"API calls: 3. MySQL connections opened: 0.",
			"$ jstsync plan",
			"shops  30 read in 3 pages · 1 insert · 3 update · 1 delete · 26 unchanged",
			"$ jstsync sync",
			"  held: 24 of 30 rows to delete is over the limit of 5 and of 10 %;",
			"The command ends with exit code 3: held. MySQL was not connected to, and the",
			"shops  30 read in 3 pages · 0 insert · 1 update · 0 delete · 29 unchanged",
			"30 rows of 13 columns, compared value by value with the sandbox's shops: equal.",
			"$ jstsync runs",
			"RUN  AT (UTC)",
			"    export MYSQL_DSN='user:password@tcp(host:3306)/database'",
		} {
			_, after, ok := strings.Cut(rest, line)
			if !ok {
				t.Fatalf("no line %q after what came before it, in:\n%s", line, text)
			}
			rest = after
		}
	})
	t.Run("the table is the sandbox's shops", func(t *testing.T) {
		checkTable(t, text, w.source.Shops())
	})
	t.Run("fit for a pipe", func(t *testing.T) {
		if strings.Contains(text, "\x1b") {
			t.Error("there are escape codes in the text")
		}
	})
}

// checkTable checks that the table in the text has the names of the shops.
func checkTable(t *testing.T, text string, shops []sandbox.Shop) {
	t.Helper()
	var got []string
	_, table, _ := strings.Cut(text, "\nshop_id ")
	table, _, _ = strings.Cut(table, "\n\n")
	for _, line := range strings.Split(table, "\n")[1:] {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if len(got) != len(shops) {
		t.Fatalf("got %d lines, want %d", len(got), len(shops))
	}
	for i, shop := range shops {
		name, _ := shop.Text("shop_name")
		want := strings.Join(strings.Fields(fmt.Sprint(shop.ID, " ", show(name))), " ")
		if !strings.HasPrefix(got[i], want+" ") {
			t.Errorf("got line %q, want it to begin with %q", got[i], want)
		}
	}
}

func TestReadBack_difference(t *testing.T) {
	for _, damage := range []string{
		"UPDATE jst_shops SET group_name = 'x' WHERE shop_id = %d",
		"UPDATE jst_shops SET shop_url = NULL WHERE shop_url = ''",
		"DELETE FROM jst_shops WHERE shop_id = %d",
		"INSERT INTO jst_shops (shop_id) VALUES (99999999)",
	} {
		t.Run(damage, func(t *testing.T) {
			w, _ := open(t)
			if err := w.firstLoad(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := w.readBack(t.Context()); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(damage, "%d") {
				damage = fmt.Sprintf(damage, w.source.Shops()[9].ID)
			}
			execute(t, w.target.dsn, damage)
			if err := w.readBack(t.Context()); err == nil {
				t.Error("the difference went unnoticed")
			}
		})
	}
}

func execute(t *testing.T, dsn, query string) {
	t.Helper()
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

func TestRun_ended(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, &bytes.Buffer{}, report.Text{}, time.Now); err == nil {
		t.Error("got no error from a context that ended")
	}
}
