package planfile_test

import (
	"bytes"
	"testing"

	"jstsync/diff"
	"jstsync/internal/planfile"
)

// FuzzRead reads whatever there is: a plan, or an error, never a panic.
func FuzzRead(f *testing.F) {
	f.Add(encoded(f, fullPlan()))
	f.Fuzz(func(t *testing.T, file []byte) { roundTrip(t, file) })
}

// FuzzBody reads whatever stands behind a right checksum.
func FuzzBody(f *testing.F) {
	f.Add(body(f, encoded(f, fullPlan())))
	f.Fuzz(func(t *testing.T, body []byte) { roundTrip(t, planfile.Seal(body)) })
}

// roundTrip checks that what can be read can be written, and is then the same.
func roundTrip(t *testing.T, file []byte) {
	saved, err := planfile.Decode(file)
	if err != nil {
		if diff.CodeOf(err) != diff.CodePlanFile {
			t.Errorf("got %v, want a code", err)
		}
		return
	}
	once := encoded(t, saved)
	again, err := planfile.Decode(once)
	if err != nil {
		t.Fatalf("read what was written: %v", err)
	}
	if !bytes.Equal(encoded(t, again), once) {
		t.Error("a plan changed on the way")
	}
}
