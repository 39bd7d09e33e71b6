package extract_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/sandbox"
)

// replayed returns a reader that knows nothing but a recording.
func replayed(t *testing.T, dir string) *extract.Shops {
	t.Helper()
	p, err := extract.OpenReplay(dir, "shops")
	if err != nil {
		t.Fatal(err)
	}
	s, err := extract.NewShops(extract.Options{
		Replay: p, ID: keyOf,
		Sleep: func(context.Context, time.Duration) error { t.Error("a replay waits"); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// told is all that a reader tells of a run: at most two readings of all pages,
// and a question by id.
type told struct {
	IDs     []string
	Info    [2]diff.ScanInfo
	Witness diff.Witness
	Errs    []string
	Calls   []diff.Call
}

func tell(t *testing.T, s *extract.Shops, expect int, ask []diff.Key) told {
	t.Helper()
	var got told
	note := func(err error) {
		if err != nil {
			e, _ := errors.AsType[*diff.Error](err)
			got.Errs = append(got.Errs, fmt.Sprintf("%v %s", err, e.Remedy))
		}
	}
	for i := range got.Info {
		ids, info, err := scan(t, s, expect)
		got.IDs, got.Info[i] = append(got.IDs, ids...), info
		note(err)
		if err != nil || info.Verdict == diff.Complete {
			break
		}
	}
	var err error
	got.Witness, err = s.Witness(t.Context(), ask[1:], ask[0])
	note(err)
	got.Calls = s.Calls()
	for i := range got.Calls {
		c := &got.Calls[i]
		c.At = c.At.UTC().Round(0)
		if c.Err == context.Canceled.Error() || strings.HasSuffix(c.Err, "was stopped here") {
			c.Err = "nobody waited for it"
		}
	}
	slices.SortFunc(got.Calls, func(a, b diff.Call) int { // how they ended is the wire's affair
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return got
}

// diverge shows where two tales part.
func diverge(got, want told) string {
	g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want)
	i := 0
	for i < min(len(g), len(w)) && g[i] == w[i] {
		i++
	}
	return fmt.Sprintf("…%s\nwant …%s", g[max(0, i-200):min(len(g), i+200)], w[max(0, i-200):min(len(w), i+200)])
}

// uneven lets calls take times of their own.
type uneven struct{ http.RoundTripper }

func (u uneven) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(time.Duration(rand.IntN(800)) * time.Microsecond)
	return u.RoundTripper.RoundTrip(r)
}

// Whatever happened to a run, its replay tells the same: the rows, the
// verdicts, the errors, and every attempt.
func TestReplay_same(t *testing.T) {
	kinds := []sandbox.Kind{
		sandbox.KindReset, sandbox.KindTruncate, sandbox.KindWrongLength, sandbox.KindGzip, sandbox.KindStatus,
		sandbox.KindHTML, sandbox.KindCode, sandbox.KindHasNext, sandbox.KindEmptyPage, sandbox.KindShortPage,
		sandbox.KindRepeatPage, sandbox.KindDuplicateID, sandbox.KindNullRows, sandbox.KindRowsUnderShops,
		sandbox.KindClampPage, sandbox.KindIDsExtra, sandbox.KindBadKey, sandbox.KindLoneSurrogate,
		sandbox.KindDuplicateMember, sandbox.KindExpireToken,
	}
	for seed := range uint64(60) {
		dir := t.TempDir()
		rng := rand.New(rand.NewPCG(seed, 1))
		v, s := vendor(t, sandbox.Options{Seed: seed, Shops: 120, PerSecond: -1, PerMinute: -1}, recordTo(dir, nil),
			func(o *extract.Options) {
				o.PageSize, o.PerSecond, o.PerMinute, o.MaxAttempts = 10, 1e6, 1e6, 3
				o.Transport = uneven{http.DefaultTransport}
			})
		for range rng.IntN(6) {
			kind := kinds[rng.IntN(len(kinds))]
			if err := v.Inject(sandbox.Fault{Kind: kind, Probability: 0.15, Times: 1 + rng.IntN(4)}); err != nil {
				t.Fatal(err)
			}
		}
		ask := keys(t, 1, 2)
		for i, shop := range v.Shops()[:2] {
			ask[i] = keys(t, shop.ID)[0]
		}
		expect := rng.IntN(300) // more than there are: pages are fetched in vain, and given up
		want := tell(t, s, expect, ask)
		s.Close()
		for range 3 {
			if got := tell(t, replayed(t, dir), expect, ask); !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d: got %s", seed, diverge(got, want))
			}
		}
	}
}

// What the first of two readings gave up before it was asked for is not
// answered with what the second one got.
func TestReplay_givenUp(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		var second atomic.Bool
		s, _ := serve(t, func(w http.ResponseWriter, a ask) {
			if a.page == 2 && !second.Load() { // the first page again, and it is the last
				fmt.Fprint(w, page(2, 2, false, shop(1), shop(2)))
				return
			}
			list(7)(w, a)
		}, recordTo(dir, nil), func(o *extract.Options) {
			o.PageSize, o.Ahead, o.PerSecond, o.PerMinute = 2, 2, 1, 1000
			pass := o.Sleep
			o.Sleep = func(ctx context.Context, d time.Duration) error {
				if !second.Load() {
					select {
					case <-ctx.Done():
					case <-time.After(20 * time.Millisecond):
					}
				}
				return pass(ctx, d)
			}
		})
		read := func(s *extract.Shops) (ids []string, n int) {
			for i := range 2 {
				second.Store(i == 1)
				more, _, err := scan(t, s, 7)
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, more...)
			}
			return ids, len(s.Calls())
		}
		want, calls := read(s)
		s.Close()
		if got, n := read(replayed(t, dir)); !slices.Equal(got, want) || n != calls {
			t.Fatalf("got %v in %d calls, want %v in %d", got, n, want, calls)
		}
	}
}

func TestReplay_failures(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter, a ask)
		change func(*extract.Options)
	}{
		"slow": {
			func(_ http.ResponseWriter, _ ask) { time.Sleep(30 * time.Millisecond) },
			func(o *extract.Options) { o.Timeout = 5 * time.Millisecond },
		},
		"not there": {nil, func(o *extract.Options) { o.BaseURL.Host = "127.0.0.1:1" }},
		"not TLS":   {nil, func(o *extract.Options) { o.BaseURL.Scheme = "https" }},
		"clock": {func(w http.ResponseWriter, _ ask) {
			w.Header().Set("Date", "Sun, 22 Nov 2026 13:00:00 GMT")
			fmt.Fprint(w, `{"code":180,"msg":"timestamp"}`)
		}, nil},
		"redirected": {func(w http.ResponseWriter, _ ask) {
			w.Header().Set("Location", "https://elsewhere/x")
			w.WriteHeader(http.StatusFound)
		}, nil},
		"too large": {func(w http.ResponseWriter, _ ask) {
			_, _ = w.Write(make([]byte, extract.MaxBody+1))
		}, nil},
		"out of time": {
			func(w http.ResponseWriter, _ ask) {
				w.Header().Set("Retry-After", "40")
				w.WriteHeader(http.StatusTooManyRequests)
			},
			func(o *extract.Options) { o.MaxElapsed = time.Minute },
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			change := func(o *extract.Options) {
				if recordTo(dir, nil)(o); tt.change != nil {
					tt.change(o)
				}
			}
			s, _ := serve(t, tt.answer, change)
			want := tell(t, s, 0, keys(t, 1, 2))
			if len(want.Errs) != 2 {
				t.Fatalf("got %v", want.Errs)
			}
			s.Close()
			if got := tell(t, replayed(t, dir), 0, keys(t, 1, 2)); !reflect.DeepEqual(got, want) {
				t.Errorf("got %s", diverge(got, want))
			}
		})
	}
}

