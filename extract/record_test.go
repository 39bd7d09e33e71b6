package extract_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
)

// recordTo makes a reader record, and log into the buffer.
func recordTo(dir string, log *bytes.Buffer) func(*extract.Options) {
	return func(o *extract.Options) {
		o.Record = &extract.Record{Dir: dir, Pipeline: "shops"}
		if log != nil {
			o.Logger = slog.New(slog.NewTextHandler(log, nil))
		}
	}
}

// files returns the content of every file under dir by its path in it.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	content := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if want := map[bool]os.FileMode{true: 0o700, false: 0o600}[d.IsDir()]; path != dir && info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		if d.IsDir() {
			return nil
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		content[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestRecord_layout(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "for it")
	failed := false
	s, c := serve(t, func(w http.ResponseWriter, a ask) {
		w.Header().Set("Date", "Sun, 22 Nov 2026 12:00:00 GMT")
		if a.page == 2 && !failed {
			failed = true
			w.Header().Set("Retry-After", "3")
			w.Header().Set("X-Other", "x")
			http.Error(w, "wait", http.StatusTooManyRequests)
			return
		}
		list(3)(w, a)
	}, recordTo(dir, nil), func(o *extract.Options) { o.PageSize = 2 })
	begun := c.Now()
	if _, _, err := scan(t, s, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Witness(t.Context(), keys(t, 9), keys(t, 1)[0]); err != nil {
		t.Fatal(err)
	}
	s.Close()
	got := files(t, dir)
	const run = "20261122T120000.000Z-shops/"
	if want := page(1, 2, true, shop(1), shop(2)); got[run+"000001.body"] != want {
		t.Errorf("got body %s, want %s", got[run+"000001.body"], want)
	}
	if len(got) != 5 || got[run+"000002.body"] != "wait\n" {
		t.Errorf("got %d files, %q", len(got), got[run+"000002.body"])
	}
	lines := strings.Split(strings.TrimSuffix(got[run+"index.jsonl"], "\n"), "\n")
	if len(lines) != 5 || !strings.HasPrefix(lines[0], `{"recording":1,"pipeline":"shops","started":"2026-11-22T12:00:00Z","base_url":"http://127.0.0.1:`) {
		t.Fatalf("got %d lines, the first %s", len(lines), lines[0])
	}
	at := begun.Format(time.RFC3339)
	if want := `{"seq":2,"scan":1,"path":"/open/shops/query","biz":"{\"page_index\":2,\"page_size\":2}","page":2,"attempt":1,"at":"` + at +
		`","ended":"` + at + `","status":429,"header":{"Content-Type":"text/plain; charset=utf-8","Date":"Sun, 22 Nov 2026 12:00:00 GMT","Retry-After":"3"},"file":"000002.body"}`; lines[2] != want {
		t.Errorf("got  %s\nwant %s", lines[2], want)
	}
	if !strings.Contains(lines[4], `"biz":"{\"page_index\":1,\"page_size\":2,\"shop_ids\":[9,1]}","attempt":1`) {
		t.Errorf("got %s", lines[4])
	}
}

func TestRecord_masksSecrets(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, func(w http.ResponseWriter, a ask) {
		w.Header().Set("Content-Type", "text/html; token="+testToken)
		w.Header().Set("Location", "https://elsewhere/"+testToken)
		w.WriteHeader(http.StatusFound)
		quoted, _ := json.Marshal(testToken)
		fmt.Fprintf(w, "<p>%s %s %s %s %s", testSecret, a.form.Get("sign"), a.form.Encode(), quoted, url.PathEscape(testToken))
		fmt.Fprintf(w, "%s t0ken%%2fof%%2bthe%%3dmerchant t0ken/of&#43;the=merchant %s", strings.ReplaceAll(testToken, "/", `\/`), testToken[:15])
	}, recordTo(dir, nil))
	e := fails(t, s, diff.CodeBadAnswer, 1)
	s.Close()
	all := e.Error() + e.Remedy
	for _, text := range files(t, dir) {
		all += text
	}
	for _, secret := range []string{testSecret, "t0ken", "merchant"} {
		if strings.Contains(all, secret) {
			t.Errorf("%s is in %s", secret, all)
		}
	}
	if !strings.Contains(all, `"masked":true`) || !strings.Contains(all, "app_key=key") || strings.Contains(all, "sign=") && !strings.Contains(all, "sign=***") {
		t.Errorf("got %s", all)
	}
	if !strings.Contains(all, `"Location":"https://elsewhere"`) {
		t.Errorf("got %s", all)
	}
}

