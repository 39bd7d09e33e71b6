package main

import (
	"github.com/urfave/cli/v2"

	"jstsync/internal/report"
	"jstsync/state"
)

func (p *program) changesCommand() *cli.Command {
	return &cli.Command{
		Name:  "changes",
		Usage: "what changed between syncs, newest run first",
		Description: "Lists the changes that are on record, each with the run that made it and the\n" +
			"values before and after. --since and --until take a run, a time (of this\n" +
			"machine's zone when it names none), or a phrase such as \"2 days ago\"; both are\n" +
			"inclusive. As CSV there is one row a field.\n\n" +
			"Example: jstsync changes --since \"2 days ago\" --field shop_name\n" +
			"Example: jstsync changes --run 12 --op delete --format json\n\n" + auditCodes,
		Flags: auditFlags(
			&cli.StringFlag{Name: "since", Usage: "changes of run or time `X` and later"},
			&cli.StringFlag{Name: "until", Usage: "changes of run or time `X` and earlier"},
			&cli.StringFlag{Name: "key", Usage: "changes of the record with key `K`"},
			&cli.StringFlag{Name: "field", Usage: "changes of the column `F`"},
			&cli.StringFlag{Name: "op", Usage: "only `OPS`: insert, update, delete, or several with commas"},
			&cli.Uint64Flag{Name: "run", Usage: "changes of run `RUN`"},
			&cli.IntFlag{Name: "limit", Usage: "only the newest `N`"},
		),
		Action: p.changes,
	}
}

func (p *program) changes(c *cli.Context) error {
	if err := noArguments(c, "changes"); err != nil {
		return err
	}
	q, err := p.auditQuery(c)
	if err != nil {
		return err
	}
	a, err := p.audit(c, q.Field, report.ChangesHeading())
	if err != nil {
		return err
	}
	if c.IsSet("key") {
		if q.Key, err = a.key(c.String("key")); err != nil {
			return err
		}
	}
	if err := a.end(a.Changes(q, a.Version)); err != nil {
		return err
	}
	return p.noteTrimmed(a, &q)
}

// noteTrimmed says where memory ends when more was asked for.
func (p *program) noteTrimmed(a *audit, q *state.Query) error {
	run, at, err := a.Trimmed()
	if err == nil && run > 0 && q.FromRun <= run && !q.Since.After(at) && q.Limit == 0 {
		p.note(p.lang.Sprintf("changes up to run %d of %s are no longer on record (audit.keep, audit.max_runs)", run, moment(at)))
	}
	return err
}

// auditQuery reads what is asked for, but for the key.
func (p *program) auditQuery(c *cli.Context) (q state.Query, err error) {
	if c.Int("limit") < 0 {
		return q, usage("--limit %d is negative", c.Int("limit"))
	}
	q.Limit, q.Field = c.Int("limit"), c.String("field")
	if q.Ops, err = parseOps(c.String("op")); err != nil {
		return q, err
	}
	if text := c.String("since"); text != "" {
		w, err := parseWhen("since", text, p.now(), false)
		if err != nil {
			return q, err
		}
		q.Since, q.FromRun = w.at, w.run
	}
	if text := c.String("until"); text != "" {
		w, err := parseWhen("until", text, p.now(), true)
		if err != nil {
			return q, err
		}
		q.Until, q.UpToRun = w.at, w.run
	}
	if run := c.Uint64("run"); run != 0 {
		q.FromRun, q.UpToRun = max(q.FromRun, run), run
	}
	return q, nil
}
