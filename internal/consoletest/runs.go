package consoletest

import (
	"encoding/binary"
	"slices"
	"time"

	"jstsync/diff"
	"jstsync/internal/console"
	"jstsync/internal/report"
	"jstsync/state"
)

// journal writes what runs write.
func (w *World) journal(pipeline string) *state.Journal {
	id := func() (id diff.ID) {
		binary.BigEndian.PutUint64(id[8:], w.random.Uint64())
		return id
	}
	return state.NewJournal(w.Path, pipeline, id, func() time.Time { return w.Now }).Taking(&w.turns)
}

// begin returns the record of the next run.
func (w *World) begin(pipeline string, at time.Time) *diff.Run {
	w.number++
	run := &diff.Run{
		Run: w.number, Pipeline: pipeline, Trigger: diff.KindSync, Started: at, Scan: diff.Complete,
		Ended: at.Add(time.Duration(1400+w.random.IntN(900)) * time.Millisecond),
	}
	binary.BigEndian.PutUint64(run.RunID[:], w.number)
	read := len(w.rows[pipeline])
	pages := read/100 + 1
	for i := range pages {
		run.Calls = append(run.Calls, diff.Call{
			Path: "/open/shops/query", Params: `{"page_index":` + count(i+1) + `,"page_size":100}`, Page: i + 1, Attempt: 1,
			At: at.Add(time.Duration(i) * 200 * time.Millisecond), Duration: time.Duration(90+w.random.IntN(80)) * time.Millisecond, Status: 200, Bytes: 31_000,
		})
	}
	run.Summary = diff.Summary{Read: read, Pages: pages, Calls: pages, Unchanged: read}
	return run
}

func count(n int) string { return diff.IntValue(int64(n)).String() }

// Quiet is a run that finds nothing to do.
func (w *World) Quiet(pipeline string, at time.Time) { w.record(pipeline, at, diff.Unchanged, nil) }

// Fails is a run to which the API does not answer.
func (w *World) Fails(pipeline string, at time.Time) {
	w.record(pipeline, at, diff.Failed, func(run *diff.Run) {
		run.Scan, run.Summary = diff.Partial, diff.Summary{Calls: 2}
		run.Error, run.ErrorCode = "read page 1: the API answered HTTP 502 twice", diff.CodeVendorFault
		run.Calls = run.Calls[:1]
		run.Calls[0].Status, run.Calls[0].Err, run.Calls[0].Body = 502, "HTTP 502 Bad Gateway", "<html>502 Bad Gateway</html>"
		again := run.Calls[0]
		again.Attempt = 2
		run.Calls = append(run.Calls, again)
	})
}

// Holds is a run that the guard holds.
func (w *World) Holds(pipeline string, at time.Time, deletes int) {
	w.record(pipeline, at, diff.Held, func(run *diff.Run) {
		rows := len(w.rows[pipeline])
		run.Summary.Read, run.Summary.Unchanged, run.Summary.Delete = rows-deletes, rows-deletes, deletes
		run.Guard, run.Hold = "delete", &diff.Hold{Limit: 5, Percent: 10, Count: deletes, Rows: rows}
		for _, k := range w.keys(pipeline)[:diff.HoldKeys] {
			run.Hold.Keys = append(run.Hold.Keys, k.String())
		}
	})
}

// SetsAside is a run that quarantines records.
func (w *World) SetsAside(pipeline string, at time.Time, all ...diff.Quarantined) {
	w.record(pipeline, at, diff.Unchanged, func(run *diff.Run) {
		run.Quarantine, run.Summary.Quarantined = all, len(all)
	})
}

func (w *World) record(pipeline string, at time.Time, status diff.Status, change func(*diff.Run)) {
	w.tb.Helper()
	j := w.journal(pipeline)
	if _, err := j.Open(); err != nil {
		w.tb.Fatal(err)
	}
	run := w.begin(pipeline, at)
	if run.Status = status; change != nil {
		change(run)
	}
	run.CallStats = diff.StatsOf(run.Calls)
	if err := j.Record(run, nil); err != nil {
		w.tb.Fatal(err)
	}
}

// Commit is a run that makes these changes.
func (w *World) Commit(pipeline string, at time.Time, changes ...Change) {
	w.tb.Helper()
	j := w.journal(pipeline)
	head, err := j.Open()
	if err != nil {
		w.tb.Fatal(err)
	}
	set, run := w.changeSet(pipeline, changes), w.begin(pipeline, at)
	s := &run.Summary
	s.Insert, s.Update, s.Delete = set.Count(diff.Insert), set.Count(diff.Update), set.Count(diff.Delete)
	s.Read = len(w.rows[pipeline])
	s.Unchanged = s.Read - s.Insert - s.Update
	run.Status, run.CallStats = diff.Pending, diff.StatsOf(run.Calls)
	in := &diff.Intent{
		Run: run.Run, RunID: run.RunID, Kind: diff.KindSync, From: diff.Checkpoint{Head: head, Epoch: 1, Target: "jst_shops"},
		Instance: head.Instance, Digest: set.Digest(head.Digest), CommittedAt: run.Ended.UTC(), Changes: set.Len(),
	}
	if err := j.Stage(in, &diff.Plan{Pipeline: pipeline, Base: head, Changes: set}, run); err != nil {
		w.tb.Fatal(err)
	}
	if err := j.Finalise(in, run.Ended); err != nil {
		w.tb.Fatal(err)
	}
}