// A recording that cannot be begun is an error before any call.
func TestRecord_cannotBegin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	base, _ := url.Parse("http://127.0.0.1:1")
	o := extract.Options{BaseURL: base, AppKey: "key", AppSecret: testSecret, Token: extract.StaticToken(testToken), Now: newClock().Now}
	recordTo(filepath.Join(file, "below"), nil)(&o)
	_, err := extract.NewShops(o)
	if diff.CodeOf(err) != diff.CodeFailed {
		t.Fatalf("got %v", err)
	}
	contains(t, "error", err.Error(), "begin a recording in "+file)
	contains(t, "error", err.Error(), "not a directory")
}

// One that cannot go on costs the run nothing but a warning.
func TestRecord_cannotGoOn(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	s, _ := serve(t, func(w http.ResponseWriter, a ask) {
		if a.page == 2 {
			if err := os.RemoveAll(filepath.Join(dir, "20261122T120000.000Z-shops")); err != nil {
				t.Error(err)
			}
		}
		list(9)(w, a)
	}, recordTo(dir, &log), func(o *extract.Options) { o.PageSize = 2 })
	ids, info, err := scan(t, s, 0)
	if err != nil || len(ids) != 9 || info.Verdict != diff.Complete {
		t.Fatalf("got %v, %+v, %v", ids, info, err)
	}
	if got := strings.Count(log.String(), "no longer recorded; the run goes on"); got != 1 {
		t.Errorf("got %d warnings, want 1:\n%s", got, log.String())
	}
}

// Only old recordings go, and of a directory that holds more than one, nothing.
func TestRecord_prune(t *testing.T) {
	dir := t.TempDir()
	const (
		index = "/index.jsonl"
		head  = `{"recording":1,"pipeline":"shops"}` + "\n"
		old   = "20261115T115959.999Z-shops"
	)
	outside := t.TempDir()
	for name, text := range map[string]string{
		old + index:                                   head,
		old + "/000001.body":                          "x",
		"20261114T000000.000Z-other" + index:          `{"recording":1,"pipeline":"other"}` + "\n",
		"20261101T000000.000Z-shops" + index:          "", // it crashed at once
		"20261115T120000.000Z-shops" + index:          head,
		"20261113T000000.000Z-shops" + index:          head,
		"20261113T000000.000Z-shops/notes.txt":        "mine",
		"20261112T000000.000Z-shops" + index:          head,
		"20261112T000000.000Z-shops/sub/000001.body":  "mine",
		"20261111T000000.000Z-shops" + index:          `{"other":1}` + "\n",
		"20261110T000000.000Z-shops/000001.body":      "no index",
		"20261109T000000.000Z-shops" + index + "/dir": "an index that is none",
		"20261108-shops" + index:                      head,
		"20261107T000000.000Z-shops":                  "a file",
		"shops" + index:                               head,
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(outside, "index.jsonl"), []byte(head), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "20261106T000000.000Z-shops")); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadDir(dir)
	s, _ := serve(t, list(1), recordTo(dir, nil))
	s.Close() // it made no call, so nothing is left of it
	gone := map[string]bool{}
	for _, d := range before {
		if _, err := os.Lstat(filepath.Join(dir, d.Name())); err != nil {
			gone[d.Name()] = true
		}
	}
	if len(gone) != 3 || !gone[old] || !gone["20261114T000000.000Z-other"] || !gone["20261101T000000.000Z-shops"] {
		t.Errorf("removed %v", gone)
	}
	if after, _ := os.ReadDir(dir); len(after) != len(before)-3 {
		t.Errorf("got %d entries, want %d", len(after), len(before)-3)
	}
	if len(files(t, outside)) != 1 {
		t.Error("a link was followed")
	}
}

// Runs that begin at once do not share a directory.
func TestRecord_sameTime(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		s, _ := serve(t, list(1), recordTo(dir, nil))
		if _, _, err := scan(t, s, 0); err != nil {
			t.Fatal(err)
		}
	}
	if got, _ := os.ReadDir(dir); len(got) != 3 || got[2].Name() != "20261122T120000.002Z-shops" {
		t.Errorf("got %v", got)
	}
}
