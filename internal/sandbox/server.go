package sandbox

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// The paths of the vendor that are served.
const (
	PathShops        = "/open/shops/query"
	PathInitToken    = "/openWeb/auth/getInitToken"
	PathAccessToken  = "/openWeb/auth/accessToken"
	PathRefreshToken = "/openWeb/auth/refreshToken"
)

// maxCalls is how many answered calls are remembered.
const maxCalls = 1 << 16

// Server is the local Jushuitan server, an http.Handler.
type Server struct {
	controls http.Handler

	mu     sync.Mutex
	opt    Options
	ids    []int64 // ascending; the keys of shops
	shops  map[int64]Shop
	calls  []Call
	after  map[int][]func(*Server)
	window window
	tokens tokens
	faults []Fault
	order  *rand.Rand // order of members and rows
	luck   *rand.Rand // probable faults
}

// Call is one call to a path of the vendor, as answered.
type Call struct {
	Path string `json:"path"`
	// PageIndex is the page asked for, 0 where none was read.
	PageIndex int `json:"page_index"`
	// ShopIDs is the number of shop_ids asked for.
	ShopIDs int `json:"shop_ids"`
	// Code is the code answered, -1 when the answer had none.
	Code int `json:"code"`
	// Status is the HTTP status, 0 when the connection was reset instead.
	Status int `json:"status"`
	// Fault is the misbehaviour applied, several joined with "+".
	Fault string    `json:"fault,omitempty"`
	At    time.Time `json:"at"`
}

// New makes a server. It panics when Options.Faults holds an invalid fault.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{
		opt:   o,
		ids:   generateIDs(o.Seed, o.FirstID, o.Shops),
		shops: make(map[int64]Shop, max(o.Shops, 0)),
		after: make(map[int][]func(*Server)),
		order: newRand(o.Seed, streamOrder),
		luck:  newRand(o.Seed, streamFaults),
	}
	for i, id := range s.ids {
		s.shops[id] = Shop{ID: id, Members: generateMembers(o.Seed, i, id)}
	}
	s.tokens = newTokens(o)
	if err := s.Inject(o.Faults...); err != nil {
		panic(fmt.Sprintf("sandbox: new server: %v", err))
	}
	s.controls = s.newControls()
	return s
}

// ServeHTTP answers a call of the vendor's API or of the control endpoint.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/_control") {
		s.controls.ServeHTTP(w, r)
		return
	}
	a := s.answer(w, r)
	for _, f := range a.after {
		f(s)
	}
	a.send(w, r)
}

// AfterPage runs f once, right after an ordinary query (one without shop_ids)
// for that page was answered with rows, and before its answer is on the wire:
// rows can shift between two pages of one scan. An answer replaced or damaged by
// a transmission fault does not run it.
func (s *Server) AfterPage(page int, f func(*Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.after[page] = append(s.after[page], f)
}

// Calls are the calls answered so far, oldest first; at least the last 32,768 are kept.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// ResetCalls forgets the calls.
func (s *Server) ResetCalls() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

// SetPretty turns white space between members on or off.
func (s *Server) SetPretty(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Pretty = on
}

// SetTable changes the error table spoken.
func (s *Server) SetTable(t ErrorTable) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Table = t
}

// SetRate changes the rate limits: 0 is the default, negative is no limit.
func (s *Server) SetRate(perSecond, perMinute int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.PerSecond, s.opt.PerMinute = rateDefaults(perSecond, perMinute)
}

// record remembers a call. The caller holds s.mu.
func (s *Server) record(c Call) {
	if len(s.calls) >= maxCalls {
		s.calls = slices.Delete(s.calls, 0, maxCalls/2)
	}
	s.calls = append(s.calls, c)
}
