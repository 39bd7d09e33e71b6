package main

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"jstsync/internal/report"
)

// newProgress returns a progress bar on stderr, or nil where nobody would see
// it.
func (p *program) newProgress(c *cli.Context) *report.Progress {
	f, ok := p.stderr.(*os.File)
	if !ok || c.Bool("quiet") || c.String("log-format") != "text" || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil || columns == 0 {
		columns = 80
	}
	return report.NewProgress(p.stderr, columns, p.now)
}

// logWriter is where log lines go: past the bar, where there is one.
func (p *program) logWriter() io.Writer {
	if p.bar != nil {
		return p.bar
	}
	return p.stderr
}

// stage returns what tells how far a piece of work has come, nil for nobody.
func (p *program) stage(work, of string) func(done, total int) {
	if p.bar == nil {
		return nil
	}
	return p.bar.Stage(p.lang.Sprintf(work, of))
}

// note tells something beside the answer.
func (p *program) note(text string) {
	fmt.Fprintln(p.stderr, "jstsync: "+p.lang.Text("note: ")+text)
}

// endProgress takes the bar away before anything else is printed.
func (p *program) endProgress() {
	if p.bar != nil {
		p.bar.End()
	}
}
