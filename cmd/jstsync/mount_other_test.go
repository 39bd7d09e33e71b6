//go:build !linux

package main

import (
	"errors"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// canMount is always false: these scripts' disks are Linux's.
func canMount(*testing.T) bool { return false }

func (s *script) disk(*testscript.TestScript, []string) error { return errors.ErrUnsupported }

func (s *script) fifo(*testscript.TestScript, []string) error { return errors.ErrUnsupported }
