//go:build !linux

package mysqltest

import "syscall"

// dieWithParent asks for nothing: only Linux ends a child with its parent.
func dieWithParent() *syscall.SysProcAttr { return nil }
