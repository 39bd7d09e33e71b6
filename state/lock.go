package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// Lock is the run lock of a state file: one runner at a time.
type Lock struct {
	file *flock.Flock
	name string
}

// released is the second line of the lock's file when its last holder gave it
// back, and was not killed.
const released = "released\n"

// lockName returns the lock's file. It is beside the file itself, so that a
// symbolic link to it is another name of the same lock.
func lockName(path string) string { return locate(path) + ".lock" }

// Acquire takes the run lock of the state file at path, waiting at most wait.
// When another process holds it the error has [diff.CodeBusy] and names the
// holder. The lock's file stays; its content names the last holder.
//
// The file, if there is one, is ready for use then: one of an older format has
// been upgraded, after a copy, and one whose last holder was killed has been
// looked over for damaged pages.
func Acquire(ctx context.Context, path string, wait time.Duration, now time.Time) (*Lock, error) {
	if err := checkPlace(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	name := lockName(path)
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, lockError(path, fmt.Errorf("%s is %s", name, kindOf(info.Mode())))
	}
	l := &Lock{flock.New(name, flock.SetPermissions(0o600)), name}
	bounded, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	ok, err := l.file.TryLock() // also when there is no time to wait
	if !ok && err == nil {
		ok, err = l.file.TryLockContext(bounded, 50*time.Millisecond)
	}
	if ok {
		return l.ready(path, now)
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

// ready finishes [Acquire]. What went wrong with the file is not forgotten: the
// lock counts as not released.
func (l *Lock) ready(path string, now time.Time) (*Lock, error) {
	before, err := os.ReadFile(l.name)
	if err != nil {
		return nil, errors.Join(lockError(path, err), l.file.Unlock())
	}
	unclean := len(before) > 0 && !strings.HasSuffix(string(before), released)
	if err := makeReady(path, unclean); err != nil {
		return nil, errors.Join(err, l.file.Unlock())
	}
	if err := l.sign(path, now); err != nil {
		return nil, errors.Join(err, l.file.Unlock())
	}
	return l, nil
}

// sign writes who holds the lock into its file.
func (l *Lock) sign(path string, now time.Time) error {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	text := fmt.Sprintf("pid %d on %s since %s\n", os.Getpid(), host, now.UTC().Format(time.RFC3339))
	if err := errors.Join(os.WriteFile(l.name, []byte(text), 0o600), fault.Hit(fault.LockAcquired)); err != nil {
		return lockError(path, err)
	}
	return nil
}

// Holder returns what the lock's file says of who holds the run lock of the
// state file at path, or "" when nobody does.
func Holder(path string) (string, error) {
	name := lockName(path)
	if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
		return "", nil //nolint:nilerr // without a lock's file nobody holds it
	}
	l := flock.New(name, flock.SetFlag(os.O_RDONLY))
	free, err := l.TryRLock()
	if err != nil {
		return "", lockError(path, err)
	}
	if free {
		return "", l.Unlock()
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return "", lockError(path, err)
	}
	return strings.TrimSpace(string(text)), nil
}

func lockError(path string, err error) error {
	e := &diff.Error{
		Code: diff.CodeState, Message: "lock state file " + path, Err: err,
		Remedy: "give this user write access to the directory and the .lock file in it, and free space; or name another file in the setting state (JSTSYNC_STATE)",
	}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EROFS):
		e.Remedy = remedyOf(err)
	case errors.Is(err, fs.ErrNotExist):
		e.Remedy = "create the directory, or correct the setting state (JSTSYNC_STATE)"
	}
	return e
}

// Release gives the lock back.
func (l *Lock) Release() error {
	if f, err := os.OpenFile(l.name, os.O_WRONLY|os.O_APPEND, 0); err == nil {
		_, _ = f.WriteString(released) // without it the next holder looks the file over, which does no harm
		_ = f.Close()
	}
	return l.file.Unlock()
}
