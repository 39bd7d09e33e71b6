package extract

import (
	"errors"
	"net/http"
	"strings"

	"jstsync/diff"
)

// The causes of failed calls, as errors.Is finds them in what [Shops] and [Auth] return.
var (
	ErrSignature   = errors.New("bad signature")
	ErrToken       = errors.New("access token not accepted")
	ErrClock       = errors.New("timestamp not accepted")
	ErrNotAllowed  = errors.New("address not on the whitelist")
	ErrNoRight     = errors.New("no permission for the call")
	ErrParameter   = errors.New("parameter not accepted")
	ErrRateLimited = errors.New("rate limited")
	ErrVendorFault = errors.New("vendor fault")
	ErrAppKind     = errors.New("call not for this kind of app")
	ErrBadAnswer   = errors.New("unexpected answer")
	ErrUnreachable = errors.New("no answer")
)

// Class is how a call ended. It decides the error's code, what a person is
// told to do, and whether the call is repeated.
type Class uint8

// The classes.
const (
	Success      Class = iota
	BadSignature       // the app secret or key is wrong
	BadToken           // renewed once, then final
	BadClock           // the timestamp is too far off
	NotAllowed         // the address is not on the app's list
	NoRight            // the app has no right to the path
	BadParameter       // a parameter is not accepted
	AppKind            // the call is for the other kind of app
	BadShape           // JSON, or a status, that the API does not document
	Untrusted          // the host's certificate is not accepted
	RateLimited        // repeated: too many calls
	VendorFault        // repeated: the API failed on its side
	NotJSON            // repeated: not JSON, or broken JSON
	Unreachable        // repeated: no connection, or it broke
)

// Transient reports whether repeating the same call can mend it.
func (c Class) Transient() bool { return c >= RateLimited }

// cause returns the sentinel error of a class of failure.
func (c Class) cause() error {
	return [...]error{
		Success: nil, BadSignature: ErrSignature, BadToken: ErrToken, BadClock: ErrClock,
		NotAllowed: ErrNotAllowed, NoRight: ErrNoRight, BadParameter: ErrParameter,
		AppKind: ErrAppKind, BadShape: ErrBadAnswer, Untrusted: ErrUnreachable,
		RateLimited: ErrRateLimited, VendorFault: ErrVendorFault, NotJSON: ErrBadAnswer,
		Unreachable: ErrUnreachable,
	}[c]
}

// Code returns the class as programs know it; Success has none.
func (c Class) Code() diff.Code {
	return [...]diff.Code{
		Success: "", BadSignature: diff.CodeSignature, BadToken: diff.CodeToken,
		BadClock: diff.CodeClock, NotAllowed: diff.CodeNotAllowed, NoRight: diff.CodeNoRight,
		BadParameter: diff.CodeParameter, AppKind: diff.CodeAppKind,
		BadShape: diff.CodeBadAnswer, Untrusted: diff.CodeUnreachable,
		RateLimited: diff.CodeRateLimited, VendorFault: diff.CodeVendorFault,
		NotJSON: diff.CodeBadAnswer, Unreachable: diff.CodeUnreachable,
	}[c]
}

// Remedy returns what a person can do about the class of failure.
func (c Class) Remedy() string {
	return [...]string{
		Success:      "",
		BadSignature: "check source.app_secret, and that it belongs to source.app_key",
		BadToken:     "run jstsync auth init for a new token, or check source.access_token",
		BadClock:     "set this machine's clock (NTP)",
		NotAllowed:   "add the address in the message to the app's IP whitelist at openweb.jushuitan.com",
		NoRight:      "apply for the call in the app's API permissions at openweb.jushuitan.com",
		BadParameter: "check source.app_key and what the message names",
		AppKind:      remedyAppKind,
		BadShape:     "check source.base_url, and any proxy on the way",
		Untrusted:    "check source.base_url, the system's CA certificates and any proxy on the way",
		RateLimited:  "lower source.rate, or look for other programs that use the same app_key",
		VendorFault:  "try again later; if it persists, ask the vendor and quote the message",
		NotJSON:      "check source.base_url, and any proxy on the way",
		Unreachable:  "check source.base_url, the network and any proxy on the way",
	}[c]
}

// Classify judges an answer that is a JSON envelope by its HTTP status, the
// vendor's code and the vendor's message.
//
// The vendor has two error tables that contradict each other (JstErrorCode in
// github.com/ieu/jst-java, and docId=320). A code on which they agree decides;
// for the others, and for unknown codes, the message does, then the likelier
// table. What nothing recognises is a VendorFault. No code but 0 is a success,
// 200 least of all.
func Classify(status, code int, message string) Class {
	if code == 0 {
		return classifyStatus(status, BadShape)
	}
	if c, ok := classifyCode(code); ok {
		return c
	}
	if c, ok := classifyMessage(message); ok {
		return c
	}
	switch code {
	case 10, 120:
		return BadSignature
	case 130, 140:
		return BadParameter
	case 200:
		return RateLimited
	}
	if status == http.StatusTooManyRequests {
		return RateLimited
	}
	return VendorFault
}

// classifyStatus judges a status that came with nothing else to go by; other
// is the class of one that says nothing about repeating.
func classifyStatus(status int, other Class) Class {
	switch {
	case status == http.StatusTooManyRequests:
		return RateLimited
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status >= 500:
		return VendorFault
	case status >= 200 && status < 300:
		return Success
	default:
		return other
	}
}

// classifyCode knows the codes on which the vendor's tables agree.
func classifyCode(code int) (Class, bool) {
	switch code {
	case 100:
		return BadToken, true
	case 110:
		return NotAllowed, true
	case 160:
		return VendorFault, true
	case 170:
		return BadParameter, true
	case 180:
		return BadClock, true
	case 190:
		return NoRight, true
	case 199:
		return RateLimited, true
	case 21024:
		return AppKind, true
	}
	return Success, false
}

// classifyMessage looks for the phrases the vendor is known to use, the most
// telling first.
func classifyMessage(message string) (Class, bool) {
	message = strings.ToLower(message)
	for _, p := range []struct {
		class Class
		words []string
	}{
		{RateLimited, []string{"频", "限流", "并发", "too many", "rate limit"}},
		{NotAllowed, []string{"白名单", "whitelist"}},
		{AppKind, []string{"自有应用", "服务商"}},
		{BadSignature, []string{"签名", "invalid sign", "signature"}},
		{BadToken, []string{"token", "令牌"}},
		{BadClock, []string{"timestamp", "时间戳"}},
		{NoRight, []string{"权限", "接口不存在", "permission"}},
		{BadParameter, []string{"参数", "入参", "店铺编号", "app_key", "appkey", "page_", "parameter"}},
		{VendorFault, []string{"内部", "繁忙", "系统", "异常", "稍后", "超时", "busy", "internal", "timeout"}},
	} {
		for _, w := range p.words {
			if strings.Contains(message, w) {
				return p.class, true
			}
		}
	}
	return Success, false
}

// Outcome names how a recorded attempt ended: success, unneeded where nobody
// waited for the answer, or the code of the failure's class as far as its record
// tells.
func Outcome(c *diff.Call) string {
	switch class := Classify(c.Status, c.Code, c.Message); {
	case c.Err == "":
		return "success"
	case !c.Failed():
		return "unneeded"
	case c.Status == 0:
		return string(diff.CodeUnreachable)
	case c.Code == 0 && class == Success:
		return string(diff.CodeBadAnswer)
	default:
		return string(class.Code())
	}
}
