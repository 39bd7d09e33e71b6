package state

import (
	"encoding/binary"
	"fmt"
	"time"

	"jstsync/diff"
)

// formatVersion is the version byte of the files this package writes.
const formatVersion = 2

// chunk is how many keys one staging transaction puts, and the largest number
// of index changes that finalising applies one by one. Above it the next index
// is written beside the current one and finalising flips the pointer.
const chunk = 20_000

// Names of buckets and keys. The layout is specified in docs/state-format.md.
var (
	bucketMeta      = []byte("meta")
	bucketRuns      = []byte("runs")
	bucketCalls     = []byte("calls")
	bucketPipelines = []byte("pipelines")
	bucketIndex     = []byte("index")
	bucketChanges   = []byte("changes")
	bucketCommits   = []byte("commits")
	bucketRows      = []byte("rows")
	bucketHashes    = []byte("hashes")
	bucketKept      = []byte("kept")
	bucketLayouts   = []byte("layouts")

	keyFormat      = []byte("format")
	keyCreated     = []byte("created")
	keyLastRun     = []byte("last_run")
	keyHead        = []byte("head")
	keyIntent      = []byte("intent")
	keyGeneration  = []byte("generation")
	keyRowCount    = []byte("row_count")
	keyFingerprint = []byte("fingerprint")
	keyFields      = []byte("fields")
	keyIDColumns   = []byte("id_columns")
	keyTrimmed     = []byte("trimmed")
	keyHeader      = []byte("header")
)

// header describes the changes of one run.
type header struct {
	RunID       diff.ID     `json:"run_id"`
	Kind        string      `json:"kind"`
	Columns     []string    `json:"columns"`
	Count       int         `json:"count"`
	Previous    diff.Digest `json:"previous"`
	Digest      diff.Digest `json:"digest"`
	CommittedAt time.Time   `json:"committed_at"`
	Latest      time.Time   `json:"latest,omitzero"` // of this commit and all before it, whatever the clock did
	Committed   bool        `json:"committed"`
	Fingerprint string      `json:"fingerprint"`
	Generation  uint64      `json:"generation,omitempty"` // the index to flip to, or 0
	RowCount    uint64      `json:"row_count"`            // of the snapshot after the commit
}

func be64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func readBE64(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

// A head is the instance, the sequence number, the run ID and the digest.
const headSize = 16 + 8 + 16 + 32

func encodeHead(h diff.Head) []byte {
	b := make([]byte, 0, headSize)
	b = append(b, h.Instance[:]...)
	b = binary.BigEndian.AppendUint64(b, h.Seq)
	b = append(b, h.RunID[:]...)
	return append(b, h.Digest[:]...)
}

func decodeHead(b []byte) (h diff.Head, err error) {
	if len(b) != headSize {
		return h, fmt.Errorf("head is %d bytes long, want %d", len(b), headSize)
	}
	copy(h.Instance[:], b)
	h.Seq = binary.BigEndian.Uint64(b[16:])
	copy(h.RunID[:], b[24:])
	copy(h.Digest[:], b[40:])
	return h, nil
}

// An index entry is a flags byte, the source hash, and the sequence number of
// the change that holds the row's newest image, sealed.
const entrySize = 1 + 8 + 8

// flagAdopted marks a row that a rebuild found in the target and whose record
// no scan has shown since: it may be somebody else's, and is never deleted.
const flagAdopted = 1

type entry struct {
	flags  byte
	source diff.SourceHash
	image  uint64
}

// encode returns the value to store under the key.
func (e entry) encode(key []byte) []byte {
	b := make([]byte, 0, entrySize+sealSize)
	b = append(b, e.flags)
	b = binary.BigEndian.AppendUint64(b, uint64(e.source))
	b = binary.BigEndian.AppendUint64(b, e.image)
	return binary.BigEndian.AppendUint32(b, sealOf(key, b))
}

func decodeEntry(key, value []byte) (entry, error) {
	b, err := unseal(key, value)
	if err != nil {
		return entry{}, fmt.Errorf("index entry of %s: %w", diff.Key(key), err)
	}
	if len(b) != entrySize {
		return entry{}, fmt.Errorf("index entry of %s is %d bytes long, want %d", diff.Key(key), len(b), entrySize)
	}
	return entry{b[0], diff.SourceHash(binary.BigEndian.Uint64(b[1:])), binary.BigEndian.Uint64(b[9:])}, nil
}
