package console

import (
	"net/http"
	"slices"

	"jstsync/diff"
)

// overviewView is how all pipelines stand.
type overviewView struct {
	Cards []card
	Rate  int // percent of a minute's calls that were used in the last one
}

// card is how one pipeline stands.
type card struct {
	Name, Table  string
	Class, State string
	Paused       bool
	Running      bool
	Due          moment
	DueIn        string
	Last         *diff.Run
	LastAt       moment
	LastAgo      string
	GoodAgo      string
	Failures     int
	Held         *held
	Strip        []stripCell
	Changes      chart
	ChangesSum   int
	Latency      chart
	Mean         string
	Expiring     *expiry
}

type stripCell struct {
	Run    uint64
	Status diff.Status
	Title  string
}

// stateOf says in a word how a pipeline stands, and how it looks.
func (p *page) stateOf(job *Job, last *diff.Run) (class, text string) {
	switch {
	case job != nil && job.Running:
		return "busy", p.t("running")
	case job != nil && job.Paused:
		return "paused", p.t("paused")
	case last == nil:
		return "paused", p.t("not run yet")
	case last.Status == diff.Unchanged || last.Status == diff.Committed:
		return "good", p.t("in step")
	case last.Status == diff.Held:
		return "odd", p.t("held")
	case last.Status == diff.Pending:
		return "odd", p.t("unfinished")
	default:
		return "bad", p.t("failing")
	}
}

func (c *Console) overview(r *http.Request, p *page) (any, error) {
	p.Title, p.Live = p.t("Overview"), 5
	if err := c.tally.refresh(r.Context(), p.now, p.settings.Zone); err != nil {
		return nil, err
	}
	jobs := c.o.Scheduler.Jobs()
	v := overviewView{Rate: int(100*c.o.RateUsed() + 0.5)}
	for i := range p.settings.Pipelines {
		pl := &p.settings.Pipelines[i]
		var job *Job
		if n := slices.IndexFunc(jobs, func(j Job) bool { return j.Name == pl.Name }); n >= 0 {
			job = &jobs[n]
		}
		one, err := c.card(r, p, pl, job)
		if err != nil {
			return nil, err
		}
		v.Cards = append(v.Cards, one)
	}
	return v, nil
}

func (c *Console) card(r *http.Request, p *page, pl *Pipeline, job *Job) (card, error) {
	s, hours := c.tally.of(pl.Name, p.now)
	v := card{Name: pl.Name, Last: s.Last}
	if pl.Table != nil {
		v.Table = pl.Table.Name
	}
	v.Class, v.State = p.stateOf(job, s.Last)
	if job != nil {
		v.Paused, v.Running, v.Failures = job.Paused, job.Running, job.Failures
		if !job.Due.IsZero() && !job.Paused && !job.Running {
			v.Due, v.DueIn = p.at(job.Due), p.span(job.Due.Sub(p.now))
		}
	}
	if s.Last != nil {
		v.LastAt, v.LastAgo = p.at(s.Last.Started), p.t("%s ago", p.span(p.now.Sub(s.Last.Started)))
		v.Held = p.held(s.Last)
	}
	if s.Good != nil {
		v.GoodAgo = p.t("%s ago", p.span(p.now.Sub(s.Good.Ended)))
	}
	for _, one := range s.Recent {
		title := p.t("run %d", one.Run) + "  " + statusText(p.Lang, one.Status) + "  " + p.at(one.Started).Text
		if one.Changes > 0 {
			title += "  " + p.t("changes: %s", count(one.Changes))
		}
		v.Strip = append(v.Strip, stripCell{one.Run, one.Status, title})
	}
	v.Changes, v.ChangesSum = p.changesChart(hours)
	latency, mean := p.latencyChart(hours)
	if v.Latency = latency; mean > 0 {
		v.Mean = took(mean)
	}
	var err error
	v.Expiring, err = c.expiring.get(r.Context(), p, pl)
	return v, err
}

// held is what a person has to know of a run that the guard held.
type held struct {
	Run             uint64
	Pipeline        string
	Kind            string // delete, update or empty
	Hold            *diff.Hold
	More            int // keys that are not named
	Share           string
	Override, Known bool
}

// held returns nil for a run that was not held.
func (p *page) held(run *diff.Run) *held {
	if run.Status != diff.Held {
		return nil
	}
	h := &held{Run: run.Run, Pipeline: run.Pipeline, Kind: run.Guard, Hold: run.Hold, Override: run.Guard != diff.GuardEmpty}
	if h.Hold != nil {
		h.Known = true
		h.More = h.Hold.Count - len(h.Hold.Keys)
		if h.Hold.Rows > 0 {
			h.Share = percent(100 * float64(h.Hold.Count) / float64(h.Hold.Rows))
		}
	}
	return h
}
