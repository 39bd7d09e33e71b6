package console

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"jstsync/diff"
	"jstsync/internal/lang"
	"jstsync/internal/request"
)

//go:embed web
var web embed.FS

// Console answers requests for pages. [New] makes one. Who serves it bounds the
// bodies of requests.
type Console struct {
	o        Options
	sessions *sessions
	memo     *memo
	tally    *tally
	expiring *expiring
	trial    *trial
	workshop *workshop
	pages    map[lang.Language]map[string]*template.Template
	assets   map[string]asset
	handler  http.Handler
}

// New returns a console.
func New(o Options) *Console {
	g := newGate(o.Reading, o.Now)
	c := &Console{
		o: o, sessions: newSessions(o.Now), memo: newMemo(g, o.Runs.Stamp), tally: newTally(o.Runs, g),
		workshop: newWorkshop(working(o.Scheduler), o.Now), assets: assets(),
	}
	c.expiring = &expiring{c: c, of: map[string]*expiry{}}
	c.trial = &trial{c: c}
	c.pages = map[lang.Language]map[string]*template.Template{}
	for _, l := range []lang.Language{lang.English, lang.Chinese} {
		c.pages[l] = c.parse(l)
	}
	c.handler = c.routes()
	return c
}

// working returns what tells whether a run is under way.
func working(s Scheduler) func() bool {
	return func() bool { return slices.ContainsFunc(s.Jobs(), func(j Job) bool { return j.Running }) }
}

// ServeHTTP answers a request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// view makes what a page shows.
type view func(r *http.Request, p *page) (body any, err error)

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	for path, show := range map[string]struct {
		name string
		view view
	}{
		"/{$}":        {"overview", c.overview},
		"/runs":       {"runs", c.runs},
		"/runs/{run}": {"run", c.run},
		"/changes":    {"changes", c.changes},
		"/record":     {"record", c.record},
		"/compare":    {"compare", c.compare},
		"/table":      {"table", c.table},
		"/api":        {"api", c.api},
		"/quarantine": {"quarantine", c.quarantine},
		"/dry-run":    {"dryrun", c.dryRun},
	} {
		mux.HandleFunc("GET "+path, c.inside(func(w http.ResponseWriter, r *http.Request) { c.show(w, r, show.name, show.view) }))
	}
	mux.HandleFunc("GET /login", c.outside(func(w http.ResponseWriter, r *http.Request) { c.show(w, r, "login", c.loginPage) }))
	mux.HandleFunc("POST /login", c.outside(c.login))
	mux.HandleFunc("POST /logout", c.inside(c.form(c.logout)))
	mux.HandleFunc("POST /preferences", c.outside(c.form(c.prefer)))
	mux.HandleFunc("POST /act", c.inside(c.form(c.act)))
	mux.HandleFunc("GET /static/{name}", c.static)
	mux.HandleFunc("/", c.outside(func(w http.ResponseWriter, r *http.Request) {
		c.o.Refused("there is no such page", "from", r.RemoteAddr, "method", r.Method, "path", request.Clip(r.URL.Path), "status", http.StatusNotFound)
		c.fail(w, r, http.StatusNotFound, nil)
	}))
	return headed(mux)
}

// policy lets a page use what the console serves, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func headed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with none at all, a form's origin would be null
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// outside lets those through who did not log in, if they may be answered at all:
// without a token that is this machine alone, by a name of its own, so that no
// page of another site can make its name stand for it.
func (c *Console) outside(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		own := request.Loopback(request.From(r)) && request.Loopback(request.Host(r))
		if !own && c.o.Settings().Token == "" {
			c.refuse(w, r, http.StatusMisdirectedRequest, "without a token only this machine is answered, by its own names")
			return
		}
		next(w, r)
	}
}

// inside asks for a session where there is a token.
func (c *Console) inside(next http.HandlerFunc) http.HandlerFunc {
	return c.outside(func(w http.ResponseWriter, r *http.Request) {
		token := c.o.Settings().Token
		if token == "" || c.sessions.valid(visitor(r), token) || request.Same(request.Bearer(r), token) {
			next(w, r)
			return
		}
		if r.Method != http.MethodGet {
			c.refuse(w, r, http.StatusUnauthorized, "there is no session, or it has ended")
			return
		}
		http.Redirect(w, r, "/login?"+url.Values{"back": {back(r.URL.RequestURI())}}.Encode(), http.StatusSeeOther)
	})
}

