package extract

import (
	"net/http"
	"time"

	"jstsync/diff"
)

// What the external tests look at.

const (
	MaxBody  = maxBody
	MaxDepth = maxDepth
	MaxPages = maxPages
)

// Sign is sign.
func Sign(secret string, params map[string]string) string { return sign(secret, params) }

// EncodeForm is encodeForm.
func EncodeForm(secret string, params map[string]string) (body, signature string) {
	return encodeForm(secret, params)
}

// Decoded is an answer.
type Decoded struct {
	Code     int
	Message  string
	Rows     []diff.Record
	HasNext  *bool
	PageSize int
}

// Decode is decodeAnswer.
func Decode(body []byte) (*Decoded, error) {
	a, err := decodeAnswer(body)
	if err != nil {
		return nil, err
	}
	return &Decoded{a.code, a.message, a.rows, a.hasNext, a.pageSize}, nil
}

// DecodeAndRelease decodes an answer as a scan does, whose room is used again.
func DecodeAndRelease(body []byte) (rows int, err error) {
	a, err := decodeAnswer(body)
	if err != nil {
		return 0, err
	}
	defer a.release()
	return len(a.rows), nil
}

// ValidText is validText.
func ValidText(b []byte) bool { return validText(b) }

// ClassOf returns the class of an error of Decode.
func ClassOf(err error) Class { return err.(*answerError).class } //nolint:errorlint // it is never wrapped

// RetryAfter is retryAfter.
func RetryAfter(h http.Header, now time.Time) (time.Duration, bool) { return retryAfter(h, now) }
