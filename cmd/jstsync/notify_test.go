package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"jstsync/diff"
	"jstsync/internal/alert"
	"jstsync/internal/config"
	"jstsync/internal/schedule"
	"jstsync/state"
)

// watchman is a machine on which processes tell one channel of alerts.
type watchman struct {
	t        *testing.T
	settings *config.Settings
	program  *program
	clock    time.Time
}

func newWatchman(t *testing.T) *watchman {
	t.Helper()
	m := &watchman{t: t, clock: time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC)}
	m.settings = &config.Settings{
		State:     filepath.Join(t.TempDir(), "jstsync.db"),
		Pipelines: []config.Pipeline{{Name: "shops", Resource: "shops", Table: "jst_shops", Key: []string{"shop_id"}}},
		Alerts: config.Alerts{
			Channels: []config.Channel{{Name: "ops", Kind: "webhook", URL: "http://127.0.0.1:9"}},
			Rules:    config.AlertRules{FailedAfter: 3, StaleAfter: 30 * time.Minute},
		},
	}
	m.program = &program{environment: environment{now: func() time.Time { return m.clock }}, log: slog.New(slog.DiscardHandler)}
	if _, err := state.NewJournal(m.settings.State, "shops", newID, m.program.now).Open(); err != nil {
		t.Fatal(err)
	}
	return m
}

// process is one that begins now.
func (m *watchman) process() *notifier { return m.program.newNotifier(m.settings, nil) }

// ends is a run that ends so.
func (m *watchman) ends(n *notifier, status diff.Status) {
	r := &ended{plan: unrun(&m.settings.Pipelines[0])}
	if r.plan.Status = status; status == diff.Failed {
		r.err = errors.New("failed")
	}
	n.ran(&wiring{program: m.program, settings: m.settings}, r)
}

// want compares what the channel is to be told of.
func (m *watchman) want(n *notifier, kinds ...alert.Kind) {
	m.t.Helper()
	got := n.book.For("ops")
	for i := range got {
		if i >= len(kinds) || got[i].Kind != kinds[i] {
			m.t.Fatalf("got %+v, want %v", got, kinds)
		}
	}
	if len(got) != len(kinds) {
		m.t.Fatalf("got %+v, want %v", got, kinds)
	}
}

// look looks as serve does once a minute.
func (m *watchman) look(n *notifier, when schedule.Timetable) {
	n.look([]schedule.Job{{Name: "shops", When: when}}, func(string) bool { return false })
}

// A pipeline that is run every hour is not stale between two runs.
func TestNotifier_rare(t *testing.T) {
	m := newWatchman(t)
	n, hourly := m.process(), schedule.Every(time.Hour, m.clock)
	for minute := range 24 * 60 {
		if minute%60 == 2 {
			m.ends(n, diff.Unchanged)
		}
		m.look(n, hourly)
		m.clock = m.clock.Add(time.Minute)
	}
	m.want(n)
	m.clock = m.clock.Add(29 * time.Minute) // the run of midnight did not come
	m.look(n, hourly)
	m.want(n)
	m.clock = m.clock.Add(2 * time.Minute)
	m.look(n, hourly)
	m.want(n, alert.Stale)
}

// A good run ends a row of failures, also where each run is a process of its own.
func TestNotifier_failures(t *testing.T) {
	m := newWatchman(t)
	for _, status := range []diff.Status{diff.Unchanged, diff.Failed, diff.Failed, diff.Unchanged, diff.Failed} {
		m.ends(m.process(), status)
	}
	m.want(m.process())
	m.ends(m.process(), diff.Failed)
	m.ends(m.process(), diff.Failed)
	m.want(m.process(), alert.Failed)
}

// That a pipeline has had no good run is not over because the process begins
// anew, though none is on record.
func TestNotifier_stale(t *testing.T) {
	m := newWatchman(t)
	n, often := m.process(), schedule.Every(5*time.Minute, m.clock)
	m.clock = m.clock.Add(36 * time.Minute)
	m.look(n, often)
	n.keep()
	m.want(n, alert.Stale)
	for range 3 {
		m.clock = m.clock.Add(20 * time.Minute)
		n = m.process()
		m.look(n, often)
		n.keep()
	}
	m.want(n, alert.Stale)
	m.clock = m.clock.Add(time.Minute)
	m.ends(n, diff.Unchanged)
	m.want(n, alert.Stale, alert.Stale)
}

// endedContext is one in which nothing is sent.
func endedContext() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// What a verification told is not told again, whatever a process stores that began
// before it.
func TestNotifier_beside(t *testing.T) {
	m := newWatchman(t)
	serving := m.process()
	m.process().compared(endedContext(), "shops", 2)
	m.ends(serving, diff.Failed)
	m.want(serving, alert.Drift)
	next := m.process()
	next.compared(endedContext(), "shops", 2)
	m.want(next, alert.Drift)
}

