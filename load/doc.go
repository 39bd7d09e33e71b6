// Package load writes change sets to MySQL: the target table, and beside it the
// row of jstsync_checkpoint that decides whether a run happened.
//
// [Open] reads a DSN, [Target.Connect] gives a [Session] on one connection
// whose settings were set and verified, [Session.Begin] compares or claims the
// checkpoint row, [Session.Commit] sends one transaction whose first statement
// moves that row, and [Target.Resolve] finds out, or decides, what became of a
// transaction whose end was not seen.
//
// Guarantees: rows and checkpoint move together or not at all; only mapped
// columns are named; every statement's matched rows are checked; after any
// error no further statement is sent on that connection; DDL only before the
// transaction. LOAD DATA and REPLACE are never used.
//
// Non-guarantees: nothing here notices that somebody edited rows by hand,
// until a change meets such a row.
package load
