package report

import (
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows on a terminal how far long work has come: a bar on one line,
// which is gone when the work is done. Work of less than a second shows none.
// Methods are safe for concurrent use.
type Progress struct {
	mu    sync.Mutex
	out   io.Writer
	width int
	now   func() time.Time

	bar   *progressbar.ProgressBar
	drawn time.Time
}

const (
	progressDelay = time.Second
	progressEvery = 100 * time.Millisecond
)

// NewProgress returns one that draws on out, a terminal of so many columns.
func NewProgress(out io.Writer, width int, now func() time.Time) *Progress {
	return &Progress{out: out, width: width, now: now}
}

// Stage returns the function to tell how far a piece of work has come: done
// units of total, which may be a guess; 0 when nobody knows. The word names
// the work, such as "reading shops".
func (p *Progress) Stage(word string) func(done, total int) {
	var began time.Time
	return func(done, total int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		now := p.now()
		if began.IsZero() {
			began = now
			p.clear()
		}
		if now.Sub(began) < progressDelay || now.Sub(p.drawn) < progressEvery {
			return
		}
		p.drawn = now
		p.draw(word, done, total)
	}
}

// draw draws the bar anew; what a terminal does not take, it does not get.
func (p *Progress) draw(word string, done, total int) {
	if total <= 0 {
		total = -1
	} else {
		total = max(total, done)
	}
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(word), progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(max(10, min(40, p.width-width(word)-40))), progressbar.OptionSetSpinnerChangeInterval(0))
	}
	p.bar.ChangeMax(total)
	_ = p.bar.Set(done)
}

// clear takes the bar away, for good or until the next step.
func (p *Progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

// End takes the bar away. It is called before anything else is written to the
// terminal.
func (p *Progress) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// Write writes lines, such as those of a log, where the bar is, which comes
// back below them.
func (p *Progress) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	return p.out.Write(lines)
}
