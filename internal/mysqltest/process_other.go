//go:build !linux

package mysqltest

import (
	"os"
	"syscall"
)

// dieWithParent asks for nothing: only Linux ends a child with its parent.
func dieWithParent() *syscall.SysProcAttr { return nil }

// lock takes nothing. A server may outlive its test process here, so no directory is known to be out of use.
func lock(*os.File) bool { return false }
