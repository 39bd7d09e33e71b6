package console_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"jstsync/internal/console"
	"jstsync/internal/consoletest"
)

// Fifty readers turn pages while runs commit: every page is whole, every run is
// on record in the end, and none waits for readers longer than for a few of
// their sections. How long runs took is told, not judged.
func TestReaders(t *testing.T) {
	const readers, runs = 50, 60
	w := consoletest.New(t)
	at := w.Now.Add(-24 * time.Hour)
	w.Load("shops", 400, at)
	alone := commits(w, at, runs)

	s := httptest.NewServer(console.New(w.Options(t.Context())))
	t.Cleanup(s.Close)
	ctx, stop := context.WithCancel(t.Context())
	var served, busy atomic.Int64
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				switch status, body := read(ctx, s.URL+walkPages(n)); {
				case ctx.Err() != nil:
				case status == http.StatusServiceUnavailable:
					busy.Add(1)
				case status != http.StatusOK || !strings.HasSuffix(body, "</html>\n"):
					t.Errorf("%s: got status %d, %d bytes", walkPages(n), status, len(body))
				default:
					served.Add(1)
				}
			}
		})
	}
	beside := commits(w, at.Add(12*time.Hour), runs)
	for end := time.Now().Add(time.Minute); served.Load() < readers && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		continue // on a slow machine runs are through before everyone had a page
	}
	stop()
	all.Wait()
	if status, body := read(t.Context(), s.URL+"/runs"); status != http.StatusOK || !strings.Contains(body, fmt.Sprintf(`href="/runs/%d"`, 1+2*runs)) {
		t.Errorf("the last run is not on record: %d", status)
	}
	if served.Load() < readers {
		t.Errorf("%d readers got %d pages, and %d times to wait", readers, served.Load(), busy.Load())
	}
	t.Logf("%d pages, %d refusals; a commit took %v alone and %v beside %d readers, at the median", served.Load(), busy.Load(), median(alone), median(beside), readers)
}

// walkPages is a page of the n-th kind.
func walkPages(n int) string {
	paths := []string{
		"/", "/runs", "/changes", "/table", "/api", "/quarantine", "/record?key=" + consoletest.Shop,
		fmt.Sprintf("/runs/%d", n%60+1), fmt.Sprintf("/changes?since=%d", n%60+1), fmt.Sprintf("/compare?a=%d&b=60", n%60+1), fmt.Sprintf("/table?at=%d", n%60+1),
	}
	return paths[n%len(paths)]
}

func read(ctx context.Context, address string) (status int, body string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return 0, ""
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text)
}

// commits makes runs and returns how long each took.
func commits(w *consoletest.World, at time.Time, n int) (took []time.Duration) {
	for i := range n {
		began := time.Now()
		w.Rename("shops", 3, at.Add(time.Duration(i)*time.Minute), "改名")
		took = append(took, time.Since(began))
	}
	return took
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2].Round(10 * time.Microsecond)
}
