package console

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"jstsync/diff"
	"jstsync/internal/lang"
	"jstsync/internal/request"
)

// page is what every page shows around its body.
type page struct {
	Lang      lang.Language
	Name      string
	Title     string
	Status    int
	Theme     string // light, dark or auto
	Path      string // of this page, to come back to
	Form      string // what its forms bring
	LoggedIn  bool
	Inside    bool // it shows more than who is outside may see
	Pipelines []string
	Live      int // seconds after which it is looked at again; 0 for never
	Wrong     string
	Now       moment
	Body      any

	settings Settings
	now      time.Time
	query    string
}

// newPage returns a page for the visitor, who gets a cookie if there is none.
func (c *Console) newPage(w http.ResponseWriter, r *http.Request, name string) *page {
	s := c.o.Settings()
	id := visitor(r)
	if id == "" {
		id = newID()
		c.setCookie(w, r, id, int(sessionLife/time.Second))
	}
	p := &page{
		Lang: s.Language, Name: name, Status: http.StatusOK, Theme: "auto", Path: back(r.URL.RequestURI()),
		Form: c.sessions.formToken(id), settings: s, now: c.o.Now(), query: r.URL.Query().Encode(),
	}
	p.LoggedIn = s.Token != "" && c.sessions.valid(id, s.Token)
	p.Inside = s.Token == "" || p.LoggedIn || request.Same(request.Bearer(r), s.Token)
	if r.Method != http.MethodGet {
		p.Path = "/"
	}
	if cookie, err := r.Cookie(langCookie); err == nil && (cookie.Value == string(lang.English) || cookie.Value == string(lang.Chinese)) {
		p.Lang = lang.Language(cookie.Value)
	}
	if cookie, err := r.Cookie(themeCookie); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		p.Theme = cookie.Value
	}
	for i := range s.Pipelines {
		p.Pipelines = append(p.Pipelines, s.Pipelines[i].Name)
	}
	p.Now = p.at(p.now)
	return p
}

// t says a text in the visitor's language.
func (p *page) t(english string, args ...any) string { return p.Lang.Sprintf(english, args...) }

// key names what the page asks, as far as the answer depends on it.
func (p *page) key(what string) string {
	return strings.Join([]string{what, string(p.Lang), p.settings.Zone.String(), p.query}, "\x00")
}

// moment is a time as it is shown.
type moment struct{ ISO, Text string }

// at shows a time in the console's zone; the zero one as nothing.
func (p *page) at(t time.Time) moment {
	if t.IsZero() {
		return moment{}
	}
	t = t.In(p.settings.Zone)
	return moment{t.Format(time.RFC3339), t.Format("2006-01-02 15:04:05")}
}

// span says how long something is, roughly.
func (p *page) span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return p.t("%d s", int(d.Seconds()))
	case d < time.Hour:
		return p.t("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return p.t("%d h", int(d.Hours()))
	default:
		return p.t("%d d", int(d.Hours())/24)
	}
}

// took says exactly how long something was.
func took(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < 10*time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// count writes a number with commas between thousands.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// statusText says how a run ended.
func statusText(l lang.Language, s diff.Status) string {
	switch s {
	case diff.Planned:
		return l.Text("planned")
	case diff.Unchanged:
		return l.Text("unchanged")
	case diff.Committed:
		return l.Text("committed")
	case diff.Held:
		return l.Text("held")
	case diff.Failed:
		return l.Text("failed")
	case diff.Pending:
		return l.Text("unfinished")
	case diff.Aborted:
		return l.Text("aborted")
	case diff.Unknown:
		return l.Text("undecided")
	case diff.Lost:
		return l.Text("lost")
	default:
		return string(s)
	}
}

// statusClass is how a status looks: its shape and colour.
func statusClass(s diff.Status) string {
	switch s {
	case diff.Unchanged:
		return "still"
	case diff.Committed, diff.Planned:
		return "good"
	case diff.Held, diff.Pending:
		return "odd"
	default:
		return "bad"
	}
}

func opText(l lang.Language, op string) string {
	switch op {
	case "insert":
		return l.Text("insert")
	case "update":
		return l.Text("update")
	case "delete":
		return l.Text("delete")
	case "rebuild":
		return l.Text("rebuild")
	case "trimmed":
		return l.Text("trimmed")
	default:
		return op
	}
}

func triggerText(l lang.Language, trigger string) string {
	switch trigger {
	case diff.KindSync:
		return l.Text("sync")
	case diff.KindApply:
		return l.Text("apply")
	case diff.KindRebuild:
		return l.Text("rebuild")
	case diff.KindRepair:
		return l.Text("repair")
	default:
		return trigger
	}
}

// onFailText says what a broken rule does.
func onFailText(l lang.Language, f diff.OnFail) string {
	switch f {
	case diff.Warn:
		return l.Text("warns")
	case diff.Quarantine:
		return l.Text("sets aside")
	case diff.Fail:
		return l.Text("ends the run")
	default:
		return string(f)
	}
}

// codeText says what an API call ended with.
func codeText(l lang.Language, code string) string {
	switch code {
	case codeNoAnswer:
		return l.Text("no answer")
	case codeUnreadable:
		return l.Text("unreadable")
	default:
		return code
	}
}

// parse reads the templates for a language.
func (c *Console) parse(l lang.Language) map[string]*template.Template {
	functions := template.FuncMap{
		"say": l.Sentence,
		"t":   func(english string, args ...any) string { return l.Sprintf(english, args...) }, "count": count, "bytes": func(n int64) string { return count(int(n)) },
		"status": func(s diff.Status) string { return statusText(l, s) }, "class": statusClass,
		"op": func(op string) string { return opText(l, op) }, "trigger": func(s string) string { return triggerText(l, s) },
		"took": took, "asset": func(name string) string { return "/static/" + name + "?" + c.assets[name].version },
		"onfail": func(f diff.OnFail) string { return onFailText(l, f) },
		"code":   func(code string) string { return codeText(l, code) }, "list": func(texts ...string) []string { return texts },
		"dict": func(pairs ...any) map[string]any {
			m := map[string]any{}
			for i := 0; i+1 < len(pairs); i += 2 {
				m[fmt.Sprint(pairs[i])] = pairs[i+1]
			}
			return m
		},
	}
	layout := template.Must(template.New("").Funcs(functions).ParseFS(web, "web/layout.html", "web/parts.html"))
	pages := map[string]*template.Template{}
	for _, name := range []string{"overview", "runs", "run", "changes", "record", "compare", "table", "api", "quarantine", "dryrun", "login", "failed"} {
		pages[name] = template.Must(template.Must(layout.Clone()).ParseFS(web, "web/"+name+".html"))
	}
	return pages
}

// chosen returns the pipeline that the page is about: the one that is asked for,
// or the first.
func (p *page) chosen(r *http.Request) (*Pipeline, error) {
	name := cmp.Or(r.URL.Query().Get("pipeline"), p.Pipelines[0])
	i := slices.IndexFunc(p.settings.Pipelines, func(pl Pipeline) bool { return pl.Name == name })
	if i < 0 {
		return nil, errNone
	}
	return &p.settings.Pipelines[i], nil
}
