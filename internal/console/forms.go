package console

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"jstsync/internal/lang"
	"jstsync/internal/request"
)

// loginView is the page that asks for the token.
type loginView struct{ Back string }

func (c *Console) loginPage(r *http.Request, p *page) (any, error) {
	p.Title = p.t("Log in")
	return loginView{back(r.URL.Query().Get("back"))}, nil
}

// login begins a session for who brings the token.
func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || !ownOrigin(r) {
		c.refuse(w, r, http.StatusForbidden, "the form does not say that it comes from this console")
		return
	}
	token, address := c.o.Settings().Token, request.From(r)
	if wait := c.sessions.wait(address); wait > 0 {
		seconds := strconv.Itoa(int(math.Ceil(wait.Seconds())))
		w.Header().Set("Retry-After", seconds)
		c.refuseLogin(w, r, http.StatusTooManyRequests, "too many wrong tokens from this address")
		return
	}
	if token == "" || !request.Same(r.PostForm.Get("token"), token) {
		c.sessions.failed(address)
		c.refuseLogin(w, r, http.StatusUnauthorized, "the token is missing or wrong")
		return
	}
	c.sessions.succeeded(address)
	c.sessions.end(visitor(r))
	c.setCookie(w, r, c.sessions.begin(token), int(sessionLife/time.Second))
	c.o.Log.Info("logged in to the console", "from", r.RemoteAddr)
	http.Redirect(w, r, back(r.PostForm.Get("back")), http.StatusSeeOther)
}

func (c *Console) refuseLogin(w http.ResponseWriter, r *http.Request, status int, why string) {
	c.o.Refused(why, "from", r.RemoteAddr, "method", r.Method, "path", request.Clip(r.URL.Path), "status", status)
	c.show(w, r, "login", func(r *http.Request, p *page) (any, error) {
		p.Title, p.Status = p.t("Log in"), status
		p.Wrong = p.t("The token is wrong.")
		if status == http.StatusTooManyRequests {
			p.Wrong = p.t("Too many wrong tokens. Try again in %s seconds.", w.Header().Get("Retry-After"))
		}
		return loginView{back(r.PostForm.Get("back"))}, nil
	})
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	c.sessions.end(visitor(r))
	c.setCookie(w, r, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// The cookies that remember how a visitor likes pages.
const (
	langCookie  = "jstsync_lang"
	themeCookie = "jstsync_theme"
)

// prefer remembers a language or a theme.
func (c *Console) prefer(w http.ResponseWriter, r *http.Request) {
	keep := func(name, value string) {
		http.SetCookie(w, &http.Cookie{
			Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 60 * 60,
			HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: encrypted(r),
		})
	}
	switch l := r.PostForm.Get("lang"); lang.Language(l) {
	case lang.English, lang.Chinese:
		keep(langCookie, l)
	}
	switch theme := r.PostForm.Get("theme"); theme {
	case "light", "dark", "auto":
		keep(themeCookie, theme)
	}
	http.Redirect(w, r, back(r.PostForm.Get("back")), http.StatusSeeOther)
}

// act runs, pauses, resumes or tries out a pipeline.
func (c *Console) act(w http.ResponseWriter, r *http.Request) {
	name, to := r.PostForm.Get("pipeline"), back(r.PostForm.Get("back"))
	var ok bool
	what := r.PostForm.Get("act")
	switch what {
	case "run":
		ok = c.o.Scheduler.RunNow(name)
	case "pause":
		ok = c.o.Scheduler.Pause(name)
	case "resume":
		ok = c.o.Scheduler.Resume(name)
	case "dry-run":
		if ok = c.pipeline(name) != nil; ok {
			c.trial.start(name)
			to = "/dry-run"
		}
	}
	if !ok {
		c.refuse(w, r, http.StatusNotFound, "there is no such pipeline, or nothing like that to do")
		return
	}
	c.o.Log.Info("asked for in the console", "act", what, "pipeline", name, "from", r.RemoteAddr)
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// pipeline returns the pipeline of the name, nil when there is none.
func (c *Console) pipeline(name string) *Pipeline {
	all := c.o.Settings().Pipelines
	for i := range all {
		if all[i].Name == name {
			return &all[i]
		}
	}
	return nil
}
