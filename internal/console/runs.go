package console

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"

	"jstsync/diff"
)

// pageSize is how many entries a page lists.
const pageSize = 50

// runsView lists runs.
type runsView struct {
	Runs             []runLine
	Pipeline, Status string
	Statuses         []diff.Status
	Older            string // address of the page after this one, "" for none
	Newest           bool   // this is the first page
}

type runLine struct {
	*diff.Run
	At   moment
	Took string
}

// statuses are those that runs are filtered by.
func statuses() []diff.Status {
	return []diff.Status{diff.Unchanged, diff.Committed, diff.Held, diff.Failed, diff.Aborted, diff.Pending}
}

func (c *Console) runs(r *http.Request, p *page) (any, error) {
	p.Title = p.t("Runs")
	q := r.URL.Query()
	before, _ := strconv.ParseUint(q.Get("before"), 10, 64) // what is no number is the newest
	return recall(r.Context(), c.memo, p.key("runs"), func() (*runsView, error) {
		v := &runsView{Pipeline: q.Get("pipeline"), Status: q.Get("status"), Statuses: statuses(), Newest: before == 0}
		runs, next, err := c.o.Runs.Page(RunQuery{Before: before, Pipeline: v.Pipeline, Status: diff.Status(v.Status), Limit: pageSize})
		if err != nil {
			return nil, err
		}
		for i := range runs {
			v.Runs = append(v.Runs, p.runLine(&runs[i]))
		}
		if next > 0 {
			v.Older = turned(r, "/runs", "before", strconv.FormatUint(next, 10))
		}
		return v, nil
	})
}

func (p *page) runLine(run *diff.Run) runLine {
	l := runLine{Run: run, At: p.at(run.Started)}
	if !run.Ended.IsZero() {
		l.Took = took(run.Ended.Sub(run.Started))
	}
	return l
}

// turned returns the address of a page like this one with other members of its
// query, given by name and value; those with an empty value go.
func turned(r *http.Request, path string, pairs ...string) string {
	q := r.URL.Query()
	for i := 0; i+1 < len(pairs); i += 2 {
		if q.Del(pairs[i]); pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return (&url.URL{Path: path, RawQuery: q.Encode()}).String()
}

// runView is one run.
type runView struct {
	runLine
	Ended, Committed moment
	Held             *held
	Known            bool // its pipeline is one of today's
	Changes          []change
	More             string
	Calls            []callLine
	MoreCalls        int
	Mean, Max        string
	Quarantine       []diff.Quarantined
	MoreQuarantine   int
	Newer, Older     uint64
}

type callLine struct {
	diff.Call
	At   moment
	Code string
	Took string
}

// How many calls and records set aside a page lists.
const (
	callsShown      = 200
	quarantineShown = 100
)

func (c *Console) run(r *http.Request, p *page) (any, error) {
	number, err := strconv.ParseUint(r.PathValue("run"), 10, 64)
	if err != nil || number == 0 {
		return nil, errNone
	}
	p.Title = p.t("Run %d", number)
	v, err := recall(r.Context(), c.memo, p.key("run\x00"+r.PathValue("run")), func() (*runView, error) {
		run, err := c.o.Runs.One(number)
		if err != nil || run == nil {
			return nil, cmp.Or(err, errNone)
		}
		v := &runView{runLine: p.runLine(run), Ended: p.at(run.Ended), Committed: p.at(run.CommittedAt), Held: p.held(run)}
		v.detail(p)
		return v, c.beside(v)
	})
	if err != nil {
		return nil, err
	}
	i := pipelineOf(p, v.Pipeline)
	if i < 0 || v.Status != diff.Committed {
		return v, nil
	}
	list, err := c.listChanges(r, p, &p.settings.Pipelines[i], ChangeQuery{FromRun: number, UpToRun: number})
	if err != nil {
		return nil, err
	}
	shown := *v
	shown.Known, shown.Changes = true, list.Changes
	if list.next != nil {
		shown.More = turned(r, r.URL.Path, "at_run", strconv.FormatUint(list.next.Run, 10), "at_key", list.next.Key.String())
	}
	return &shown, nil
}

func pipelineOf(p *page, name string) int {
	for i := range p.settings.Pipelines {
		if p.settings.Pipelines[i].Name == name {
			return i
		}
	}
	return -1
}

// detail adds the calls of the run and what it set aside.
func (v *runView) detail(p *page) {
	stats := v.CallStats
	v.Mean, v.Max = took(stats.Mean()), took(stats.Max)
	for i := range v.Run.Calls[:min(len(v.Run.Calls), callsShown)] {
		call := &v.Run.Calls[i]
		v.Calls = append(v.Calls, callLine{*call, p.at(call.At), itemOf(call).Code, took(call.Duration)})
	}
	v.MoreCalls = len(v.Run.Calls) - len(v.Calls)
	v.Quarantine = v.Run.Quarantine[:min(len(v.Run.Quarantine), quarantineShown)]
	v.MoreQuarantine = len(v.Run.Quarantine) - len(v.Quarantine)
}

// beside finds the runs before and after it.
func (c *Console) beside(v *runView) error {
	newer, err := c.o.Runs.After(v.Run.Run, 1)
	if err != nil {
		return err
	}
	older, _, err := c.o.Runs.Page(RunQuery{Before: v.Run.Run, Limit: 1})
	if len(newer) > 0 {
		v.Newer = newer[0].Run
	}
	if len(older) > 0 {
		v.Older = older[0].Run
	}
	return err
}

// What stands for the vendor's code where there is none.
const (
	codeNoAnswer   = "no answer"
	codeUnreadable = "unreadable"
)

// itemOf says what kind of call it was: its path, and the vendor's code, or what
// there was instead of one.
func itemOf(call *diff.Call) item {
	code := strconv.Itoa(call.Code)
	switch {
	case call.Status == 0:
		code = codeNoAnswer
	case call.Status != http.StatusOK:
		code = "HTTP " + strconv.Itoa(call.Status)
	case call.Code == 0 && call.Err != "":
		code = codeUnreadable
	}
	return item{call.Path, code}
}
