// Command demo shows jstsync at work on one machine and with nothing set up:
// go run ./demo.
//
// It starts the sandbox, which stands for Jushuitan, and an embedded engine
// that speaks MySQL's protocol and keeps its tables in memory. Between the two
// it runs the product's own code, with the wiring of cmd/jstsync, in a
// temporary directory that is removed at the end.
//
// Guarantees: it tells what happened only after it checked that it happened,
// and ends with an error otherwise; it reaches nothing but the loopback
// interface.
//
// Non-guarantees: the embedded engine has no row locks, so it can stand in for
// a server in a demonstration with one writer, and in no test of safety.
package main
