//go:build !windows

package state

import (
	"fmt"
	"os"
	"syscall"
)

// sameOwner gives the file the owner of another, so that whoever used that one
// can use this one in its place.
func sameOwner(path string, other os.FileInfo) error {
	st, ok := other.Sys().(*syscall.Stat_t)
	if !ok || int(st.Uid) == os.Geteuid() && int(st.Gid) == os.Getegid() {
		return nil
	}
	if err := os.Chown(path, int(st.Uid), int(st.Gid)); err != nil {
		return fmt.Errorf("give the new file the owner of the old one: %w", err)
	}
	return nil
}
