package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
)

// maxControl limits the body of a control call, in bytes.
const maxControl = 16 << 20

// newControls is the handler of the control endpoint; the package comment lists
// its calls.
func (s *Server) newControls() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, f func(*http.Request) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			out, err := f(r)
			writeControl(w, out, err)
		})
	}
	handle("GET /_control/shops", s.controlShops)
	handle("DELETE /_control/shops", s.controlKeep)
	handle("PUT /_control/shops/{id}", s.controlPut)
	handle("DELETE /_control/shops/{id}", s.controlDrop)
	handle("POST /_control/after-page/{n}", s.controlAfterPage)
	handle("GET /_control/calls", func(*http.Request) (any, error) { return s.callsJSON(), nil })
	handle("DELETE /_control/calls", func(*http.Request) (any, error) { s.ResetCalls(); return nil, nil })
	handle("POST /_control/expire-token", func(*http.Request) (any, error) { s.ExpireToken(); return nil, nil })
	handle("GET /_control/options", func(*http.Request) (any, error) { return s.settings(), nil })
	handle("PUT /_control/options", s.controlOptions)
	handle("GET /_control/faults", func(*http.Request) (any, error) { return s.faultsJSON(), nil })
	handle("POST /_control/faults", s.controlInject)
	handle("DELETE /_control/faults", func(*http.Request) (any, error) { s.ClearFaults(); return nil, nil })
	handle("/", func(r *http.Request) (any, error) {
		return nil, refusal{http.StatusNotFound, fmt.Sprintf("no control call %s %s", r.Method, r.URL.Path)}
	})
	return localOnly(mux)
}

// localOnly refuses other machines, and web pages that make a browser call.
func localOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		ip := net.ParseIP(host)
		if err != nil || ip == nil || !ip.IsLoopback() {
			writeControl(w, nil, refusal{http.StatusForbidden, "the control endpoint answers loopback peers only"})
			return
		}
		if err := http.NewCrossOriginProtection().Check(r); err != nil {
			writeControl(w, nil, refusal{http.StatusForbidden, err.Error()})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxControl)
		next.ServeHTTP(w, r)
	})
}

// refusal is an answer with a 4xx status.
type refusal struct {
	status int
	msg    string
}

func (e refusal) Error() string { return e.msg }

func badRequest(format string, args ...any) error {
	return refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func writeControl(w http.ResponseWriter, out any, err error) {
	status := http.StatusOK
	if out == nil {
		out = struct{}{}
	}
	if err != nil {
		status = http.StatusBadRequest
		if r := (refusal{}); errors.As(err, &r) {
			status = r.status
		}
		out = map[string]string{"error": err.Error()}
	}
	body, ok := out.([]byte)
	if !ok {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(out) // maps, strings and numbers of ours
		body = buf.Bytes()
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// decode reads the body of a control call strictly.
func decode(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return badRequest("read body: %v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badRequest("read body: more than one value")
	}
	return nil
}

func (s *Server) controlShops(*http.Request) (any, error) {
	shops := s.Shops()
	out := []byte(`{"shops":[`)
	for i, shop := range shops {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '\n')
		out = appendObject(out, shop.row(), false)
	}
	return append(out, "]}\n"...), nil
}

func (s *Server) controlKeep(r *http.Request) (any, error) {
	n, err := strconv.Atoi(r.URL.Query().Get("keep"))
	if err != nil || n < 0 || len(r.URL.Query()) != 1 {
		return nil, badRequest("?keep=N with N of 0 or more is needed, and nothing else")
	}
	s.Keep(n)
	return nil, nil
}

func shopID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, badRequest("read shop_id %q: not a whole number", r.PathValue("id"))
	}
	return id, nil
}

func (s *Server) controlPut(r *http.Request) (any, error) {
	id, err := shopID(r)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := decode(r, &members); err != nil {
		return nil, err
	}
	s.putRaw(id, members)
	return nil, nil
}

func (s *Server) controlDrop(r *http.Request) (any, error) {
	id, err := shopID(r)
	if err != nil {
		return nil, err
	}
	if !s.has(id) {
		return nil, refusal{http.StatusNotFound, fmt.Sprintf("no shop %d", id)}
	}
	args := r.URL.Query()
	names := args.Get("members")
	args.Del("members")
	switch {
	case len(args) > 0:
		return nil, badRequest("?members=a,b is the only parameter known")
	case names != "":
		s.Unset(id, strings.Split(names, ",")...)
	default:
		s.Remove(id)
	}
	return nil, nil
}

func (s *Server) has(id int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.shops[id]
	return ok
}

// edit is a change of the data.
type edit struct {
	Put    map[int64]map[string]json.RawMessage `json:"put"`
	Unset  map[int64][]string                   `json:"unset"`
	Remove []int64                              `json:"remove"`
	Keep   *int                                 `json:"keep"`
}

func (e edit) apply(s *Server) {
	for id, members := range e.Put {
		s.putRaw(id, members)
	}
	for id, names := range e.Unset {
		s.Unset(id, names...)
	}
	s.Remove(e.Remove...)
	if e.Keep != nil {
		s.Keep(*e.Keep)
	}
}

func (s *Server) controlAfterPage(r *http.Request) (any, error) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 1 {
		return nil, badRequest("read page %q: not a whole number of 1 or more", r.PathValue("n"))
	}
	var e edit
	if err := decode(r, &e); err != nil {
		return nil, err
	}
	if e.Keep != nil && *e.Keep < 0 {
		return nil, badRequest("keep is negative")
	}
	s.AfterPage(n, e.apply)
	return nil, nil
}

func (s *Server) callsJSON() any {
	calls := s.Calls()
	if calls == nil {
		calls = []Call{}
	}
	return map[string]any{"calls": calls}
}

func (s *Server) faultsJSON() any {
	faults := s.Faults()
	if faults == nil {
		faults = []Fault{}
	}
	return map[string]any{"faults": faults}
}

func (s *Server) controlInject(r *http.Request) (any, error) {
	var f Fault
	if err := decode(r, &f); err != nil {
		return nil, err
	}
	return nil, s.Inject(f)
}
