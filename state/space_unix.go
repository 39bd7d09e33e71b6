//go:build linux || darwin

package state

import "syscall"

// freeSpace returns how many bytes this user may still take on the file system
// of the file or directory, or -1 when that cannot be told.
func freeSpace(path string) int64 {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize) //nolint:unconvert // the types differ from system to system
}
