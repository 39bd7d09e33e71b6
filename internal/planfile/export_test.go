package planfile

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"

	"jstsync/diff"
)

// Encode returns the bytes of the plan's file.
func Encode(saved *diff.SavedPlan) ([]byte, error) {
	var b bytes.Buffer
	err := encode(&b, saved)
	return b.Bytes(), err
}

// Decode returns the plan of a file of these bytes.
func Decode(file []byte) (*diff.SavedPlan, error) {
	return read(bytes.NewReader(file), int64(len(file)), "x.plan", nil)
}

// Seal makes a file with a right checksum of a body.
func Seal(body []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%d\n", magic, Format)
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(body)
	_ = z.Close()
	sum := sha256.Sum256(b.Bytes())
	return append(b.Bytes(), sum[:]...)
}
