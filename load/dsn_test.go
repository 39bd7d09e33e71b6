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
