//go:build !windows

package state

import (
	"errors"
	"os"
)

// syncDir makes a rename in the directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return openError(dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return openError(dir, err)
	}
	return nil
}
