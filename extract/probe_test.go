package extract_test

import (
	"net/http"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/extract"
)

// One call, whatever it is answered; and the clock is read off every answer.
func TestShops_Probe(t *testing.T) {
	const ok = `{"code":0,"data":{"datas":[{"shop_id":1}],"page_index":1,"page_size":1,"has_next":true}}`
	now := newClock().Now()
	for _, test := range []struct {
		name  string
		body  string
		date  time.Time // zero: none is sent
		ahead time.Duration
		code  diff.Code // "" for a success
	}{
		{"success", ok, now, 0, ""},
		{"the header's rounding", ok, now.Add(-2 * time.Second), 0, ""},
		{"ahead", ok, now.Add(-20 * time.Minute), 20 * time.Minute, ""},
		{"behind", `{"code":180,"msg":"timestamp"}`, now.Add(20 * time.Minute), -20 * time.Minute, diff.CodeClock},
		{"an expired token is not renewed", `{"code":100,"msg":"access_token已过期"}`, now, 0, diff.CodeToken},
		{"a rate limit is not waited for", `{"code":199,"msg":"调用频次超过限制"}`, now, 0, diff.CodeRateLimited},
		{"no JSON", `<html>`, time.Time{}, 0, diff.CodeBadAnswer},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			s, c := serve(t, func(w http.ResponseWriter, a ask) {
				calls++
				if a.page != 1 || a.size != 1 {
					t.Errorf("got page %d of %d, want page 1 of 1", a.page, a.size)
				}
				w.Header()["Date"] = nil
				if !test.date.IsZero() {
					w.Header().Set("Date", test.date.Format(http.TimeFormat))
				}
				_, _ = w.Write([]byte(test.body))
			})
			p, err := s.Probe(t.Context())
			if got := codeOf(err); got != test.code || calls != 1 || len(c.slept) > 0 || len(s.Calls()) != 1 {
				t.Errorf("got %v of code %q, %d calls, slept %v, want code %q and one call", err, got, calls, c.slept, test.code)
			}
			if want := (extract.Probe{Ahead: test.ahead, Dated: !test.date.IsZero()}); p != want {
				t.Errorf("got %+v, want %+v", p, want)
			}
		})
	}
}

func codeOf(err error) diff.Code {
	if err == nil {
		return ""
	}
	return diff.CodeOf(err)
}
