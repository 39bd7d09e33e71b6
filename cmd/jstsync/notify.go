package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"jstsync/diff"
	"jstsync/internal/alert"
	"jstsync/internal/config"
	"jstsync/internal/metrics"
	"jstsync/internal/schedule"
	"jstsync/state"
)

const (
	sendingTime = 40 * time.Second // for all that is pending, in serve
	onceTime    = 8 * time.Second  // in a command that runs once
	shopsEvery  = 24 * time.Hour   // between two looks at authorisations when nothing changes
	watchEvery  = time.Minute      // between two looks at what goes stale
)

// notifier tells people when something begins to be wrong and when it is right
// again. What it remembers is in the state file. A nil one tells nobody. It never
// fails a run, and never keeps one waiting.
type notifier struct {
	*program
	meter *meter        // may be nil
	limit time.Duration // for sending all that is pending
	wait  time.Duration // for a run under way, to store the book

	sending sync.Mutex  // held while messages are sent
	waiting atomic.Bool // somebody waits to send what is pending then

	mu       sync.Mutex // guards what follows
	settings *config.Settings
	channels []*alert.Channel
	rules    alert.Rules
	book     alert.Book
	stored   []byte               // the book as it was stored when it was last looked at
	dirty    bool                 // the book is not as it is stored
	good     map[string]time.Time // the last good run, by pipeline
}

// newNotifier returns nil when no channel is configured.
func (p *program) newNotifier(settings *config.Settings, m *meter) *notifier {
	if len(settings.Alerts.Channels) == 0 {
		return nil
	}
	n := &notifier{program: p, meter: m, limit: sendingTime, good: map[string]time.Time{}}
	n.configure(settings)
	n.recall()
	for i := range settings.Pipelines {
		n.begin(settings.Pipelines[i].Name) // of which no run is on record
	}
	runs, err := state.Runs(settings.State, recent)
	if err != nil {
		p.log.Warn("read past runs for alerts", "err", err)
	}
	for _, r := range slices.Backward(runs) {
		if r.Status == diff.Unchanged || r.Status == diff.Committed {
			n.good[r.Pipeline] = r.Ended
		}
	}
	return n
}

// once makes it that of a command that runs once: there is no next run of this
// process that would store what this one cannot.
func (n *notifier) once() *notifier {
	if n != nil {
		n.limit, n.wait = onceTime, n.settings.LockTimeout
	}
	return n
}

// recall takes up what other processes stored. Its caller holds mu.
func (n *notifier) recall() {
	text, err := state.Alerts(n.settings.State)
	if err == nil && (len(text) == 0 || bytes.Equal(text, n.stored)) {
		return
	}
	var base, theirs alert.Book
	if err == nil && len(n.stored) > 0 {
		err = json.Unmarshal(n.stored, &base)
	}
	if err == nil {
		err = json.Unmarshal(text, &theirs)
	}
	if err != nil {
		n.log.Warn("read which alerts were raised; they may be sent again", "err", err)
		return
	}
	n.book.Merge(&base, &theirs)
	n.forget()
	n.stored = text
}

// forget drops what is no longer configured. Its caller holds mu.
func (n *notifier) forget() {
	n.book.Keep(n.names())
	var pipelines, sources []string
	for i := range n.settings.Pipelines {
		pipelines = append(pipelines, n.settings.Pipelines[i].Name)
	}
	for _, s := range sourcesOf(n.settings) {
		sources = append(sources, subjectOf(s.Name))
	}
	n.dirty = n.book.Only(pipelines, sources) || n.dirty
}

// begin makes the time without a good run of a pipeline begin now, or go on where
// it was told of already.
func (n *notifier) begin(pipeline string) {
	n.good[pipeline] = cmp.Or(n.book.StaleSince(pipeline), n.now())
}

// configure takes up other settings.
func (n *notifier) configure(settings *config.Settings) {
	if n == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settings, n.channels = settings, channelsOf(settings)
	n.forget()
	r := settings.Alerts.Rules
	n.rules = alert.Rules{FailedAfter: r.FailedAfter, StaleAfter: r.StaleAfter, AuthorizationDays: r.AuthorizationDays, TokenDays: r.TokenDays}
}

func channelsOf(settings *config.Settings) (all []*alert.Channel) {
	for _, c := range settings.Alerts.Channels {
		all = append(all, &alert.Channel{Name: c.Name, Kind: c.Kind, URL: c.URL.Reveal(), Secret: c.Secret.Reveal()})
	}
	return all
}

func (n *notifier) names() (all []string) {
	for _, c := range n.channels {
		all = append(all, c.Name)
	}
	return all
}

// alertOutcome is how a run ended, as far as alerts care.
func alertOutcome(r *ended) alert.Outcome {
	switch outcomeOf(r) {
	case metrics.Unchanged:
		return alert.Good
	case metrics.Committed:
		return alert.Committed
	case metrics.Held:
		return alert.HeldBack
	case metrics.Diverged:
		return alert.Diverged
	case metrics.Busy, metrics.Interrupted:
		return alert.Passed
	default:
		return alert.Failure
	}
}

