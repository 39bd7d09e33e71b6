package state_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"jstsync/diff"
	"jstsync/state"
)

// Calls come back as they were put on record, whatever they hold.
func TestCalls_RoundTrip(t *testing.T) {
	text := rapid.SampledFrom([]string{
		"", "a", "aa", "aba", "/open/shops/query", "/open/shops/query2", `{"page_index":2,"page_size":100}`, `{"page_index":12,"page_size":100}`,
		"店铺", "店", "\x00\xff", "接口调用频率超限",
	})
	number := rapid.SampledFrom([]int{0, 1, 2, 100, 199, 200, -5, 1 << 40})
	rapid.Check(t, func(t *rapid.T) {
		var calls []diff.Call
		for range rapid.IntRange(1, 6).Draw(t, "calls") {
			calls = append(calls, diff.Call{
				Path: text.Draw(t, "path"), Params: text.Draw(t, "params"), Message: text.Draw(t, "msg"), Err: text.Draw(t, "err"), Body: text.Draw(t, "body"),
				Page: number.Draw(t, "page"), Attempt: number.Draw(t, "attempt"), Status: number.Draw(t, "status"), Code: number.Draw(t, "code"),
				Bytes: int64(number.Draw(t, "bytes")), Duration: time.Duration(number.Draw(t, "dur")) * time.Microsecond,
				At: time.UnixMilli(int64(number.Draw(t, "at"))).UTC(),
			})
		}
		encoded := state.EncodeCalls(calls)
		var got []diff.Call
		if err := state.DecodeCalls(encoded, &got); err != nil || !slices.Equal(got, calls) {
			t.Fatalf("got %+v, %v, want %+v", got, err, calls)
		}
		cut := rapid.IntRange(1, len(encoded)).Draw(t, "cut")
		_ = state.DecodeCalls(encoded[:cut], &got) // whatever it says, it says it
	})
}

// An ordinary call of a poll costs few bytes.
func TestCalls_Size(t *testing.T) {
	var calls []diff.Call
	for page := range 13 {
		calls = append(calls, diff.Call{
			Path: "/open/shops/query", Params: `{"page_index":` + string(rune('1'+page%9)) + `,"page_size":100}`, Page: page + 1, Attempt: 1,
			At: start.Add(time.Duration(page*200) * time.Millisecond), Duration: 123456 * time.Microsecond, Status: 200, Bytes: int64(31234 + 17*page),
		})
	}
	if got := len(state.EncodeCalls(calls)); got > 13*20 {
		t.Errorf("13 calls take %d bytes, want at most 20 each", got)
	}
}
