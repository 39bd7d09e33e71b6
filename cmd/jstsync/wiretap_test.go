package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"jstsync/internal/sandbox"
)

// wiretap stands before a sandbox, learns what is secret from the calls, and
// answers some of them with what it heard.
type wiretap struct {
	sandbox http.Handler

	mu      sync.Mutex
	secrets map[string]string // what they are
	signs   int
	turn    int
	path    string // of the calls that echo answers
	echo    func(w http.ResponseWriter, heard, last string)
}

func (tap *wiretap) learn(what, secret string) {
	if secret != "" {
		tap.secrets[secret] = what
	}
}

func (tap *wiretap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body))
	tap.mu.Lock()
	for _, name := range []string{"sign", "access_token", "refresh_token"} {
		tap.learn(name+" of a call", form.Get(name))
	}
	tap.signs++
	echo := tap.echo
	if r.URL.Path != tap.path {
		echo = nil
	}
	tap.mu.Unlock()
	switch {
	case echo != nil:
		last := form.Get("access_token") + form.Get("refresh_token") // a call has one of them
		if tap.turn++; last == "" || tap.turn%2 == 0 {
			last = form.Get("sign")
		}
		echo(w, spelled(string(body), form.Get("sign"), form.Get("access_token"), form.Get("refresh_token"), theAppSecret), last)
	case r.URL.Path == sandbox.PathShops:
		tap.sandbox.ServeHTTP(w, r)
	default:
		rec := httptest.NewRecorder()
		tap.sandbox.ServeHTTP(rec, r)
		var grant struct {
			Data struct {
				Access  string `json:"access_token"`
				Refresh string `json:"refresh_token"`
			} `json:"data"`
		}
		_ = json.Unmarshal(rec.Body.Bytes(), &grant)
		tap.mu.Lock()
		tap.learn("access token given out", grant.Data.Access)
		tap.learn("refresh token given out", grant.Data.Refresh)
		tap.mu.Unlock()
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}
}

// answer makes calls of the path be answered by the echo; nil ends that.
func (tap *wiretap) answer(path string, echo func(w http.ResponseWriter, heard, last string)) {
	tap.mu.Lock()
	defer tap.mu.Unlock()
	tap.path, tap.echo = path, echo
}

// spelled returns the texts in every spelling that may come back.
func spelled(texts ...string) string {
	var b strings.Builder
	for _, s := range texts {
		for _, spelling := range spellingsOf(s) {
			b.WriteString(spelling + " ")
		}
	}
	return b.String()
}

func spellingsOf(s string) []string {
	asJSON, _ := json.Marshal(s)
	quoted := strings.Trim(string(asJSON), `"`)
	return []string{
		s, url.QueryEscape(s), url.PathEscape(s), quoted, html.EscapeString(s),
		strings.ReplaceAll(s, "/", `\/`), strings.ReplaceAll(html.EscapeString(s), "+", "&#43;"),
	}
}

// The answers that tell what they heard, the last of it cut in two. What a
// record holds is not among them: that is data.
var echoes = map[string]func(w http.ResponseWriter, heard, last string){
	"a page": func(w http.ResponseWriter, heard, _ string) {
		w.Header().Set("Content-Type", "text/html; heard="+url.QueryEscape(heard))
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, "<html>%s</html>", heard)
	},
	"a message": func(w http.ResponseWriter, heard, _ string) {
		_ = json.NewEncoder(w).Encode(map[string]any{"code": 150, "msg": "无效的 " + heard})
	},
	"a token message": func(w http.ResponseWriter, heard, _ string) {
		_ = json.NewEncoder(w).Encode(map[string]any{"code": 100, "msg": "access_token已过期 " + heard})
	},
	"a redirection": func(w http.ResponseWriter, heard, _ string) {
		w.Header().Set("Location", "https://elsewhere.example/"+url.PathEscape(heard)+"?"+heard)
		w.WriteHeader(http.StatusFound)
		fmt.Fprint(w, heard)
	},
	"a field": func(w http.ResponseWriter, heard, last string) {
		_ = json.NewEncoder(w).Encode(map[string]any{
			"code": 0, "data": map[string]any{"datas": nil, "has_next": "what I heard is" + last + heard},
		})
	},
	"a name": func(w http.ResponseWriter, _, last string) {
		name, _ := json.Marshal(strings.Repeat("n", 60) + last + strings.Repeat("n", 30))
		fmt.Fprintf(w, `{"data":{"datas":[{%s:{%s:oops}}]}}`, name, name)
	},
	"a word": func(w http.ResponseWriter, _, last string) { fmt.Fprint(w, `"`+last) },
	"the first half": func(w http.ResponseWriter, heard, last string) {
		w.Header().Set("Content-Length", "1000000")
		fmt.Fprint(w, heard+last[:len(last)*3/4])
	},
}
