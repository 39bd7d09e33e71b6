package alert

import (
	"bytes"
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
	"net/url"
	"strconv"
	"time"

	"jstsync/diff"
	"jstsync/internal/lang"
)

// Channel is where messages go.
type Channel struct {
	Name   string
	Kind   string // dingtalk, wecom, feishu or webhook
	URL    string // whoever knows it can post
	Secret string // "" where messages are not signed
}

// Sender sends messages. Its fields are set before it is used.
type Sender struct {
	Client   *http.Client
	Now      func() time.Time
	Wait     func(context.Context, time.Duration) error // between attempts
	Language lang.Language
}

// NewClient returns a client for robots: with time limits, and without following
// anybody to another address.
func NewClient() *http.Client {
	return &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// The sizes of messages, in bytes, with room for what is around the text.
const (
	textBytes  = 18_000 // of what follows, the rest is for the title and the signature
	bodyBytes  = 20_000 // what DingTalk and Feishu take
	wecomBytes = 4_000  // of 4,096
	attempts   = 3
	retryAfter = 300 * time.Millisecond // and four times as long after the second
	maxAnswer  = 64 << 10
)

// failure is why a channel did not take a message.
type failure struct {
	code    int  // the robot's, 0 when it is not the robot who says so
	passing bool // another attempt may do
	what    string
	err     error
}

// Send delivers a message, in up to three attempts. The error is a
// [diff.Error] that names the channel, and neither its address nor its secret.
func (s *Sender) Send(ctx context.Context, c *Channel, m *Message) error {
	var f *failure
	for n := range attempts {
		if n > 0 && s.Wait(ctx, time.Duration(n*n)*retryAfter) != nil {
			break
		}
		if f = s.attempt(ctx, c, m); f == nil {
			return nil
		}
		if !f.passing {
			break
		}
	}
	return &diff.Error{
		Code: diff.CodeFailed, Message: fmt.Sprintf("send to channel %s (%s): %s", c.Name, c.Kind, f.what), Err: f.err,
		Remedy: remedy(c.Kind, f.code),
	}
}

// attempt sends a message once.
func (s *Sender) attempt(ctx context.Context, c *Channel, m *Message) *failure {
	address, body, header, err := s.request(c, m)
	if err != nil {
		return &failure{what: err.Error()}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return &failure{what: "the address cannot be used"}
	}
	req.Header = header
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "jstsync")
	resp, err := s.Client.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // without the address
		}
		return &failure{passing: ctx.Err() == nil, what: "no answer", err: err}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return &failure{passing: true, what: "the answer broke off", err: err}
	}
	return judge(c.Kind, resp.StatusCode, answer)
}

