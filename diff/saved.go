package diff

import "time"

// Terms are what, beside snapshot and mapping, a plan was made for: it holds
// for nothing else.
type Terms struct {
	Target  string // host:port/database/table of the rows, without user and password
	Deletes string // what becomes of the row of a record that is gone
	Shared  bool   // other pipelines own other rows of the table
}

// SavedPlan is a plan to be applied later, exactly as it is, or refused.
type SavedPlan struct {
	*Plan
	Terms   Terms
	Version string // of the program that made it
	Created time.Time
	Expires time.Time // it is not applied after that
}