// While a channel hangs, runs do not pile up messages that wait for it.
func TestNotifier_hanging(t *testing.T) {
	m := newWatchman(t)
	asked := make(chan struct{}, 100)
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	defer hanging.Close()
	m.settings.Alerts.Channels[0].URL = config.Secret(hanging.URL)
	n := m.process()
	n.queue([]alert.Notice{{Kind: alert.Held, Subject: "shops", Raised: true}})
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer cancel()
	all.Go(func() { n.send(ctx) })
	<-asked
	returned := make(chan struct{}, 20)
	for range 20 {
		all.Go(func() {
			n.send(ctx)
			returned <- struct{}{}
		})
	}
	for i := range 19 { // one waits, and sends what there is then
		select {
		case <-returned:
		case <-time.After(5 * time.Second):
			t.Fatalf("%d of 20 have returned, want all but one that waits", i)
		}
	}
}

// A verification that ends while a run is under way is not forgotten.
func TestNotifier_busy(t *testing.T) {
	m := newWatchman(t)
	m.settings.LockTimeout = 20 * time.Second
	lock, err := state.Acquire(t.Context(), m.settings.State, 0, m.clock)
	if err != nil {
		t.Fatal(err)
	}
	released := make(chan error)
	go func() {
		time.Sleep(200 * time.Millisecond)
		released <- lock.Release()
	}()
	m.process().once().compared(endedContext(), "shops", 2)
	if err := <-released; err != nil {
		t.Fatal(err)
	}
	m.want(m.process(), alert.Drift)
}

// What was raised of a pipeline or a source is forgotten with it, so that one of
// the same name begins anew.
func TestNotifier_removed(t *testing.T) {
	m := newWatchman(t)
	n, often := m.process(), schedule.Every(5*time.Minute, m.clock)
	m.clock = m.clock.Add(36 * time.Minute)
	m.look(n, often)
	n.queue(n.book.TokenEnds("default", m.clock.Add(time.Hour), m.clock, alert.Rules{TokenDays: 3}))
	n.keep()
	m.want(n, alert.Stale, alert.Token)

	m.settings.Pipelines[0].Name = "other"
	n = m.process()
	n.keep()
	if n.configure(m.settings); len(n.book.Raised) != 0 {
		t.Errorf("got %v raised, want nothing", n.book.Raised)
	}
	m.settings.Pipelines[0].Name = "shops"
	if n = m.process(); len(n.book.Raised) != 0 {
		t.Errorf("in the next process: got %v raised, want nothing", n.book.Raised)
	}
	m.want(n, alert.Stale, alert.Token) // it is still to be told of
}

// The alarm of a stored token is over where none is stored any more, as after a
// change of the app key.
func TestNotifier_tokenGone(t *testing.T) {
	m := newWatchman(t)
	m.settings.Alerts.Rules.TokenDays = 3
	m.settings.Source.AppKey = "old"
	n := m.process()
	wired := func() *wiring {
		w, err := m.program.wire(m.settings)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	w := wired()
	if err := w.vault(w.accounts[""]).Store(&diff.Token{Access: "a", Expires: m.clock.Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	n.ran(w, &ended{plan: unrun(&m.settings.Pipelines[0])})
	m.want(n, alert.Token)
	m.settings.Source.AppKey = "new"
	n.ran(wired(), &ended{plan: unrun(&m.settings.Pipelines[0])})
	m.want(n, alert.Token, alert.Token)
	for _, notice := range n.book.For("ops") {
		if notice.Subject != "source" {
			t.Errorf("got subject %q, want it named as in the configuration", notice.Subject)
		}
	}
}

// What was told before there was a state file is remembered once there is one.
func TestNotifier_noFile(t *testing.T) {
	m := newWatchman(t)
	file := m.settings.State
	m.settings.State = filepath.Join(t.TempDir(), "none.db")
	n := m.process()
	for range 3 {
		m.ends(n, diff.Failed)
	}
	m.want(n, alert.Failed)
	if err := os.Rename(file, m.settings.State); err != nil {
		t.Fatal(err)
	}
	n.keep()
	m.want(m.process(), alert.Failed)
}

// All attempts at a channel that does not answer have the time that they may take.
func TestNotifier_attempts(t *testing.T) {
	if least := 3*alert.NewClient().Timeout + 2*time.Second; sendingTime < least {
		t.Errorf("serve sends for %v, three attempts take up to %v", sendingTime, least)
	}
}
