package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/lang"
	"jstsync/internal/report"
	"jstsync/state"
)

func (p *program) stateInfoCommand() *cli.Command {
	return &cli.Command{
		Name:  "info",
		Usage: "show what is in the state file",
		Description: "Its size and free pages; each pipeline's last commit, rows and unfinished run;\n" +
			"how many runs and access tokens it holds; who holds the run lock. No token is\n" +
			"ever shown. Works while a run does.\n\n" +
			"Example: jstsync state info --format json\n\n" +
			"Exit codes: 0 shown, 1 failed or there is no such file, 64 wrong usage,\n" +
			"78 configuration error.",
		Flags:  []cli.Flag{formatFlag("text or json")},
		Action: p.stateInfo,
	}
}

func (p *program) stateInfo(c *cli.Context) error {
	settings, asJSON, err := p.stateFile(c)
	if err != nil {
		return err
	}
	info, err := state.Survey(settings.State)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.stdout).Encode(infoJSON(info))
	}
	_, err = p.stdout.Write([]byte(infoText(p.lang, info)))
	return err
}

// runJSON names a run, with the time of its start.
type runJSON struct {
	Run uint64 `json:"run"`
	At  string `json:"at"`
}

func runOf(r *diff.Run) *runJSON {
	if r == nil {
		return nil
	}
	return &runJSON{r.Run, moment(r.Started)}
}

// moment writes a time as JSON output has it: UTC, to the millisecond.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func infoJSON(info *state.Info) any {
	type unfinished struct {
		Run     uint64  `json:"run"`
		RunID   diff.ID `json:"run_id"`
		Kind    string  `json:"kind"`
		Changes int     `json:"changes"`
	}
	type pipeline struct {
		Pipeline   string      `json:"pipeline"`
		Head       diff.Head   `json:"head"`
		Rows       int         `json:"rows"`
		Adopted    int         `json:"adopted"`
		Commits    int         `json:"commits"`
		Trimmed    uint64      `json:"trimmed"` // RUN of the last commit that is forgotten, 0 when none is
		Unfinished *unfinished `json:"unfinished"`
	}
	pipelines := make([]pipeline, len(info.Pipelines))
	for i, p := range info.Pipelines {
		pipelines[i] = pipeline{Pipeline: p.Name, Head: p.Head, Rows: p.Rows, Adopted: p.Adopted, Commits: p.Commits, Trimmed: p.Trimmed}
		if in := p.Unfinished; in != nil {
			pipelines[i].Unfinished = &unfinished{in.Run, in.RunID, in.Kind, in.Changes}
		}
	}
	return struct {
		Format      int        `json:"format"`
		Path        string     `json:"path"`
		StateFormat int        `json:"state_format"`
		Size        int64      `json:"size"`
		FreePages   int        `json:"free_pages"`
		FreeBytes   int64      `json:"free_bytes"`
		Created     string     `json:"created"`
		Runs        int        `json:"runs"`
		Oldest      *runJSON   `json:"oldest_run"`
		Newest      *runJSON   `json:"newest_run"`
		Tokens      int        `json:"tokens"`
		Holder      string     `json:"lock_holder"`
		Pipelines   []pipeline `json:"pipelines"`
	}{
		1, info.Path, info.Format, info.Size, info.FreePages, info.FreeBytes, moment(info.Created),
		info.Runs, runOf(info.Oldest), runOf(info.Newest), info.Tokens, info.Holder, pipelines,
	}
}

func infoText(l lang.Language, info *state.Info) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		plain := strings.TrimLeft(name, " ")
		name = name[:len(name)-len(plain)] + l.Text(plain)
		b.WriteString(report.Padded(name, 10) + " " + l.Sprintf(format, args...) + "\n")
	}
	line("file", "%s", info.Path)
	line("format", "%d", info.Format)
	line("size", "%s, of which %s in %d free pages", bytesText(l, info.Size), bytesText(l, info.FreeBytes), info.FreePages)
	line("created", "%s", moment(info.Created))
	if info.Oldest == nil {
		line("runs", "none")
	} else {
		line("runs", "%d, from run %d (%s) to run %d (%s)",
			info.Runs, info.Oldest.Run, moment(info.Oldest.Started), info.Newest.Run, moment(info.Newest.Started))
	}
	line("tokens", "%d stored", info.Tokens)
	holder := info.Holder
	if holder == "" {
		holder = l.Text("nobody")
	}
	line("lock", "%s", holder)
	for _, p := range info.Pipelines {
		b.WriteString("\n" + l.Sprintf("pipeline %s", p.Name) + "\n")
		if p.Head.IsEmpty() {
			line("  head", "nothing committed yet")
		} else {
			line("  head", "run %d  %s", p.Head.Seq, p.Head.RunID)
			line("  digest", "%s", p.Head.Digest)
		}
		line("  instance", "%s", p.Head.Instance)
		commits := fmt.Sprint(p.Commits)
		if p.Trimmed > 0 {
			commits += l.Sprintf("; the audit goes back to the state after run %d (%s)", p.Trimmed, moment(p.TrimmedAt))
		}
		line("  commits", "%s", commits)
		rows := fmt.Sprint(p.Rows)
		if p.Adopted > 0 {
			rows += l.Sprintf(", %d of them adopted", p.Adopted)
		}
		line("  rows", "%s", rows)
		if in := p.Unfinished; in != nil {
			line("  unfinished", "run %d (%s), %d changes; the next jstsync sync finds out whether the target has them", in.Run, in.Kind, in.Changes)
		}
	}
	return b.String()
}

// bytesText writes a number of bytes for people.
func bytesText(l lang.Language, n int64) string {
	switch {
	case n >= 10<<20:
		return l.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return l.Sprintf("%d KiB", n>>10)
	default:
		return l.Sprintf("%d bytes", n)
	}
}
