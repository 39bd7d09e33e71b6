package main

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/urfave/cli/v2"
)

// profileFlags are for those who look into what a command costs.
func profileFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "cpuprofile", Usage: "write a CPU profile to `FILE`", Hidden: true},
		&cli.StringFlag{Name: "memprofile", Usage: "write a heap profile to `FILE` at the end", Hidden: true},
	}
}

// profileEnd ends the profiles, if there are any.
func (p *program) profileEnd() error {
	if p.endProfile == nil {
		return nil
	}
	return p.endProfile()
}

// profile begins the profiles that are asked for, and returns what ends them.
func profile(c *cli.Context) (end func() error, err error) {
	cpu, heap := c.String("cpuprofile"), c.String("memprofile")
	end = func() error { return nil }
	if cpu != "" {
		f, err := os.Create(cpu)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		end = func() error {
			pprof.StopCPUProfile()
			return f.Close()
		}
	}
	if heap == "" {
		return end, nil
	}
	endCPU := end
	return func() error { return errors.Join(endCPU(), writeHeap(heap)) }, nil
}

func writeHeap(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	runtime.GC() // what is still in use, not what was
	return errors.Join(pprof.WriteHeapProfile(f), f.Close())
}
