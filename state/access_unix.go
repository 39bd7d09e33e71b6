//go:build !windows

package state

import "syscall"

// mayWrite returns why this user may not write the file or directory, or nil.
func mayWrite(path string) error {
	const write = 2 // W_OK of access(2)
	return syscall.Access(path, write)
}
