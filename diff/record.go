package diff

// Member is one member of a source record: its name, and its value as the raw
// JSON text that came, without surrounding white space.
type Member struct {
	Name string
	Raw  []byte
}

// Record is one record as the source answered it. A non-nil Err says that its
// boundaries were readable but its content is not to be trusted; Members then
// hold what could be read, if only to find the key.
type Record struct {
	Members []Member
	Err     error
}

// Member returns the raw value of the named member, or nil when it is missing.
func (r *Record) Member(name string) []byte {
	for i := range r.Members {
		if r.Members[i].Name == name {
			return r.Members[i].Raw
		}
	}
	return nil
}

// Count returns how often the named member stands in the record.
func (r *Record) Count(name string) int {
	n := 0
	for i := range r.Members {
		if r.Members[i].Name == name {
			n++
		}
	}
	return n
}

// Page is one page of a scan; Index counts from 1.
type Page struct {
	Index   int
	Records []Record
}

// Verdict says how far a scan can be trusted to have shown every record.
type Verdict string

// The verdicts of a scan.
const (
	Complete Verdict = "complete" // every page came and nothing looked odd
	Unstable Verdict = "unstable" // rows moved between pages while they were read
	Partial  Verdict = "partial"  // a page could not be had
)

// ScanInfo is what a source says of one reading of all pages.
type ScanInfo struct {
	Pages   int
	Verdict Verdict
	Note    string // why it is not complete
}

// Witness is the outcome of asking the source for records by their keys.
type Witness struct {
	Alive    []Record // answered: these records exist
	Gone     []Key    // asked beside a control that was answered, and not answered themselves
	Withheld []Key    // asked, but the answer does not count
	Reason   string   // why they are withheld
}
