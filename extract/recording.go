package extract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"jstsync/diff"
)

// A recording is a directory of one run: an index, and a file for each answer.
// The index is JSON lines, the first of them the heading, each other one an
// attempt, in the order in which they ended. It only ever grows, and an
// answer's file is whole before its line is there: what a crash leaves is a
// recording too.
const (
	indexName  = "index.jsonl"
	indexNow   = 1                      // the format that is written and read
	stamp      = "20060102T150405.000Z" // in a directory's name, UTC
	answerForm = "%06d.body"
)

// heading is the first line of an index: whose run it was, and what shaped its
// calls.
type heading struct {
	Recording   int       `json:"recording"` // the format
	Pipeline    string    `json:"pipeline"`
	Started     time.Time `json:"started"`
	BaseURL     string    `json:"base_url"`
	PageSize    int       `json:"page_size"`
	Ahead       int       `json:"ahead"`
	Timeout     string    `json:"timeout"`
	MaxAttempts int       `json:"max_attempts"`
	MaxElapsed  string    `json:"max_elapsed"`
}

// entry is one attempt in an index.
type entry struct {
	Seq     int               `json:"seq"`
	Scan    int               `json:"scan,omitempty"` // which reading of all pages; none when by id
	Path    string            `json:"path"`
	Biz     string            `json:"biz"` // as sent
	Page    int               `json:"page,omitempty"`
	Attempt int               `json:"attempt"`
	At      time.Time         `json:"at"`
	Ended   time.Time         `json:"ended"`
	Status  int               `json:"status"` // 0 when nothing was answered
	Header  map[string]string `json:"header,omitempty"`
	File    string            `json:"file,omitempty"`   // the body, decompressed
	Masked  bool              `json:"masked,omitempty"` // a secret stood in it
	Fault   string            `json:"fault,omitempty"`  // what kept a whole answer from coming
	Err     string            `json:"err,omitempty"`    // the same in words
	Code    diff.Code         `json:"code,omitempty"`   // these two of a renewal
	Remedy  string            `json:"remedy,omitempty"`
	Stopped bool              `json:"stopped,omitempty"` // nobody waited for it any more
}

// The faults of an entry.
const (
	faultBroken    = "broken"
	faultSlow      = "slow"
	faultUntrusted = "untrusted"
	faultRenewal   = "renewal" // no attempt: the access token could not be renewed for one
)

func faultOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return faultSlow
	case untrusted(err):
		return faultUntrusted
	default:
		return faultBroken
	}
}

// recordedError is an error of the transport as a recording tells it.
type recordedError struct{ fault, text string }

func (e *recordedError) Error() string { return e.text }

// Is makes an attempt that ran out of time known as one.
func (e *recordedError) Is(target error) bool {
	return e.fault == faultSlow && target == context.DeadlineExceeded
}

// runName returns the name of a recording's directory.
func runName(at time.Time, pipeline string) string {
	return at.UTC().Format(stamp) + "-" + pipeline
}

// readRunName returns what the name of a recording's directory says.
func readRunName(name string) (at time.Time, pipeline string, ok bool) {
	text, pipeline, _ := strings.Cut(name, "-")
	at, err := time.Parse(stamp, text)
	return at, pipeline, err == nil && pipeline != "" && runName(at, pipeline) == name
}

// isAnswer reports whether a name is that of an answer's file.
func isAnswer(name string) bool {
	n := 0
	_, err := fmt.Sscanf(name, answerForm, &n)
	return err == nil && n > 0 && fmt.Sprintf(answerForm, n) == name
}

// runsIn returns the names of the directories in dir that are named as
// recordings are, the oldest first.
func runsIn(dir string) ([]string, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, d := range all {
		if _, _, ok := readRunName(d.Name()); ok && d.IsDir() {
			names = append(names, d.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// readIndex reads the index of a recording. A last line that a crash cut off
// does not count.
func readIndex(dir string) (head heading, entries []entry, err error) {
	name := filepath.Join(dir, indexName)
	text, err := os.ReadFile(name)
	if err != nil {
		return head, nil, err
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	lines = lines[:len(lines)-1] // empty, or cut off
	for i, line := range lines {
		var e entry
		into := any(&e)
		if i == 0 {
			into = &head
		}
		if err := json.Unmarshal(line, into); err != nil {
			return head, nil, fmt.Errorf("read %s: line %d: %w", name, i+1, err)
		}
		if i > 0 {
			entries = append(entries, e)
		}
	}
	switch {
	case head.Recording < 1 || head.Pipeline == "":
		return head, nil, fmt.Errorf("read %s: it is not the index of a recording", name)
	case head.Recording > indexNow:
		return head, nil, fmt.Errorf("read %s: a newer jstsync made it", name)
	}
	return head, entries, nil
}

// prune removes the recordings in dir that are older than keep, and nothing
// else: a directory is one only by its name and its index, and it goes only
// when all that it holds was written by a recorder. It returns every error.
func prune(dir string, now time.Time, keep time.Duration) error {
	names, err := runsIn(dir)
	if err != nil {
		return err
	}
	var failed []error
	for _, name := range names {
		at, pipeline, _ := readRunName(name)
		if now.Sub(at) <= keep || !isRecording(filepath.Join(dir, name), pipeline) {
			continue
		}
		failed = append(failed, removeRun(filepath.Join(dir, name)))
	}
	return errors.Join(failed...)
}

// isRecording reports whether dir has an index that begins as one of the
// pipeline's does. That of a run that crashed at once is empty.
func isRecording(dir, pipeline string) bool {
	name := filepath.Join(dir, indexName)
	if info, err := os.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	var head heading
	err = json.NewDecoder(io.LimitReader(f, 64<<10)).Decode(&head)
	return errors.Is(err, io.EOF) || err == nil && head.Recording > 0 && head.Pipeline == pipeline
}

// removeRun removes a recording, its index last, so that what an interruption
// leaves is recognised again. One that holds anything else stays as it is.
func removeRun(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	foreign := func(f fs.DirEntry) bool {
		return !f.Type().IsRegular() || f.Name() != indexName && !isAnswer(f.Name())
	}
	if slices.ContainsFunc(files, foreign) {
		return nil
	}
	for _, f := range files {
		if f.Name() != indexName {
			if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.Remove(filepath.Join(dir, indexName)); err != nil {
		return err
	}
	return os.Remove(dir)
}
