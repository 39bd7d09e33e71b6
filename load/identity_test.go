package load_test

import (
	"log/slog"
	"testing"

	"jstsync/diff"
	"jstsync/load"
)

func TestTarget_Identity(t *testing.T) {
	table := &diff.Table{Name: "jst_shops"}
	for dsn, want := range map[string]string{
		"u:s3cret@tcp(DB.example.com)/bi?tls=true": "db.example.com:3306/bi/jst_shops",
		"tcp(127.0.0.1:3307)/bi":                   "127.0.0.1:3307/bi/jst_shops",
		"u:s3cret@tcp([::1]:3306)/bi":              "[::1]:3306/bi/jst_shops",
		"u:s3cret@unix(/run/My.sock)/bi":           "/run/My.sock/bi/jst_shops",
	} {
		target, err := load.Open(dsn, "shops", table, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		if got := target.Identity(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
