package console_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"jstsync/internal/console"
	"jstsync/internal/consoletest"
)

// small is a world with a few runs.
func small(t *testing.T) *consoletest.World {
	t.Helper()
	w := consoletest.New(t)
	at := w.Now.Add(-5 * time.Hour)
	w.Load("shops", 120, at)                          // 1
	w.Quiet("shops", at.Add(time.Hour))               // 2
	w.Rename("shops", 3, at.Add(2*time.Hour), "晴川食品") // 3
	w.Remove("shops", 2, at.Add(3*time.Hour))         // 4
	w.Fails("shops", at.Add(4*time.Hour))             // 5
	w.Holds("shops", at.Add(270*time.Minute), 40)     // 6
	return w
}

// visit is a browser of a console.
type visit struct {
	t      *testing.T
	w      *consoletest.World
	url    string
	client *http.Client
	header http.Header
}

func open(t *testing.T, w *consoletest.World) *visit {
	t.Helper()
	s := httptest.NewServer(console.New(w.Options(t.Context())))
	t.Cleanup(s.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &visit{t: t, w: w, url: s.URL, client: client, header: http.Header{"Origin": {s.URL}}}
}

func (v *visit) do(r *http.Request) (status int, body string, header http.Header) {
	v.t.Helper()
	resp, err := v.client.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return resp.StatusCode, string(text), resp.Header
}

func (v *visit) request(method, path string, body io.Reader) *http.Request {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	return r
}

// get returns a page that must be there.
func (v *visit) get(path string) string {
	v.t.Helper()
	status, body, _ := v.do(v.request(http.MethodGet, path, nil))
	if status != http.StatusOK {
		v.t.Fatalf("GET %s: got status %d\n%s", path, status, body)
	}
	return body
}

// formToken returns what the forms of a page bring.
func (v *visit) formToken() string {
	v.t.Helper()
	_, body, _ := v.do(v.request(http.MethodGet, "/login", nil))
	m := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(body)
	if m == nil {
		v.t.Fatalf("there is no form:\n%s", body)
	}
	return m[1]
}

// post sends a form, as given.
func (v *visit) post(path string, fields ...string) (status int, header http.Header, body string) {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r := v.request(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header = v.header.Clone()
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	status, body, header = v.do(r)
	return status, header, body
}

func (v *visit) want(body string, texts ...string) {
	v.t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			v.t.Errorf("the page does not say %q:\n%s", text, body)
		}
	}
}
