//go:build !linux && !darwin

package state

// freeSpace cannot tell here.
func freeSpace(string) int64 { return -1 }
