package load_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"jstsync/diff"
	"jstsync/load"
)

func openError(t *testing.T, dsn string) *diff.Error {
	t.Helper()
	_, err := load.Open(dsn, pipeline, shops(), slog.New(slog.DiscardHandler))
	e, ok := errors.AsType[*diff.Error](err)
	if !ok || e.Code != diff.CodeConfig || e.Remedy == "" {
		t.Fatalf("Open(%q): got %v, want an error of code config with a remedy", dsn, err)
	}
	return e
}

func TestOpen_RefusedParameters(t *testing.T) {
	for _, param := range []string{
		"parseTime=true", "loc=Asia%2FShanghai", "clientFoundRows=true", "multiStatements=true",
		"interpolateParams=false", "sql_mode=%27%27", "time_zone=%27%2B08%3A00%27", // set by the product
		"maxAllowedPacket=1", "rejectReadOnly=true", "columnsWithAlias=true", "allowAllFiles=true", "compress=true",
		"collation=utf8mb4_bin", "timeTruncate=1s", "checkConnLiveness=false", "wait_timeout=1", "ParseTime=1", "charset=latin1",
	} {
		name, _, _ := strings.Cut(param, "=")
		for _, dsn := range []string{"u:s3cret@tcp(h:3306)/db?" + param, "u:s3cret@tcp(h:3306)/db?tls=true&" + param + "&timeout=1s"} {
			e := openError(t, dsn)
			if !strings.Contains(e.Message, name) || !strings.Contains(e.Remedy, name) {
				t.Errorf("%s: got %q (%s), want it named", dsn, e.Message, e.Remedy)
			}
		}
	}
	for _, query := range []string{"", "?tls=skip-verify", "?timeout=1s&readTimeout=2s&writeTimeout=3s", "?charset=utf8mb4", "?allowNativePasswords=false"} {
		if _, err := load.Open("u:p@tcp(h:3306)/db"+query, pipeline, shops(), slog.New(slog.DiscardHandler)); err != nil {
			t.Errorf("%s: got %v, want no error", query, err)
		}
	}
}

// All that is wrong is found at once.
func TestCheckDSN(t *testing.T) {
	for _, tt := range []struct{ dsn, want string }{
		{"u:p@tcp(h:3306)/db?tls=true&timeout=1s", ""},
		{"u:p@tcp(h:3306)/?loc=Local&timeout=5&x=1&tls=maybe&charset=gbk&p%2F=1", "names no database|sets loc, which jstsync sets itself|" +
			"has a value of timeout that cannot be used|sets x, which jstsync does not take|has a value of tls that cannot be used|" +
			"sets a charset other than utf8mb4, which jstsync always uses|has a parameter whose name is none"},
		{"u:p@h?loc=Local", "is not a MySQL DSN: missing the slash separating the database name"},
		{"mysql://u:p@h/db?loc=Local", "is not a MySQL DSN"},
	} {
		var got []string
		for _, wrong := range load.CheckDSN(tt.dsn) {
			if got = append(got, wrong.Message); wrong.Remedy == "" || wrong.Code != diff.CodeConfig {
				t.Errorf("got %+v, want a remedy", wrong)
			}
		}
		if got := strings.Join(got, "|"); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.dsn, got, tt.want)
		}
	}
}

// CheckDSN finds nothing exactly where Open takes the DSN, and shows no password.
func FuzzCheckDSN(f *testing.F) {
	for _, dsn := range []string{"u:p@tcp(h:3306)/db", "/d?timeout=1", "u:a/b?c=d", "u:p@unix(/s)/d?tls=own&loc=", "@/d?&", "u@tcp([::1]:3306)/d%2", "a?b/c?tls=%zz"} {
		f.Add(dsn)
	}
	f.Fuzz(func(t *testing.T, dsn string) {
		mistakes := load.CheckDSN(dsn)
		_, err := load.Open(dsn, pipeline, shops(), slog.New(slog.DiscardHandler))
		if (err == nil) != (len(mistakes) == 0) {
			t.Fatalf("%q: Open gives %v, CheckDSN %v", dsn, err, mistakes)
		}
		for _, wrong := range mistakes {
			if strings.ContainsAny(wrong.Message+wrong.Remedy, "\x00\n\r") {
				t.Errorf("%q: got a message that is no line: %+v", dsn, wrong)
			}
		}
	})
}

// However the DSN is spoilt, no part of its password is shown.
func TestOpen_NoPasswordShown(t *testing.T) {
	for _, dsn := range []string{
		"", "u", "u:s3cret", "u:s3cret@host", "u:s3cret@host/db", "u:s3cret@host:3306/db", "u:s3cret/db", "s3cret/db", "u:s3cret@/",
		"u:s3cret@tcp(h:3306/db", "u:s3cret@tcp(h:3306)", "u:s3cret@tcp(h:3306)/", "u:s3cret@tcp(h)/db%zz", "u:x/s3cret%zz", "u:/s3cret%@tcp(h)/%",
		"u:s3cret@tcp(h)/db?parseTime=maybe", "u:s3cret@tcp(h)/db?loc=Nowhere", "u:s3cret@tcp(h)/db?loc=Asia/Shanghai", "u:s3cret@tcp(h)/db?tls=own",
		"u:s3cret@tcp(h)/db?timeout=1", "u:s3cret@tcp(h)/db?serverPubKey=k", "u:s3cret@tcp(h)/db?parseTime=1", "mysql://u:s3cret@h:3306/db",
		"mysql://u:s3cret@tcp(h:3306)/db?a=b", "u:a/b?s3cret=1", "u:a/s3cret?x",
	} {
		e := openError(t, dsn)
		if strings.Contains(e.Error()+e.Remedy, "s3cret") {
			t.Errorf("%s: got %q (%s), which shows the password", dsn, e.Error(), e.Remedy)
		}
		if !strings.Contains(e.Error(), "target.dsn (MYSQL_DSN)") {
			t.Errorf("%s: got %q, want the setting named", dsn, e.Error())
		}
	}
}
