package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"jstsync/diff"
)

// Lock is the run lock of a state file: one runner at a time.
type Lock struct{ file *flock.Flock }

// Acquire takes the run lock of the state file at path, waiting at most wait.
// When another process holds it the error has [diff.CodeBusy] and names the
// holder. The lock's file stays; its content names the last holder.
func Acquire(ctx context.Context, path string, wait time.Duration, now time.Time) (*Lock, error) {
	name := path + ".lock"
	l := &Lock{flock.New(name, flock.SetPermissions(0o600))}
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	ok, err := l.file.TryLock() // also when there is no time to wait
	if !ok && err == nil {
		ok, err = l.file.TryLockContext(bounded, 50*time.Millisecond)
	}
	if ok {
		return l, l.sign(name, now)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, lockError(path, err)
	}
	holder, _ := os.ReadFile(name)
	return nil, &diff.Error{
		Code:    diff.CodeBusy,
		Message: fmt.Sprintf("state file %s is in use by another run (%s)", path, strings.TrimSpace(string(holder))),
		Remedy:  "wait for it to end, or raise lock_timeout",
	}
}

// sign writes who holds the lock into its file.
func (l *Lock) sign(name string, now time.Time) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text := fmt.Sprintf("pid %d on %s since %s\n", os.Getpid(), host, now.UTC().Format(time.RFC3339))
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		return errors.Join(lockError(strings.TrimSuffix(name, ".lock"), err), l.Release())
	}
	return nil
}

func lockError(path string, err error) error {
	e := &diff.Error{
		Code: diff.CodeState, Message: "lock state file " + path, Err: err,
		Remedy: "give this user write access to the directory and the .lock file in it, and free space; or name another file in the setting state (JSTSYNC_STATE)",
	}
	if errors.Is(err, fs.ErrNotExist) {
		e.Remedy = "create the directory, or correct the setting state (JSTSYNC_STATE)"
	}
	return e
}

// Release gives the lock back.
func (l *Lock) Release() error { return l.file.Unlock() }
