package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"go.etcd.io/bbolt"
)

// sealSize is how many bytes of a stored value are its seal: the CRC-32C of
// its key and its content. A change of one byte, or of bytes that stand in
// four neighbouring ones, is certain to be noticed.
const sealSize = 4

// errSeal is the cause of an error about a value that is not what was written.
var errSeal = errors.New("its seal is broken")

func sealOf(key, content []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Update(0, table, key), table, content)
}

// seal returns the value to store for the content under the key.
func seal(key, content []byte) []byte {
	v := append(make([]byte, 0, len(content)+sealSize), content...)
	return binary.BigEndian.AppendUint32(v, sealOf(key, content))
}

// unseal returns the content of a stored value.
func unseal(key, value []byte) ([]byte, error) {
	n := len(value) - sealSize
	if n < 0 || binary.BigEndian.Uint32(value[n:]) != sealOf(key, value[:n]) {
		return nil, errSeal
	}
	return value[:n:n], nil
}

// put stores the content under the key, sealed.
func put(b *bbolt.Bucket, key, content []byte) error { return b.Put(key, seal(key, content)) }

// get returns the content stored under the key, or nil when there is none.
func get(b *bbolt.Bucket, key []byte) ([]byte, error) {
	value := b.Get(key)
	if value == nil {
		return nil, nil
	}
	return unseal(key, value)
}

// field returns the content of a value whose seal [checkFixed] has seen.
func field(b *bbolt.Bucket, key []byte) []byte {
	value := b.Get(key)
	return value[:max(len(value)-sealSize, 0)]
}

// number returns a u64 as [field] does; none is 0.
func number(b *bbolt.Bucket, key []byte) uint64 { return readBE64(field(b, key)) }

// checkFixed makes sure of what every use of the file builds upon: its fixed
// buckets, and the seals of the values outside them.
func checkFixed(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketRuns, bucketCalls, bucketPipelines} {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("bucket %s is missing", name)
		}
	}
	if err := checkFields(tx.Bucket(bucketMeta), keyCreated, keyLastRun); err != nil {
		return fmt.Errorf("meta: %w", err)
	}
	pipelines := tx.Bucket(bucketPipelines)
	return pipelines.ForEachBucket(func(name []byte) error {
		if err := checkPipelineFields(pipelines.Bucket(name)); err != nil {
			return fmt.Errorf("pipeline %s: %w", name, err)
		}
		return nil
	})
}

func checkPipelineFields(p *bbolt.Bucket) error {
	for _, name := range [][]byte{bucketIndex, bucketChanges, bucketCommits} {
		if p.Bucket(name) == nil {
			return fmt.Errorf("bucket %s is missing", name)
		}
	}
	if err := checkFields(p, keyHead, keyGeneration, keyRowCount); err != nil {
		return err
	}
	if _, err := get(p, keyFingerprint); err != nil {
		return fmt.Errorf("%s: %w", keyFingerprint, err)
	}
	if currentIndex(p) == nil {
		return fmt.Errorf("index %d, the current one, is missing", number(p, keyGeneration))
	}
	return nil
}

func checkFields(b *bbolt.Bucket, keys ...[]byte) error {
	for _, k := range keys {
		v, err := get(b, k)
		if err == nil && v == nil {
			err = errors.New("it is missing")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
	}
	return nil
}
