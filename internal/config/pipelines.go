package config

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// How a pipeline deletes.
const (
	DeletesHard = "hard" // the row goes
	DeletesSoft = "soft" // the column deleted_at is set
	DeletesKeep = "keep" // the row stays as it is
)

// What a rule does with a record that breaks it.
const (
	OnFailWarn       = "warn"
	OnFailQuarantine = "quarantine"
	OnFailFail       = "fail"
)

// Pipeline keeps one table equal to one resource.
type Pipeline struct {
	// Name is 1 to 64 of A-Z, a-z, 0-9, "_" and "-".
	Name string
	// Source is the name of one of Settings.Sources; empty for the only source there is.
	Source   string `yaml:"source" optional:"true" doc:"Name of the account under sources that is read. Needed when there are several."`
	Resource string `yaml:"resource" default:"shops" oneof:"shops" doc:"What is read."`
	// Table is a plain table name, without a schema.
	Table string `yaml:"table" default:"jst_shops" check:"table" doc:"Table that is written to, in the database of target.dsn."`
	// Key has at least one source field, none twice.
	Key []string `yaml:"key" default:"shop_id" check:"field" doc:"Source fields that identify a record."`
	// Every is zero when Cron is set.
	Every time.Duration `yaml:"every" default:"5m" above:"0s" unless:"cron" doc:"Time between two runs of jstsync serve."`
	// Cron is five fields separated by single blanks: minute, hour, day of month,
	// month, day of week. It is empty when Every is set.
	Cron string `yaml:"cron" optional:"true" check:"cron" doc:"When jstsync serve runs it, instead of every: minute, hour, day of month, month, day of week."`
	// Deletes is DeletesHard, DeletesSoft or DeletesKeep.
	Deletes string `yaml:"deletes" default:"hard" oneof:"hard soft keep" doc:"What becomes of a row whose record is gone. hard: deleted. soft: deleted_at is set. keep: left as it is."`
	Guard   Guard  `yaml:"guard" doc:"What holds a change set back: a kind whose count is over the absolute limit and over the percent limit."`
	Shared  bool   `yaml:"shared" default:"false" doc:"Other pipelines own other rows of the table."`
	// ChangesTable is a plain table name; empty when changes are not written to the target.
	ChangesTable string `yaml:"changes_table" optional:"true" check:"table" doc:"Table to which each change is also written, in the same transaction. Empty: none."`
	// Columns is empty for the resource's default columns.
	Columns []Column `yaml:"columns" doc:"Columns that are written. Empty: the default columns of the resource."`
	Rules   []Rule   `yaml:"rules" doc:"Data-quality rules."`
}

// Guard is what holds a change set back. A kind trips when its count is over
// the absolute limit and its share of the snapshot is over the percent limit.
type Guard struct {
	MaxDeletes       int  `yaml:"max_deletes" default:"5" min:"0" doc:"Deletes that are always let through."`
	MaxDeletePercent int  `yaml:"max_delete_percent" default:"10" min:"0" max:"100" doc:"Deletes in percent of the rows before the run. 100 switches this kind off."`
	MaxUpdates       int  `yaml:"max_updates" default:"20" min:"0" doc:"Updates that are always let through."`
	MaxUpdatePercent int  `yaml:"max_update_percent" default:"50" min:"0" max:"100" doc:"Updates in percent of the rows before the run. 100 switches this kind off."`
	AllowEmpty       bool `yaml:"allow_empty" default:"false" doc:"Let a run through that finds nothing in the source."`
}

// Column is a column of the target table. Names are unique in a pipeline,
// whatever their case. Exactly one of From and Expr is set.
type Column struct {
	// Name has 1 to 64 characters.
	Name string `yaml:"name" required:"true" check:"column" doc:"Name of the column."`
	From string `yaml:"from" optional:"true" unless:"expr" check:"field" doc:"Source field. Without from and expr: the one that is named like the column."`
	// Type is BIGINT, INT, DECIMAL(p,s), VARCHAR(n), TEXT, DATETIME, DATETIME(1)
	// to DATETIME(6), DATE, BOOL or JSON, in capitals and without blanks.
	Type string `yaml:"type" required:"true" check:"type" doc:"BIGINT, INT, DECIMAL(p,s), VARCHAR(n), TEXT, DATETIME, DATETIME(0) to DATETIME(6), DATE, BOOL or JSON."`
	// Nullable is false for a column of the key.
	Nullable bool   `yaml:"nullable" default:"true" doc:"Takes NULL. A column of the key never does."`
	Comment  string `yaml:"comment" optional:"true" check:"comment" doc:"Comment of the column in a table that jstsync creates."`
	// Default suits the type; nil when there is none.
	Default *string `yaml:"default" optional:"true" check:"default" doc:"DEFAULT of the column in a table that jstsync creates."`
	// Expr is not empty when set, and otherwise unchecked.
	Expr  string   `yaml:"expr" optional:"true" check:"expr" doc:"Expression over the source record, instead of from."`
	Clean []string `yaml:"clean" oneof:"trim collapse_space empty_to_null null_to_empty nfc upper lower zero_date_to_null truncate" doc:"Cleaning steps, in this order."`
}

