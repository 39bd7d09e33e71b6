package console

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"jstsync/diff"
)

// changesView lists changes.
type changesView struct {
	Pipeline string
	Filter   filter
	Columns  []string
	Changes  []change
	Older    string
	Newest   bool
}

// filter is what the form of a page of changes says.
type filter struct {
	Since, Until, Key, Field string
	Insert, Update, Delete   bool
	Wrong                    []string // fields that cannot be understood
	Any                      bool
}

// changeList is a page of changes.
type changeList struct {
	Changes []change
	next    *Place
}

func (c *Console) changes(r *http.Request, p *page) (any, error) {
	p.Title = p.t("Changes")
	pl, err := p.chosen(r)
	if err != nil {
		return nil, err
	}
	v := &changesView{Pipeline: pl.Name, Newest: !r.URL.Query().Has("at_run")}
	if pl.Table != nil {
		v.Columns = pl.Table.Names()
	}
	q := c.filter(r.URL.Query(), p, pl, v)
	if v.Filter.Wrong != nil {
		return v, nil
	}
	list, err := c.listChanges(r, p, pl, q)
	if err != nil {
		return nil, err
	}
	if v.Changes = list.Changes; list.next != nil {
		v.Older = turned(r, "/changes", "at_run", strconv.FormatUint(list.next.Run, 10), "at_key", list.next.Key.String())
	}
	return v, nil
}

// filter reads the form. What it cannot understand it names.
func (c *Console) filter(form url.Values, p *page, pl *Pipeline, v *changesView) (q ChangeQuery) {
	f := &v.Filter
	f.Since, f.Until = strings.TrimSpace(form.Get("since")), strings.TrimSpace(form.Get("until"))
	f.Key, f.Field = strings.TrimSpace(form.Get("key")), form.Get("field")
	var err error
	if f.Since != "" {
		if q.FromRun, q.Since, err = c.o.When(f.Since, false); err != nil {
			f.Wrong = append(f.Wrong, p.t("from"))
		}
	}
	if f.Until != "" {
		if q.UpToRun, q.Until, err = c.o.When(f.Until, true); err != nil {
			f.Wrong = append(f.Wrong, p.t("to"))
		}
	}
	if f.Key != "" {
		if q.Key, err = c.o.Key(pl.Name, f.Key); err != nil {
			f.Wrong = append(f.Wrong, p.t("key"))
		}
	}
	q.Field = f.Field
	ops := map[string]diff.Op{"insert": diff.Insert, "update": diff.Update, "delete": diff.Delete}
	for _, name := range form["op"] {
		if op, ok := ops[name]; ok && !slices.Contains(q.Ops, op) {
			q.Ops = append(q.Ops, op)
		}
	}
	all := len(q.Ops) == 0
	f.Insert, f.Update, f.Delete = all || slices.Contains(q.Ops, diff.Insert), all || slices.Contains(q.Ops, diff.Update), all || slices.Contains(q.Ops, diff.Delete)
	f.Any = f.Since+f.Until+f.Key+f.Field != "" || len(q.Ops)%3 > 0
	return q
}

// listChanges reads a page of changes from the place that the address names.
func (c *Console) listChanges(r *http.Request, p *page, pl *Pipeline, q ChangeQuery) (*changeList, error) {
	var at Place
	form := r.URL.Query()
	if at.Run, _ = strconv.ParseUint(form.Get("at_run"), 10, 64); at.Run != 0 && form.Get("at_key") != "" {
		var err error
		if at.Key, err = c.o.Key(pl.Name, form.Get("at_key")); err != nil {
			return nil, errNone
		}
	}
	q.Limit = pageSize
	// a phrase of time is another time later on
	key := fmt.Sprint("changes\x00", r.URL.Path, "\x00", pl.Name, "\x00", q.Since.Truncate(time.Minute), "\x00", q.Until.Truncate(time.Minute))
	return recall(r.Context(), c.memo, p.key(key), func() (*changeList, error) {
		versions, next, err := c.o.Audit(pl.Name).Changes(q, at)
		if err != nil {
			return nil, err
		}
		w, list := c.writer(p, pl), &changeList{next: next}
		for i := range versions {
			list.Changes = append(list.Changes, w.version(&versions[i]))
		}
		return list, nil
	})
}
