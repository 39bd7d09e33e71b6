package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"go.etcd.io/bbolt"

	"jstsync/diff"
)

// Space that is wanted on the file system, in bytes: what a run is likely to
// take, and what is comfortable. A copy of the file should fit as well, as
// compacting and upgrading make one.
const (
	scarce = 8 << 20
	roomy  = 64 << 20
)

// examination looks a state file and its place over.
type examination struct {
	path  string
	found []diff.Finding
}

func (e *examination) add(severity diff.Severity, id, subject string, evidence, remedy diff.Phrase) {
	e.found = append(e.found, diff.Finding{Severity: severity, ID: "state." + id, Subject: subject, Evidence: evidence, Remedy: remedy})
}

// Examine says what there is to say of the state file at path, of its place and
// of who uses it, for somebody who wants to know whether runs can work. It
// writes nothing and reads no index: [Check] does more. A file that does not
// exist yet is no error.
func Examine(path string) []diff.Finding {
	e := &examination{path: path}
	info, err := os.Stat(path)
	exists := err == nil && info.Mode().IsRegular()
	if e.place() {
		if exists {
			e.file()
		}
		e.access(exists)
		e.space(info, exists)
	}
	if exists {
		e.mode(info.Mode().Perm())
		e.lock()
	}
	return e.found
}

// place reports whether the file is, or can be, where it is to be.
func (e *examination) place() bool {
	err := checkPlace(e.path)
	absent := errors.Is(err, fs.ErrNotExist) && diff.CodeOf(err) != diff.CodeState
	if absent {
		err = checkLocal(e.path, filepath.Dir(e.path))
	}
	switch {
	case err != nil:
		e.fails("file", err)
		return false
	case absent:
		e.add(diff.SeverityNote, "file", e.path, diff.Say("does not exist yet"),
			diff.Say("the first jstsync sync makes it; if there should be one, correct the setting state (JSTSYNC_STATE)"))
	}
	return true
}

// fails adds an error as a finding.
func (e *examination) fails(id string, err error) {
	f := diff.Finding{Severity: diff.SeverityError, ID: "state." + id, Subject: e.path, Evidence: diff.Say(err.Error())}
	if known, ok := errors.AsType[*diff.Error](err); ok {
		f.Remedy = diff.Say(known.Remedy)
	}
	e.found = append(e.found, f)
}

// file looks for damage that shows without reading every value.
func (e *examination) file() {
	former, err := formatOf(e.path)
	if err == nil && former < formatVersion {
		e.add(diff.SeverityNote, "file", e.path, diff.Say("is of format %d, this jstsync writes format %d", former, formatVersion),
			diff.Say("the next jstsync sync upgrades it, after a copy %s", formerName(e.path, byte(former))))
		return
	}
	var info *Info
	if err == nil {
		info, err = Survey(e.path)
	}
	if err != nil {
		e.fails("file", err)
		return
	}
	e.add(diff.SeverityOK, "file", e.path, diff.Say("format %d, runs on record: %d; no page is damaged", info.Format, info.Runs), diff.Phrase{})
}

// formatOf returns the format of a file that this jstsync can read or upgrade.
func formatOf(path string) (format int, err error) {
	err = opened(path, true, func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) error {
			err := checkFormat(path, tx)
			if meta := tx.Bucket(bucketMeta); meta != nil {
				if v := meta.Get(keyFormat); len(v) == 1 && v[0] > 0 && v[0] <= formatVersion {
					format, err = int(v[0]), nil
				}
			}
			return err
		})
	})
	return format, err
}

// access finds out what a run would not be allowed to write.
func (e *examination) access(exists bool) {
	const remedy = "give this user write access, or name another file in the setting state (JSTSYNC_STATE)"
	var lacking bool
	refused := func(severity diff.Severity, path string, err error) {
		lacking = true
		e.add(severity, "access", path, diff.Say("cannot be written by this user: %v", err), diff.Say(remedy))
	}
	file := locate(e.path)
	if exists {
		if err := mayWrite(file); err != nil {
			refused(diff.SeverityError, e.path, err)
		}
	}
	lock := lockName(e.path)
	_, err := os.Stat(lock)
	locks := err == nil
	if err := mayWrite(lock); locks && err != nil {
		refused(diff.SeverityError, lock, err)
	}
	if err := mayWrite(filepath.Dir(file)); err != nil {
		severity := diff.SeverityError
		if exists && locks {
			severity = diff.SeverityWarning // only large runs set changes aside there
		}
		refused(severity, filepath.Dir(file), err)
	}
	if !lacking {
		e.add(diff.SeverityOK, "access", e.path, diff.Say("can be written by this user"), diff.Phrase{})
	}
}

func (e *examination) mode(mode fs.FileMode) {
	if mode&0o077 != 0 && runtime.GOOS != "windows" {
		e.add(diff.SeverityWarning, "mode", e.path, diff.Say("others may read or write it (mode %s); it holds access tokens, sealed, and the whole record", fmt.Sprintf("%04o", mode)),
			diff.Say("chmod 600 %s", e.path))
	}
}

func (e *examination) space(info fs.FileInfo, exists bool) {
	where, size := filepath.Dir(e.path), int64(0)
	if exists {
		where, size = e.path, info.Size()
	}
	free := freeSpace(where)
	seen := diff.Say("%d MiB are free on its file system; the file has %d KiB", free>>20, size>>10)
	remedy := diff.Say("free some space, or move the file and name its place in the setting state (JSTSYNC_STATE); jstsync state compact gives back what was deleted")
	switch {
	case free < 0: // not known
	case free < scarce:
		e.add(diff.SeverityError, "space", e.path, seen, remedy)
	case free < max(size, roomy):
		e.add(diff.SeverityWarning, "space", e.path, seen, remedy)
	default:
		e.add(diff.SeverityOK, "space", e.path, seen, diff.Phrase{})
	}
}

func (e *examination) lock() {
	holder, err := Holder(e.path)
	switch {
	case err != nil:
		e.fails("lock", err)
	case holder != "":
		e.add(diff.SeverityNote, "lock", e.path, diff.Say("a run is under way (%s)", holder),
			diff.Say("nothing, if it is meant: other runs wait for it up to lock_timeout"))
	default:
		e.add(diff.SeverityOK, "lock", e.path, diff.Say("nobody holds the run lock"), diff.Phrase{})
	}
}
