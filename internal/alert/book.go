package alert

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Kind is what a notice is about.
type Kind string

// The kinds of notices.
const (
	Failed        Kind = "failed"        // runs of a pipeline fail one after another
	Held          Kind = "held"          // the guard holds a pipeline's changes
	Quarantine    Kind = "quarantine"    // records are set aside
	Withheld      Kind = "withheld"      // deletes wait for a witness
	Drift         Kind = "drift"         // the target is not what the snapshot says
	Stale         Kind = "stale"         // no good run for long
	Token         Kind = "token"         // a source's access token ends soon
	Authorization Kind = "authorization" // shops' authorisations end soon, or have ended
	Test          Kind = "test"          // somebody tries a channel out
)

// Notice is one thing that began or ended.
type Notice struct {
	Kind    Kind      `json:"kind"`
	Subject string    `json:"subject"` // the pipeline; of a token the source
	Raised  bool      `json:"raised"`  // it began; else it ended
	At      time.Time `json:"at"`
	Count   int       `json:"count,omitempty"`
	Detail  string    `json:"detail,omitempty"` // in English
	Remedy  string    `json:"remedy,omitempty"` // in English
	Until   time.Time `json:"until,omitzero"`
	Shops   []Shop    `json:"shops,omitempty"`
}

// Shop is one whose authorisation ends.
type Shop struct {
	ID   string    `json:"shop_id"`
	Name string    `json:"shop_name"`
	Ends time.Time `json:"ends,omitzero"` // zero for never
}

// Rules say what is worth a notice.
type Rules struct {
	FailedAfter       int // runs in a row
	StaleAfter        time.Duration
	AuthorizationDays int
	TokenDays         int
}

// Outcome is how a run ended, as far as alerts care.
type Outcome uint8

// The outcomes.
const (
	Good      Outcome = iota // source and target are in step, without a write
	Committed                // and with one
	HeldBack
	Diverged
	Failure
	Passed // busy or interrupted: it says nothing
)

// Run is what is seen of a run.
type Run struct {
	Pipeline              string
	Outcome               Outcome
	At                    time.Time
	Quarantined, Withheld int
	Guard                 string // what tripped
	Error, Remedy         string
}

// Book is what was raised and is not over, and what is still to be sent. The
// zero value is that nothing was. It is kept as JSON.
type Book struct {
	Raised   map[string]time.Time `json:"raised,omitempty"`   // since when, by condition
	Failures map[string]int       `json:"failures,omitempty"` // runs in a row, by pipeline
	Looked   map[string]time.Time `json:"looked,omitempty"`   // at the shops, by pipeline
	Pending  []Pending            `json:"pending,omitempty"`
}

// Pending is a notice that channels are still to be told of.
type Pending struct {
	Notice
	Channels []string `json:"channels"`
}

// change raises or ends a condition, and returns what to tell of it.
func (b *Book) change(on bool, part string, n Notice) []Notice {
	id := idOf(n.Kind, n.Subject, part)
	if _, was := b.Raised[id]; on == was {
		return nil
	}
	n.Raised = on
	if !on {
		delete(b.Raised, id)
		n.Remedy = ""
		return []Notice{n}
	}
	if b.Raised == nil {
		b.Raised = map[string]time.Time{}
	}
	b.Raised[id] = n.At
	return []Notice{n}
}

// idOf names a condition.
func idOf(k Kind, subject, part string) string {
	return strings.Join([]string{string(k), subject, part}, "\x00")
}

// is reports whether a condition is raised.
func (b *Book) is(k Kind, subject, part string) bool {
	_, raised := b.Raised[idOf(k, subject, part)]
	return raised
}

// StaleSince returns when it was told that a pipeline has had no good run for
// long, the zero time where it was not, or is over.
func (b *Book) StaleSince(pipeline string) time.Time { return b.Raised[idOf(Stale, pipeline, "")] }

// Run takes note of a run.
func (b *Book) Run(r *Run, rules Rules) (all []Notice) {
	notice := func(k Kind) Notice {
		return Notice{Kind: k, Subject: r.Pipeline, At: r.At, Detail: r.Error, Remedy: r.Remedy}
	}
	switch r.Outcome {
	case Passed:
		return nil
	case Failure, Diverged:
		if b.Failures == nil {
			b.Failures = map[string]int{}
		}
		b.Failures[r.Pipeline]++
		n := notice(Failed)
		n.Count = b.Failures[r.Pipeline]
		if r.Outcome == Diverged {
			return b.change(true, "run", notice(Drift))
		}
		if n.Count >= rules.FailedAfter {
			return b.change(true, "", n)
		}
		return nil
	}
	n := notice(Failed)
	n.Count = b.Failures[r.Pipeline]
	delete(b.Failures, r.Pipeline)
	all = append(all, b.change(false, "", n)...)
	held := notice(Held)
	held.Detail = r.Guard
	all = append(all, b.change(r.Outcome == HeldBack, "", held)...)
	for _, c := range []struct {
		kind  Kind
		count int
	}{{Quarantine, r.Quarantined}, {Withheld, r.Withheld}} {
		n := notice(c.kind)
		n.Count = c.count
		all = append(all, b.change(c.count > 0, "", n)...)
	}
	if r.Outcome == Committed { // the checkpoint row was where it was left
		all = append(all, b.change(false, "run", notice(Drift))...)
	}
	return all
}