// changeSet makes the changes in the world's own copy of the table too.
func (w *World) changeSet(pipeline string, changes []Change) *diff.ChangeSet {
	w.tb.Helper()
	table := w.mapper.Table()
	set := diff.NewChangeSet(table.Names())
	for _, c := range changes {
		row := c.After
		if row == nil {
			row = c.Before
		}
		key, err := table.KeyOf(row)
		if err != nil {
			w.tb.Fatal(err)
		}
		change, changed := diff.Compare(key, c.Before, c.After)
		if !changed {
			continue
		}
		set.Add(change, diff.SourceHash(w.random.Uint64()))
		if w.rows[pipeline][key] = c.After; c.After == nil {
			delete(w.rows[pipeline], key)
		}
	}
	return set
}

// PlanOf returns a plan of these changes.
func (w *World) PlanOf(pipeline string, changes ...Change) *diff.Plan {
	w.tb.Helper()
	set := diff.NewChangeSet(w.mapper.Table().Names())
	for _, c := range changes {
		row := c.After
		if row == nil {
			row = c.Before
		}
		key, _ := w.mapper.Table().KeyOf(row)
		if change, changed := diff.Compare(key, c.Before, c.After); changed {
			set.Add(change, 1)
		}
	}
	return &diff.Plan{
		Pipeline: pipeline, Table: w.mapper.Table(), Status: diff.Planned, Scan: diff.ScanInfo{Verdict: diff.Complete}, Changes: set,
		Summary: diff.Summary{Read: 1204, Pages: 13, Calls: 13, Unchanged: 1200}, Guard: diff.GuardVerdict{Rows: 1204},
	}
}

// records are the runs of the world's state file.
type records struct{ w *World }

// Stamp tells nothing: what is written in the world is seen at once.
func (records) Stamp() string { return "" }

// After is [state.RunsAfter].
func (r records) After(run uint64, limit int) ([]diff.Run, error) {
	return state.RunsAfter(r.w.Path, run, limit)
}

// Page is [state.RunsPage].
func (r records) Page(q console.RunQuery) ([]diff.Run, uint64, error) {
	return state.RunsPage(r.w.Path, state.RunQuery(q))
}

// One is [state.RunDetail].
func (r records) One(run uint64) (*diff.Run, error) { return state.RunDetail(r.w.Path, run) }

// audit is the past of one pipeline.
type audit struct {
	*state.Reader
	w *World
}

// Changes is that of the reader.
func (a audit) Changes(q console.ChangeQuery, at console.Place) ([]diff.Version, *console.Place, error) {
	changes, next, err := a.ChangesPage(state.Query(q), state.Place(at))
	return changes, (*console.Place)(next), err
}

// History is that of the reader.
func (a audit) History(key diff.Key, before uint64, limit int) ([]diff.Version, uint64, error) {
	return a.HistoryPage(key, before, limit)
}

// Rows is that of the reader.
func (a audit) Rows(run uint64, from diff.Key, limit int) ([]string, []diff.Row, diff.Key, error) {
	return a.RowsPage(run, from, limit)
}

// Compare is that of the reader.
func (a audit) Compare(from, to uint64, key diff.Key, limit int) ([]string, []diff.Change, diff.Key, error) {
	return a.ComparePage(from, to, key, limit)
}

// Quarantine is what the world says.
func (a audit) Quarantine() ([]diff.SetAside, error) { return a.w.Aside, nil }

// steering notes what was asked for.
type steering struct{ w *World }

// Jobs are the world's.
func (s steering) Jobs() []console.Job {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return slices.Clone(s.w.Jobs)
}

func (s steering) steer(what, name string, change func(*console.Job)) bool {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	i := slices.IndexFunc(s.w.Jobs, func(j console.Job) bool { return j.Name == name })
	if i < 0 {
		return false
	}
	s.w.Steered = append(s.w.Steered, what+" "+name)
	change(&s.w.Jobs[i])
	return true
}

// Pause pauses.
func (s steering) Pause(name string) bool {
	return s.steer("pause", name, func(j *console.Job) { j.Paused = true })
}

// Resume resumes.
func (s steering) Resume(name string) bool {
	return s.steer("resume", name, func(j *console.Job) { j.Paused = false })
}

// RunNow runs.
func (s steering) RunNow(name string) bool { return s.steer("run", name, func(*console.Job) {}) }

// writing shows values as reports do.
type writing struct{}

// Shown is that of reports.
func (writing) Shown(text string) []console.Piece { return pieces(report.Shown(text)) }

// Compared is that of reports.
func (writing) Compared(before, after string) (old, now []console.Piece) {
	x, y := report.Compared(before, after)
	return pieces(x), pieces(y)
}

func pieces(from []report.Piece) []console.Piece {
	to := make([]console.Piece, len(from))
	for i, p := range from {
		to[i] = console.Piece(p)
	}
	return to
}
