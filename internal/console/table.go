package console

import (
	"fmt"
	"math"
	"net/http"
	"strings"

	"jstsync/diff"
)

// tableView is the table as it stood after a run.
type tableView struct {
	Pipeline string
	At       string // as it was asked for
	From     string
	Run      uint64 // 0 for the newest
	Wrong    []string
	Columns  []column2
	Rows     []rowLine
	Next     string
	First    bool
	Empty    bool
}

// column2 heads a column.
type column2 struct{ Name, Comment string }

type rowLine struct {
	Key   string
	Cells []*value
}

// newest stands for the state after the newest run.
const newest = math.MaxUint64

// runAt returns the run whose state is meant by a run, a time or a phrase.
func (c *Console) runAt(r *http.Request, pl *Pipeline, text string) (uint64, error) {
	run, at, err := c.o.When(text, true)
	if err != nil || run > 0 {
		return run, err
	}
	err = c.memo.gate.do(r.Context(), func() error {
		run, err = c.o.Audit(pl.Name).RunAt(at)
		return err
	})
	return run, err
}

func (c *Console) table(r *http.Request, p *page) (any, error) {
	p.Title = p.t("Table")
	pl, err := p.chosen(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	v := &tableView{Pipeline: pl.Name, At: strings.TrimSpace(q.Get("at")), From: strings.TrimSpace(q.Get("from"))}
	v.First = v.From == ""
	run, from := uint64(newest), diff.Key("")
	if v.At != "" {
		switch run, err = c.runAt(r, pl, v.At); {
		case err != nil && asDiff(err) && diff.CodeOf(err) != diff.CodeUsage:
			return nil, err
		case err != nil:
			v.Wrong = append(v.Wrong, p.t("as of"))
		}
		v.Run = run
	}
	if v.From != "" {
		if from, err = c.o.Key(pl.Name, v.From); err != nil {
			v.Wrong = append(v.Wrong, p.t("from key"))
		}
	}
	if v.Wrong != nil {
		return v, nil
	}
	return recall(r.Context(), c.memo, p.key(fmt.Sprint("table\x00", run)), func() (*tableView, error) {
		columns, rows, next, err := c.o.Audit(pl.Name).Rows(run, from, pageSize)
		if err != nil {
			return nil, err
		}
		w := c.writer(p, pl)
		v.fill(w, columns, rows)
		if next != "" {
			v.Next = turned(r, "/table", "from", next.String())
		}
		return v, nil
	})
}

func (v *tableView) fill(w writer, columns []string, rows []diff.Row) {
	for _, name := range columns {
		v.Columns = append(v.Columns, column2{name, w.comment(name)})
	}
	for _, row := range rows {
		line := rowLine{}
		if t := w.pipeline.Table; t != nil {
			if key, err := t.KeyOf(diff.Reshape(row, columns, t.Names())); err == nil {
				line.Key = key.String()
			}
		}
		for _, one := range row {
			line.Cells = append(line.Cells, w.value(one))
		}
		v.Rows = append(v.Rows, line)
	}
	v.Empty = len(rows) == 0
}

// compareView is the net difference between the states after two runs.
type compareView struct {
	Pipeline string
	A, B     string // as they were asked for
	From, To uint64
	Wrong    []string
	Changes  []change
	Next     string
	Asked    bool
	First    bool
}

func (c *Console) compare(r *http.Request, p *page) (any, error) {
	p.Title = p.t("Compare")
	pl, err := p.chosen(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	v := &compareView{Pipeline: pl.Name, A: strings.TrimSpace(q.Get("a")), B: strings.TrimSpace(q.Get("b")), First: !q.Has("from")}
	v.Asked = v.A != "" && v.B != ""
	if !v.Asked {
		return v, nil
	}
	for _, one := range []struct {
		text, name string
		run        *uint64
	}{{v.A, p.t("before"), &v.From}, {v.B, p.t("after"), &v.To}} {
		run, err := c.runAt(r, pl, one.text)
		if err != nil && asDiff(err) && diff.CodeOf(err) != diff.CodeUsage {
			return nil, err
		}
		if *one.run = run; err != nil {
			v.Wrong = append(v.Wrong, one.name)
		}
	}
	var from diff.Key
	if q.Get("from") != "" {
		from, err = c.o.Key(pl.Name, q.Get("from"))
	}
	if v.Wrong != nil || err != nil {
		return v, nil //nolint:nilerr // the page says what it does not understand
	}
	return recall(r.Context(), c.memo, p.key(fmt.Sprint("compare\x00", v.From, " ", v.To)), func() (*compareView, error) {
		columns, changes, next, err := c.o.Audit(pl.Name).Compare(v.From, v.To, from, pageSize)
		w := c.writer(p, pl)
		for i := range changes {
			v.Changes = append(v.Changes, w.change(columns, &changes[i]))
		}
		if next != "" {
			v.Next = turned(r, "/compare", "from", next.String())
		}
		return v, err
	})
}