// Verified takes note of a comparison of target and snapshot that found so many
// rows missing, different or extra.
func (b *Book) Verified(pipeline string, rows int, at time.Time) []Notice {
	n := Notice{
		Kind: Drift, Subject: pipeline, At: at, Count: rows,
		Remedy: "jstsync verify shows what differs, jstsync verify --repair brings it back to the snapshot",
	}
	if rows > 0 {
		return b.change(true, "verify", n)
	}
	over := append(b.change(false, "verify", n), b.change(false, "run", n)...)
	return over[:min(len(over), 1)] // both say that the target is in step again
}

// Fresh takes note of when a pipeline's last good run was. One that a person
// paused is not stale. Only a good run ends what was told, not other rules.
func (b *Book) Fresh(pipeline string, last, now time.Time, paused bool, rules Rules) []Notice {
	if told := b.StaleSince(pipeline); told.IsZero() && paused || !told.IsZero() && !last.After(told) {
		return nil
	}
	return b.change(now.Sub(last) > rules.StaleAfter, "", Notice{
		Kind: Stale, Subject: pipeline, At: now, Until: last, Remedy: "see jstsync runs; jstsync doctor finds what is wrong",
	})
}

// TokenEnds takes note of when a source's access token ends; the zero time is
// that it is not known to.
func (b *Book) TokenEnds(source string, ends, now time.Time, rules Rules) []Notice {
	soon := !ends.IsZero() && ends.Sub(now) < time.Duration(rules.TokenDays)*24*time.Hour
	return b.change(soon, "", Notice{
		Kind: Token, Subject: source, At: now, Until: ends, Remedy: "it is renewed 12 hours ahead by itself; if it is not, run jstsync auth refresh",
	})
}

// Shops takes note of the shops of a pipeline whose authorisations end at some
// time, and of those that [Book.Warned] tells of. Each is told of once when it
// ends soon and once when it has ended, and when it was renewed.
func (b *Book) Shops(pipeline string, shops []Shop, now time.Time, rules Rules) (all []Notice) {
	if b.Looked == nil {
		b.Looked = map[string]time.Time{}
	}
	b.Looked[pipeline] = now
	soon := now.AddDate(0, 0, rules.AuthorizationDays)
	begun := Notice{Kind: Authorization, Subject: pipeline, At: now, Remedy: "authorise the shops anew in Jushuitan"}
	over, ended := begun, map[string]bool{}
	begun.Raised, over.Remedy = true, ""
	for _, s := range shops {
		stage := ""
		switch {
		case s.Ends.IsZero():
		case !s.Ends.After(now):
			stage = "ended"
		case s.Ends.Before(soon):
			stage = "soon"
		}
		for _, other := range []string{"soon", "ended"} {
			raised := b.is(Authorization, pipeline, s.ID+"/"+other)
			switch {
			case other == stage:
				if len(b.change(true, s.ID+"/"+other, begun)) > 0 {
					begun.Shops = append(begun.Shops, s)
				}
			case raised:
				b.change(false, s.ID+"/"+other, begun)
				ended[s.ID] = true
			}
		}
		if stage == "" && ended[s.ID] {
			over.Shops = append(over.Shops, s)
		}
	}
	b.forgetShops(pipeline, shops)
	for _, n := range []Notice{begun, over} {
		if n.Count = len(n.Shops); n.Count > 0 {
			slices.SortStableFunc(n.Shops, func(a, c Shop) int { return cmp.Or(a.Ends.Compare(c.Ends), cmp.Compare(a.ID, c.ID)) })
			n.Shops = n.Shops[:min(len(n.Shops), maxShops)]
			all = append(all, n)
		}
	}
	return all
}

// Warned reports whether it was told that the authorisation of a shop ends soon,
// or has ended.
func (b *Book) Warned(pipeline, shop string) bool {
	return b.is(Authorization, pipeline, shop+"/soon") || b.is(Authorization, pipeline, shop+"/ended")
}

// maxShops is how many shops a notice names; the rest is counted.
const maxShops = 100

