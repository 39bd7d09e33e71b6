//go:build !linux

package state_test

import (
	"os"
	"testing"
)

// ordinary skips where permissions do not bind the user.
func ordinary(t *testing.T, _ string) {
	t.Helper()
	if os.Geteuid() <= 0 {
		t.Skip("no user here whom permissions bind")
	}
}
