// Package load writes change sets to MySQL: the target table, and beside it the
// row of jstsync_checkpoint that decides whether a run happened.
//
// [Open] reads a DSN, [Target.Connect] gives a [Session] on one connection
// whose settings were set and verified, [Session.Begin] inspects the table and
// compares or claims the checkpoint row, [Session.CheckKeys] finds keys that
// the table's collation would merge, [Session.Commit] sends one transaction
// whose first statement moves that row, again when the server gave it up, and
// [Target.Resolve] finds out, or decides, what became of a transaction whose
// end was not seen. docs/commit-protocol.md specifies how they work together.
// [Session.ReadTable] and [Session.TakeOver] adopt a table that holds rows
// already; [Session.SchemaPlan] says what a table lacks.
//
// Guarantees: rows and checkpoint move together or not at all; only mapped
// columns are named, and the mark of soft deletes; every statement's matched
// rows are checked; after any error no further statement is sent on that
// connection, and after one of COMMIT the transaction is not sent again; DDL only before the transaction, and only such as
// adds. A table in which a mapped value could be lost or changed is refused
// before anything is written, all reasons at once ([SchemaError]). LOAD DATA
// and REPLACE are never used.
//
// Non-guarantees: nothing here notices that somebody edited rows by hand,
// until a change meets such a row; what triggers of the table's owner write is
// not looked at; foreign keys from other databases are not seen.
package load