// forgetShops drops what was raised of shops that are gone.
func (b *Book) forgetShops(pipeline string, shops []Shop) {
	there := make(map[string]bool, len(shops))
	for _, s := range shops {
		there[s.ID] = true
	}
	prefix := string(Authorization) + "\x00" + pipeline + "\x00"
	for id := range b.Raised {
		if rest, ok := strings.CutPrefix(id, prefix); ok {
			if shop, _, _ := strings.Cut(rest, "/"); !there[shop] {
				delete(b.Raised, id)
			}
		}
	}
}

// maxPending bounds how many notices wait to be sent: the oldest are dropped.
const maxPending = 200

// Queue adds notices that the channels are to be told of.
func (b *Book) Queue(notices []Notice, channels []string) {
	if len(channels) == 0 {
		return
	}
	for _, n := range notices {
		b.Pending = append(b.Pending, Pending{n, slices.Clone(channels)})
	}
	b.Pending = b.Pending[max(0, len(b.Pending)-maxPending):]
}

// For returns what a channel is still to be told of, oldest first.
func (b *Book) For(channel string) (notices []Notice) {
	for _, p := range b.Pending {
		if slices.Contains(p.Channels, channel) {
			notices = append(notices, p.Notice)
		}
	}
	return notices
}

// Sent takes note that a channel was told of notices that [Book.For] returned.
func (b *Book) Sent(channel string, notices []Notice) {
	for i := range notices {
		b.told(channel, &notices[i])
	}
	b.drop()
}

func (b *Book) told(channel string, n *Notice) {
	for i := range b.Pending {
		p := &b.Pending[i]
		if at := slices.Index(p.Channels, channel); at >= 0 && p.is(n) {
			p.Channels = slices.Delete(p.Channels, at, at+1)
			return
		}
	}
}

// is reports whether it is this notice.
func (p *Pending) is(n *Notice) bool {
	return p.Kind == n.Kind && p.Subject == n.Subject && p.Raised == n.Raised && p.At.Equal(n.At)
}

// in reports whether the channel is among the pending still to be told of the notice.
func (n *Notice) in(all []Pending, channel string) bool {
	return slices.ContainsFunc(all, func(p Pending) bool { return p.is(n) && slices.Contains(p.Channels, channel) })
}

// Merge takes up what another process made of the book base, which this one was
// made of too.
func (b *Book) Merge(base, theirs *Book) {
	b.Raised = merged(b.Raised, base.Raised, theirs.Raised, time.Time.Equal)
	b.Looked = merged(b.Looked, base.Looked, theirs.Looked, time.Time.Equal)
	b.Failures = merged(b.Failures, base.Failures, theirs.Failures, func(x, y int) bool { return x == y })
	for i := range base.Pending {
		p := &base.Pending[i]
		for _, channel := range p.Channels {
			if !p.in(theirs.Pending, channel) {
				b.told(channel, &p.Notice)
			}
		}
	}
	b.drop()
	for i := range theirs.Pending {
		if p := &theirs.Pending[i]; !slices.ContainsFunc(base.Pending, func(old Pending) bool { return old.is(&p.Notice) }) {
			b.Pending = append(b.Pending, *p)
		}
	}
}

// merged makes the changes from base to theirs in ours, too.
func merged[V any](ours, base, theirs map[string]V, equal func(V, V) bool) map[string]V {
	if ours == nil {
		ours = map[string]V{}
	}
	for k, v := range theirs {
		if was, ok := base[k]; !ok || !equal(v, was) {
			ours[k] = v
		}
	}
	for k := range base {
		if _, ok := theirs[k]; !ok {
			delete(ours, k)
		}
	}
	return ours
}

// Keep forgets what channels that are no longer there were to be told of.
func (b *Book) Keep(channels []string) {
	for i := range b.Pending {
		b.Pending[i].Channels = slices.DeleteFunc(b.Pending[i].Channels, func(c string) bool { return !slices.Contains(channels, c) })
	}
	b.drop()
}

// Only forgets all that is remembered of pipelines and sources but these, and
// reports whether that was anything. What is to be sent of them stays.
func (b *Book) Only(pipelines, sources []string) bool {
	before := len(b.Raised) + len(b.Failures) + len(b.Looked)
	maps.DeleteFunc(b.Raised, func(id string, _ time.Time) bool {
		kind, rest, _ := strings.Cut(id, "\x00")
		subject, _, _ := strings.Cut(rest, "\x00")
		if Kind(kind) == Token {
			return !slices.Contains(sources, subject)
		}
		return !slices.Contains(pipelines, subject)
	})
	maps.DeleteFunc(b.Failures, func(name string, _ int) bool { return !slices.Contains(pipelines, name) })
	maps.DeleteFunc(b.Looked, func(name string, _ time.Time) bool { return !slices.Contains(pipelines, name) })
	return len(b.Raised)+len(b.Failures)+len(b.Looked) != before
}

func (b *Book) drop() {
	b.Pending = slices.DeleteFunc(b.Pending, func(p Pending) bool { return len(p.Channels) == 0 })
}
