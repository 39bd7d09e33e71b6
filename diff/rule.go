package diff

// OnFail says what becomes of a record that breaks a rule.
type OnFail string

// What a broken rule does.
const (
	Warn       OnFail = "warn"       // it is reported
	Quarantine OnFail = "quarantine" // the record is set aside
	Fail       OnFail = "fail"       // the run stops
)

// BrokenRule is a data-quality rule that a record does not keep.
type BrokenRule struct {
	Rule   string
	OnFail OnFail
	Reason string // names the rule
}

// UniqueRule says that no two rows may have the same values in some columns. A
// row with NULL in one of them has no such value.
type UniqueRule struct {
	Rule    string
	OnFail  OnFail
	Columns []int // of the table
}

// RuleTally counts the records of one run that broke a rule.
type RuleTally struct {
	Rule   string   `json:"name"`
	OnFail OnFail   `json:"on_fail"`
	Count  int      `json:"count"`
	Keys   []string `json:"first_keys"`
}

// TallyKeys is how many keys a tally names.
const TallyKeys = 10
