package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/doctor"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// look runs a checkup and writes its findings, one a line.
func look(t *testing.T, c *doctor.Checkup) string {
	t.Helper()
	c.Now = now
	var lines []string
	err := c.Run(t.Context(), func(f diff.Finding) error {
		lines = append(lines, fmt.Sprintf("%s %s %s%s %s: %s → %s", f.Severity, f.ID, f.Pipeline, f.Source, f.Subject, f.Evidence, f.Remedy))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func wantIn(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("got\n%s\nwant in it %q", text, part)
		}
	}
}

// account is one whose calls end as the test has it.
func account(token *diff.Token, stored bool, answer doctor.Answer, err error) doctor.Source {
	return doctor.Source{
		Host: "host", Setting: "source.base_url",
		Token: func() (*diff.Token, bool, error) { return token, stored, nil },
		Call:  func(context.Context, string) (doctor.Answer, error) { return answer, err },
	}
}

// How far the clock may be off, and how near the token's end may be.
func TestCheckup_Bounds(t *testing.T) {
	ends := func(left time.Duration) *diff.Token { return &diff.Token{Access: "a", Expires: now.Add(left)} }
	for _, test := range []struct {
		ahead, left time.Duration
		want        []string
	}{
		{0, 30 * 24 * time.Hour, []string{"ok api.clock", "ok api.token"}},
		{2*time.Minute - time.Second, 3 * 24 * time.Hour, []string{"ok api.clock", "is 119 s ahead", "ok api.token"}},
		{-2 * time.Minute, 3*24*time.Hour - time.Second, []string{"warning api.clock", "is 120 s behind", "warning api.token", "in 2 days and 23 hours"}},
		{10*time.Minute - time.Second, 0, []string{"warning api.clock", "error api.token", "run jstsync auth refresh"}},
		{10 * time.Minute, time.Hour, []string{"error api.clock", "is 600 s ahead", "warning api.token"}},
	} {
		got := look(t, &doctor.Checkup{TokenDays: 3, Sources: []doctor.Source{account(ends(test.left), true, doctor.Answer{Ahead: test.ahead, Dated: true}, nil)}})
		wantIn(t, got, test.want...)
	}
}

// What kept a connection from being made decides about the remedy.
func TestCheckup_Connecting(t *testing.T) {
	token := &diff.Token{Access: "a"}
	for _, test := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{Name: "host", IsNotFound: true}, "correct the host name in source.base_url"},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, "nothing listens at that address"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "nothing came back"},
		{errors.New("anything else"), "its own remedy"},
	} {
		err := &diff.Error{Code: diff.CodeUnreachable, Message: "no answer", Remedy: "its own remedy", Err: test.err}
		got := look(t, &doctor.Checkup{Sources: []doctor.Source{account(token, false, doctor.Answer{}, err)}})
		wantIn(t, got, "error api.connection  host: no answer: ", "→ "+test.want)
		target := &doctor.Target{Name: "s/d", Setting: "target.dsn", Connect: func(context.Context) (doctor.Session, error) { return nil, err }}
		wantIn(t, look(t, &doctor.Checkup{Target: target}), "error mysql.connection  s/d: no answer: ", "→ "+strings.ReplaceAll(test.want, "source.base_url", "target.dsn"))
	}
}

// session is one whose checkpoint moves, or whose server fails.
type session struct {
	standing func(head diff.Head) ([]diff.Finding, error)
}

func (session) ExamineServer(context.Context) ([]diff.Finding, error) { return nil, nil }
func (session) ExamineTables(context.Context) ([]diff.Finding, error) { return nil, nil }
func (session) Close() error                                          { return nil }

func (s session) Standing(_ context.Context, head diff.Head, _ *diff.Intent) ([]diff.Finding, error) {
	return s.standing(head)
}

// A run that commits while it is looked at is no divergence: what was seen
// counts only when the state file stood still meanwhile.
func TestCheckup_Moving(t *testing.T) {
	for _, test := range []struct {
		positions []uint64 // seq of the head each time it is read
		want      string
	}{
		{[]uint64{1, 1}, "error mysql.checkpoint p row: at 1"},
		{[]uint64{1, 2, 2}, "error mysql.checkpoint p row: at 2"},
		{[]uint64{1, 2, 3, 4}, "note mysql.checkpoint p p: runs moved the target on"},
	} {
		reads := 0
		s := session{standing: func(head diff.Head) ([]diff.Finding, error) {
			return []diff.Finding{{Severity: diff.SeverityError, ID: "mysql.checkpoint", Subject: "row", Evidence: diff.Say("at %d", head.Seq)}}, nil
		}}
		connect := func(context.Context) (doctor.Session, error) { return s, nil }
		got := look(t, &doctor.Checkup{
			Target: &doctor.Target{Name: "s/d", Connect: connect},
			Pipelines: []doctor.Pipeline{{Name: "p", Connect: connect, Position: func() (diff.Head, *diff.Intent, error) {
				reads++
				return diff.Head{Seq: test.positions[reads-1]}, nil, nil
			}}},
		})
		wantIn(t, got, test.want)
		if n := strings.Count(got, "mysql.checkpoint"); n != 1 || reads != len(test.positions) {
			t.Errorf("got %d findings after %d reads, want one after %d:\n%s", n, reads, len(test.positions), got)
		}
	}
}

// A cancelled look tells nothing more and is the context's error.
func TestCheckup_Cancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var told []string
	c := &doctor.Checkup{Now: now, Sources: []doctor.Source{account(&diff.Token{Access: "a"}, false, doctor.Answer{}, nil)}}
	c.Sources[0].Call = func(context.Context, string) (doctor.Answer, error) {
		cancel()
		return doctor.Answer{}, &diff.Error{Code: diff.CodeUnreachable, Message: "cut short"}
	}
	err := c.Run(ctx, func(f diff.Finding) error { told = append(told, f.ID); return nil })
	if !errors.Is(err, context.Canceled) || !slices.Equal(told, []string{"api.token"}) {
		t.Errorf("got %v after %v, want the cancellation after the token", err, told)
	}
}
