package diff

import (
	"fmt"
	"io"
	"time"
)

// Token is an access token and what is known of its life. Printed or logged it
// is a mask.
type Token struct {
	Access   string    `json:"access_token"`
	Refresh  string    `json:"refresh_token"`
	Obtained time.Time `json:"obtained"`
	Expires  time.Time `json:"expires"` // zero when the API did not say
}

// Format prints a mask, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }
