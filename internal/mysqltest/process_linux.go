package mysqltest

import "syscall"

// dieWithParent has the kernel kill a child when its parent ends.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
