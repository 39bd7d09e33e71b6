package alert_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"jstsync/internal/alert"
)

var (
	start = time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC)
	rules = alert.Rules{FailedAfter: 3, StaleAfter: 30 * time.Minute, AuthorizationDays: 7, TokenDays: 3}
)

// said names notices: the kind, and - before what ended.
func said(notices []alert.Notice) string {
	var all []string
	for _, n := range notices {
		mark := "-"
		if n.Raised {
			mark = "+"
		}
		text := mark + string(n.Kind)
		if n.Count > 0 {
			text += fmt.Sprint(" ", n.Count)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}

// restarted is the book as the next process reads it.
func restarted(tb interface{ Fatal(...any) }, b *alert.Book) *alert.Book {
	text, err := json.Marshal(b)
	if err != nil {
		tb.Fatal(err)
	}
	next := &alert.Book{}
	if err := json.Unmarshal(text, next); err != nil {
		tb.Fatal(err)
	}
	return next
}

func TestBook_Run(t *testing.T) {
	type run = alert.Run
	for _, tt := range []struct {
		name string
		runs []run
		want []string // after each
	}{
		{"two failures are nothing", []run{{Outcome: alert.Failure}, {Outcome: alert.Failure}, {}}, []string{"", "", ""}},
		{
			"a flapping source is told of once",
			[]run{{Outcome: alert.Failure}, {Outcome: alert.Failure}, {Outcome: alert.Failure}, {Outcome: alert.Failure}, {}, {Outcome: alert.Failure}, {}},
			[]string{"", "", "+failed 3", "", "-failed 4", "", ""},
		},
		{"busy says nothing", []run{{Outcome: alert.Failure}, {Outcome: alert.Passed}, {Outcome: alert.Failure}, {Outcome: alert.Failure}}, []string{"", "", "", "+failed 3"}},
		{"held", []run{{Outcome: alert.HeldBack, Guard: "deletes"}, {Outcome: alert.HeldBack}, {Outcome: alert.Failure}, {Outcome: alert.Committed}}, []string{"+held", "", "", "-held"}},
		{
			"set aside and withheld",
			[]run{{Quarantined: 2}, {Quarantined: 5, Withheld: 1}, {Outcome: alert.Failure}, {Withheld: 1}, {}},
			[]string{"+quarantine 2", "+withheld 1", "", "-quarantine", "-withheld"},
		},
		{"a commit ends what diverged, a quiet run does not", []run{{Outcome: alert.Diverged}, {Outcome: alert.Diverged}, {}, {Outcome: alert.Committed}}, []string{"+drift", "", "", "-drift"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := &alert.Book{}
			for i, r := range tt.runs {
				r.Pipeline, r.At = "shops", start
				b = restarted(t, b)
				if got := said(b.Run(&r, rules)); got != tt.want[i] {
					t.Errorf("run %d: got %q, want %q", i+1, got, tt.want[i])
				}
			}
		})
	}
}

func TestBook_Fresh(t *testing.T) {
	b := &alert.Book{}
	strict := alert.Rules{StaleAfter: 10 * time.Minute}
	for i, step := range []struct {
		now, last int // minutes
		paused    bool
		rules     alert.Rules
		want      string
	}{
		{1, 0, false, rules, ""},
		{31, 0, true, rules, ""},
		{31, 0, false, rules, "+stale"},
		{32, 0, true, rules, ""},
		{34, 33, false, rules, "-stale"},
		{44, 33, false, strict, "+stale"},
		{45, 33, false, rules, ""}, // the rules are other ones, but it had no good run
		{46, 45, false, rules, "-stale"},
	} {
		at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
		if got := said(b.Fresh("shops", at(step.last), at(step.now), step.paused, step.rules)); got != step.want {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}

func TestBook_TokenEnds(t *testing.T) {
	b := &alert.Book{}
	for i, step := range []struct {
		ends time.Time
		want string
	}{
		{time.Time{}, ""},
		{start.AddDate(0, 0, 4), ""},
		{start.AddDate(0, 0, 2), "+token"},
		{start.AddDate(0, 0, 1), ""},
		{start.AddDate(0, 0, 30), "-token"},
	} {
		if got := said(b.TokenEnds("default", step.ends, start, rules)); got != step.want {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}

// What a run and a comparison found is over at once, and told of once.
func TestBook_Verified(t *testing.T) {
	b := &alert.Book{}
	got := said(b.Run(&alert.Run{Pipeline: "shops", Outcome: alert.Diverged}, rules))
	for _, rows := range []int{2, 2, 0, 0} {
		got += "; " + said(b.Verified("shops", rows, start))
	}
	if want := "+drift; +drift 2; ; -drift; "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Of what is no longer there nothing is kept, but for what is still to be told.
func TestBook_Only(t *testing.T) {
	b := &alert.Book{}
	for _, name := range []string{"a", "b"} {
		b.Verified(name, 1, start)
		b.TokenEnds(name, start, start, rules)
		b.Shops(name, []alert.Shop{{ID: "1", Ends: start}}, start, rules)
		b.Run(&alert.Run{Pipeline: name, Outcome: alert.Failure}, rules)
	}
	if b.Only([]string{"a", "b"}, []string{"a", "b"}) {
		t.Error("something was forgotten of what is there")
	}
	if !b.Only([]string{"a"}, []string{"b"}) {
		t.Error("nothing was forgotten")
	}
	if len(b.Raised) != 3 || len(b.Failures) != 1 || len(b.Looked) != 1 {
		t.Errorf("got %+v, want what is of pipeline a and of source b", b)
	}
	if got, want := said(b.TokenEnds("a", start, start, rules))+said(b.Verified("b", 0, start)), "+token"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBook_Shops(t *testing.T) {
	b := &alert.Book{}
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	shop := func(id string, days int) alert.Shop { return alert.Shop{ID: id, Name: "店" + id, Ends: day(days)} }
	for i, step := range []struct {
		shops []alert.Shop
		want  string
	}{
		{[]alert.Shop{shop("1", 3), shop("2", 30), shop("3", -1)}, "+authorization 2"},
		{[]alert.Shop{shop("1", 3), shop("2", 30), shop("3", -1)}, ""},
		{[]alert.Shop{shop("1", -1), shop("2", 5), shop("3", -1)}, "+authorization 2"}, // 1 has ended now
		{[]alert.Shop{shop("1", 400), shop("2", 5)}, "-authorization 1"},               // 3 is gone
		{[]alert.Shop{shop("1", 400), shop("2", 5), shop("3", -1)}, "+authorization 1"},
		{[]alert.Shop{{ID: "2"}, {ID: "3"}, {ID: "4"}}, "-authorization 2"}, // they no longer end
		{[]alert.Shop{shop("2", 5)}, "+authorization 1"},
	} {
		b = restarted(t, b)
		if got := said(b.Shops("shops", step.shops, start, rules)); got != step.want {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
	}
}

// Whatever happens in whatever order, and however often the process begins
// anew: a condition is not raised twice without an end between, nor ended twice.
func TestBook_Property(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, raised, now := &alert.Book{}, map[string]bool{}, start
		for range rapid.IntRange(1, 60).Draw(rt, "events") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3_000_000).Draw(rt, "seconds")) * time.Second / 10)
			pipeline := rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "pipeline")
			var got []alert.Notice
			switch rapid.IntRange(0, 5).Draw(rt, "event") {
			case 0:
				got = b.Verified(pipeline, rapid.IntRange(0, 2).Draw(rt, "rows"), now)
			case 1:
				got = b.Fresh(pipeline, now.Add(-time.Duration(rapid.IntRange(0, 60).Draw(rt, "age"))*time.Minute), now, rapid.Bool().Draw(rt, "paused"), rules)
			case 2:
				got = b.TokenEnds(pipeline, now.AddDate(0, 0, rapid.IntRange(-1, 6).Draw(rt, "days")), now, rules)
			case 3:
				b = restarted(rt, b)
			default:
				got = b.Run(&alert.Run{
					Pipeline: pipeline, At: now, Outcome: alert.Outcome(rapid.IntRange(0, 5).Draw(rt, "outcome")),
					Quarantined: rapid.IntRange(0, 2).Draw(rt, "aside"), Withheld: rapid.IntRange(0, 1).Draw(rt, "withheld"),
				}, rules)
			}
			for _, n := range got {
				// What a run and what a comparison found of the target are two conditions.
				id := fmt.Sprint(n.Kind, n.Subject)
				if n.Kind == alert.Drift {
					continue
				}
				if raised[id] == n.Raised {
					rt.Fatalf("%s is told twice: raised %t", id, n.Raised)
				}
				raised[id] = n.Raised
			}
		}
	})
}

// Each channel is told of each notice once, whatever becomes of the others.
func TestBook_Pending(t *testing.T) {
	b := &alert.Book{}
	b.Queue([]alert.Notice{{Kind: alert.Held}, {Kind: alert.Stale}}, []string{"one", "two"})
	b.Sent("one", b.For("one")[:1])
	b.Queue([]alert.Notice{{Kind: alert.Token}}, []string{"one", "two"})
	b = restarted(t, b)
	kinds := func(channel string) (all []alert.Kind) {
		for _, n := range b.For(channel) {
			all = append(all, n.Kind)
		}
		return all
	}
	if got, want := kinds("one"), []alert.Kind{alert.Stale, alert.Token}; !slices.Equal(got, want) {
		t.Errorf("one: got %v, want %v", got, want)
	}
	b.Sent("two", b.For("two"))
	if got := kinds("two"); got != nil {
		t.Errorf("two: got %v, want none", got)
	}
	b.Keep([]string{"two"})
	if len(b.Pending) != 0 {
		t.Errorf("got %v, want nothing left for a channel that is gone", b.Pending)
	}
	for i := range 1000 {
		b.Queue([]alert.Notice{{Kind: alert.Held, At: start.Add(time.Duration(i))}}, []string{"down"})
	}
	if len(b.Pending) > 200 {
		t.Errorf("%d notices wait", len(b.Pending))
	}
	// what comes while others are sent is still to be sent, also where it pushes them out
	sent := b.For("down")
	b.Queue([]alert.Notice{{Kind: alert.Stale, At: start}}, []string{"down"})
	b.Sent("down", sent)
	if got, want := kinds("down"), []alert.Kind{alert.Stale}; !slices.Equal(got, want) {
		t.Errorf("down: got %v, want %v", got, want)
	}
}

// What two processes made of one book comes together, in whatever order they
// store it.
func TestBook_Merge(t *testing.T) {
	base, channels := &alert.Book{}, []string{"one", "two"}
	base.Queue(base.Verified("a", 1, start), channels)
	base.Queue(base.Run(&alert.Run{Pipeline: "b", At: start, Outcome: alert.HeldBack}, rules), channels)
	ours, theirs := restarted(t, base), restarted(t, base)

	ours.Queue(ours.Run(&alert.Run{Pipeline: "b", At: start.Add(time.Minute)}, rules), channels)
	ours.Run(&alert.Run{Pipeline: "c", At: start.Add(time.Minute), Outcome: alert.Failure}, rules)
	theirs.Sent("one", theirs.For("one"))
	theirs.Queue(theirs.Verified("a", 0, start.Add(time.Second)), channels)
	theirs.Queue(theirs.Verified("d", 7, start.Add(time.Second)), channels)
	theirs = restarted(t, theirs)

	ours.Merge(restarted(t, base), theirs)
	ours = restarted(t, ours)
	if got, want := said(ours.For("one")), "-held, -drift, +drift 7"; got != want {
		t.Errorf("one: got %q, want %q", got, want)
	}
	if got, want := said(ours.For("two")), "+drift 1, +held, -held, -drift, +drift 7"; got != want {
		t.Errorf("two: got %q, want %q", got, want)
	}
	if len(ours.Raised) != 1 || ours.Failures["c"] != 1 {
		t.Errorf("got %+v, want the drift of d raised and a failure of c", ours)
	}
}
