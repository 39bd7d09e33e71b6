package alert_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/alert"
	"jstsync/internal/lang"
)

const secret = "SECabc+/=&中"

// receiver is a robot that verifies signatures as the vendor describes it, and
// answers as it does.
type receiver struct {
	*httptest.Server
	kind    string
	answers []string // the next ones; then a success
	bodies  []string
	refused int
}

func newReceiver(t *testing.T, kind string, answers ...string) *receiver {
	r := &receiver{kind: kind, answers: answers}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func mac(key, message string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(message))
	return h.Sum(nil)
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	query, _ := url.ParseQuery(req.URL.RawQuery)
	var sent map[string]any
	err := json.Unmarshal(body, &sent)
	ok := err == nil && query.Get("access_token") == "t0ken"
	switch r.kind {
	case "dingtalk":
		ok = ok && query.Get("sign") == base64.StdEncoding.EncodeToString(mac(secret, query.Get("timestamp")+"\n"+secret)) && len(query.Get("timestamp")) == 13
	case "feishu":
		ok = ok && sent["sign"] == base64.StdEncoding.EncodeToString(mac(fmt.Sprint(sent["timestamp"])+"\n"+secret, ""))
	case "webhook":
		ok = ok && req.Header.Get("X-Jstsync-Signature") == "sha256="+hex.EncodeToString(mac(secret, req.Header.Get("X-Jstsync-Timestamp")+"."+string(body)))
	}
	switch {
	case !ok:
		r.refused++
		if r.kind == "webhook" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, map[string]string{
			"dingtalk": `{"errcode":310000,"errmsg":"sign not match"}`, "wecom": `{"errcode":93000,"errmsg":"invalid webhook url"}`,
			"feishu": `{"code":19021,"msg":"sign match fail"}`,
		}[r.kind])
	case len(r.answers) > 0:
		answer := r.answers[0]
		r.answers = r.answers[1:]
		if answer == "500" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, answer)
	default:
		r.bodies = append(r.bodies, string(body))
		_, _ = io.WriteString(w, `{"errcode":0,"code":0,"StatusCode":0,"errmsg":"ok"}`)
	}
}

func (r *receiver) channel(key string) *alert.Channel {
	return &alert.Channel{Name: "ops", Kind: r.kind, URL: r.URL + "/robot/send?access_token=t0ken", Secret: key}
}

func sender(l lang.Language) *alert.Sender {
	return &alert.Sender{
		Client: alert.NewClient(), Now: func() time.Time { return start }, Language: l,
		Wait: func(context.Context, time.Duration) error { return nil },
	}
}

func nasty() *alert.Message {
	return alert.NewMessage([]alert.Notice{
		{Kind: alert.Failed, Subject: "shops", Raised: true, At: start, Count: 3, Detail: "page 1: no answer", Remedy: "see jstsync runs"},
		{Kind: alert.Authorization, Subject: "shops", Raised: true, At: start, Count: 1, Shops: []alert.Shop{
			{ID: "10394533", Name: "<script>alert(1)</script> [点我](http://x) 🎉`*", Ends: start.AddDate(0, 0, 3)},
		}},
	}, lang.Chinese, time.UTC, start)
}

// Every kind of channel takes a message that is signed as it has it, and one
// that is not is refused with a remedy.
func TestSender_Send(t *testing.T) {
	for _, kind := range []string{"dingtalk", "wecom", "feishu", "webhook"} {
		t.Run(kind, func(t *testing.T) {
			r := newReceiver(t, kind)
			if err := sender(lang.Chinese).Send(t.Context(), r.channel(secret), nasty()); err != nil {
				t.Fatal(err)
			}
			body := r.bodies[0]
			if !strings.Contains(body, "10394533") || !strings.Contains(body, "🎉") {
				t.Errorf("the shop is missing in %s", body)
			}
			if kind != "webhook" && kind != "feishu" && strings.ContainsAny(strings.Trim(text(t, body), "*>\n "), "<[`") {
				t.Errorf("markup gets through: %s", text(t, body))
			}
			wrong := r.channel("wrong")
			if kind == "wecom" {
				wrong.URL = strings.Replace(wrong.URL, "t0ken", "other", 1)
			}
			err := sender(lang.English).Send(t.Context(), wrong, nasty())
			var e *diff.Error
			if !errors.As(err, &e) || e.Remedy == "" || r.refused == 0 || len(r.bodies) != 1 {
				t.Errorf("got %v, want it refused with a remedy", err)
			}
			for _, s := range []string{"t0ken", "wrong\"", secret, r.URL} {
				if strings.Contains(err.Error(), s) {
					t.Errorf("%q is in %q", s, err)
				}
			}
		})
	}
}

