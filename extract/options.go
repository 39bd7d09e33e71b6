package extract

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"jstsync/diff"
)

// The vendor's documented limits and this package's defaults.
const (
	DefaultPageSize    = 100 // rows; also the vendor's greatest
	DefaultPerSecond   = 5   // calls, documented
	DefaultPerMinute   = 100 // calls, documented
	DefaultTimeout     = 30 * time.Second
	DefaultMaxAttempts = 6
	DefaultMaxElapsed  = 5 * time.Minute
	DefaultAhead       = 4 // pages under way at once

	shopsPath = "/open/shops/query"
)

// Options are the settings of a [Shops] or an [Auth]. BaseURL, AppKey and
// AppSecret are required, and Token for Shops; every other zero value means the
// default. An Auth looks neither at Token and ID nor at how pages are read, and
// makes no recording. With a Replay nothing is required.
type Options struct {
	BaseURL   *url.URL // scheme and host, and a path prefix if there is one
	AppKey    string
	AppSecret string
	Token     TokenSource

	PageSize  int     // rows a page, 1 to 100
	PerSecond float64 // calls started in any one second; ignored with a Pacer
	PerMinute float64 // calls started in any 60 seconds; ignored with a Pacer
	Ahead     int     // pages fetched at once, as far as they are known to exist

	Timeout     time.Duration // one attempt, from connecting to the body's end
	MaxAttempts int           // of one call
	MaxElapsed  time.Duration // from a call's first attempt to the start of its last

	Logger *slog.Logger // attempts, at debug level; nil discards

	// ID returns the id of a record as a key of one integer, also of a record
	// whose Err is set, or an error when it cannot be read. Witness needs it.
	ID func(*diff.Record) (diff.Key, error)

	// Pacer is to be shared by all who call with the same app key; nil makes
	// one.
	Pacer *Pacer
	// Transport makes the requests; nil makes one that obeys the proxy
	// settings of the environment and nothing else.
	Transport http.RoundTripper

	// Record says where the answers to Shops are kept; nil keeps none.
	Record *Record
	// Replay answers Shops instead of the API; what shapes the calls is then
	// as it was when they were recorded.
	Replay *Replay

	Now   func() time.Time                                 // the clock
	Sleep func(ctx context.Context, d time.Duration) error // waits d, or returns ctx.Err() at once when ctx ends
	Rand  func() float64                                   // uniform in [0, 1)
}

// Shops reads the shops of one merchant. It is safe for concurrent use.
type Shops struct {
	*caller
	scans    atomic.Int32
	renewing chan struct{}   // held while a token is renewed
	renewed  map[string]bool // tokens no longer in use
}

// NewShops checks the options and that this build signs as the vendor does,
// and begins the recording. The error is a [diff.Error]: of [diff.CodeConfig]
// naming the setting, or of [diff.CodeFailed] when nothing can be recorded.
func NewShops(o Options) (*Shops, error) {
	c, err := newCaller(o)
	if err != nil {
		return nil, err
	}
	if o.Token == nil && o.Replay == nil {
		return nil, setting("access_token", "is missing")
	}
	if o.Record != nil {
		if c.recorder, err = newRecorder(c.o); err != nil {
			return nil, err
		}
	}
	return &Shops{caller: c, renewing: make(chan struct{}, 1), renewed: make(map[string]bool)}, nil
}

func (o *Options) check() error {
	u := o.BaseURL
	switch {
	case u == nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return setting("base_url", "is not an http or https address")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return setting("base_url", "has more than a scheme, a host and a path")
	case o.AppKey == "":
		return setting("app_key", "is empty")
	case o.AppSecret == "":
		return setting("app_secret", "is empty")
	case o.PageSize < 0 || o.PageSize > DefaultPageSize:
		return setting("page_size", "is not between 1 and %d", DefaultPageSize)
	case o.PerSecond < 0 || o.PerMinute < 0:
		return setting("rate", "is negative")
	case o.Timeout < 0:
		return setting("timeout", "is negative")
	case o.MaxAttempts < 0 || o.MaxElapsed < 0:
		return setting("retry", "is negative")
	}
	return nil
}

func setting(name, format string, args ...any) error {
	return &diff.Error{
		Code:    diff.CodeConfig,
		Message: "source." + name + " " + fmt.Sprintf(format, args...),
		Remedy:  "set source." + name,
	}
}

func (o *Options) setDefaults() {
	orDefault(&o.PageSize, DefaultPageSize)
	orDefault(&o.PerSecond, DefaultPerSecond)
	orDefault(&o.PerMinute, DefaultPerMinute)
	orDefault(&o.Ahead, DefaultAhead)
	orDefault(&o.Timeout, DefaultTimeout)
	orDefault(&o.MaxAttempts, DefaultMaxAttempts)
	orDefault(&o.MaxElapsed, DefaultMaxElapsed)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of the clock field
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Pacer == nil {
		o.Pacer = NewPacer(PacerOptions{
			PerSecond: o.PerSecond, PerMinute: o.PerMinute, Now: o.Now, Sleep: o.Sleep,
		})
	}
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// sleep waits d, or returns ctx's error as soon as ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil || d <= 0 {
		return err
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
