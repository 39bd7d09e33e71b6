// Package faulttest holds the tests that break runs on purpose: at every point
// of jstsync/internal/fault, on the network to the server, by signals, and at
// random for many runs. They run the program built with -tags fault against a
// real server and the sandbox. docs/testing.md describes them.
package faulttest
