package diff

// Snapshot is what a state file holds of one pipeline, less the rows.
type Snapshot struct {
	Exists      bool // the state file exists
	Head        Head
	Intent      *Intent  // an unfinished run, or nil
	Fingerprint string   // of the mapping under which the source hashes were made
	Fields      []string // names of source fields that are mapped to nothing and were reported
	IDColumns   []string // columns that have held the ids of records, under this mapping or an earlier one
	Index       *Index
	Expect      int    // how many records the source is likely to have: as many as it had last
	NextRun     uint64 // the number the next run's record takes
}
