package diff

import "time"

// Token is an access token and what is known of its life. It is never printed.
type Token struct {
	Access   string    `json:"access_token"`
	Refresh  string    `json:"refresh_token"`
	Obtained time.Time `json:"obtained"`
	Expires  time.Time `json:"expires"` // zero when the API did not say
}
