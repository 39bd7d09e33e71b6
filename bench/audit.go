package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"jstsync/diff"
	"jstsync/internal/mapping"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

// auditSize is a history to ask: a first load of all keys, and then three runs a
// day that each change as many records.
type auditSize struct{ keys, runs, changes, rounds int }

// chronicle is what was measured of a history.
type chronicle struct {
	auditSize
	key      string // whose history is asked for
	loaded   int64  // bytes of the file after the first load
	full     int64  // and after the last run
	samples  map[string][]sample
	commands []question
	pages    []pageTimes // of the console
}

// question is a command that reads the history.
type question struct {
	name string
	args []string
}

const (
	pipelineName = "shops"
	apart        = 8 * time.Hour // runs of a history
)

// measureAudit writes a history as runs do and asks it.
func (b *bench) measureAudit(ctx context.Context, size auditSize, progress io.Writer, now func() time.Time) (c *chronicle, err error) {
	fmt.Fprintf(progress, "a history of %d runs and %d changes\n", size.runs, size.runs*size.changes)
	end := now().UTC().Truncate(time.Hour)
	c = &chronicle{auditSize: size, samples: map[string][]sample{}}
	path := filepath.Join(b.dir, "audit.db")
	w := &historian{journal: state.NewJournal(path, pipelineName, nextID(), func() time.Time { return end }), end: end}
	if err := w.begin(size); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	for n := range size.runs {
		if err := w.run(n); err != nil {
			return nil, fmt.Errorf("write run %d: %w", n+1, err)
		}
		if c.full, err = sizeOf(path); err != nil {
			return nil, err
		}
		if n == 0 {
			c.loaded = c.full
		}
	}
	config := filepath.Join(b.dir, "audit.yaml")
	if err := os.WriteFile(config, []byte("state: "+path+"\n"), 0o600); err != nil {
		return nil, err
	}
	c.key = w.rows[len(w.rows)/2][0].String()
	c.commands = c.questions(end)
	for range size.rounds {
		for _, q := range c.commands {
			taken, err := b.execute(ctx, append([]string{b.product, "--quiet", "--config", config}, q.args...))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", q.name, err)
			}
			c.samples[q.name] = append(c.samples[q.name], sample{usage: taken})
		}
	}
	return c, b.measureConsole(ctx, c, path)
}

// questions are what is asked, each as a process of its own.
func (c *chronicle) questions(end time.Time) []question {
	day, week := end.Add(-24*time.Hour).Format(time.RFC3339), end.Add(-7*24*time.Hour).Format(time.RFC3339)
	middle, last := strconv.Itoa(c.runs/2), strconv.Itoa(c.runs)
	return []question{
		{"history KEY", []string{"history", c.key}},
		{"history KEY --blame", []string{"history", c.key, "--blame"}},
		{"changes --since a day", []string{"changes", "--since", day}},
		{"changes --since a day --format json", []string{"changes", "--since", day, "--format", "json"}},
		{"changes --since a week", []string{"changes", "--since", week}},
		{"changes --key KEY", []string{"changes", "--key", c.key}},
		{"compare, one day", []string{"compare", strconv.Itoa(c.runs - 3), last, "--format", "json"}},
		{"snapshot, half way back", []string{"snapshot", "--at", middle, "--format", "json"}},
		{"runs", []string{"runs"}},
	}
}

func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// historian writes runs into a state file.
type historian struct {
	journal *state.Journal
	columns []string
	rows    []diff.Row
	keys    []diff.Key
	changes int
	runs    int
	end     time.Time // of the last run
}

// nextID returns what makes IDs, the same each time.
func nextID() func() diff.ID {
	n := uint64(0)
	return func() (id diff.ID) {
		n++
		binary.BigEndian.PutUint64(id[8:], n)
		return id
	}
}

