package console

import (
	"net/http"
	"strconv"
	"strings"

	"jstsync/diff"
)

// recordView is one record's life.
type recordView struct {
	Pipeline string
	Key      string
	KeyText  []Piece
	Label    []Piece
	Wrong    bool // the key cannot be read
	Found    bool
	Gone     bool // it was deleted
	GoneAt   moment
	GoneRun  uint64
	Blame    []blame
	Versions []change
	Older    string
	Newest   bool
}

// blame is a field and the change that gave it the value it has.
type blame struct {
	field
	Run uint64
	At  moment
	Op  string
}

func (c *Console) record(r *http.Request, p *page) (any, error) {
	p.Title = p.t("Record")
	pl, err := p.chosen(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	text := strings.TrimSpace(q.Get("key"))
	before, _ := strconv.ParseUint(q.Get("before"), 10, 64)
	v := &recordView{Pipeline: pl.Name, Key: text, KeyText: c.o.Writing.Shown(text), Newest: before == 0}
	if text == "" {
		return v, nil
	}
	p.Title = p.t("Record %s", text)
	key, err := c.o.Key(pl.Name, text)
	if err != nil {
		v.Wrong = true
		return v, nil //nolint:nilerr // the page says it
	}
	return recall(r.Context(), c.memo, p.key("record"), func() (*recordView, error) {
		audit := c.o.Audit(pl.Name)
		versions, next, err := audit.History(key, before, pageSize)
		if err != nil {
			return nil, err
		}
		w := c.writer(p, pl)
		for i := range versions {
			v.Versions = append(v.Versions, w.version(&versions[i]))
		}
		if next > 0 {
			v.Older = turned(r, "/record", "before", strconv.FormatUint(next, 10))
		}
		if v.Found = len(versions) > 0; before == 0 && v.Found {
			v.newest(p, &versions[0])
			v.Label = v.Versions[0].Label
			v.Blame, err = w.blame(audit, key, versions, next)
		}
		return v, err
	})
}

// newest says whether the record is there at all.
func (v *recordView) newest(p *page, last *diff.Version) {
	if v.Gone = last.Change.Op == diff.Delete; v.Gone {
		v.GoneAt, v.GoneRun = p.at(last.Commit.At), last.Commit.Run
	}
}

// blame finds for each field of the newest version the change that gave it its
// value, going back as far as it takes.
func (w writer) blame(audit Audit, key diff.Key, versions []diff.Version, next uint64) ([]blame, error) {
	columns := versions[0].Commit.Columns
	row := versions[0].Change.After
	if row == nil {
		row = versions[0].Change.Before
	}
	found, left := make([]blame, len(columns)), len(columns)
	for i := range columns {
		var v diff.Value
		if i < len(row) {
			v = row[i]
		}
		found[i].field = field{Name: columns[i], Comment: w.comment(columns[i]), Only: w.value(v)}
	}
	for left > 0 {
		for i := range versions {
			left -= w.attribute(found, columns, &versions[i])
		}
		if next == 0 || left == 0 {
			break
		}
		var err error
		if versions, next, err = audit.History(key, next, pageSize); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// attribute puts the change down for the fields that it set and no later one
// did, and returns how many those are. A whole row sets all that are left.
func (w writer) attribute(found []blame, columns []string, v *diff.Version) (n int) {
	before, after := diff.Reshape(v.Change.Before, v.Commit.Columns, columns), diff.Reshape(v.Change.After, v.Commit.Columns, columns)
	shown := w.version(&diff.Version{Commit: v.Commit, Change: diff.Change{Op: v.Change.Op, Key: v.Change.Key}})
	for i := range found {
		if found[i].Op != "" || before != nil && after != nil && before[i] == after[i] {
			continue
		}
		found[i].Run, found[i].At, found[i].Op = v.Commit.Run, shown.At, shown.Op
		n++
	}
	return n
}
