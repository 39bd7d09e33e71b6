package state_test

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"jstsync/state"
)

// What was raised outlives compaction and trimming; without a file nothing is
// made and nothing kept.
func TestStoreAlerts(t *testing.T) {
	now := func() time.Time { return start }
	w := inTemp(t)
	if err := state.StoreAlerts(w.path, []byte("a"), now); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want to be told that there is no file", err)
	}
	if _, err := os.Stat(w.path); err == nil {
		t.Error("a state file was made")
	}
	if got, err := state.Alerts(w.path); err != nil || got != nil {
		t.Errorf("without a file: got %q, %v", got, err)
	}
	w.commit(t, inserts(3), nil)
	if got, err := state.Alerts(w.path); err != nil || got != nil {
		t.Errorf("before any: got %q, %v", got, err)
	}
	for _, book := range []string{"first", "second"} {
		if err := state.StoreAlerts(w.path, []byte(book), now); err != nil {
			t.Fatal(err)
		}
	}
	if err := state.Trim(w.path, start.Add(time.Hour), 0, 1); err != nil {
		t.Fatal(err)
	}
	if got, err := state.Alerts(w.path); err != nil || string(got) != "second" {
		t.Errorf("got %q, %v, want the second", got, err)
	}
}
