package console_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/console"
)

// unread is an audit whose rows cannot be read for as many times as are left.
type unread struct {
	console.Audit
	left *atomic.Int32
}

// Rows fails, or is that of the audit.
func (u unread) Rows(run uint64, from diff.Key, limit int) ([]string, []diff.Row, diff.Key, error) {
	if u.left.Add(-1) >= 0 {
		return nil, nil, "", errors.New("cannot be read")
	}
	return u.Audit.Rows(run, from, limit)
}

// Authorisations that end are told of soon after they could not be read, also
// those that were found before.
func TestExpiring_unread(t *testing.T) {
	o := small(t).Options(t.Context())
	audit, began := o.Audit, o.Now()
	var minutes atomic.Int64
	var left atomic.Int32
	o.Now = func() time.Time { return began.Add(time.Duration(minutes.Load()) * time.Minute) }
	o.Audit = func(pipeline string) console.Audit { return unread{audit(pipeline), &left} }
	s := httptest.NewServer(console.New(o))
	defer s.Close()
	v := &visit{t: t, url: s.URL, client: s.Client()}
	await := func(when string, told bool) {
		t.Helper()
		for end := time.Now().Add(5 * time.Second); strings.Contains(v.get("/"), "expired: ") != told || left.Load() > 0; {
			if time.Now().After(end) {
				t.Fatalf("%s: told is not %v", when, told)
			}
		}
	}
	left.Store(1)
	await("it could not be read", false)
	minutes.Store(2)
	await("it can be read", true)
	left.Store(1)
	minutes.Store(63)
	await("it could not be read again", true)
	time.Sleep(20 * time.Millisecond)
	await("it could not be read again", true)
}