// text is what a robot shows.
func text(t *testing.T, body string) string {
	t.Helper()
	var sent struct {
		Markdown struct{ Text, Content string }
	}
	if err := json.Unmarshal([]byte(body), &sent); err != nil {
		t.Fatal(err)
	}
	return sent.Markdown.Text + sent.Markdown.Content
}

func TestSender_Retries(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers []string
		ok      bool
		left    int
	}{
		{"a server error passes", []string{"500", "500"}, true, 0},
		{"too fast passes", []string{`{"errcode":130101,"errmsg":"send too fast"}`}, true, 0},
		{"it gives up", []string{"500", "500", "500", "500"}, false, 1},
		{"a refusal is final", []string{`{"errcode":310000,"errmsg":"keywords not in content"}`, "500"}, false, 1},
		{"no robot", []string{"<html>", "500"}, false, 1},
		{"no code", []string{"{}", "500"}, false, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newReceiver(t, "dingtalk", tt.answers...)
			err := sender(lang.English).Send(t.Context(), r.channel(secret), nasty())
			if (err == nil) != tt.ok || len(r.answers) != tt.left {
				t.Errorf("got %v with %d answers left, want success %t with %d", err, len(r.answers), tt.ok, tt.left)
			}
		})
	}
	gone := newReceiver(t, "dingtalk")
	c := gone.channel(secret)
	gone.Close()
	if err := sender(lang.English).Send(t.Context(), c, nasty()); err == nil || strings.Contains(err.Error(), "t0ken") {
		t.Errorf("got %v, want an error without the address", err)
	}
}

// A webhook finds a list of notices in every message, also where there is none.
func TestSender_Digest(t *testing.T) {
	r := newReceiver(t, "webhook")
	digest := alert.NewDigest("shops", "2026-11-01", start, []alert.Change{{Op: "insert", Key: "1"}}, 1, lang.English)
	if err := sender(lang.English).Send(t.Context(), r.channel(secret), digest); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(r.bodies[0], `"notices":[]`) {
		t.Errorf("got %s, want an empty list of notices", r.bodies[0])
	}
}

// However much there is to say, a message keeps within what its robot takes.
func TestSender_Limits(t *testing.T) {
	var notices []alert.Notice
	shops := make([]alert.Shop, 500)
	for i := range shops {
		shops[i] = alert.Shop{ID: fmt.Sprint(10_000_000 + i), Name: strings.Repeat("长名字店铺", 30), Ends: start.AddDate(0, 0, 2)}
	}
	notices = append(notices, alert.Notice{Kind: alert.Authorization, Subject: strings.Repeat("p", 200), Raised: true, At: start, Count: 500, Shops: shops})
	changes := make([]alert.Change, 200)
	for i := range changes {
		changes[i] = alert.Change{Op: "update", Key: fmt.Sprint(10_000_000 + i), Fields: []string{`shop_url: https://a.example/?a=1&b=2 → "x" & <y>`, `group_id: 1 → 2`}}
	}
	for name, m := range map[string]*alert.Message{
		"alert":  alert.NewMessage(notices, lang.Chinese, time.UTC, start),
		"digest": alert.NewDigest("shops", "2026-11-01", start, changes, 1000, lang.Chinese),
	} {
		for kind, most := range map[string]int{"dingtalk": 20_000, "wecom": 4096, "feishu": 20_000} {
			r := newReceiver(t, kind)
			if err := sender(lang.Chinese).Send(t.Context(), r.channel(secret), m); err != nil {
				t.Fatal(err)
			}
			shown := len(r.bodies[0])
			if kind == "wecom" { // it counts the text only
				shown = len(text(t, r.bodies[0]))
			}
			if shown > most || shown < most/2 || !strings.Contains(r.bodies[0], "另有") {
				t.Errorf("%s to %s: %d bytes, want up to %d, with a count of what is left out", name, kind, shown, most)
			}
		}
	}
}
