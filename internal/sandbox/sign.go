package sandbox

import (
	"crypto/md5" // the vendor's choice; not ours to better
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/url"
	"slices"
)

// Sign is the signature of a form: MD5, in lower-case hex, of the secret followed
// by name and value of every parameter but sign, by ascending name, values raw
// and empty ones skipped. It is for tests and command-line calls.
func Sign(secret string, form url.Values) string {
	names := make([]string, 0, len(form))
	for name := range form {
		if name != "sign" && form.Get(name) != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	sum := md5.New()
	_, _ = io.WriteString(sum, secret)
	for _, name := range names {
		_, _ = io.WriteString(sum, name)
		_, _ = io.WriteString(sum, form.Get(name))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// signed tells whether the form carries its own signature.
func signed(secret string, form url.Values) bool {
	want := Sign(secret, form)
	return subtle.ConstantTimeCompare([]byte(want), []byte(form.Get("sign"))) == 1
}
