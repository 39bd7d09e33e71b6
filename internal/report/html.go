package report

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"jstsync/diff"
	"jstsync/internal/lang"
)

//go:embed html
var htmlFiles embed.FS

// HTML renders plans as one page that needs nothing beside it: no request
// leaves it, and its policy lets no script or style run but its own. It can be
// read without JavaScript, which adds filters. Changes are written as they are
// decoded, however many there are.
type HTML struct {
	Lang lang.Language // of the page

	out   *bufio.Writer
	at    time.Time
	page  *template.Template
	begun bool
}

// NewHTML returns a page that is written to out. The time is when it is
// printed, and is shown with its zone.
func NewHTML(out io.Writer, at time.Time) *HTML {
	h := &HTML{out: bufio.NewWriterSize(out, 1<<16), at: at}
	h.page = template.Must(template.New("").Funcs(template.FuncMap{
		"count": thousands, "plain": plain, "plural": func(n int, what string) string { return plural(h.Lang, n, what) },
		"tally":  func(r diff.RuleTally) string { return ruleTally(h.Lang, r) },
		"text":   func(english string) string { return h.Lang.Text(english) },
		"reason": func(english string) string { return plain(h.Lang.Sentence(english)) },
		"say":    func(english string, args ...any) string { return h.Lang.Sprintf(english, args...) },
	}).ParseFS(htmlFiles, "html/page.html"))
	return h
}

// chunk is how many changes a browser lays out, or leaves out, together.
const chunk = 50

// Plan writes the plan. Several become one page, whose end needs no mark.
func (h *HTML) Plan(p *diff.Plan) error {
	view, err := newHTMLPlan(h.Lang, p, h.at)
	if err != nil {
		return err
	}
	if !h.begun {
		h.begun = true
		if err := h.execute("begin", newHTMLHead(h.Lang, view)); err != nil {
			return err
		}
	}
	if err := h.execute("plan", view); err != nil {
		return err
	}
	n, label := 0, labelColumnOf(p.Table)
	for c, err := range p.Changes.All() {
		if err != nil {
			return err
		}
		if n%chunk == 0 {
			if err := h.execute("chunk", n > 0); err != nil {
				return err
			}
		}
		n++
		if err := h.execute("change", newHTMLChange(h.Lang, p.Table, &c, label)); err != nil {
			return err
		}
	}
	if err := h.execute("end", n > 0); err != nil {
		return err
	}
	return h.out.Flush()
}

func (h *HTML) execute(name string, data any) error {
	if err := h.page.ExecuteTemplate(h.out, name, data); err != nil {
		return fmt.Errorf("write HTML: %w", err)
	}
	return nil
}

type htmlHead struct {
	Lang   string // as HTML names it
	Title  string
	Policy string
	Style  template.CSS
	Script template.JS
}

func newHTMLHead(l lang.Language, p *htmlPlan) htmlHead {
	style, script, language := htmlFile("style.css"), htmlFile("page.js"), "en"
	if l == lang.Chinese {
		language = "zh-CN"
	}
	for _, said := range []string{"`${number.format(total)} changes`", "`${number.format(shown)} of ${number.format(total)} changes`"} {
		script = strings.Replace(script, said, l.Text(said), 1)
	}
	return htmlHead{
		Lang: language, Title: fmt.Sprintf("%s · %s", plain(p.Pipeline), p.Heading),
		Policy: "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src '" + sourceHash(style) +
			"'; script-src '" + sourceHash(script) + "'",
		Style: template.CSS(style), Script: template.JS(script),
	}
}

