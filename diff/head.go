package diff

import (
	"encoding/hex"
	"fmt"
	"time"
)

// ID is a random identity of a run or of a pipeline's state.
type ID [16]byte

// IsZero reports whether the ID is all zero: before the first commit.
func (id ID) IsZero() bool { return id == ID{} }

// String returns the ID as 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText returns the hexadecimal digits.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads what [ID.MarshalText] wrote.
func (id *ID) UnmarshalText(text []byte) error { return unhex(id[:], text) }

// MarshalText returns the hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what [Digest.MarshalText] wrote.
func (d *Digest) UnmarshalText(text []byte) error { return unhex(d[:], text) }

func unhex(dst, text []byte) error {
	if len(text) != 2*len(dst) {
		return fmt.Errorf("%q is not %d hexadecimal digits", text, 2*len(dst))
	}
	_, err := hex.Decode(dst, text)
	return err
}

// Head is a pipeline's last commit, as the state file knows it. Two heads are
// equal only when instance, sequence and run are.
type Head struct {
	Instance ID     `json:"instance"` // of the state file's record of this pipeline
	Seq      uint64 `json:"seq"`      // RUN number of the last commit; 0 before the first
	RunID    ID     `json:"run_id"`   // of the last commit; zero before the first
	Digest   Digest `json:"digest"`   // of the last commit and all before it
}

// Same reports whether two heads are of the same commit.
func (h Head) Same(o Head) bool {
	return h.Instance == o.Instance && h.Seq == o.Seq && h.RunID == o.RunID
}

// IsEmpty reports whether nothing was ever committed.
func (h Head) IsEmpty() bool { return h.Seq == 0 && h.RunID.IsZero() }

// Checkpoint is the other copy of a head: the pipeline's row in the target's
// jstsync_checkpoint, with the epoch that fences late transactions.
type Checkpoint struct {
	Head
	Epoch  int64  `json:"epoch"`
	Target string `json:"target"` // table name
}

// The kinds of intents. A rebuild takes the target over with the rows it has, a
// repair brings the target back to the snapshot.
const (
	KindSync    = "sync"
	KindApply   = "apply"
	KindRebuild = "rebuild"
	KindRepair  = "repair"
)

// Intent is the decision to commit one change set, written before the target
// is touched and cleared when its outcome is known.
type Intent struct {
	Run         uint64     `json:"run"`
	RunID       ID         `json:"run_id"`
	Kind        string     `json:"kind"` // sync, apply, rebuild
	From        Checkpoint `json:"from"`
	Instance    ID         `json:"instance"` // To: instance and Run are the head after the commit
	Digest      Digest     `json:"digest"`
	CommittedAt time.Time  `json:"committed_at"` // UTC, microseconds
	Changes     int        `json:"changes"`
}

// To returns the head that stands once the intent is committed.
func (i *Intent) To() Head {
	return Head{Instance: i.Instance, Seq: i.Run, RunID: i.RunID, Digest: i.Digest}
}
