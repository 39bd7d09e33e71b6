package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strconv"
	"sync/atomic"
)

// pathShops is where the vendor answers shop queries.
const pathShops = "/open/shops/query"

// pageServer answers shop queries with bodies rendered beforehand. It verifies
// nothing.
type pageServer struct {
	data  *dataset
	shown atomic.Pointer[shown]
	calls atomic.Int64
}

// shown is the version that is served.
type shown struct {
	version version
	pages   [][]byte
}

func (s *pageServer) show(v version) { s.shown.Store(&shown{v, s.data.pages(v)}) }

// serve runs a page server on a free port of the loopback interface until in
// ends, and says on out where it is and what it holds.
func serve(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	records := flags.Int("records", 0, "how many records")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s := &pageServer{data: newDataset(*records)}
	s.show(asLoaded)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathShops, s.query)
	mux.HandleFunc("POST /bench/version/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.show(version(n))
		runtime.GC() // now, not while something is measured
		fmt.Fprintln(w, s.data.differences(version(n)))
	})
	mux.HandleFunc("POST /bench/calls", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, s.calls.Swap(0))
	})
	server := &http.Server{Handler: mux} //nolint:gosec // its clients are known
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends when it is closed
	}()
	about := served{URL: "http://" + listener.Addr().String()}
	for _, page := range s.shown.Load().pages {
		about.Pages++
		about.Bytes += len(page)
	}
	if err := json.NewEncoder(out).Encode(about); err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, in) // ends when whoever started it ends
	_ = server.Close()
	<-done
	return nil
}

// served is what a page server says of itself.
type served struct {
	URL   string
	Pages int // as loaded
	Bytes int // of all pages
}

func (s *pageServer) query(w http.ResponseWriter, r *http.Request) {
	s.calls.Add(1)
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	form, err := url.ParseQuery(string(text))
	var biz struct {
		PageIndex int     `json:"page_index"`
		ShopIDs   []int64 `json:"shop_ids"`
	}
	if err == nil {
		err = json.Unmarshal([]byte(form.Get("biz")), &biz)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	now := s.shown.Load()
	answer := body(nil, biz.PageIndex, false)
	switch {
	case len(biz.ShopIDs) > 0:
		answer = s.data.byID(now.version, biz.ShopIDs)
	case biz.PageIndex >= 1 && biz.PageIndex <= len(now.pages):
		answer = now.pages[biz.PageIndex-1]
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	_, _ = w.Write(answer) // a client that went away is its own affair
}
