package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	berrors "go.etcd.io/bbolt/errors"

	"jstsync/diff"
)

// Remedies that several errors share.
const (
	nameAnother = "name another file in the setting state (JSTSYNC_STATE)"
	restore     = "restore a backup that jstsync state backup made, or " + nameAnother + " and run jstsync state rebuild, which starts from the table as it is"
)

// checkPlace makes sure that there is a file at path that can be opened
// without harm, and not one that would block, be taken for a new one, or be on
// another machine.
func checkPlace(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return checkAbsent(path, err)
	case err != nil:
		return openError(path, err)
	case !info.Mode().IsRegular():
		return foreign(path, "it is "+kindOf(info.Mode()))
	case info.Size() == 0:
		return foreign(path, "it is empty") // which bbolt would take for one to be initialised
	}
	return checkLocal(path, path)
}

// checkAbsent tells a file that is yet to be made, for which it returns absent,
// from one that cannot be there.
func checkAbsent(path string, absent error) error {
	if _, err := os.Stat(filepath.Dir(path)); errors.Is(err, fs.ErrNotExist) {
		return &diff.Error{
			Code: diff.CodeState, Message: fmt.Sprintf("open state file %s: its directory does not exist", path),
			Remedy: "create the directory, or correct the setting state (JSTSYNC_STATE)",
		}
	}
	if to, err := os.Readlink(path); err == nil {
		return &diff.Error{
			Code: diff.CodeState, Message: fmt.Sprintf("open state file %s: it is a symbolic link to %s, which does not exist", path, to),
			Remedy: "bring that file back, or remove the link, or " + nameAnother,
		}
	}
	return absent
}

// checkLocal refuses a network file system, whose locks do not keep a runner
// on another machine out. where is the file at path, or its directory.
func checkLocal(path, where string) error {
	if kind := networkKind(where); kind != "" {
		return &diff.Error{
			Code: diff.CodeState, Message: fmt.Sprintf("state file %s is on a network file system (%s), where locks do not hold", path, kind),
			Remedy: "move it to a local disk, and name that place in the setting state (JSTSYNC_STATE)",
		}
	}
	return nil
}

// locate returns the file that path names, behind symbolic links, so that its
// lock and its successors are the same whatever name is used.
func locate(path string) string {
	if file, err := filepath.EvalSymlinks(path); err == nil {
		return file
	}
	return path
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	default:
		return "a device"
	}
}

func foreign(path, why string) error {
	return &diff.Error{Code: diff.CodeState, Message: fmt.Sprintf("%s is not a jstsync state file: %s", path, why), Remedy: nameAnother}
}

// damaged says that a file which is ours is not whole.
func damaged(path string, err error) error {
	if err == nil {
		return nil
	}
	return &diff.Error{
		Code: diff.CodeState, Message: fmt.Sprintf("state file %s is damaged", path), Err: err,
		Remedy: "jstsync state check says what is lost; " + restore,
	}
}

func openError(path string, err error) error {
	return &diff.Error{Code: diff.CodeState, Message: "open state file " + path, Err: err, Remedy: remedyOf(err)}
}

// remedyOf says what helps against an error of the operating system or bbolt.
func remedyOf(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "give this user read and write access to the file and its directory, or " + nameAnother
	case errors.Is(err, fs.ErrNotExist):
		return "create the directory, or name another file"
	case errors.Is(err, syscall.EROFS):
		return "the file system is read-only: make it writable, or " + nameAnother
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "free some space on the file system and run again; what was committed is safe"
	case errors.Is(err, berrors.ErrTimeout):
		return "another process keeps the file open; end it and run again"
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum), errors.Is(err, errSeal):
		return "the file is damaged or is no jstsync state file; " + restore
	default:
		return "check the file, its directory and the free space, then run again"
	}
}