// A call that was not recorded is an error that names it, not an empty answer.
func TestReplay_notRecorded(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, list(5), recordTo(dir, nil), func(o *extract.Options) { o.PageSize = 2 })
	if _, _, err := scan(t, s, 0); err != nil {
		t.Fatal(err)
	}
	s.Close()
	r := replayed(t, dir)
	_, err := r.Witness(t.Context(), keys(t, 3), keys(t, 1)[0])
	if !errors.Is(err, extract.ErrNotRecorded) {
		t.Fatalf("got %v", err)
	}
	contains(t, "error", err.Error(), `find /open/shops/query {"page_index":1,"page_size":2,"shop_ids":[3,1]} in `)
	if n := len(r.Calls()); n != 0 {
		t.Errorf("got %d calls, want none", n)
	}
	if _, _, err := scan(t, r, 0); err != nil {
		t.Error(err)
	}
	if _, _, err := scan(t, r, 0); !errors.Is(err, extract.ErrNotRecorded) {
		t.Errorf("a second scan: got %v", err)
	}
}

// What a crash leaves is replayed as far as it goes.
func TestReplay_prefix(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, list(5), recordTo(dir, nil), func(o *extract.Options) { o.PageSize = 2 })
	if _, _, err := scan(t, s, 0); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "20261122T120000.000Z-shops")
	index := filepath.Join(run, "index.jsonl")
	text, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(index, text[:len(text)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	r := replayed(t, run)
	ids, _, err := scan(t, r, 0)
	if len(ids) != 4 || !errors.Is(err, extract.ErrNotRecorded) {
		t.Errorf("got %v, %v", ids, err)
	}
	if err := os.Remove(filepath.Join(run, "000002.body")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := scan(t, replayed(t, run), 0); err == nil || !strings.Contains(err.Error(), "000002.body") {
		t.Errorf("got %v", err)
	}
}

// A replay stops when it is told to.
func TestReplay_cancelled(t *testing.T) {
	dir := t.TempDir()
	s, _ := serve(t, list(5), recordTo(dir, nil), func(o *extract.Options) { o.PageSize = 2 })
	if _, _, err := scan(t, s, 0); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := replayed(t, dir).Scan(ctx, 0, func(diff.Page) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOpenReplay(t *testing.T) {
	dir := t.TempDir()
	write := func(run string, lines ...string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir, run), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, run, "index.jsonl"), []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	head := func(format int, of string) string {
		return fmt.Sprintf(`{"recording":%d,"pipeline":%q,"base_url":"http://x","page_size":2,"timeout":"1s","max_elapsed":"1s"}`, format, of)
	}
	const one = `{"path":"/open/shops/query","biz":"{\"page_index\":1,\"page_size\":2}","attempt":1,"status":200,"file":"../000001.body"}`
	write("20261122T120000.000Z-shops", head(1, "shops"), one)
	write("20261122T130000.000Z-shops", head(1, "shops")) // it holds nothing
	write("20261122T140000.000Z-other", head(1, "other"), one)
	write("20261122T150000.000Z-newer", head(2, "newer"), one)
	write("20261122T160000.000Z-bad", head(1, "bad"), one, "{")
	write("20261122T170000.000Z-size", strings.Replace(head(1, "size"), `"page_size":2`, `"page_size":-2`, 1), one)
	write("20261122T180000.000Z-time", strings.Replace(head(1, "time"), "1s", "soon", 1), one)
	write("20261122T190000.000Z-none", "{}")
	for _, tt := range []struct{ dir, pipeline, want string }{
		{"", "shops", ""},
		{"20261122T120000.000Z-shops", "shops", ""},
		{"20261122T140000.000Z-other", "shops", "is a recording of pipeline other, not of shops"},
		{"", "absent", "holds no recording of pipeline absent"},
		{"nosuch", "shops", "no such file"},
		{"", "newer", "a newer jstsync made it"},
		{"", "bad", "index.jsonl: line 3: "},
		{"", "size", "page_size -2 is not between 1 and 100"},
		{"", "time", "invalid duration"},
		{"", "none", "it is not the index of a recording"},
	} {
		_, err := extract.OpenReplay(filepath.Join(dir, tt.dir), tt.pipeline)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s of %s: got %v, want %q", tt.dir, tt.pipeline, err, tt.want)
		}
	}
	if _, _, err := scan(t, replayed(t, dir), 0); err == nil || !errors.Is(err, extract.ErrNotRecorded) {
		t.Errorf("got %v", err) // the entry is of no scan
	}
	write("20261122T200000.000Z-shops", head(1, "shops"), strings.Replace(one, "{", `{"scan":1,`, 1))
	if _, _, err := scan(t, replayed(t, dir), 0); err == nil || !strings.Contains(err.Error(), "is not the name of an answer") {
		t.Errorf("got %v", err)
	}
	if got := extract.RecordedPipeline(filepath.Join(dir, "20261122T140000.000Z-other")); got != "other" {
		t.Errorf("got %q", got)
	}
	if got := extract.RecordedPipeline(dir); got != "" {
		t.Errorf("got %q", got)
	}
}
