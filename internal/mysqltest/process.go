package mysqltest

import (
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a child that ends when the test process does, on systems that can see to it.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
	err  error         // how it ended; read after done
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = dieWithParent()
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// To the kernel the parent is the thread that started the child, so that thread has to last as long.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// kill ends the process without warning and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // fails when it has ended already
	<-p.done
}

// stop asks the process to end, kills it when it does not, and waits until it is gone.
func (p *process) stop() {
	if p.cmd.Process.Signal(syscall.SIGTERM) == nil {
		select {
		case <-p.done:
			return
		case <-time.After(stopTimeout):
		}
	}
	p.kill()
}
