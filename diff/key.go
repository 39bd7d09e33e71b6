package diff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MaxKeyText is the longest external form of a key, in bytes: what the
// record_key column of a changes table holds.
const MaxKeyText = 255

// Key identifies a record within its table. The string holds the key's parts
// in an encoding whose byte order is the documented order of keys: part by
// part, integers numerically, text by its bytes. Keys are therefore compared
// with < and stored as they are.
//
// An integer part is the byte 1 and eight big-endian bytes with the sign bit
// flipped. A text part is the byte 2, the text with each zero byte doubled to
// 00 FF, and a final 00 00.
type Key string

const (
	intPart  = 1
	textPart = 2
)

// maxEncoded bounds the encoding of a key: each byte of text takes two at most,
// each part three more or nine.
const maxEncoded = 16 * (MaxKeyText + 1)

// ErrKey is what errors about keys that cannot be made or read wrap.
var ErrKey = errors.New("unreadable key")

// NewKey makes a key of one or more non-NULL parts. It returns an error that
// wraps [ErrKey] when a part is NULL, no part is given, or the external form
// is longer than [MaxKeyText].
func NewKey(parts ...Value) (Key, error) {
	if len(parts) == 0 {
		return "", fmt.Errorf("%w: no parts", ErrKey)
	}
	if len(parts) == 1 && parts[0].kind == Int { // as a rule
		return Key(appendInt(make([]byte, 0, 9), parts[0].num)), nil
	}
	b := make([]byte, 0, 9*len(parts))
	length := len(parts) - 1 // of the external form
	var digits [20]byte
	for i, p := range parts {
		switch p.kind {
		case Int:
			b = appendInt(b, p.num)
			length += len(strconv.AppendInt(digits[:0], p.num, 10))
		case Text:
			b = append(b, textPart)
			b = append(b, strings.ReplaceAll(p.text, "\x00", "\x00\xff")...)
			b = append(b, 0, 0)
			length += len(p.text) + 2*(strings.Count(p.text, "%")+strings.Count(p.text, "/"))
		default:
			return "", fmt.Errorf("%w: part %d is null or missing", ErrKey, i+1)
		}
	}
	if length > MaxKeyText {
		return "", fmt.Errorf("%w: %d bytes long, the limit is %d", ErrKey, length, MaxKeyText)
	}
	return Key(b), nil
}

func appendInt(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, intPart), uint64(n)^(1<<63))
}

// Parts returns the key's values. A string that does not encode any is an error
// that wraps [ErrKey].
func (k Key) Parts() ([]Value, error) {
	if len(k) > maxEncoded {
		return nil, fmt.Errorf("%w: an encoding of %d bytes", ErrKey, len(k))
	}
	var parts []Value
	for s := string(k); s != ""; {
		v, rest, err := cutPart(s)
		if err != nil {
			return nil, err
		}
		parts, s = append(parts, v), rest
	}
	if parts == nil {
		return nil, fmt.Errorf("%w: empty", ErrKey)
	}
	return parts, nil
}

func cutPart(s string) (v Value, rest string, err error) {
	switch {
	case s[0] == intPart && len(s) >= 9:
		return IntValue(int64(binary.BigEndian.Uint64([]byte(s[1:9])) ^ (1 << 63))), s[9:], nil
	case s[0] == textPart:
		for i := 1; i+1 < len(s); i++ {
			if s[i] != 0 {
				continue
			}
			switch s[i+1] {
			case 0:
				return TextValue(strings.ReplaceAll(s[1:i], "\x00\xff", "\x00")), s[i+2:], nil
			case 0xff:
				i++
			default:
				return Value{}, "", fmt.Errorf("%w: bad escape", ErrKey)
			}
		}
	}
	return Value{}, "", fmt.Errorf("%w: malformed encoding %q", ErrKey, s)
}

// String returns the key's external form: its parts joined by "/", with "%"
// and "/" inside a part percent-escaped.
func (k Key) String() string {
	parts, err := k.Parts()
	if err != nil {
		return fmt.Sprintf("%%!key(%q)", string(k[:min(len(k), MaxKeyText)]))
	}
	texts := make([]string, len(parts))
	for i, p := range parts {
		texts[i] = strings.ReplaceAll(strings.ReplaceAll(p.String(), "%", "%25"), "/", "%2F")
	}
	return strings.Join(texts, "/")
}

// ParseKey reads the external form of a key whose parts have the given kinds.
// The error wraps [ErrKey].
func ParseKey(s string, kinds ...Kind) (Key, error) {
	texts := strings.Split(s, "/")
	if len(texts) != len(kinds) {
		return "", fmt.Errorf("%w %q: %d parts, want %d", ErrKey, s, len(texts), len(kinds))
	}
	parts := make([]Value, len(kinds))
	for i, kind := range kinds {
		text := texts[i]
		if strings.Contains(text, "%") {
			text = strings.NewReplacer("%25", "%", "%2F", "/", "%2f", "/").Replace(text)
		}
		if kind == Int {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return "", fmt.Errorf("%w %q: %q is not an integer", ErrKey, s, text)
			}
			parts[i] = IntValue(n)
			continue
		}
		parts[i] = TextValue(text)
	}
	return NewKey(parts...)
}