// Rule is a condition that each record should fulfil, as the source sent it.
// Names are unique in a pipeline. Exactly one of Expr, NotNull, Unique, Length,
// Range, Regex and OneOf is set; a field that is null or missing breaks NotNull
// alone.
type Rule struct {
	Name string `yaml:"name" required:"true" check:"label" doc:"Name of the rule, as it is reported."`
	// Expr is otherwise unchecked.
	Expr    string   `yaml:"expr" optional:"true" condition:"true" check:"expr" doc:"Expression over the source record that is true for a good one."`
	NotNull string   `yaml:"not_null" optional:"true" condition:"true" check:"field" doc:"Source field that must have a value other than null."`
	Unique  []string `yaml:"unique" condition:"true" check:"field" doc:"Source fields that together have a value which no other row of the table has."`
	Length  string   `yaml:"length" optional:"true" condition:"true" check:"field" doc:"Source field whose text has min to max characters."`
	Range   string   `yaml:"range" optional:"true" condition:"true" check:"field" doc:"Source field whose number, or date, lies between min and max, both included."`
	Regex   string   `yaml:"regex" optional:"true" condition:"true" check:"field" doc:"Source field whose text has a part that matches pattern."`
	OneOf   string   `yaml:"one_of" optional:"true" condition:"true" check:"field" doc:"Source field whose text is one of values."`
	// Min and Max go with Length and Range; empty is no limit.
	Min string `yaml:"min" optional:"true" doc:"Least length or value, of length and range."`
	Max string `yaml:"max" optional:"true" doc:"Greatest length or value, of length and range."`
	// Pattern goes with Regex and is otherwise unchecked.
	Pattern string `yaml:"pattern" optional:"true" doc:"Regular expression (RE2), of regex. Begin it with ^ and end it with $ for the whole text."`
	// Values go with OneOf.
	Values []string `yaml:"values" doc:"Texts or numbers that are allowed, of one_of."`
	// OnFail is OnFailWarn, OnFailQuarantine or OnFailFail.
	OnFail string `yaml:"on_fail" default:"warn" oneof:"warn quarantine fail" doc:"What becomes of a record that breaks it. warn: reported. quarantine: set aside. fail: the run fails."`
}

// SourceOf gives the source that the pipeline reads, nil when the pipeline is
// none of these settings.
func (s *Settings) SourceOf(p Pipeline) *Source {
	if len(s.Sources) == 0 {
		return &s.Source
	}
	for i := range s.Sources {
		if s.Sources[i].Name == p.Source {
			return &s.Sources[i]
		}
	}
	return nil
}

// Pipeline gives the named pipelines in the order of the names, each once, or
// all of them when none is named. A name that is not configured is an
// [*UnknownPipelineError]; a setting of theirs without a value, or in which
// examiners found a mistake, an [*Error].
func (s *Settings) Pipeline(names ...string) ([]Pipeline, error) {
	var chosen []Pipeline
	var unknown []string
	for _, name := range names {
		has := func(p Pipeline) bool { return p.Name == name }
		if slices.ContainsFunc(chosen, has) || slices.Contains(unknown, name) {
			continue
		}
		if i := slices.IndexFunc(s.Pipelines, has); i >= 0 {
			chosen = append(chosen, s.Pipelines[i])
		} else {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		return nil, &UnknownPipelineError{Names: unknown, Known: namesOf(s.Pipelines, Pipeline.name)}
	}
	if len(names) == 0 {
		chosen = slices.Clone(s.Pipelines)
	}
	err := problemsError(s.lacking(func(path string) bool {
		return slices.ContainsFunc(chosen, func(p Pipeline) bool {
			return within(path, "pipelines."+p.Name)
		})
	}))
	if err != nil {
		return nil, s.WithFindings(err)
	}
	return chosen, nil
}

func (p Pipeline) name() string { return p.Name }
func (s Source) name() string   { return s.Name }

func namesOf[T any](all []T, name func(T) string) []string {
	var names []string
	for _, one := range all {
		names = append(names, name(one))
	}
	return names
}

// UnknownPipelineError says that pipelines were asked for that are not configured.
type UnknownPipelineError struct {
	Names []string // in the order asked for
	Known []string // sorted
}

// Error names both: no pipeline "x"; known: "a", "b".
func (e *UnknownPipelineError) Error() string {
	return fmt.Sprintf("no pipeline %s; known: %s", quoteAll(e.Names), quoteAll(e.Known))
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(quoted, ", ")
}
