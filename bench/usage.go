package main

import "time"

// usage is what one process took, as process exec says it.
type usage struct {
	CPU  time.Duration // user and system
	Wall time.Duration
	Peak int64 // bytes resident at most
	Own  int64 // the same of the process that started it, which Peak cannot be below
}
