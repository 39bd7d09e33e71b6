package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/lang"
	"jstsync/state"
)

func (p *program) stateCheckCommand() *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "look the whole state file over for damage",
		Description: "Reads every page and every value, recomputes the digest of every commit, and\n" +
			"compares head, commits, records of runs, index and rows with one another; with\n" +
			"target.dsn (MYSQL_DSN) also the head with the row in jstsync_checkpoint. Names\n" +
			"the first run that is broken, and what to do. Writes nothing. A run that writes\n" +
			"meanwhile waits for it, 10 seconds at most.\n\n" +
			"Example: jstsync state check\n\n" +
			"Exit codes: 0 sound, 1 something is wrong or the file cannot be read, 64 wrong\n" +
			"usage, 78 configuration error.",
		Flags:  []cli.Flag{formatFlag("text or json")},
		Action: p.stateCheck,
	}
}

func (p *program) stateCheck(c *cli.Context) error {
	settings, asJSON, err := p.stateFile(c)
	if err != nil {
		return err
	}
	verdict, err := state.Check(settings.State)
	if err != nil {
		return err
	}
	p.compareTargets(c.Context, settings, verdict)
	return p.showVerdict(settings.State, verdict, asJSON)
}

// compareTargets compares the heads with the other copies of them, where these
// can be had.
func (p *program) compareTargets(ctx context.Context, settings *config.Settings, v *state.Verdict) {
	if err := settings.Require(config.NeedTarget); err != nil {
		v.Notes = append(v.Notes, "not compared with MySQL: target.dsn (MYSQL_DSN) is not set")
		return
	}
	w := &wiring{program: p, settings: settings}
	for i := range settings.Pipelines {
		pl := &settings.Pipelines[i]
		head, ok := v.Heads[pl.Name]
		if !ok {
			continue
		}
		cp, err := w.checkpoint(ctx, pl)
		if err != nil {
			v.Notes = append(v.Notes, fmt.Sprintf("pipeline %s: not compared with MySQL: %v", pl.Name, err))
			continue
		}
		compareHead(v, pl.Name, head, cp)
	}
}

// checkpoint reads a pipeline's checkpoint row, or nil when there is none.
func (w *wiring) checkpoint(ctx context.Context, pl *config.Pipeline) (cp *diff.Checkpoint, err error) {
	mapper, err := mapperOf(pl)
	if err != nil {
		return nil, err
	}
	t, err := w.open(pl, mapper.Table())
	if err != nil {
		return nil, err
	}
	s, err := t.Connect(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Checkpoint(ctx)
}

func compareHead(v *state.Verdict, pipeline string, head diff.Head, cp *diff.Checkpoint) {
	bad := func(format string, args ...any) {
		v.Add(state.Problem{
			Pipeline: pipeline, Run: head.Seq, Where: "jstsync_checkpoint", What: fmt.Sprintf(format, args...),
			Remedy: "use the newest state file and check target.dsn (MYSQL_DSN); jstsync state rebuild starts from the table as it is",
		})
	}
	switch {
	case cp == nil && head.IsEmpty(), cp != nil && cp.Head == head:
	case cp != nil && cp.Seq == v.Open[pipeline] && cp.Seq > head.Seq: // the unfinished run has committed there
	case cp == nil:
		bad("MySQL has no row of the pipeline, and the head is at run %d", head.Seq)
	case cp.Instance != head.Instance:
		bad("MySQL has a row of another state file, at run %d, and the head is at run %d", cp.Seq, head.Seq)
	case cp.Seq == head.Seq && cp.RunID == head.RunID:
		bad("MySQL has digest %s for run %d, and the head has %s: one of them was altered", cp.Digest, cp.Seq, head.Digest)
	default:
		bad("MySQL is at run %d (%s), and the head is at run %d (%s)", cp.Seq, cp.RunID, head.Seq, head.RunID)
	}
}

// showVerdict prints what a check found, and notes the exit code.
func (p *program) showVerdict(path string, v *state.Verdict, asJSON bool) error {
	if len(v.Problems) > 0 {
		p.status.add(exitFailed)
	}
	if asJSON {
		return json.NewEncoder(p.stdout).Encode(verdictJSON(path, v))
	}
	_, err := p.stdout.Write([]byte(verdictText(p.lang, path, v)))
	return err
}

func verdictJSON(path string, v *state.Verdict) any {
	return struct {
		Format   int             `json:"format"`
		Path     string          `json:"path"`
		Sound    bool            `json:"sound"`
		FirstRun uint64          `json:"first_run"` // 0 when no run is broken
		Problems []state.Problem `json:"problems"`
		Omitted  int             `json:"omitted"`
		Notes    []string        `json:"notes"`
		Runs     int             `json:"runs"`
		Commits  int             `json:"commits"`
		Changes  int             `json:"changes"`
		Rows     int             `json:"rows"`
	}{
		1, path, len(v.Problems) == 0, v.FirstRun(), append([]state.Problem{}, v.Problems...), v.Omitted,
		append([]string{}, v.Notes...), v.Runs, v.Commits, v.Changes, v.Rows,
	}
}

func verdictText(l lang.Language, path string, v *state.Verdict) string {
	var b strings.Builder
	line := func(format string, args ...any) { b.WriteString(l.Sprintf(format, args...) + "\n") }
	switch n := len(v.Problems) + v.Omitted; {
	case n == 0:
		line("%s  sound: %d runs, %d commits, %d changes, %d rows", path, v.Runs, v.Commits, v.Changes, v.Rows)
	case v.FirstRun() > 0:
		line("%s  not sound: problems found: %d; the first broken run is run %d", path, n, v.FirstRun())
	default:
		line("%s  not sound: problems found: %d", path, n)
	}
	for _, problem := range v.Problems {
		line("  %s: %s", whose(l, problem), l.Sentence(problem.What))
		line("      remedy: %s", l.Sentence(problem.Remedy))
	}
	if v.Omitted > 0 {
		line("  and %d more", v.Omitted)
	}
	for _, note := range v.Notes {
		line("  note: %s", l.Sentence(note))
	}
	return b.String()
}

// whose says what a problem is of.
func whose(l lang.Language, problem state.Problem) string {
	where := problem.Where
	if problem.Pipeline != "" {
		where = l.Sprintf("pipeline %s, %s", problem.Pipeline, where)
	}
	if problem.Run > 0 {
		where = l.Sprintf("run %d, %s", problem.Run, where)
	}
	return where
}