// judge says whether an answer is a success. Robots answer 200 and say in the
// body what went wrong.
func judge(kind string, status int, answer []byte) *failure {
	if status/100 != 2 {
		return &failure{what: fmt.Sprintf("HTTP %d", status), passing: status >= 500 || status == http.StatusTooManyRequests}
	}
	if kind == "webhook" {
		return nil
	}
	var said struct {
		ErrCode    *int   `json:"errcode"`
		ErrMsg     string `json:"errmsg"`
		Code       *int   `json:"code"`
		Msg        string `json:"msg"`
		StatusCode *int   `json:"StatusCode"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return &failure{what: "the answer is not a robot's"}
	}
	for _, code := range []*int{said.ErrCode, said.Code, said.StatusCode} {
		switch {
		case code == nil:
		case *code == 0:
			return nil
		default:
			return &failure{code: *code, passing: tooFast(*code), what: fmt.Sprintf("code %d: %s", *code, clip(plain(said.ErrMsg+said.Msg), 200))}
		}
	}
	return &failure{what: "the answer is not a robot's"}
}

// tooFast reports whether a robot's code says that it was called too often.
func tooFast(code int) bool { return code == 130101 || code == 45009 || code == 11232 || code == 9499 }

// remedy says what to do about a robot's code.
func remedy(kind string, code int) string {
	switch {
	case tooFast(code):
		return "the robot takes 20 messages a minute; it is tried again with the next run"
	case kind == "dingtalk" && code == 310000:
		return "the robot's security settings refuse it: set secret to the one it signs with, or add the keyword jstsync, or this machine's address"
	case kind == "dingtalk" && code == 300001, kind == "wecom" && code == 93000:
		return "the robot is not known: copy its address into url again"
	case kind == "feishu" && code == 19021:
		return "the signature is refused: set secret to the robot's, and set this machine's clock"
	case kind == "feishu" && code == 19022:
		return "add this machine's address to those that the robot allows"
	case kind == "feishu" && code == 19024:
		return "add the keyword jstsync to those that the robot allows"
	case kind == "webhook":
		return "check url, secret and the receiver"
	default:
		return "check url and secret of the channel, and the network"
	}
}

// request makes what is sent: the address and the body, signed as the robot has
// it.
func (s *Sender) request(c *Channel, m *Message) (address string, body []byte, header http.Header, err error) {
	header = http.Header{}
	now := s.Now()
	var v any
	switch c.Kind {
	case "dingtalk":
		body, err = fitting(func(most int) any {
			text := m.text(most, s.Language, "**", "> ", markdown)
			return map[string]any{"msgtype": "markdown", "markdown": map[string]any{"title": clip(plain(m.Title), 200), "text": "#### " + markdown(m.Title) + "\n\n" + text}}
		})
		address, err = dingtalk(c, now, err)
		return address, body, header, err
	case "wecom":
		text := m.text(wecomBytes-len(m.Title), s.Language, "**", "> ", markdown)
		v = map[string]any{"msgtype": "markdown", "markdown": map[string]any{"content": "**" + clip(markdown(m.Title), 400) + "**\n" + text}}
	case "feishu":
		body, err = fitting(func(most int) any { return feishu(c, m, now, m.text(most, s.Language, "", "  ", plain)) })
		return c.URL, body, header, err
	case "webhook":
		v = map[string]any{"version": 1, "title": m.Title, "at": m.At.UTC().Format(time.RFC3339), "good": m.Good, "notices": m.Notices, "lines": m.Lines}
	default:
		return "", nil, nil, fmt.Errorf("kind %s is not known", c.Kind)
	}
	if body, err = json.Marshal(v); err != nil {
		return "", nil, nil, err
	}
	if c.Kind == "webhook" && c.Secret != "" {
		timestamp := strconv.FormatInt(now.Unix(), 10)
		header.Set("X-Jstsync-Timestamp", timestamp)
		header.Set("X-Jstsync-Signature", "sha256="+hex.EncodeToString(sum([]byte(c.Secret), timestamp+"."+string(body))))
	}
	return c.URL, body, header, nil
}

// fitting makes a body with as much text as a robot takes: written as JSON, some
// characters need several bytes.
func fitting(of func(text int) any) (body []byte, err error) {
	for text := textBytes; ; {
		body, err = json.Marshal(of(text))
		over := len(body) - bodyBytes
		if err != nil || over <= 0 || over >= text {
			return body, err
		}
		text -= over
	}
}

// dingtalk signs the address: HMAC-SHA256 under the secret over the time in
// milliseconds, a line break and the secret.
func dingtalk(c *Channel, now time.Time, err error) (string, error) {
	if c.Secret == "" || err != nil {
		return c.URL, err
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return "", errors.New("the address cannot be used")
	}
	timestamp := strconv.FormatInt(now.UnixMilli(), 10)
	q := u.Query()
	q.Set("timestamp", timestamp)
	q.Set("sign", base64.StdEncoding.EncodeToString(sum([]byte(c.Secret), timestamp+"\n"+c.Secret)))
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// feishu makes a card of plain text. It is signed with HMAC-SHA256 over nothing,
// under the time in seconds, a line break and the secret.
func feishu(c *Channel, m *Message, now time.Time, text string) map[string]any {
	color := "red"
	if m.Good {
		color = "green"
	}
	v := map[string]any{
		"msg_type": "interactive",
		"card": map[string]any{
			"header":   map[string]any{"template": color, "title": map[string]any{"tag": "plain_text", "content": clip(plain(m.Title), 200)}},
			"elements": []any{map[string]any{"tag": "div", "text": map[string]any{"tag": "plain_text", "content": text}}},
		},
	}
	if c.Secret != "" {
		timestamp := strconv.FormatInt(now.Unix(), 10)
		v["timestamp"], v["sign"] = timestamp, base64.StdEncoding.EncodeToString(sum([]byte(timestamp+"\n"+c.Secret), ""))
	}
	return v
}

func sum(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = io.WriteString(h, message) // a hash never fails
	return h.Sum(nil)
}
