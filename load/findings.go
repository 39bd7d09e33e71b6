package load

import (
	"fmt"
	"slices"
	"strings"

	"jstsync/diff"
)

// The severities of findings.
const (
	SeverityError   = diff.SeverityError   // nothing is written until it is mended
	SeverityWarning = diff.SeverityWarning // runs go on; this may make one fail, or surprise
)

// Finding is something about an existing table that a pipeline's owner should
// know.
type Finding struct {
	ID       string // of its kind, such as engine
	Severity diff.Severity
	Column   string // "" when it is about the whole table
	Message  string // a predicate of the table, such as "lacks the mapped column nick"
	Remedy   string // an exact statement where there is one, else advice
}

// SchemaError says why a table cannot be written as it is. It unwraps to a
// [diff.Error] of [diff.CodeTargetSchema], whose remedy is that of all its
// findings together.
type SchemaError struct {
	Table    string
	Findings []Finding // those that are errors
}

const lacks = "lacks the mapped column "

// Error returns all findings on one line.
func (e *SchemaError) Error() string {
	var missing, messages []string
	for _, f := range e.Findings {
		if name, ok := strings.CutPrefix(f.Message, lacks); ok {
			missing = append(missing, name)
		} else {
			messages = append(messages, f.Message)
		}
	}
	if missing != nil {
		messages = append([]string{lacks + strings.Join(missing, ", ")}, messages...)
	}
	return fmt.Sprintf("table %s %s", e.Table, strings.Join(messages, "; "))
}

// Unwrap returns the error as programs and people are told of it.
func (e *SchemaError) Unwrap() error {
	return &diff.Error{Code: diff.CodeTargetSchema, Message: e.Error(), Remedy: e.remedy()}
}

// remedy joins the remedies, and those that alter the table into one
// statement.
func (e *SchemaError) remedy() string {
	alter := "ALTER TABLE " + quote(e.Table) + " "
	var clauses, others []string
	for _, f := range e.Findings {
		clause, ok := strings.CutPrefix(f.Remedy, alter)
		switch {
		case ok && !slices.Contains(clauses, clause):
			clauses = append(clauses, clause)
		case !ok && f.Remedy != "" && !slices.Contains(others, f.Remedy):
			others = append(others, f.Remedy)
		}
	}
	if clauses != nil {
		others = append([]string{alter + strings.Join(clauses, ", ")}, others...)
	}
	return strings.Join(others, "; ")
}

// schemaError returns the findings that are errors as one, or nil when there
// are none.
func schemaError(table string, findings []Finding) error {
	e := &SchemaError{Table: table}
	for _, f := range findings {
		if f.Severity == SeverityError {
			e.Findings = append(e.Findings, f)
		}
	}
	if e.Findings == nil {
		return nil
	}
	return e
}

// examiner collects what there is to say about an existing table.
type examiner struct {
	target       *Target
	same         func(a, b string) bool // as the server compares table names
	st           *structure
	keyCollation string // that tells all texts apart on this server, or ""
	findings     []Finding
	missing      []diff.Column
}

func (x *examiner) add(severity diff.Severity, id, column, message, remedy string) {
	x.findings = append(x.findings, Finding{id, severity, column, message, remedy})
}

// alter returns the statement that changes the table in one way.
func (x *examiner) alter(clause string) string {
	return "ALTER TABLE " + quote(x.target.table.Name) + " " + clause
}

// examine compares the table with what the target needs.
func (x *examiner) examine() {
	if strings.Contains(x.st.kind, "VIEW") {
		x.add(SeverityError, "view", "", "is a view", "name the table behind the view in the setting table of the pipeline")
		return
	}
	if !strings.EqualFold(x.st.engine, "InnoDB") {
		x.add(SeverityError, "engine", "", fmt.Sprintf("has engine %q, which cannot roll back", x.st.engine), x.alter("ENGINE=InnoDB"))
	}
	columns := x.target.columns()
	for i := range columns {
		c := &columns[i]
		if have := x.st.columns[strings.ToLower(c.Name)]; have != nil {
			x.column(c, have, slices.Contains(x.target.table.Key, i))
			continue
		}
		x.missing = append(x.missing, *c)
		message := lacks + c.Name
		if i == len(x.target.table.Columns) {
			message = "lacks the column " + c.Name + ", which marks the rows that deletes: soft deletes"
		}
		x.add(SeverityError, "column", c.Name, message, x.alter(addDDL(c)))
	}
	x.unmapped()
	x.keys()
	x.triggers()
	x.foreignKeys()
}

// column compares one column with its mapping. All that is wrong with it is
// mended by one definition.
func (x *examiner) column(want *diff.Column, have *column, key bool) {
	if have.generation != "" {
		x.add(SeverityError, "generated", want.Name, fmt.Sprintf("computes column %s, which takes no value", have.name),
			"map another column, or make "+have.name+" an ordinary one")
		return
	}
	misfit := have.misfit(want.Type, key)
	charset := misfit != otherType && want.Type.Kind() == diff.Text && have.charset != "" && have.charset != "utf8mb4" && have.charset != "binary"
	merges := key && isText(want) && have.merges()
	notNull := !have.nullable && !want.NotNull && !key
	remedy := x.alter(have.mended(x.typeOf(want, have, key, misfit != "", merges), have.nullable || notNull))
	if misfit != "" {
		x.add(SeverityError, "type", want.Name, fmt.Sprintf("has column %s as %s, %s; the mapping says %s", have.name, have.columnType, misfit, want.Type), remedy)
	}
	if charset {
		x.add(SeverityError, "charset", want.Name, fmt.Sprintf("has column %s in %s, which cannot hold every character", have.name, have.charset), remedy)
	}
	if notNull {
		x.add(SeverityError, "null", want.Name, fmt.Sprintf("has column %s as NOT NULL; the mapping says it may be NULL", have.name), remedy)
	}
	if merges && misfit == "" && !charset {
		x.add(SeverityWarning, "collation", want.Name, fmt.Sprintf("has key column %s in %s, which takes some different keys for one; a run that meets such keys stops", have.name, have.collation), remedy)
	}
}

// typeOf returns the type, with its character set, that a column should have:
// its own where that serves.
func (x *examiner) typeOf(want *diff.Column, have *column, key, misfit, merges bool) string {
	typ := have.columnType
	if misfit {
		typ = have.widened(want.Type).String()
	}
	switch {
	case !isText(want), have.isBinary() && !misfit:
		return typ
	case key && (merges || misfit) && x.keyCollation == "":
		return fmt.Sprintf("VARBINARY(%d)", keyBytes(max(want.Type.Size, int(have.chars.Int64))))
	case key && (merges || misfit):
		return typ + " CHARACTER SET utf8mb4 COLLATE " + x.keyCollation
	case have.charset == "utf8mb4":
		return typ + " CHARACTER SET utf8mb4 COLLATE " + have.collation
	}
	return typ + " CHARACTER SET utf8mb4"
}