// ran takes note of a run. Its caller holds the run lock, unless the run did not
// begin.
func (n *notifier) ran(w *wiring, r *ended) {
	if n == nil {
		return
	}
	now := n.now()
	run := &alert.Run{
		Pipeline: r.plan.Pipeline, Outcome: alertOutcome(r), At: now, Guard: r.plan.Guard.Kind,
		Quarantined: len(r.plan.Quarantine), Withheld: len(r.plan.Withheld.Keys),
	}
	if r.err != nil {
		run.Error = r.err.Error()
	}
	if e, ok := errors.AsType[*diff.Error](r.err); ok {
		run.Remedy = e.Remedy
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.recall()
	failures := n.book.Failures[run.Pipeline]
	notices := n.book.Run(run, n.rules)
	n.dirty = n.dirty || n.book.Failures[run.Pipeline] != failures
	if run.Outcome == alert.Good || run.Outcome == alert.Committed {
		n.good[run.Pipeline] = now
		notices = append(notices, n.book.Fresh(run.Pipeline, now, now, false, n.rules)...)
		notices = append(notices, n.shops(run, now)...)
	}
	if w != nil {
		notices = append(notices, n.tokens(w, now)...)
	}
	n.queue(notices)
	if w != nil && !r.unbegun {
		n.store()
	}
}

// subjectOf names a source in messages. The only one has the name of its setting.
func subjectOf(source string) string { return cmp.Or(source, "source") }

// tokens looks when access tokens end.
func (n *notifier) tokens(w *wiring, now time.Time) (notices []alert.Notice) {
	for name, a := range w.accounts {
		token, err := w.vault(a).Token()
		if err != nil {
			continue
		}
		var ends time.Time
		if token != nil {
			ends = token.Expires
		}
		notices = append(notices, n.book.TokenEnds(subjectOf(name), ends, now, n.rules)...)
	}
	return notices
}

// shops looks at the authorisations of shops when rows changed, and once a day.
func (n *notifier) shops(run *alert.Run, now time.Time) []alert.Notice {
	if run.Outcome != alert.Committed && now.Sub(n.book.Looked[run.Pipeline]) < shopsEvery {
		return nil
	}
	pl, err := n.settings.Pipeline(run.Pipeline)
	if err != nil || len(pl) != 1 {
		return nil
	}
	found, err := authorizations(n.settings.State, &pl[0], func(shop string) bool { return n.book.Warned(run.Pipeline, shop) })
	if err != nil {
		n.log.Warn("look at the authorisations of shops", "pipeline", run.Pipeline, "err", err)
		return nil
	}
	n.dirty = true
	return n.book.Shops(run.Pipeline, found, now, n.rules)
}

// queue adds notices to what is to be sent. Its caller holds mu.
func (n *notifier) queue(notices []alert.Notice) {
	for i := range notices {
		s := &notices[i]
		n.log.Info("alert", "kind", string(s.Kind), "subject", s.Subject, "raised", s.Raised)
	}
	if len(notices) > 0 {
		n.book.Queue(notices, n.names())
		n.dirty = true
	}
}

// store keeps the book in the state file. Its caller holds mu and the run lock.
func (n *notifier) store() {
	if !n.dirty {
		return
	}
	n.recall()
	text, err := json.Marshal(&n.book)
	if err == nil {
		err = state.StoreAlerts(n.settings.State, text, n.now)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return // until there is a state file
	}
	if err != nil {
		n.log.Warn("remember which alerts were raised; they may be sent again", "err", err)
		return
	}
	n.stored, n.dirty = text, false
}

// keep stores the book, unless a run is under way for longer than it waits; then
// the next one does.
func (n *notifier) keep() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.dirty {
		return
	}
	lock, err := state.Acquire(context.Background(), n.settings.State, n.wait, n.now())
	if err != nil {
		return
	}
	n.store()
	if err := lock.Release(); err != nil {
		n.log.Warn("give the run lock back", "err", err)
	}
}

// watch looks from time to time at what no run tells: that there has been no
// good one for long.
func (n *notifier) watch(ctx context.Context, jobs []schedule.Job, paused func(pipeline string) bool) {
	if n == nil {
		return
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.look(jobs, paused)
			n.keep() // before it is sent
			n.send(ctx)
		}
	}
}

// look takes note of what time has brought.
func (n *notifier) look(jobs []schedule.Job, paused func(pipeline string) bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.recall()
	now := n.now()
	var notices []alert.Notice
	for _, job := range jobs {
		if n.good[job.Name].IsZero() {
			n.begin(job.Name)
		}
		last, rules := n.good[job.Name], n.rules
		rules.StaleAfter += job.When.Next(last).Sub(last) // before that there is to be none
		notices = append(notices, n.book.Fresh(job.Name, last, now, paused(job.Name), rules)...)
	}
	n.queue(notices)
}

// compared takes note of what a verification found, and tells of it.
func (n *notifier) compared(ctx context.Context, pipeline string, rows int) {
	n.mu.Lock()
	n.recall()
	n.queue(n.book.Verified(pipeline, rows, n.now()))
	n.mu.Unlock()
	n.keep() // before it is sent
	n.send(ctx)
}
