// Package state keeps what jstsync knows between runs in one bbolt file: for
// each pipeline the head, the index of the snapshot, the committed changes
// (which are the audit and hold the rows), an unfinished run's intent, and the
// records of past runs.
//
// [Reader] can only read and is what a dry run is given. [Journal] embeds it
// and writes: Stage is transaction A of the commit protocol, Finalise is
// transaction B. [Lock] keeps a second runner out.
//
// Guarantees: the file is opened for short sections only and never while the
// network is waited for; it is created whole or not at all; a row's newest
// image is stored once; staging goes in sorted chunks and finalising is one
// bounded transaction.
//
// Non-guarantees: bbolt relies on a local file system with working flock and
// fsync. After an error from a write the outcome is unknown: exit, and let the
// next start read the file.
package state
