package e2e_test

import (
	"net/http/httptest"
	"testing"

	"jstsync/internal/console"
	"jstsync/internal/consoletest"
)

// showing serves the console of a world.
func showing(t *testing.T, w *consoletest.World) string {
	t.Helper()
	s := httptest.NewServer(console.New(w.Options(t.Context())))
	t.Cleanup(s.Close)
	return s.URL
}
