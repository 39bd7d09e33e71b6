//go:build !linux && !darwin

package state

// networkKind cannot tell here.
func networkKind(string) string { return "" }
