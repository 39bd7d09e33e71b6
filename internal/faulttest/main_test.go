//go:build !windows

package faulttest_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"jstsync/internal/mysqltest"
)

// TestMain gives the tests a server and, once asked for, the two programs.
func TestMain(m *testing.M) { mysqltest.Main(programs{m}) }

// programs removes what was built when the tests have run.
type programs struct{ m *testing.M }

func (p programs) Run() int {
	code := p.m.Run()
	if dir, err := built(); err == nil {
		_ = os.RemoveAll(dir)
	}
	return code
}

// built makes a directory for programs.
var built = sync.OnceValues(func() (string, error) { return os.MkdirTemp("", "jstsync-fault-*") })

// armed and shipped build the program with and without fault points.
var (
	armed   = sync.OnceValues(func() (string, error) { return build("armed", "-tags", "fault") })
	shipped = sync.OnceValues(func() (string, error) { return build("shipped") })
)

func build(name string, flags ...string) (string, error) {
	dir, err := built()
	if err != nil {
		return "", err
	}
	program := filepath.Join(dir, name)
	args := append(append([]string{"build"}, flags...), "-o", program, "jstsync/cmd/jstsync")
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w: %s", name, err, out)
	}
	return program, nil
}

// program returns the path of a program that was built.
func program(tb testing.TB, which func() (string, error)) string {
	tb.Helper()
	path, err := which()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}
