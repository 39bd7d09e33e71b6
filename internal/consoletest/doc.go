// Package consoletest makes a console with a past, for tests and pictures: a state
// file as runs write it, with a month of them, and everything else that a console
// is given.
package consoletest