// form lets a form through that a page of this console made for this visitor.
// Every browser says where a form comes from.
func (c *Console) form(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			c.refuse(w, r, http.StatusBadRequest, "the form cannot be read")
			return
		}
		if !ownOrigin(r) {
			c.refuse(w, r, http.StatusForbidden, "the form does not say that it comes from this console")
			return
		}
		if id := visitor(r); id == "" || !request.Same(r.PostForm.Get("form"), c.sessions.formToken(id)) {
			c.refuse(w, r, http.StatusForbidden, "the form is not of this session")
			return
		}
		next(w, r)
	}
}

// ownOrigin reports whether a request was made by a page of this console. A
// request that does not say so was not made by one.
func ownOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	u, err := url.Parse(r.Header.Get("Origin"))
	return err == nil && u.Host != "" && u.Host == r.Host
}

// back returns a path of this console to go back to.
func back(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		strings.ContainsAny(path, "\\\r\n") || u.Path == "/login" {
		return "/"
	}
	return path
}

// refuse notes and answers what is no request of an honest person.
func (c *Console) refuse(w http.ResponseWriter, r *http.Request, status int, why string) {
	c.o.Refused(why, "from", r.RemoteAddr, "method", r.Method, "path", request.Clip(r.URL.Path), "status", status)
	http.Error(w, why, status)
}

// show builds a page and sends it.
func (c *Console) show(w http.ResponseWriter, r *http.Request, name string, show view) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	r = r.WithContext(ctx)
	var text []byte // whole before it is sent: a slow client keeps nobody else waiting
	var status int
	var err error
	if late := c.workshop.do(ctx, func() { text, status, err = c.build(w, r, name, show) }); late != nil {
		err = late
	}
	if err != nil {
		c.fail(w, r, statusOf(err), err)
		return
	}
	send(w, status, text)
}

func send(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that went away is its own affair
}

func (c *Console) build(w http.ResponseWriter, r *http.Request, name string, show view) (text []byte, status int, err error) {
	p := c.newPage(w, r, name)
	if p.Body, err = show(r, p); err != nil {
		return nil, 0, err
	}
	var b bytes.Buffer
	if err := c.pages[p.Lang][name].ExecuteTemplate(&b, "page", p); err != nil {
		return nil, 0, err
	}
	return b.Bytes(), p.Status, nil
}

func statusOf(err error) int {
	switch {
	case errors.Is(err, errBusy), errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable
	case errors.Is(err, errNone):
		return http.StatusNotFound
	case diff.CodeOf(err) == diff.CodeState, diff.CodeOf(err) == diff.CodeFailed && asDiff(err):
		return http.StatusConflict
	default:
		return http.StatusInternalServerError
	}
}

func asDiff(err error) bool {
	_, ok := errors.AsType[*diff.Error](err)
	return ok
}

// errNone is why there is no such page.
var errNone = errors.New("not on record")

// fail shows a page that says why there is no other.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, status int, err error) {
	p := c.newPage(w, r, "failed")
	p.Body = failed{Status: status, Err: err}
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "2")
	}
	if status == http.StatusInternalServerError {
		c.o.Log.Error("build a page of the console", "path", request.Clip(r.URL.Path), "err", err)
	}
	var b bytes.Buffer
	if err := c.pages[p.Lang]["failed"].ExecuteTemplate(&b, "page", p); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
		return
	}
	send(w, status, b.Bytes())
}

// failed is a page that is not there.
type failed struct {
	Status int
	Err    error
}

// Remedy is what to do about it.
func (f failed) Remedy() string {
	if e, ok := errors.AsType[*diff.Error](f.Err); ok {
		return e.Remedy
	}
	return ""
}

// asset is a file that pages use.
type asset struct {
	body    []byte
	kind    string
	version string
}

func assets() map[string]asset {
	all := map[string]asset{}
	for name, kind := range map[string]string{
		"style.css": "text/css; charset=utf-8", "console.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		body, err := fs.ReadFile(web, "web/"+name)
		if err != nil {
			panic(err) // it is embedded
		}
		sum := sha256.Sum256(body)
		all[name] = asset{body, kind, hex.EncodeToString(sum[:6])}
	}
	return all
}

// static answers with a file, which may be kept: another one has another address.
func (c *Console) static(w http.ResponseWriter, r *http.Request) {
	a, ok := c.assets[r.PathValue("name")]
	if !ok {
		c.refuse(w, r, http.StatusNotFound, "there is no such page")
		return
	}
	w.Header().Set("Content-Type", a.kind)
	if r.URL.RawQuery == a.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
}
