package extract

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"jstsync/diff"
)

// ErrNotRecorded is what the error of a call wraps that the recording that is
// replayed does not hold.
var ErrNotRecorded = errors.New("not in the recording")

const remedyReplay = "replay it against the state file and the pipeline that it was recorded with"

// Replay answers the calls of one run from a recording: each by its path and
// business parameters, in the order in which they were recorded, at once, and
// with nothing sent. The answers are judged as they were, repeated attempts,
// their times and their settings included.
type Replay struct {
	dir      string
	head     heading
	base     *url.URL
	timeout  time.Duration
	elapsed  time.Duration
	mu       sync.Mutex
	attempts map[callName][]entry // still to come
}

// callName is what a call is known by. The same page is another call when all
// pages are read again: of the pages that were fetched ahead in vain, some had
// been asked for and some had not.
type callName struct {
	scan      int
	path, biz string
}

// RecordedPipeline returns whose run the directory is a recording of, or ""
// when it is none.
func RecordedPipeline(dir string) string {
	head, _, err := readIndex(dir)
	if err != nil {
		return ""
	}
	return head.Pipeline
}

// OpenReplay reads a recording of the pipeline: dir is that of the run, or one
// that [Record] wrote to, whose newest recording of the pipeline that holds
// anything is then meant. The error is a [diff.Error].
func OpenReplay(dir, pipeline string) (*Replay, error) {
	head, entries, err := readIndex(dir)
	if errors.Is(err, fs.ErrNotExist) {
		dir, head, entries, err = newestRun(dir, pipeline)
	}
	if err == nil && head.Pipeline != pipeline {
		err = fmt.Errorf("%s is a recording of pipeline %s, not of %s", dir, head.Pipeline, pipeline)
	}
	p := &Replay{dir: dir, head: head, attempts: map[callName][]entry{}}
	if err == nil {
		err = p.readSettings()
	}
	if err != nil {
		return nil, &diff.Error{
			Code: diff.CodeFailed, Message: "replay a recording",
			Remedy: "name a directory that --record wrote", Err: err,
		}
	}
	for _, e := range entries {
		name := callName{e.Scan, e.Path, e.Biz}
		p.attempts[name] = append(p.attempts[name], e)
	}
	return p, nil
}

// newestRun reads the newest recording in dir of the pipeline.
func newestRun(dir, pipeline string) (string, heading, []entry, error) {
	names, err := runsIn(dir)
	if err != nil {
		return "", heading{}, nil, err
	}
	for _, name := range slices.Backward(names) {
		if _, of, _ := readRunName(name); of != pipeline {
			continue
		}
		run := filepath.Join(dir, name)
		head, entries, err := readIndex(run)
		if err != nil || len(entries) > 0 {
			return run, head, entries, err
		}
	}
	return "", heading{}, nil, fmt.Errorf("%s holds no recording of pipeline %s", dir, pipeline)
}

func (p *Replay) readSettings() error {
	var wrong [3]error
	p.base, wrong[0] = url.Parse(p.head.BaseURL)
	p.timeout, wrong[1] = time.ParseDuration(p.head.Timeout)
	p.elapsed, wrong[2] = time.ParseDuration(p.head.MaxElapsed)
	err := errors.Join(wrong[:]...)
	if err == nil && (p.head.PageSize < 1 || p.head.PageSize > DefaultPageSize) {
		err = fmt.Errorf("page_size %d is not between 1 and %d", p.head.PageSize, DefaultPageSize)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Join(p.dir, indexName), err)
	}
	return nil
}

// settle makes the calls what they were when they were recorded, and no wait
// longer than none.
func (p *Replay) settle(o *Options) {
	o.BaseURL, o.PageSize, o.Ahead = p.base, p.head.PageSize, p.head.Ahead
	o.Timeout, o.MaxAttempts, o.MaxElapsed = p.timeout, p.head.MaxAttempts, p.elapsed
	o.Sleep = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	o.Pacer, o.Record = nil, nil
}

// exchange returns the n-th attempt of a call. The error is ctx's, or a
// [diff.Error] when the attempt was not recorded.
func (p *Replay) exchange(ctx context.Context, r request, n int) (exchange, error) {
	if err := ctx.Err(); err != nil {
		return exchange{}, err
	}
	e, ok := p.take(r)
	if !ok {
		return exchange{}, p.lacks(r, n)
	}
	x := exchange{start: e.At, end: e.Ended}
	x.status, x.header = e.Status, http.Header{}
	for name, value := range e.Header {
		x.header.Set(name, value)
	}
	if e.Fault != "" {
		x.err = &recordedError{fault: e.Fault, text: e.Err}
	}
	switch {
	case e.Stopped && e.Err == diff.Unneeded:
		x.ended = errUnneeded
	case e.Stopped:
		x.ended = &diff.Error{
			Code: diff.CodeFailed, Message: "the run that is recorded in " + p.dir + " was stopped here", Remedy: "record another run",
		}
	}
	if e.File == "" {
		return x, nil
	}
	var err error
	if x.body, err = p.body(e.File); err != nil {
		return exchange{}, &diff.Error{
			Code: diff.CodeFailed, Message: "read an answer recorded in " + p.dir, Remedy: "record another run", Err: err,
		}
	}
	return x, nil
}

// take takes the attempt that comes next by the call's name.
func (p *Replay) take(r request) (entry, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := callName{r.scan, r.path, r.biz}
	left := p.attempts[name]
	if len(left) == 0 {
		return entry{}, false
	}
	p.attempts[name] = left[1:]
	return left[0], true
}

func (p *Replay) body(name string) ([]byte, error) {
	if !isAnswer(name) {
		return nil, fmt.Errorf("%q is not the name of an answer", name)
	}
	return os.ReadFile(filepath.Join(p.dir, name))
}

func (p *Replay) lacks(r request, n int) error {
	attempt := ""
	if n > 1 {
		attempt = fmt.Sprintf(" (attempt %d)", n)
	}
	return &diff.Error{
		Code:    diff.CodeFailed,
		Message: fmt.Sprintf("find %s %s%s in %s", r.path, clip([]byte(r.biz), 200), attempt, p.dir),
		Remedy:  remedyReplay, Err: ErrNotRecorded,
	}
}

// renewed returns nil when the recorded run went on with another token, or
// else why it could not.
func (p *Replay) renewed(r request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	left := p.attempts[callName{r.scan, r.path, r.biz}]
	switch {
	case len(left) == 0 || left[0].Attempt == 1:
		return ErrNotRecorded
	case left[0].Fault == faultRenewal:
		return &diff.Error{Code: left[0].Code, Message: left[0].Err, Remedy: left[0].Remedy}
	default:
		return nil
	}
}
