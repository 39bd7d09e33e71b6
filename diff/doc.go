// Package diff is the comparison core of jstsync and the vocabulary its other
// packages share: [Key], [Record], [Row], [Table], [Change], [ChangeSet],
// [Plan], and the words of the commit protocol, [Head] and [Intent].
//
// It computes and nothing else: no I/O, no clock, no randomness, no logging.
// Equal inputs give equal outputs, byte for byte, which is what makes a plan
// reviewable and a digest meaningful.
//
// What it guarantees: a record whose mapped members are spelled alike has the
// same [SourceHash] whatever the order of its members; a change set lists each
// key once, in key order; an encoded change decodes to itself.
//
// What it does not: hashes are 64 bits wide and not cryptographic. Two
// spellings of one record agree by accident once in 2^64; a hostile source
// could forge such a pair.
package diff
