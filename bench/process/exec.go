package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what one process took.
type usage struct {
	CPU  time.Duration // user and system
	Wall time.Duration
	Peak int64 // bytes resident at most
	Own  int64 // the same of the process that started it, which Peak cannot be below
}

// execute runs the program that args name and writes its usage to out. It is a
// process of its own, so that what Linux inherits to the program is small.
func execute(ctx context.Context, args []string, out io.Writer, now func() time.Time) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := now()
	err := cmd.Run()
	wall := now().Sub(start)
	if err != nil {
		return fmt.Errorf("run %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	used, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("this system does not say what a process used")
	}
	return json.NewEncoder(out).Encode(usage{
		CPU:  cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		Wall: wall, Peak: resident(used), Own: held(),
	})
}

// held returns the peak resident memory of this process in bytes, or 0 where
// there is no /proc. Its own rusage would tell what it inherited as well.
func held() int64 {
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kibibytes, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kibibytes << 10
		}
	}
	return 0
}

// resident returns the peak resident memory in bytes: Linux counts KiB.
func resident(r *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return r.Maxrss
	}
	return r.Maxrss << 10
}
