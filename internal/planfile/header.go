package planfile

import (
	"errors"
	"fmt"
	"time"

	"jstsync/diff"
)

// header is everything of a plan but its lists, as JSON.
type header struct {
	Version     string       `json:"version"`
	Created     time.Time    `json:"created"`
	Expires     time.Time    `json:"expires"`
	Pipeline    string       `json:"pipeline"`
	Base        diff.Head    `json:"base"`
	Target      string       `json:"target"`
	Deletes     string       `json:"deletes"`
	Shared      bool         `json:"shared"`
	Fingerprint string       `json:"fingerprint"`
	Snapshot    string       `json:"snapshot"`
	Table       table        `json:"table"`
	Status      diff.Status  `json:"status"`
	Scan        scan         `json:"scan"`
	Summary     diff.Summary `json:"summary"`
	Reason      string       `json:"withheld_reason"`
	Guard       guard        `json:"guard"`
	Digest      diff.Digest  `json:"digest"`
	Counts      counts       `json:"counts"`
	Remapped    bool         `json:"mapping_changed,omitempty"`
	NewFields   []string     `json:"new_fields,omitempty"`

	Rules []diff.RuleTally `json:"rules,omitempty"`
}

type table struct {
	Name    string   `json:"name"`
	Columns []column `json:"columns"`
	Key     []int    `json:"key"`
}

type column struct {
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	NotNull bool    `json:"not_null"`
	Comment string  `json:"comment"`
	Default *string `json:"default,omitempty"`
}

type scan struct {
	Pages   int          `json:"pages"`
	Verdict diff.Verdict `json:"verdict"`
	Note    string       `json:"note"`
}

type guard struct {
	Tripped bool    `json:"tripped"`
	Kind    string  `json:"kind"`
	Limit   int     `json:"limit"`
	Percent float64 `json:"percent"`
	Count   int     `json:"count"`
	Rows    int     `json:"rows"`
}

// counts are the lengths of the lists.
type counts struct {
	Changes    int `json:"changes"`
	Rehashed   int `json:"rehashed"`
	Withheld   int `json:"withheld"`
	Quarantine int `json:"quarantine"`
}

// headerOf returns the header of the plan. An empty head is nobody's: whose
// state file it is in says nothing.
func headerOf(s *diff.SavedPlan) *header {
	h := &header{
		Version: s.Version, Created: s.Created.UTC(), Expires: s.Expires.UTC(), Pipeline: s.Pipeline, Base: s.Base,
		Target: s.Terms.Target, Deletes: s.Terms.Deletes, Shared: s.Terms.Shared,
		Fingerprint: s.Fingerprint, Snapshot: s.Snapshot, Status: s.Status, Remapped: s.Remapped, NewFields: s.NewFields, Rules: s.Rules,
		Scan: scan(s.Scan), Summary: s.Summary, Reason: s.Withheld.Reason, Guard: guard(s.Guard), Digest: s.Digest,
		Table:  table{Name: s.Table.Name, Key: s.Table.Key},
		Counts: counts{s.Changes.Len(), len(s.Rehashed), len(s.Withheld.Keys), len(s.Quarantine)},
	}
	if h.Base.IsEmpty() {
		h.Base = diff.Head{}
	}
	for _, c := range s.Table.Columns {
		h.Table.Columns = append(h.Table.Columns, column{c.Name, c.Type.String(), c.NotNull, c.Comment, c.Default})
	}
	return h
}

// plan returns the plan of the header, its lists still empty.
func (h *header) plan(spill func() (diff.Spill, error)) (*diff.SavedPlan, error) {
	t, err := h.Table.table()
	if err != nil {
		return nil, err
	}
	return &diff.SavedPlan{
		Plan: &diff.Plan{
			Pipeline: h.Pipeline, Table: t, Status: h.Status, Base: h.Base, Digest: h.Digest, Scan: diff.ScanInfo(h.Scan),
			Summary: h.Summary, Withheld: diff.Withheld{Reason: h.Reason}, Guard: diff.GuardVerdict(h.Guard),
			Changes: diff.NewSpillingChangeSet(t.Names(), diff.SpillAfter, spill), Fingerprint: h.Fingerprint, Snapshot: h.Snapshot,
			Remapped: h.Remapped, NewFields: h.NewFields, Rules: h.Rules,
		},
		Terms:   diff.Terms{Target: h.Target, Deletes: h.Deletes, Shared: h.Shared},
		Version: h.Version, Created: h.Created, Expires: h.Expires,
	}, nil
}

func (t *table) table() (*diff.Table, error) {
	out := &diff.Table{Name: t.Name, Key: t.Key}
	names := map[string]bool{}
	for _, c := range t.Columns {
		typ, err := diff.ParseType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
		if names[c.Name] {
			return nil, fmt.Errorf("column %q is there twice", c.Name)
		}
		names[c.Name] = true
		out.Columns = append(out.Columns, diff.Column{Name: c.Name, Type: typ, NotNull: c.NotNull, Comment: c.Comment, Default: c.Default})
	}
	for _, k := range t.Key {
		if k < 0 || k >= len(t.Columns) {
			return nil, fmt.Errorf("column %d of the key is none of the table's", k)
		}
	}
	if len(t.Key) == 0 {
		return nil, errors.New("the table has no key")
	}
	return out, nil
}

// agree makes sure that the plan is one that a run could have made.
func agree(p *diff.Plan) error {
	s, set := p.Summary, p.Changes
	if s.Insert != set.Count(diff.Insert) || s.Update != set.Count(diff.Update) || s.Delete != set.Count(diff.Delete) {
		return errors.New("the changes are not those of the summary")
	}
	if p.Scan.Verdict != diff.Complete && p.Scan.Verdict != diff.Unstable {
		return fmt.Errorf("the scan is %q: nothing may be derived from it", p.Scan.Verdict)
	}
	status := diff.Planned
	switch {
	case p.Guard.Tripped:
		status = diff.Held
	case set.Len() == 0:
		status = diff.Unchanged
	}
	if p.Status != status {
		return fmt.Errorf("the status is %q and should be %q", p.Status, status)
	}
	if set.Digest(p.Base.Digest) != p.Digest {
		return errors.New("the changes do not have the plan's digest")
	}
	return nil
}
