// Package report renders plans and runs: as text for people, as JSON for
// programs.
//
// The JSON is an interface with a format number: fields are added, never
// renamed, never localised. Text is for reading and may change.
//
// Guarantees: whatever a record holds, the text moves no cursor and changes no
// colour: control characters and bidirectional overrides are shown as escapes.
// Integers are exact JSON numbers.
package report

// Format is the number of the JSON format of plans.
const Format = 1
