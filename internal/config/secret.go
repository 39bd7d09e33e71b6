package config

import (
	"fmt"
	"io"
	"log/slog"
)

const mask = "***"

// Secret is a text that no verb of fmt, no logger and no encoder prints. An
// empty one prints as nothing, so that a missing secret can be told from a set one.
type Secret string

// Reveal gives the text itself.
func (s Secret) Reveal() string { return string(s) }

// String gives the mask.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// GoString gives the mask.
func (s Secret) GoString() string { return s.String() }

// Format prints the mask for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, s.String())
}

// LogValue gives the mask.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives the mask, for encoding/json too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
