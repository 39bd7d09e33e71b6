package state

import "os"

// sameOwner does nothing: a file's owner is the directory's affair here.
func sameOwner(string, os.FileInfo) error { return nil }
