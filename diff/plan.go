package diff

import "time"

// Status is where a plan or run ended.
type Status string

// The statuses.
const (
	Planned   Status = "planned"
	Unchanged Status = "unchanged"
	Committed Status = "committed"
	Held      Status = "held"
	Failed    Status = "failed"
	Pending   Status = "pending" // in the state file only: an intent stands
	Aborted   Status = "aborted" // in the state file only: recovery found it not committed
	Unknown   Status = "unknown" // in the state file only: closed by a rebuild, undecided
	Lost      Status = "lost"    // in the state file only: closed by a repair of a target that went back in time
)

// Summary counts the records of a run.
type Summary struct {
	Read        int `json:"read"` // distinct records answered, by page or by id
	Pages       int `json:"pages"`
	Calls       int `json:"calls"` // attempts, retries included
	Unchanged   int `json:"unchanged"`
	Insert      int `json:"insert"`
	Update      int `json:"update"`
	Delete      int `json:"delete"`
	Kept        int `json:"kept"`
	Quarantined int `json:"quarantined"`
	Foreign     int `json:"foreign"`
}

// Withheld lists the deletes that were not made for want of a witness.
type Withheld struct {
	Keys   []Key
	Reason string
}

// Quarantined is a record set aside: its row in the target stays as it is.
type Quarantined struct {
	Key    string `json:"key"` // "" when it could not be read
	Reason string `json:"reason"`
}

// SetAside is a record that is quarantined, and since when without interruption.
type SetAside struct {
	Quarantined
	Run     uint64
	Since   time.Time // when that run began
	AtLeast bool      // older runs are forgotten
}

// Rehash is a record whose spelling moved and whose row did not.
type Rehash struct {
	Key    Key
	Source SourceHash
}

// Plan is what one run found and means to do, or did.
type Plan struct {
	Pipeline   string
	Table      *Table
	Status     Status
	Base       Head
	Digest     Digest
	Scan       ScanInfo
	Summary    Summary
	Withheld   Withheld
	Quarantine []Quarantined
	Rules      []RuleTally // those that were broken, by name
	Guard      GuardVerdict
	Changes    *ChangeSet

	Rehashed    []Rehash
	Fingerprint string   // of the mapping
	Snapshot    string   // fingerprint under which the snapshot's hashes were made
	Remapped    bool     // the snapshot is of another mapping: every row was compared by value
	NewFields   []string // source fields that are mapped to nothing, seen for the first time; sorted

	Run         uint64    // 0 for a plan
	CommittedAt time.Time // zero unless committed
	Err         error     // why it failed
}

// Call records one attempt of one API call. No secret is ever in it.
type Call struct {
	Path     string        `json:"path"`
	Params   string        `json:"params"` // the business object, as sent
	Page     int           `json:"page,omitempty"`
	Attempt  int           `json:"attempt"`
	At       time.Time     `json:"at"`
	Duration time.Duration `json:"dur"`
	Status   int           `json:"status,omitempty"` // HTTP
	Code     int           `json:"code"`             // vendor
	Message  string        `json:"msg,omitempty"`    // vendor
	Bytes    int64         `json:"bytes"`
	Err      string        `json:"err,omitempty"`
	Body     string        `json:"body,omitempty"` // first 2 KiB, on failure only
}

// Hold is what the guard found of a run that it held, or was told to let pass.
type Hold struct {
	Limit   int      `json:"limit"`
	Percent float64  `json:"percent"`
	Count   int      `json:"count"`
	Rows    int      `json:"rows"` // before the run
	Keys    []string `json:"first_keys"`
}

// HoldKeys is how many keys a [Hold] names.
const HoldKeys = 10

// Run is the record of one run of one pipeline.
type Run struct {
	Run         uint64        `json:"run"`
	Pipeline    string        `json:"pipeline"`
	RunID       ID            `json:"run_id"`
	Trigger     string        `json:"trigger"` // sync, apply, rebuild
	Started     time.Time     `json:"started"`
	Scanned     time.Time     `json:"scanned,omitzero"` // when the source was read, where that was before: for a plan that is applied
	Ended       time.Time     `json:"ended"`
	Status      Status        `json:"status"`
	CommittedAt time.Time     `json:"committed_at,omitzero"`
	Fingerprint string        `json:"fingerprint"`
	Remapped    bool          `json:"mapping_changed,omitempty"`
	NewFields   []string      `json:"new_fields,omitempty"`
	IDColumn    string        `json:"-"` // which holds the ids of records, kept with the pipeline; "" when none does
	Scan        Verdict       `json:"scan"`
	ScanNote    string        `json:"scan_note,omitempty"`
	Summary     Summary       `json:"summary"`
	Withheld    int           `json:"withheld"`
	WithheldWhy string        `json:"withheld_reason,omitempty"`
	Guard       string        `json:"guard,omitempty"` // the kind that tripped
	Hold        *Hold         `json:"hold,omitempty"`  // by how much; nil when none did
	Quarantine  []Quarantined `json:"quarantine,omitempty"`
	Rules       []RuleTally   `json:"rules,omitempty"`
	Error       string        `json:"error,omitempty"`
	ErrorCode   Code          `json:"error_code,omitempty"`
	CallStats   CallStats     `json:"call_stats"`
	Calls       []Call        `json:"-"` // kept beside the record, for a time or for good
}
