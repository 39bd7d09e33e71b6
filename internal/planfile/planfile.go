// Package planfile keeps a plan as a file: to be read by a person, and applied
// exactly as it was read, or refused.
//
// [Write] and [Read] are all there is. docs/plan-format.md specifies the bytes.
//
// Guarantees: a file is complete or not there; it holds everything that
// printing and applying the plan takes, and neither password nor token; a file
// of which any byte was changed, added or lost is refused before any part of it
// is looked at; whatever a file holds, reading it neither panics nor takes
// memory out of proportion to its size. The same plan gives the same bytes.
//
// Non-guarantees: the checksum shows accidents and careless edits. Who can
// write the file can make it say anything; it is no signature.
package planfile

import (
	"fmt"

	"jstsync/diff"
)

// Format is the number of the file format.
const Format = 1

// magic begins every file of every format; the format's number and a line feed
// follow.
const magic = "jstsync plan "

// maxPiece is the longest piece of a file in bytes: the encoding of one
// change, or the header.
const maxPiece = 64 << 20

// pieceCost is what a piece takes in memory beside its bytes, at most.
const pieceCost = 64

// maxMemory returns the most bytes of memory that a plan of a compressed size
// may take. Rows that differ in their keys alone are a tenth of that.
func maxMemory(compressed int64) int64 { return 64<<20 + 256*compressed }

// refuse says why a file is not used.
func refuse(path, format string, args ...any) error {
	return &diff.Error{
		Code: diff.CodePlanFile, Message: fmt.Sprintf("plan file %s %s", path, fmt.Sprintf(format, args...)),
		Remedy: "make a new one with jstsync plan --out " + path,
	}
}
