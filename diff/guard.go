package diff

// Guard is how much one run may take away or rewrite without a person's leave.
type Guard struct {
	MaxDeletes       int
	MaxDeletePercent float64
	MaxUpdates       int
	MaxUpdatePercent float64
	AllowEmpty       bool
}

// GuardEmpty is the kind of the rule that no override lifts: the source answered
// nothing.
const GuardEmpty = "empty"

// GuardVerdict is what the guard said of a change set.
type GuardVerdict struct {
	Tripped bool
	Kind    string // empty, delete or update
	Limit   int    // the absolute limit of that kind
	Percent float64
	Count   int
	Rows    int // snapshot rows before the run
}

// Check judges the counts of a change set against a snapshot of rows records.
// A kind trips when its count is over the absolute limit and its share is over
// the percent limit. A scan that read nothing while there are rows trips
// unless AllowEmpty.
func (g Guard) Check(rows, read, deletes, updates int) GuardVerdict {
	over := func(count, limit int, percent float64) bool {
		return count > limit && 100*float64(count)/float64(rows) > percent // the product with percent would round
	}
	switch {
	case read == 0 && rows > 0 && !g.AllowEmpty:
		return GuardVerdict{Tripped: true, Kind: GuardEmpty, Count: rows, Rows: rows}
	case over(deletes, g.MaxDeletes, g.MaxDeletePercent):
		return GuardVerdict{Tripped: true, Kind: "delete", Limit: g.MaxDeletes, Percent: g.MaxDeletePercent, Count: deletes, Rows: rows}
	case over(updates, g.MaxUpdates, g.MaxUpdatePercent):
		return GuardVerdict{Tripped: true, Kind: "update", Limit: g.MaxUpdates, Percent: g.MaxUpdatePercent, Count: updates, Rows: rows}
	default:
		return GuardVerdict{Rows: rows}
	}
}
