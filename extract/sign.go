package extract

import (
	"crypto/md5" //nolint:gosec // the vendor's signature is MD5
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"slices"
)

// ErrSelfCheck is what [SelfCheck] returns when this build does not sign as
// the vendor's published example does.
var ErrSelfCheck = errors.New("signature self-check")

// sign returns the vendor's signature of the form parameters: the lower-case
// hexadecimal MD5 of the secret followed by each name and value, sorted by
// name, raw and without separators. Empty values and "sign" itself take no
// part (openweb docId=70).
func sign(secret string, params map[string]string) string {
	names := make([]string, 0, len(params))
	for name, value := range params {
		if name != "sign" && value != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	text := []byte(secret)
	for _, name := range names {
		text = append(text, name...)
		text = append(text, params[name]...)
	}
	sum := md5.Sum(text) //nolint:gosec // the vendor's signature is MD5
	return hex.EncodeToString(sum[:])
}

// encodeForm returns the body of a call: the parameters and their signature.
// The texts signed are the texts encoded.
func encodeForm(secret string, params map[string]string) (body, signature string) {
	form := make(url.Values, len(params)+1)
	for name, value := range params {
		form.Set(name, value)
	}
	signature = sign(secret, params)
	form.Set("sign", signature)
	return form.Encode(), signature
}

// SelfCheck signs the vendor's published example (openweb docId=70) and
// returns an error that wraps [ErrSelfCheck] when the result is not the
// published one.
func SelfCheck() error {
	const want = "395f5a78b446be465ac03a02491296c7"
	got := sign("e9c5ca33fecb404b8e6cdbd0ef4a6d25", map[string]string{
		"access_token": "d7b01bf0842a4742a9450e21ffd95f60",
		"app_key":      "5b53060f23d84ddf9703056e84fa5a2d",
		"biz":          `{"page_index":"1","page_size":"100","nicks":["老板"]}`,
		"charset":      "utf-8",
		"timestamp":    "1639128407",
		"version":      "2",
	})
	if got != want {
		return fmt.Errorf("%w: got %s, want %s", ErrSelfCheck, got, want)
	}
	return nil
}
