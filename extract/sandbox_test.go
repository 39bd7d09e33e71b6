package extract_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"jstsync/diff"
	"jstsync/extract"
	"jstsync/internal/sandbox"
)

// vendor runs a sandbox whose clock is the reader's.
func vendor(t *testing.T, o sandbox.Options, change ...func(*extract.Options)) (*sandbox.Server, *extract.Shops) {
	t.Helper()
	var c *clock
	now := o.Now
	o.Now = func() time.Time {
		if now != nil {
			return now()
		}
		return c.Now()
	}
	c = newClock() // New reads the clock
	v := sandbox.New(o)
	srv := httptest.NewServer(v)
	t.Cleanup(srv.Close)
	s, own := reader(t, srv.URL, append([]func(*extract.Options){func(e *extract.Options) {
		e.AppKey, e.AppSecret, e.Token = "sandbox-key", "sandbox-secret", extract.StaticToken("sandbox-token")
	}}, change...)...)
	c = own
	return v, s
}

// inProcess hands calls to a handler and lets the answers take their time.
type inProcess struct {
	handler http.Handler
	latency time.Duration
}

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	p.handler.ServeHTTP(rec, r)
	time.Sleep(p.latency)
	return rec.Result(), nil
}

// 50,000 shops at the documented limits: within them, near the least possible
// time, and never refused.
func TestSandbox_limits(t *testing.T) {
	for _, latency := range []time.Duration{0, 150 * time.Millisecond, 700 * time.Millisecond} {
		t.Run(latency.String(), func(t *testing.T) { synctest.Test(t, func(t *testing.T) { limits(t, latency) }) })
	}
}

func limits(t *testing.T, latency time.Duration) {
	time.Sleep(1000 * 24 * time.Hour) // from 2000 to a time of ten digits
	v := sandbox.New(sandbox.Options{Seed: 1, Shops: 50_000})
	s, _ := reader(t, "http://sandbox", func(o *extract.Options) {
		o.AppKey, o.AppSecret, o.Token = "sandbox-key", "sandbox-secret", extract.StaticToken("sandbox-token")
		o.Transport = inProcess{v, latency}
		o.Now, o.Sleep = nil, nil
	})
	begin := time.Now()
	ids, info, err := scan(t, s, 50_000)
	if err != nil || len(ids) != 50_000 || info.Pages != 500 || info.Verdict != diff.Complete {
		t.Fatalf("got %d ids, %+v, %v", len(ids), info, err)
	}
	if took := time.Since(begin); took > 286*time.Second {
		t.Errorf("took %s, want at most 286 s", took)
	}
	var starts []time.Time
	for _, call := range v.Calls() {
		starts = append(starts, call.At)
		if call.Code != 0 {
			t.Errorf("got code %d", call.Code)
		}
	}
	if got := crowded(starts, time.Second); got > 5 {
		t.Errorf("%d calls in a second", got)
	}
	if got := crowded(starts, time.Minute); got > 100 {
		t.Errorf("%d calls in a minute", got)
	}
}

func TestSandbox_tables(t *testing.T) {
	for _, table := range []sandbox.ErrorTable{sandbox.TableA, sandbox.TableB} {
		_, s := vendor(t, sandbox.Options{Table: table}, func(o *extract.Options) { o.AppSecret = "wrong" })
		e := fails(t, s, diff.CodeSignature, 1)
		contains(t, "remedy", e.Remedy, "source.app_secret")

		far := func() time.Time { return newClock().Now().Add(time.Hour) }
		_, s = vendor(t, sandbox.Options{Table: table, Now: far})
		contains(t, "error", fails(t, s, diff.CodeClock, 1).Error(), "does not accept the time")

		v, s := vendor(t, sandbox.Options{Table: table})
		v.ExpireToken()
		contains(t, "error", fails(t, s, diff.CodeToken, 1).Error(), "does not accept the access token")
	}
}

// Whatever happens to pages on their way, a scan that says it is complete has
// every row.
func TestSandbox_faults(t *testing.T) {
	for kind, want := range map[sandbox.Kind]diff.Verdict{
		sandbox.KindReset: diff.Complete, sandbox.KindTruncate: diff.Complete,
		sandbox.KindWrongLength: diff.Complete, sandbox.KindGzip: diff.Complete,
		sandbox.KindPad: diff.Complete, sandbox.KindStatus: diff.Complete,
		sandbox.KindHTML: diff.Complete, sandbox.KindCode: diff.Complete,
		sandbox.KindRowsUnderShops: diff.Complete, sandbox.KindRowsOnTop: diff.Complete,
		sandbox.KindEmptyPage: diff.Unstable, sandbox.KindNullRows: diff.Unstable,
		sandbox.KindRepeatPage: diff.Unstable,
	} {
		for _, expect := range []int{0, 730} {
			t.Run(fmt.Sprintf("%s_%d", kind, expect), func(t *testing.T) {
				v, s := vendor(t, sandbox.Options{Seed: 1, Shops: 730, PerSecond: -1, PerMinute: -1})
				if err := v.Inject(sandbox.Fault{Kind: kind, Page: 3}); err != nil {
					t.Fatal(err)
				}
				ids, info, err := scan(t, s, expect)
				if err != nil || info.Verdict != want {
					t.Fatalf("got %+v, %v; want %s", info, err, want)
				}
				distinct := make(map[string]bool)
				for _, id := range ids {
					distinct[id] = true
				}
				if want == diff.Complete && (len(ids) != 730 || len(distinct) != 730) {
					t.Errorf("got %d rows, %d of them distinct, want 730", len(ids), len(distinct))
				}
			})
		}
	}
}

func TestSandbox_records(t *testing.T) {
	for _, kind := range []sandbox.Kind{sandbox.KindLoneSurrogate, sandbox.KindDuplicateMember} {
		v, s := vendor(t, sandbox.Options{Seed: 1, Shops: 5})
		if err := v.Inject(sandbox.Fault{Kind: kind, Row: 2}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Scan(t.Context(), 0, func(p diff.Page) error {
			for i, r := range p.Records {
				if wrong := r.Err != nil; wrong != (i == 2) {
					t.Errorf("%s: row %d: error %v", kind, i, r.Err)
				}
				if _, err := keyOf(&r); err != nil {
					t.Errorf("%s: row %d: %v", kind, i, err)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestSandbox_witness(t *testing.T) {
	for _, kind := range []sandbox.Kind{
		"", sandbox.KindIDsIgnored, sandbox.KindIDsClamped, sandbox.KindIDsExtra, sandbox.KindIDsEmpty,
		sandbox.KindHasNext, sandbox.KindBadKey, sandbox.KindNullRows,
	} {
		v, s := vendor(t, sandbox.Options{Seed: 1, Shops: 20})
		var ids []int64
		for _, shop := range v.Shops() {
			ids = append(ids, shop.ID)
		}
		v.Remove(ids[3])
		fault := sandbox.Fault{Kind: kind, Scope: sandbox.ScopeIDs}
		if kind == sandbox.KindBadKey {
			fault.Value = json.RawMessage(`"x"`)
		}
		if kind != "" {
			if err := v.Inject(fault); err != nil {
				t.Fatal(err)
			}
		}
		w, err := s.Witness(t.Context(), keys(t, ids[3], ids[4]), keys(t, ids[0])[0])
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		if kind == "" && (len(w.Gone) != 1 || len(w.Alive) != 1) {
			t.Errorf("got %+v", w)
		}
		if kind != "" && (len(w.Withheld) != 2 || len(w.Gone) != 0 || w.Reason == "") {
			t.Errorf("%s: got %+v", kind, w)
		}
	}
}
