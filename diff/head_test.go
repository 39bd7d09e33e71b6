package diff_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
)

func TestID_Text(t *testing.T) {
	id := diff.ID{0: 0xab, 15: 0x01}
	want := "ab000000000000000000000000000001"
	if got := id.String(); got != want {
		t.Errorf("String: got %s, want %s", got, want)
	}
	var back diff.ID
	if err := back.UnmarshalText([]byte(want)); err != nil || back != id {
		t.Errorf("UnmarshalText: got %s, %v, want %s", back, err, want)
	}
	if id.IsZero() || !(diff.ID{}).IsZero() {
		t.Error("IsZero is wrong")
	}
	for _, bad := range []string{"", want[:31], want + "0", strings.Repeat("z", 32)} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("UnmarshalText(%q): got no error", bad)
		}
	}
}

func TestDigest_Text(t *testing.T) {
	d := diff.Digest{0: 0xff, 31: 0x10}
	want := "ff" + strings.Repeat("0", 60) + "10"
	if got := d.String(); got != want {
		t.Errorf("String: got %s, want %s", got, want)
	}
	text, err := d.MarshalText()
	if err != nil || string(text) != want {
		t.Errorf("MarshalText: got %s, %v, want %s", text, err, want)
	}
	var back diff.Digest
	if err := back.UnmarshalText(text); err != nil || back != d {
		t.Errorf("UnmarshalText: got %s, %v, want %s", back, err, d)
	}
	if err := back.UnmarshalText(text[2:]); err == nil {
		t.Error("UnmarshalText of 62 digits: got no error")
	}
}

func TestHead_Same(t *testing.T) {
	h := diff.Head{Instance: diff.ID{1}, Seq: 2, RunID: diff.ID{3}, Digest: diff.Digest{4}}
	for _, tt := range []struct {
		name string
		edit func(*diff.Head)
		want bool
	}{
		{"equal", func(*diff.Head) {}, true},
		{"instance", func(h *diff.Head) { h.Instance[15]++ }, false},
		{"seq", func(h *diff.Head) { h.Seq++ }, false},
		{"run", func(h *diff.Head) { h.RunID[15]++ }, false},
		{"digest alone", func(h *diff.Head) { h.Digest[0]++ }, true}, // an assertion elsewhere, never the decision
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := h
			tt.edit(&o)
			if h.Same(o) != tt.want || o.Same(h) != tt.want {
				t.Errorf("got %t, want %t", !tt.want, tt.want)
			}
		})
	}
	if h.IsEmpty() || !(diff.Head{Instance: diff.ID{1}}).IsEmpty() || (diff.Head{RunID: diff.ID{1}}).IsEmpty() || (diff.Head{Seq: 1}).IsEmpty() {
		t.Error("IsEmpty is wrong")
	}
}

// The intent stands in the state file as JSON, its number beyond 2^53 and its
// ids as digits.
func TestIntent_JSON(t *testing.T) {
	want := diff.Intent{
		Run: 1<<53 + 1, RunID: diff.ID{1}, Kind: "sync",
		From: diff.Checkpoint{
			Head:  diff.Head{Instance: diff.ID{2}, Seq: math.MaxUint64, RunID: diff.ID{3}, Digest: diff.Digest{4}},
			Epoch: math.MaxInt64, Target: "jst_shops",
		},
		Instance: diff.ID{2}, Digest: diff.Digest{5}, CommittedAt: time.Date(2026, 11, 22, 10, 0, 0, 123456000, time.UTC), Changes: 7,
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got diff.Intent
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if part := `"run_id":"01000000000000000000000000000000"`; !strings.Contains(string(text), part) {
		t.Errorf("%s does not contain %s", text, part)
	}
	if got, want := got.To(), (diff.Head{Instance: diff.ID{2}, Seq: 1<<53 + 1, RunID: diff.ID{1}, Digest: diff.Digest{5}}); got != want {
		t.Errorf("To: got %+v, want %+v", got, want)
	}
}

func TestError(t *testing.T) {
	cause := errors.New("cause")
	err := &diff.Error{Code: diff.CodeBusy, Message: "state.db is locked", Remedy: "wait", Err: cause}
	if got, want := err.Error(), "state.db is locked: cause"; got != want {
		t.Errorf("Error: got %q, want %q", got, want)
	}
	if got, want := (&diff.Error{Message: "alone"}).Error(), "alone"; got != want {
		t.Errorf("Error: got %q, want %q", got, want)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	for _, tt := range []struct {
		err  error
		want diff.Code
	}{
		{cause, diff.CodeFailed},
		{nil, diff.CodeFailed},
		{err, diff.CodeBusy},
		{fmt.Errorf("run: %w", err), diff.CodeBusy},
		{&diff.Error{Code: diff.CodeTarget, Err: err}, diff.CodeTarget},
	} {
		if got := diff.CodeOf(tt.err); got != tt.want {
			t.Errorf("CodeOf(%v): got %s, want %s", tt.err, got, tt.want)
		}
	}
}