// begin maps the shops of the first load.
func (w *historian) begin(size auditSize) error {
	columns, key := mapping.Shops()
	mapper, err := mapping.New("jst_shops", columns, key)
	if err != nil {
		return err
	}
	w.columns, w.changes, w.runs = mapper.Table().Names(), size.changes, size.runs
	for _, shop := range sandbox.New(sandbox.Options{Seed: 1, Shops: size.keys}).Shops() {
		r := &diff.Record{}
		for name, raw := range shop.Members {
			r.Members = append(r.Members, diff.Member{Name: name, Raw: raw})
		}
		row, err := mapper.Row(r)
		if err != nil {
			return err
		}
		key, err := mapper.Key(r)
		if err != nil {
			return err
		}
		w.rows, w.keys = append(w.rows, row), append(w.keys, key)
	}
	return nil
}

// run commits the n-th run: the first inserts all, each other one renames as
// many shops, spread over all keys.
func (w *historian) run(n int) error {
	head, err := w.journal.Open()
	if err != nil {
		return err
	}
	set := diff.NewChangeSet(w.columns)
	if n == 0 {
		for i, row := range w.rows {
			set.Add(diff.Change{Op: diff.Insert, Key: w.keys[i], After: row}, diff.SourceHash(i+1))
		}
	} else {
		for i := n; i < len(w.rows); i += max(1, len(w.rows)/w.changes) {
			w.rename(set, i, n)
		}
	}
	at := w.end.Add(time.Duration(n+1-w.runs) * apart)
	run := &diff.Run{Run: head.Seq + 1, Pipeline: pipelineName, RunID: diff.ID{byte(n >> 8), byte(n), 1}, Trigger: "sync", Status: diff.Pending, Started: at}
	run.Summary.Insert, run.Summary.Update = set.Count(diff.Insert), set.Count(diff.Update)
	in := &diff.Intent{
		Run: run.Run, RunID: run.RunID, Kind: diff.KindSync, From: diff.Checkpoint{Head: head, Epoch: 1, Target: "jst_shops"},
		Instance: head.Instance, Digest: set.Digest(head.Digest), CommittedAt: at, Changes: set.Len(),
	}
	plan := &diff.Plan{Pipeline: pipelineName, Base: head, Changes: set}
	if err := w.journal.Stage(in, plan, run); err != nil {
		return err
	}
	return w.journal.Finalise(in, at)
}

func (w *historian) rename(set *diff.ChangeSet, i, n int) {
	before := w.rows[i]
	after := append(diff.Row{}, before...)
	after[1] = diff.TextValue("旗舰店 " + strconv.Itoa(n))
	w.rows[i] = after
	set.Add(diff.Change{Op: diff.Update, Key: w.keys[i], Before: before, After: after}, diff.SourceHash(n*len(w.rows)+i))
}

func writeAudit(out *bytes.Buffer, c *chronicle) {
	later := int64((c.runs - 1) * c.changes)
	fmt.Fprintf(out, "\n## Looking back\n\n"+
		"A state file of %s runs, eight hours apart: a first load of %s shops, then %s renamed in each, %s changes in all; %d rounds.\n"+
		"It has %s MiB after the first load, %s bytes a record, and %s MiB at the end: %s bytes a change.\n"+
		"Each command is a process of its own. A day has %s changes, a week %s.\n\n",
		thousands(c.runs), thousands(c.keys), thousands(c.changes), thousands(c.keys+int(later)), c.rounds,
		mebibytes(c.loaded), thousands(int(c.loaded)/c.keys), mebibytes(c.full), thousands(int((c.full-c.loaded)/later)),
		thousands(c.changes*4), thousands(c.changes*22))
	out.WriteString("| | CPU ms | wall ms | peak MiB |\n| --- | ---: | ---: | ---: |\n")
	for _, q := range c.commands {
		samples := c.samples[q.name]
		fmt.Fprintf(out, "| `jstsync %s` | %s | %s | %s |\n", q.name, spread(samples, cpu), spread(samples, wall), spread(samples, peak))
	}
	writeConsole(out, c)
}