func htmlFile(name string) string {
	text, err := htmlFiles.ReadFile("html/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(text)
}

// sourceHash is how a content security policy names an inline style or script.
func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// htmlPlan is what the page says about a plan before its changes.
type htmlPlan struct {
	*diff.Plan
	lang                        lang.Language
	Heading, TableName, At      string
	GuardText, GuardRemedy      string
	FirstKeys, WithheldKeys     []string
	MoreKeys, MoreWithheld      int
	ScanNote, Failure, Remedy   string
	WithheldReason              string
	Figures                     []htmlFigure
	Kinds                       []htmlFigure
	Fields                      []htmlField
	Override, CanFilter, Plural bool
}

type htmlFigure struct {
	Name, Class string
	N           int
	Minor       bool
}

// htmlField is a column and how many updates change it.
type htmlField struct {
	Name, Comment string
	Column, N     int
}

func newHTMLPlan(l lang.Language, p *diff.Plan, at time.Time) (*htmlPlan, error) {
	v := &htmlPlan{Plan: p, lang: l, At: at.Format("2006-01-02 15:04 (UTC-07:00)"), CanFilter: p.Changes.Len() > 1}
	if p.Table != nil {
		v.TableName = p.Table.Name
	}
	v.Heading = heading(l, p.Status, cmp.Or(v.TableName, p.Pipeline))
	if p.Guard.Tripped {
		v.GuardText, v.Override = GuardReason(l, p.Guard), p.Guard.Kind != "empty"
		v.GuardRemedy = GuardRemedy(l, p)
		v.FirstKeys = keyTexts(firstKeys(p))
		v.MoreKeys = p.Guard.Count - len(v.FirstKeys)
	}
	v.WithheldKeys = keyTexts(p.Withheld.Keys[:min(len(p.Withheld.Keys), 100)])
	v.MoreWithheld = len(p.Withheld.Keys) - len(v.WithheldKeys)
	v.WithheldReason = plain(l.Sentence(p.Withheld.Reason))
	v.ScanNote = scanNote(l, p.Scan)
	if p.Err != nil {
		v.Failure, v.Remedy = plain(l.Sentence(p.Err.Error())), plain(l.Sentence(describe(p.Err).Remedy))
	}
	v.figures()
	return v, v.countFields()
}

func heading(l lang.Language, s diff.Status, table string) string {
	switch table = plain(table); s {
	case diff.Planned:
		return l.Sprintf("What would change in %s", table)
	case diff.Unchanged:
		return l.Sprintf("Nothing to change in %s", table)
	case diff.Committed:
		return l.Sprintf("What changed in %s", table)
	case diff.Held:
		return l.Sprintf("Held: nothing was written to %s", table)
	default:
		return l.Sprintf("No plan could be made for %s", table)
	}
}

func (v *htmlPlan) figures() {
	s := v.Summary
	v.Kinds = []htmlFigure{{"insert", "i", s.Insert, false}, {"update", "u", s.Update, false}, {"delete", "d", s.Delete, false}}
	v.Figures = []htmlFigure{{"read", "", s.Read, false}, {"unchanged", "", s.Unchanged, false}}
	v.Figures = append(v.Figures, v.Kinds...)
	for _, f := range []htmlFigure{{"kept", "", s.Kept, true}, {"foreign", "", s.Foreign, true}, {"quarantined", "w", s.Quarantined, true}, {"withheld", "w", len(v.Withheld.Keys), true}} {
		if f.N > 0 {
			v.Figures = append(v.Figures, f)
		}
	}
}

// countFields counts the updates of each column that any changes.
func (v *htmlPlan) countFields() error {
	if v.Table == nil {
		return nil
	}
	counts := make([]int, len(v.Table.Columns))
	for c, err := range v.Changes.Only(diff.Update) {
		if err != nil {
			return err
		}
		for _, f := range c.Fields() {
			counts[f.Column]++
		}
	}
	for i, n := range counts {
		if n > 0 {
			column := &v.Table.Columns[i]
			name, comment := inOrder(v.lang, column)
			v.Fields = append(v.Fields, htmlField{name, comment, i, n})
		}
	}
	return nil
}

func keyTexts(keys []diff.Key) []string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = plain(k.String())
	}
	return texts
}

// htmlChange is one change as the page shows it.
type htmlChange struct {
	Op, Class  string
	Key, Label []piece
	Columns    string // the numbers of the columns an update changes
	Fields     []htmlValues
	Nulls      string // the columns of an insert or delete that hold nothing
}

// htmlValues are an update's two values of a field, or the only one.
type htmlValues struct {
	Name, Comment string
	Before, After *htmlValue
	Only          *htmlValue
}

// htmlValue is a value, or a word that stands for it.
type htmlValue struct {
	Word   string
	Pieces []piece
}

func newHTMLChange(l lang.Language, table *diff.Table, c *diff.Change, label int) *htmlChange {
	v := &htmlChange{Op: c.Op.String(), Class: c.Op.String()[:1], Key: shown(c.Key.String())}
	row := c.After
	if c.Op == diff.Delete {
		row = c.Before
	}
	if label >= 0 {
		v.Label = shown(row[label].Text())
	}
	if c.Op == diff.Update {
		for _, f := range c.Fields() {
			column := &table.Columns[f.Column]
			v.Columns += fmt.Sprintf(" %d ", f.Column)
			before, after := htmlPair(f.Before, f.After)
			name, comment := inOrder(l, column)
			v.Fields = append(v.Fields, htmlValues{Name: name, Comment: comment, Before: before, After: after})
		}
		return v
	}
	var nulls []string
	for i, value := range row {
		column := &table.Columns[i]
		if value.IsNull() {
			nulls = append(nulls, plain(caption(l, column)))
			continue
		}
		name, comment := inOrder(l, column)
		v.Fields = append(v.Fields, htmlValues{Name: name, Comment: comment, Only: &htmlValue{Word: word(value), Pieces: shown(value.String())}})
	}
	v.Nulls = strings.Join(nulls, ", ")
	return v
}

func htmlPair(before, after diff.Value) (x, y *htmlValue) {
	x, y = &htmlValue{Word: word(before)}, &htmlValue{Word: word(after)}
	switch {
	case x.Word != "":
		y.Pieces = shown(after.String())
	case y.Word != "":
		x.Pieces = shown(before.String())
	default:
		x.Pieces, y.Pieces = compareTexts(before.String(), after.String())
	}
	return x, y
}

// word is what stands for a value of which there is nothing to see.
func word(v diff.Value) string {
	switch {
	case v.IsNull():
		return "NULL"
	case v.Kind() == diff.Text && v.Text() == "":
		return "empty"
	default:
		return ""
	}
}

// shown takes a text apart into what can be shown and escapes.
func shown(s string) []piece {
	if plain(s) == s {
		return []piece{{Text: s}}
	}
	var p pieces
	p.add(clusters(s), false)
	return p
}

func labelColumnOf(table *diff.Table) int {
	if table == nil {
		return -1
	}
	return labelColumn(table)
}
