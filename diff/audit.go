package diff

import "time"

// Commit describes one committed run, as the audit keeps it.
type Commit struct {
	Run     uint64
	Kind    string // sync, apply, rebuild
	At      time.Time
	Columns []string // of the rows of its changes
	Trimmed bool     // it is forgotten but for rows that are still the newest of their keys
}

// Version is one change of a record and the commit that made it. Under a
// rebuild it is the row as the target held it.
type Version struct {
	Commit *Commit
	Change Change
}

// Reshape returns the row with the wanted columns; one that it does not have is
// NULL. A nil row stays nil.
func Reshape(row Row, has, want []string) Row {
	if row == nil {
		return nil
	}
	place := make(map[string]int, len(has))
	for i, name := range has {
		place[name] = i
	}
	shaped := make(Row, len(want))
	for i, name := range want {
		if at, ok := place[name]; ok && at < len(row) {
			shaped[i] = row[at]
		}
	}
	return shaped
}
