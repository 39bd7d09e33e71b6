// Command bench measures the jstsync binary as whole processes and writes
// docs/performance.md: go run ./bench, from the root of the repository.
//
// Beside it, in the same rounds, runs a floor: a minimal client that fetches
// the same signed pages and throws them away. What the product costs above the
// floor is what its work costs. Both read from a page server in a process of
// its own whose answers are rendered before anything is measured; the product
// writes to a private mariadbd.
//
// The page server is this program too, bench serve. The minimal client, and
// what starts the measured processes, is the small one in the folder process.
//
// Guarantees: every figure of the page comes from the run that wrote it.
//
// Non-guarantees: the figures are of one machine with whatever else it was
// doing; its load is printed beside them. It runs on Linux and macOS.
package main
