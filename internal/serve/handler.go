package serve

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"jstsync/internal/request"
)

// Handler answers requests: GET /metrics, /healthz and /readyz; POST /pause and
// /resume, for every pipeline or the one that ?pipeline= names. The rest is for
// the pages.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.asked(s.metrics))
	mux.Handle("POST /pause", s.asked(s.steer("paused", s.scheduler.Pause)))
	mux.Handle("POST /resume", s.asked(s.steer("resumed", s.scheduler.Resume)))
	if s.pages != nil {
		mux.Handle("/", s.pages)
	} else {
		mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
			s.refuse(w, r, http.StatusNotFound, "there is no such page")
		})
	}
	return s.guarded(http.MaxBytesHandler(mux, bodyBytes))
}

// guarded refuses what no honest client sends, before anything looks at it.
func (s *Server) guarded(next http.Handler) http.Handler {
	others := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case r.URL.Path != path.Clean(r.URL.Path) || strings.Contains(r.URL.Path, `\`):
			s.refuse(w, r, http.StatusNotFound, "the path is not plain")
		case others.Check(r) != nil:
			s.refuse(w, r, http.StatusForbidden, "the request comes from a page of another origin")
		case *s.token.Load() == "" && !request.Loopback(request.Host(r)):
			s.refuse(w, r, http.StatusMisdirectedRequest, "without a token only this machine's own names are answered to")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// asked lets only requests through that bring the token, if there is one. A
// request from another address than this machine's needs one in any case.
func (s *Server) asked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := *s.token.Load(); token == "" && request.Loopback(request.From(r)) || token != "" && request.Same(request.Bearer(r), token) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="jstsync"`)
		s.refuse(w, r, http.StatusUnauthorized, "the token is missing or wrong")
	})
}

func (s *Server) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	s.log.note(why, "from", r.RemoteAddr, "method", r.Method, "path", request.Clip(r.URL.Path), "status", status)
	http.Error(w, why, status)
}

// health says that the process answers.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) { say(w, "ok") }

// ready says whether every pipeline that is not paused has ended a run since
// the start, well or not, and the process is not about to end.
func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	jobs := s.scheduler.Jobs()
	waiting := s.ending.Load() || len(jobs) == 0 // before the scheduler has begun
	for _, job := range jobs {
		waiting = waiting || job.Runs == 0 && !job.Paused
	}
	if waiting {
		w.WriteHeader(http.StatusServiceUnavailable)
		say(w, "not ready")
		return
	}
	say(w, "ready")
}

// steer pauses or resumes the pipelines that the request names.
func (s *Server) steer(done string, act func(string) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var all []string
		for _, job := range s.scheduler.Jobs() {
			all = append(all, job.Name)
		}
		names := r.URL.Query()["pipeline"]
		if len(names) == 0 {
			names = all
		}
		if slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(all, name) }) {
			s.refuse(w, r, http.StatusNotFound, "there is no such pipeline")
			return
		}
		for _, name := range names {
			act(name)
			s.log.log.Info(done, "pipeline", name, "from", r.RemoteAddr)
			say(w, name+" "+done)
		}
	})
}

func say(w io.Writer, line string) { _, _ = fmt.Fprintln(w, line) }
