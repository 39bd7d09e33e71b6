package main

import (
	"os"
	"runtime"
	"strings"
	"time"
)

// machine is where and when the figures were taken.
type machine struct {
	cpu                   string
	mariadb               string
	binary                int64 // bytes of the product
	date                  time.Time
	loadBefore, loadAfter string
}

// look notes what the system says of itself.
func (m *machine) look(product string) {
	m.cpu = "unknown CPU"
	text, _ := os.ReadFile("/proc/cpuinfo") // not on every system
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			m.cpu = strings.TrimSpace(value)
			break
		}
	}
	if info, err := os.Stat(product); err == nil {
		m.binary = info.Size()
	}
	m.loadBefore = load()
}

// load returns the load average of the last minute, or "?".
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "?"
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

func cores() int { return runtime.NumCPU() }
