package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/report"
	"jstsync/state"
)

const auditCodes = "Exit codes: 0 success, 1 failed, 64 wrong usage, 78 configuration error."

// auditFlags are those of every command that asks the audit of one pipeline.
func auditFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		pipelineFlag(),
		formatFlag("text, json or csv"),
		&cli.BoolFlag{Name: "excel", Usage: "CSV that Excel opens as it is"},
	)
}

// audit is what a command needs to ask the audit of one pipeline.
type audit struct {
	*state.Reader
	report.Audit
	pipeline *config.Pipeline
}

// audit reads the flags and settings. The answer is to be written with what it
// returns, and closed.
func (p *program) audit(c *cli.Context, field string, heading []string) (*audit, error) {
	format, err := listFormat(c)
	if err != nil {
		return nil, err
	}
	settings, err := p.settings(c, config.NeedState)
	if err != nil {
		return nil, err
	}
	pl, err := onePipeline(c, settings)
	if err != nil {
		return nil, err
	}
	return &audit{
		Reader: state.NewReader(settings.State, pl.Name), pipeline: pl,
		Audit: report.NewAudit(p.stdout, format, report.AuditOptions{
			Pipeline: pl.Name, Field: field, Heading: heading, Excel: c.Bool("excel"), Text: p.text(c), Table: tableOf(pl),
		}),
	}, nil
}

// listFormat is what a list is to be written as: text, json or csv.
func listFormat(c *cli.Context) (string, error) {
	format := c.String("format")
	if c.Bool("excel") {
		if c.IsSet("format") && format != "csv" {
			return "", usage("--excel is CSV, and does not go with --format %s", format)
		}
		return "csv", nil
	}
	if format != "text" && format != "json" && format != "csv" {
		return "", usage("--format %q is none of text, json, csv", format)
	}
	return format, nil
}

// tableOf returns the pipeline's table as it is configured, or nil where that is
// not possible.
func tableOf(pl *config.Pipeline) *diff.Table {
	mapper, err := mapperOf(pl)
	if err != nil {
		return nil
	}
	return mapper.Table()
}

// end closes the answer.
func (a *audit) end(err error) error { return errors.Join(err, a.Close()) }

// key reads a key of the pipeline's table.
func (a *audit) key(text string) (diff.Key, error) {
	mapper, err := mapperOf(a.pipeline)
	if err != nil {
		return "", err
	}
	key, err := diff.ParseKey(text, mapper.Table().KeyKinds()...)
	if err != nil {
		return "", usage("%v; the key of %s is %s", err, a.pipeline.Table, strings.Join(a.pipeline.Key, "/"))
	}
	return key, nil
}

// runAt returns the run whose state is meant: the newest for none.
func (a *audit) runAt(p *program, flag, text string) (uint64, error) {
	if text == "" {
		return ^uint64(0), nil
	}
	w, err := parseWhen(flag, text, p.now(), true)
	if err != nil || w.run != 0 {
		return w.run, err
	}
	return a.RunAt(w.at)
}

func unknownOp(op string) error {
	return usage("--op %q is none of insert, update, delete", op)
}

// parseOps reads a list of operations.
func parseOps(text string) (ops []diff.Op, err error) {
	if text == "" {
		return nil, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		op := map[string]diff.Op{"insert": diff.Insert, "update": diff.Update, "delete": diff.Delete}[strings.TrimSpace(name)]
		if op == 0 {
			return nil, unknownOp(name)
		}
		ops = append(ops, op)
	}
	return ops, nil
}

// noSuchKey says that nothing is on record of a key.
func noSuchKey(key diff.Key, pipeline string) error {
	return &diff.Error{
		Code: diff.CodeFailed, Message: fmt.Sprintf("no version of %s is on record in pipeline %s", key, pipeline),
		Remedy: "list the keys there are with jstsync snapshot",
	}
}
