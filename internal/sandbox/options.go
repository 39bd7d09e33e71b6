package sandbox

import (
	"fmt"
	"net/http"
	"time"
)

// ErrorTable says which of the vendor's two conflicting error tables is spoken.
type ErrorTable int

const (
	// TableA is the newer table: signature 10, timestamp 140 beyond 15 minutes.
	TableA ErrorTable = iota
	// TableB is docId=320: signature 120, timestamp 180 beyond 10 minutes.
	TableB
)

// String is "A" or "B".
func (t ErrorTable) String() string {
	if t == TableB {
		return "B"
	}
	return "A"
}

// Switch is a choice whose zero value is the documented default.
type Switch int

const (
	// SwitchDefault leaves the choice to the field's documented default.
	SwitchDefault Switch = iota
	// SwitchOn chooses the behaviour.
	SwitchOn
	// SwitchOff refuses the behaviour.
	SwitchOff
)

// RowOrder is the order of the rows over all pages; the vendor documents none.
type RowOrder int

const (
	// OrderAscending is by shop_id, smallest first.
	OrderAscending RowOrder = iota
	// OrderDescending is by shop_id, largest first.
	OrderDescending
	// OrderUnstable differs from answer to answer, so a scan misses and repeats rows.
	OrderUnstable
)

// Check is one of the checks a call passes before it is answered.
type Check int

const (
	// CheckArguments wants all fields there (130), app_key, version and charset right (140).
	CheckArguments Check = iota
	// CheckTimestamp answers 140 or 180.
	CheckTimestamp
	// CheckSignature answers 10 or 120.
	CheckSignature
	// CheckToken answers 100; business calls only.
	CheckToken
	// CheckRate answers 199 or 200; business calls only.
	CheckRate
)

// Options configure a Server. The zero value is a usable server without shops.
type Options struct {
	// Seed decides the data and every random choice.
	Seed uint64
	// Shops is the number of shops to begin with.
	Shops int
	// FirstID is the shop_id of the first shop; 0 is that of the one captured
	// public answer. Two merchants have no shop_id in common.
	FirstID int64
	// AppKey, AppSecret, AccessToken and RefreshToken are the credentials to begin
	// with: sandbox-key, sandbox-secret, sandbox-token, sandbox-refresh by default.
	AppKey, AppSecret, AccessToken, RefreshToken string
	// Table is the error table spoken.
	Table ErrorTable
	// PerSecond and PerMinute limit shop queries; 0 is 5 and 100, negative is no limit.
	PerSecond, PerMinute int
	// FixedWindows counts by the clock's seconds and minutes; default is sliding.
	FixedWindows bool
	// CountRejected lets calls rejected by the rate limit count as well.
	CountRejected bool
	// MaxPageSize is the largest and the default page size; 0 is 100.
	MaxPageSize int
	// ClampPageSize answers a larger page_size with MaxPageSize rows (default on);
	// off, it is error 140.
	ClampPageSize Switch
	// StrictPaging answers page_index or page_size below 1 with 140; by default
	// they mean page 1 and the default size.
	StrictPaging bool
	// HasNextOnFullLastPage says has_next true on a last page that is exactly full.
	HasNextOnFullLastPage bool
	// Order is the order of rows.
	Order RowOrder
	// ErrorStatus is the HTTP status of error bodies; 0 is 200.
	ErrorStatus int
	// OmitErrorData leaves `data` out of error bodies; by default it is null.
	OmitErrorData bool
	// Checks is the order of the checks; nil is the order of their constants. A
	// check not listed is not made.
	Checks []Check
	// TokenLife is how long an access token lasts; 0 is 30 days.
	TokenLife time.Duration
	// RefreshWindow, if positive, makes a refresh effective only that long before
	// the token expires; earlier it answers the present token unchanged.
	RefreshWindow time.Duration
	// KeepTokenOnRefresh extends the present token instead of issuing another.
	KeepTokenOnRefresh bool
	// OldTokenStaysValid lets a replaced access token live on until it expires.
	OldTokenStaysValid bool
	// ForbidRefresh answers a refresh with code 150.
	ForbidRefresh bool
	// ServiceProvider answers getInitToken with code 21024.
	ServiceProvider bool
	// Pretty adds white space between members of answers.
	Pretty bool
	// Faults are the misbehaviours to begin with; New panics on an invalid one.
	Faults []Fault
	// Ahead is by how much the server's clock is ahead of Now; negative is behind.
	Ahead time.Duration
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	setText := func(p *string, v string) {
		if *p == "" {
			*p = v
		}
	}
	setText(&o.AppKey, "sandbox-key")
	setText(&o.AppSecret, "sandbox-secret")
	setText(&o.AccessToken, "sandbox-token")
	setText(&o.RefreshToken, "sandbox-refresh")
	if o.FirstID == 0 {
		o.FirstID = firstID
	}
	o.PerSecond, o.PerMinute = rateDefaults(o.PerSecond, o.PerMinute)
	if o.MaxPageSize <= 0 {
		o.MaxPageSize = 100
	}
	if o.ErrorStatus == 0 {
		o.ErrorStatus = http.StatusOK
	}
	if o.Checks == nil {
		o.Checks = []Check{CheckArguments, CheckTimestamp, CheckSignature, CheckToken, CheckRate}
	}
	if o.TokenLife <= 0 {
		o.TokenLife = 30 * 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the one default; callers may give a clock
	}
	return o
}

func rateDefaults(perSecond, perMinute int) (int, int) {
	if perSecond == 0 {
		perSecond = 5
	}
	if perMinute == 0 {
		perMinute = 100
	}
	return perSecond, perMinute
}

// tableOf reads the name of an error table.
func tableOf(name string) (ErrorTable, error) {
	switch name {
	case "A", "a":
		return TableA, nil
	case "B", "b":
		return TableB, nil
	}
	return TableA, fmt.Errorf("read table: %q is neither A nor B", name)
}
