package extract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"jstsync/diff"
)

// DefaultKeep is how long a recording is kept.
const DefaultKeep = 7 * 24 * time.Hour

// Record says where the answers of one pipeline's run are kept: in a directory
// of their own in Dir, whose name begins with the time, for [OpenReplay].
//
// It holds the body of every answer to a query of shops, and an index with the
// business parameters and outcome of each attempt. No other field of a request
// is in it, nor any answer to a token call; a known secret in a body is
// masked. All of it is for the owner's eyes alone.
//
// A recording that cannot be begun is an error before any call. One that
// cannot go on, as on a full disk, ends with a warning and the run goes on: it
// is an aid, and what was read is true without it.
type Record struct {
	Dir      string // made where it is absent
	Pipeline string
	// Keep is how long recordings are kept: older ones in Dir, of whichever
	// pipeline, are removed before a new one begins. 0 means DefaultKeep.
	Keep time.Duration
}

// recorder writes one recording. A nil one writes none.
type recorder struct {
	dir string
	log *slog.Logger

	mu    sync.Mutex
	index *os.File // nil once the recording has ended
	seq   int
}

// newRecorder begins a recording of calls with these options.
func newRecorder(o Options) (*recorder, error) {
	r := &recorder{log: o.Logger}
	if err := r.begin(o); err != nil {
		r.close()
		return nil, &diff.Error{
			Code: diff.CodeFailed, Message: "begin a recording in " + o.Record.Dir,
			Remedy: "name a directory that can be written to and has room, or record nothing", Err: err,
		}
	}
	return r, nil
}

func (r *recorder) begin(o Options) error {
	if err := os.MkdirAll(o.Record.Dir, 0o700); err != nil {
		return err
	}
	now, keep := o.Now(), o.Record.Keep
	orDefault(&keep, DefaultKeep)
	if err := prune(o.Record.Dir, now, keep); err != nil {
		r.log.Warn("old recordings could not be removed", "err", err.Error())
	}
	var err error
	if now, err = r.makeDir(o.Record, now); err != nil {
		return err
	}
	if r.index, err = create(filepath.Join(r.dir, indexName)); err != nil {
		return err
	}
	return r.line(heading{
		Recording: indexNow, Pipeline: o.Record.Pipeline, Started: now.UTC(),
		BaseURL: o.BaseURL.String(), PageSize: o.PageSize, Ahead: o.Ahead, Timeout: o.Timeout.String(),
		MaxAttempts: o.MaxAttempts, MaxElapsed: o.MaxElapsed.String(),
	})
}

// makeDir makes the run's directory, a little later than now where another
// recording began at the same time.
func (r *recorder) makeDir(rec *Record, now time.Time) (time.Time, error) {
	for n := 0; ; n++ {
		dir := filepath.Join(rec.Dir, runName(now, rec.Pipeline))
		err := os.Mkdir(dir, 0o700)
		if err == nil {
			r.dir = dir
			return now, nil
		}
		if !errors.Is(err, fs.ErrExist) || n == 1000 {
			return now, err
		}
		now = now.Add(time.Millisecond)
	}
}

// create makes a file that is not there yet.
func create(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// keep records an attempt. The first that cannot be ends the recording, so
// that what is there has no gap.
func (r *recorder) keep(call request, n int, x *exchange, mask func(string) string) {
	if r == nil {
		return
	}
	body := mask(string(x.body))
	e := entryOf(call, n, x, mask)
	e.Masked = body != string(x.body)
	r.add(e, body)
}

// keepRenewal records why the n-th attempt, which the failure ended, was the
// last: no other token was to be had.
func (r *recorder) keepRenewal(call request, n int, err error, f *failure) {
	if r == nil {
		return
	}
	e := entry{
		Scan: call.scan, Path: call.path, Biz: call.biz, Page: call.page, Attempt: n + 1,
		At: f.now.Round(0).UTC(), Ended: f.now.Round(0).UTC(),
		Fault: faultRenewal, Err: f.mask(err.Error()), Code: diff.CodeOf(err),
	}
	if d, ok := errors.AsType[*diff.Error](err); ok {
		e.Remedy = f.mask(d.Remedy)
	}
	r.add(e, "")
}

func (r *recorder) add(e entry, body string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.index == nil {
		return
	}
	if err := r.write(e, body); err != nil {
		r.log.Warn("the answers are no longer recorded; the run goes on", "page", e.Page, "err", err.Error())
		r.end()
	}
}

// entryOf returns what an index says of an attempt, but for its number and its
// body.
func entryOf(call request, n int, x *exchange, mask func(string) string) entry {
	began := x.start.Round(0).UTC()
	e := entry{
		Scan: call.scan, Path: call.path, Biz: call.biz, Page: call.page, Attempt: n,
		At: began, Ended: began.Add(x.end.Sub(x.start)), Status: x.status,
		Header: keptHeader(x.header, mask), Fault: faultOf(x.err), Stopped: x.ended != nil,
	}
	if x.err != nil {
		e.Err = mask(x.err.Error())
	}
	if x.ended == errUnneeded { //nolint:errorlint // as it is made
		e.Err = diff.Unneeded
	}
	return e
}

// keptHeader returns the headers that an answer is judged by.
func keptHeader(h http.Header, mask func(string) string) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{"Date", "Content-Type", "Retry-After"} {
		if v := h.Get(name); v != "" {
			kept[name] = mask(v)
		}
	}
	if to, err := url.Parse(h.Get("Location")); err == nil && to.Host != "" {
		kept["Location"] = mask(to.Scheme + "://" + to.Host) // the rest may be anything
	}
	return kept
}

// write adds an attempt: its body first, then its line.
func (r *recorder) write(e entry, body string) error {
	e.Seq = r.seq + 1
	if e.Status != 0 {
		e.File = fmt.Sprintf(answerForm, e.Seq)
		if err := writeSynced(filepath.Join(r.dir, e.File), body); err != nil {
			return err
		}
	}
	if err := r.line(e); err != nil {
		return err
	}
	r.seq++
	return nil
}

// writeSynced makes a durable file of text, or none.
func writeSynced(name, text string) error {
	f, err := create(name)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(name) // it may be in nobody's way, and is in no index
	}
	return err
}

// line adds a line to the index, durably.
func (r *recorder) line(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	if _, err := r.index.Write(b.Bytes()); err != nil {
		return err
	}
	return r.index.Sync()
}

// close ends the recording, and removes one that holds nothing.
func (r *recorder) close() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.end()
	if r.seq == 0 && r.dir != "" {
		_ = os.Remove(filepath.Join(r.dir, indexName)) // an empty one is harmless, too
		_ = os.Remove(r.dir)
		r.dir = ""
	}
}

func (r *recorder) end() {
	if r.index != nil {
		_ = r.index.Close() // each line is durable since it was written
		r.index = nil
	}
}
