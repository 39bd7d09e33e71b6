package mysqltest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const (
	dirPrefix     = "jstmy" // of a server's directory, once its lock is held
	newPrefix     = "jstnew"
	lockName      = "lock"
	maxSocketPath = 100 // the kernel's limit is 104 bytes or 108, by system
)

// baseDir returns where servers' directories go: where the path of a socket in them stays within the kernel's limit.
func baseDir() string {
	base := os.TempDir()
	if len(base)+len("/"+dirPrefix+"4294967295/s") > maxSocketPath {
		return "/tmp"
	}
	return base
}

// makeDir creates a server's directory and the lock that shows it is in use. The lock ends with the process,
// however that ends. The directory gets its name when the lock is held, so that [sweep] never sees it without.
func makeDir(base string) (string, *os.File, error) {
	made, err := os.MkdirTemp(base, newPrefix)
	if err != nil {
		return "", nil, fmt.Errorf("create directory for a server: %w", err)
	}
	file, err := os.Create(filepath.Join(made, lockName))
	if err != nil {
		return "", nil, fmt.Errorf("create lock of a server's directory: %w", errors.Join(err, os.RemoveAll(made)))
	}
	lock(file)
	dir := filepath.Join(base, dirPrefix+strings.TrimPrefix(filepath.Base(made), newPrefix))
	if err := os.Rename(made, dir); err != nil {
		return "", nil, fmt.Errorf("name a server's directory: %w", errors.Join(err, os.RemoveAll(made), file.Close()))
	}
	return dir, file, nil
}

// sweep removes the directories of servers whose test process was killed. It is a courtesy: what cannot be removed,
// such as another user's, stays.
func sweep(base string) {
	locks, err := filepath.Glob(filepath.Join(base, dirPrefix+"*", lockName))
	if err != nil {
		return // the name of the base is itself a pattern
	}
	for _, name := range locks {
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if lock(file) {
			_ = os.RemoveAll(filepath.Dir(name))
		}
		_ = file.Close()
	}
}
